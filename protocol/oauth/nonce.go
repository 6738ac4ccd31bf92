package oauth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Errors of [Nonces.Check].
var (
	ErrForeign = errors.New("the nonce was not made here for this purpose")
	ErrStale   = errors.New("the nonce is too old")
)

// Purposes for which [Nonces] are made. One of another purpose is foreign, so that a
// nonce handed out by an open endpoint serves nowhere else.
const (
	ForDPoP        = "dpop"
	ForProof       = "c_nonce"
	ForAttestation = "attestation"
)

const (
	nonceBody = 16 // milliseconds since 1970, and random bytes
	nonceTag  = 16
	minSecret = 32
)

// Nonces makes and recognises nonces without remembering any: each carries the moment
// at which it was made and a keyed hash over that and its purpose. That it can be used
// more than once while it lives is what the protocols allow; what is signed over it is
// remembered instead.
//
// It is immutable, and can be used by many at once.
type Nonces struct {
	life    time.Duration
	secrets [][]byte
}

// NewNonces returns nonces that live for a duration. The first secret makes them; all
// recognise them, so that a secret is changed by putting a new one first and dropping
// the old one a life later. Secrets have 32 bytes or more.
func NewNonces(life time.Duration, secrets ...[]byte) (*Nonces, error) {
	if life <= 0 || len(secrets) == 0 {
		return nil, errors.New("nonces need a life and a secret")
	}
	n := &Nonces{life: life}
	for _, s := range secrets {
		if len(s) < minSecret {
			return nil, fmt.Errorf("a secret of nonces has %d bytes or more", minSecret)
		}
		n.secrets = append(n.secrets, slices.Clone(s))
	}
	return n, nil
}

// Make returns a nonce for a purpose: 43 characters of base64url, never twice the same.
func (n *Nonces) Make(purpose string, now time.Time) string {
	b := make([]byte, nonceBody, nonceBody+nonceTag)
	binary.BigEndian.PutUint64(b, uint64(now.UnixMilli()))
	rand.Read(b[8:])
	return base64.RawURLEncoding.EncodeToString(append(b, tag(n.secrets[0], purpose, b)...))
}

func tag(secret []byte, purpose string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(body)
	h.Write([]byte(purpose))
	return h.Sum(nil)[:nonceTag]
}

// Check returns nil for a nonce that was made here for the purpose and still lives,
// [ErrStale] for one that no longer does, [ErrForeign] for anything else.
func (n *Nonces) Check(purpose, nonce string, now time.Time) error {
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(b) != nonceBody+nonceTag {
		return ErrForeign
	}
	body, got := b[:nonceBody], b[nonceBody:]
	ours := false
	for _, s := range n.secrets {
		ours = hmac.Equal(got, tag(s, purpose, body)) || ours
	}
	if !ours {
		return ErrForeign
	}
	// Several servers share the secrets: one clock may be a little ahead of another.
	age := now.Sub(time.UnixMilli(int64(binary.BigEndian.Uint64(body))))
	if age > n.life || age < -defaultFuture {
		return ErrStale
	}
	return nil
}

// Valid returns the check of a purpose as the function that verifiers take.
func (n *Nonces) Valid(purpose string, now time.Time) func(string) bool {
	return func(nonce string) bool { return n.Check(purpose, nonce, now) == nil }
}
