// Package contract is the agreement under which one administration may ask
// another: who, which operations of which service, for which purpose and on what
// legal basis, which fields of the answer, until when. It follows FSC Core: the
// content is I-JSON (RFC 7493), hashed in its canonical form (RFC 8785) with
// SHA3-512, and each party signs that hash as a JWS, to accept, to reject or to
// revoke.
//
// Invariants:
//
//   - What is hashed is what was received: a member unknown to this program
//     changes the hash and is refused, never dropped in silence.
//   - A contract is live only when every party has accepted it, nobody has
//     rejected or revoked it, and the moment is within its validity. Anything
//     that can't be checked counts against it.
//   - Nothing here trusts who keeps the contracts: whoever enforces one checks
//     the signatures of both sides itself.
package contract
