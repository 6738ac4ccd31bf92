// Package sdjwt issues, presents and verifies selectively disclosable JSON Web Tokens
// (RFC 9901) and the verifiable credentials built on them (SD-JWT VC,
// draft-ietf-oauth-sd-jwt-vc-13), with the type metadata of that draft.
//
// An issuer signs digests instead of values ([Issue]); the holder chooses which
// values to show ([Token.Present]) and proves to hold the key that the credential
// names ([Token.Bind]); a verifier checks both ([Token.Verify]).
//
// [Parse] checks the form only: bounds, every rule of RFC 9901 section 7.1 on digests
// and disclosures, and the algorithms and types that the caller allows. What a token
// says is not to be relied on before [Token.Verify], to which the caller gives the
// issuer's key: whom to trust is not decided here. Whether the holder must prove a
// key is the verifier's policy and never follows from what was presented.
//
// Claims that limit a credential (issuer, validity, holder key, type, status) can
// neither be issued as selectively disclosable nor be accepted from a disclosure.
//
// Nothing is fetched: documents of types come from a function of the caller.
package sdjwt
