// Package oauth has the parts of OAuth 2.0 that issuing and presenting credentials
// rest on: proof keys for code exchange (RFC 7636), proof of possession of a key with
// each request (DPoP, RFC 9449), authentication of a client by an attestation of its
// maker (draft-ietf-oauth-attestation-based-client-auth-07, tolerant of what later
// drafts left out), metadata of an authorization server (RFC 8414), the messages of
// its endpoints and its errors.
//
// Everything is a function of what it is given: time is a parameter, what was seen
// before and whom to trust are callbacks, and nothing is fetched. The same package
// makes and checks, so that it serves servers, clients and tests.
//
// An error that a protocol names wraps a [Code], found again by errors.Is and
// [CodeOf]. The words around it are for whoever reads logs; [Respond] makes of it
// what may be answered.
package oauth
