// Package mdoc issues, presents and verifies mobile documents (ISO/IEC 18013-5) as
// OpenID4VCI 1.0 appendix A.2 and OpenID4VP 1.0 appendix B.2 carry them. The ISO text
// is not public: structures follow the published examples that the tests read.
//
// An issuer calls [Issue]. A holder reads what it received with [Parse], checks it
// with [Issued.Verify] and shows chosen elements with [Issued.Present]. A verifier
// reads an answer with [ParseResponse] and checks it with [Response.Verify], with the
// session transcript that [Transcript] or [TranscriptDCAPI] makes of its own request.
//
// Digests and signatures are computed over the bytes as they were received, never
// over a second encoding of them. Reading refuses names given twice, indefinite
// lengths, and what goes beyond the bounds below. An answer holds one document, as
// HAIP 1.0 §5.3.1 asks. Elements that a device signs for itself are refused: no
// issuer answers for them.
//
// Who is trusted is the caller's decision, as are status lists: a document that
// verifies here can still be revoked.
package mdoc

import "errors"

// MaxBytes bounds an issued document and an answer, portraits included.
const MaxBytes = 1 << 20

// Errors that reading and verifying return, wrapped with what was wrong. One of them
// at most matches an error. What a caller's trust decision returns passes through.
var (
	ErrForm        = errors.New("the document is malformed")
	ErrUnsupported = errors.New("the document uses an algorithm or a version that is not allowed")
	ErrType        = errors.New("the document is of another type")
	ErrSignature   = errors.New("the issuer's signature is wrong")
	ErrDigest      = errors.New("an element is not what the issuer signed")
	ErrHolder      = errors.New("the holder is not proved")
	ErrNotYet      = errors.New("the document is not valid yet")
	ErrExpired     = errors.New("the document has expired")
	ErrAbsent      = errors.New("the document has no such element")
)
