package pki

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// TokenLife is how long a token is good.
const TokenLife = 24 * time.Hour

// tokenPrefix lets a person and a scanner of leaked secrets tell what it is.
const tokenPrefix = "dxt_"

// NewToken makes a one-time token and the hash under which it is known.
func NewToken() (token, hash string) {
	b := make([]byte, 24)
	rand.Read(b)
	token = tokenPrefix + base64.RawURLEncoding.EncodeToString(b)
	return token, TokenHash(token)
}

// TokenHash is how a token is kept.
func TokenHash(token string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	return hex.EncodeToString(sum[:])
}

// ErrProof says that somebody did not show to hold the key they bring.
var ErrProof = errors.New("exchange.key_proof")

// proofOf is what a link key signs when it is brought in: bound to the token, so
// that it can be used nowhere else.
func proofOf(token string) []byte {
	return append([]byte("diwan exchange: this link key is mine\x00"), TokenHash(token)...)
}

// ProveKey shows that the holder of a link key brings it with this token.
func ProveKey(key crypto.Signer, token string) ([]byte, error) {
	return key.Sign(rand.Reader, proofOf(token), crypto.Hash(0))
}

// CheckKey checks a link key (PKIX, Ed25519) and the proof that came with it.
func CheckKey(pkix, proof []byte, token string) error {
	pub, err := x509.ParsePKIXPublicKey(pkix)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	key, ok := pub.(ed25519.PublicKey)
	if !ok {
		return fmt.Errorf("%w: a link key is Ed25519", ErrProof)
	}
	if !ed25519.Verify(key, proofOf(token), proof) {
		return ErrProof
	}
	return nil
}
