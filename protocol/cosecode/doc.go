// Package cosecode puts what a document says, signed, into a text short enough for a
// QR code on paper: whoever holds the issuers' keys checks it without a network.
//
// The text is the prefix "DW1:" and Base45 (RFC 9285) of zlib of a COSE_Sign1 (RFC
// 9052, tag 18) over a CBOR Web Token (RFC 8392): 1 issuer, 4 expiry, 5 start, 6 time
// of issue, 65535 status (draft-ietf-oauth-status-list-14 §6.3) and the private claim
// -65537 with the document: 1 its type, 2 its number, 3 a map of short names to
// texts, whole numbers and days (tag 100, RFC 8943). The signed headers are the
// algorithm, the key's name and the type [Type], so that nothing else that the same
// key signs is taken for such a code. Characters are those of a QR code's
// alphanumeric mode. A document has one encoding, the deterministic one of RFC 8949
// §4.2; any other is refused.
//
// What the code says is bound to nobody who shows it, and a photocopy is as good as
// the original: a reader compares it with the page around it, and asks for its
// status.
package cosecode

import "errors"

// Prefix begins every text of this version.
const Prefix = "DW1:"

// Type is the content type in the signed headers (RFC 9596).
const Type = "application/dw1+cwt"

// Bounds on what is written and read. A code of more than 900 characters prints too
// fine for many cameras, which is for the caller to heed.
const (
	MaxText     = 2048 // characters, the prefix included
	maxMessage  = 16 << 10
	maxKeyID    = 32
	maxClaims   = 64
	maxName     = 64   // bytes of a claim's name
	maxValue    = 1024 // bytes of a text
	maxIssuer   = 512
	maxStatusIn = 1024 // bytes of a status list's address
)

// Errors that reading returns, wrapped with what was wrong. One of them at most
// matches an error. What a caller's choice of a key returns passes through.
var (
	ErrForm        = errors.New("the code is malformed")
	ErrUnsupported = errors.New("the code is of another type or uses an algorithm that is not allowed")
	ErrSignature   = errors.New("the code's signature is wrong")
	ErrNotYet      = errors.New("the document is not yet valid")
	ErrExpired     = errors.New("the document has expired")
)
