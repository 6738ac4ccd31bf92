package oauth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
)

// S256 is the only challenge method that is made and accepted: with "plain" who reads
// the request can redeem the code.
const S256 = "S256"

// NewVerifier returns a fresh code verifier of 256 bits (RFC 7636 §4.1).
func NewVerifier() string { return randomText() }

// randomText returns 256 random bits in base64url, 43 characters.
func randomText() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Challenge returns the code challenge of a verifier by S256 (RFC 7636 §4.2).
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// CheckChallenge checks the syntax of a challenge and that its method is S256. The
// error wraps [InvalidRequest].
func CheckChallenge(challenge, method string) error {
	if method != S256 {
		return fmt.Errorf("%w: code_challenge_method must be S256", InvalidRequest)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(challenge)
	if err != nil || len(b) != sha256.Size {
		return fmt.Errorf("%w: code_challenge is not a SHA-256 in base64url", InvalidRequest)
	}
	return nil
}

// CheckVerifier checks in constant time that a verifier belongs to a challenge made by
// S256. The error wraps [InvalidRequest] for a verifier that is missing or malformed
// and [InvalidGrant] for a wrong one (RFC 7636 §4.6).
func CheckVerifier(challenge, verifier string) error {
	if len(verifier) < 43 || len(verifier) > 128 {
		return fmt.Errorf("%w: code_verifier has 43 to 128 characters", InvalidRequest)
	}
	if !isToken(verifier, "-._~") {
		return fmt.Errorf("%w: code_verifier has a character that may not stand there", InvalidRequest)
	}
	if subtle.ConstantTimeCompare([]byte(Challenge(verifier)), []byte(challenge)) != 1 {
		return fmt.Errorf("%w: code_verifier does not match", InvalidGrant)
	}
	return nil
}

// isToken tells whether s has ASCII letters, digits and the bytes of more alone.
func isToken(s, more string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			continue
		}
		found := false
		for j := range len(more) {
			found = found || more[j] == c
		}
		if !found {
			return false
		}
	}
	return true
}
