package xroad

import (
	"crypto/sha512"
	"encoding/base64"
)

// RequestHash is the value of X-Road-Request-Hash (PR-REST 4.3) from the SHA-512
// digests of a request's head and body: base64(SHA512(head ‖ body)), or
// base64(head) when body is nil. A body of no bytes counts as none, so that the
// caller passes nil for it.
func RequestHash(head [sha512.Size]byte, body *[sha512.Size]byte) string {
	if body == nil {
		return base64.StdEncoding.EncodeToString(head[:])
	}
	var both [2 * sha512.Size]byte
	copy(both[:], head[:])
	copy(both[sha512.Size:], body[:])
	sum := sha512.Sum512(both[:])
	return base64.StdEncoding.EncodeToString(sum[:])
}

// HashRequest is RequestHash for a request held in memory.
func HashRequest(head, body []byte) string {
	h := sha512.Sum512(head)
	if len(body) == 0 {
		return RequestHash(h, nil)
	}
	b := sha512.Sum512(body)
	return RequestHash(h, &b)
}
