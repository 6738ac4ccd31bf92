// Package claimpath reads and applies the claims path pointers with which OpenID4VP
// 1.0 (section 7) and SD-JWT VC type metadata name claims within a JSON credential:
// arrays of names, array indices and null, where null stands for all elements.
//
// What is decoded is bounded and checked, so that a [Path] that came from outside can
// be applied at once. A path that selects nothing, or that asks a name of an array or
// an index of an object, is an error and never an empty success: a request that can't
// be met is not taken for one that is.
package claimpath
