// Package vp has the messages and checks of OpenID for Verifiable Presentations 1.0
// over redirects, for verifiers and for wallets: links, signed requests by reference,
// the names of verifiers and the certificates that prove them, answers posted in the
// clear or encrypted, transaction data, and the errors. What a verifier asks for is in
// package dcql; the credentials themselves are elsewhere.
//
// What is profiled is HAIP 1.0: the response type is vp_token, the response mode
// direct_post.jwt or direct_post, the verifier is named by the hash of its certificate
// or by its host. Names of other kinds are known, so as to be refused on purpose.
package vp
