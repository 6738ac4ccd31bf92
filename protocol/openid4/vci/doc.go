// Package vci has the messages and checks of OpenID for Verifiable Credential Issuance
// 1.0, for issuers and for wallets: metadata, offers, requests with their proofs of
// keys, responses, deferred issuing, notifications, encryption of all these, and the
// errors. The tokens and the authentication of clients are in package oauth.
//
// What is profiled is HAIP 1.0 and beside it the pre-authorized code. Formats other
// than SD-JWT VC and mdoc can be read in metadata, and are otherwise left alone.
package vci
