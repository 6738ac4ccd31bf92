package identity

import (
	"crypto/sha256"
	"encoding/base64"
)

// s256 is the challenge of a verifier (RFC 7636, section 4.2).
func s256(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
