// Package pki is the exchange's own certificate authority: one root, three kinds
// of certificates, one-time tokens for those who join.
//
// Invariants:
//
//   - A certificate says who its holder is only as the authority knows it: the
//     names of a request are never taken over.
//   - A token is good for one member and one node, once, for a short time; the
//     authority keeps only its hash.
package pki
