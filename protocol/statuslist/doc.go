// Package statuslist makes and reads Token Status Lists
// (draft-ietf-oauth-status-list-14): whether each of many credentials is valid,
// revoked or suspended, in one or a few bits each, compressed and signed as a JWT or a
// CWT that anyone may keep and hand on.
//
// Issuing: a [List] is filled, and [Token.SignJWT] or [Token.SignCWT] signs it.
// Checking: [Verify] reads a token of either form for one address, with a key that the
// caller trusts, and [Verified.Status] tells the status of a [Reference] that a
// credential carried. [Cache] keeps verified tokens by address, fetches each at most
// once at a time through a function of the caller, and can be written to bytes and
// read back for use without a network.
//
// The status never makes a credential valid: signature and dates of the credential
// are checked first. Any failure here means that nothing is known.
package statuslist
