// Package jws signs and reads the JSON Web Signatures (RFC 7515) of the credential
// protocols: compact form, one signature, an asymmetric key, and a type in the header
// so that a text signed for one purpose is never taken for another.
//
// Reading is in two steps. [Parse] checks the form: the type and algorithm that the
// caller named, no name given twice, one way at most to name the key, no private key,
// no address to fetch a key from, no critical extension. [Token.Verify] checks the
// signature with a key that the caller trusts, and only then gives the payload: what
// is not verified can be looked at by [Token.Unverified], whose name says so.
//
// The cryptography is go-jose's and Go's own.
package jws
