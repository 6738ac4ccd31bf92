// Package jwe encrypts and opens the messages of credential issuing and presenting:
// compact JSON Web Encryption (RFC 7516) with ECDH-ES on P-256, AES-GCM with 128 or 256
// bits and nothing else (HAIP 1.0 §5, §7). The keys are for one message or one request,
// and who wrote a message is not told by it.
//
// The cryptography is go-jose's and Go's own.
package jwe

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/jws"
	"diwan/protocol/strict"
)

// Algorithms that are made and accepted.
const (
	ECDHES  = string(jose.ECDH_ES)
	A128GCM = string(jose.A128GCM)
	A256GCM = string(jose.A256GCM)
	Deflate = string(jose.DEFLATE) // the zip value
)

// Encryptions lists the content encryptions, as metadata does.
func Encryptions() []string { return []string{A128GCM, A256GCM} }

// Bounds on what is read.
const (
	MaxBytes  = 1 << 20 // of a message
	MaxPlain  = 1 << 20 // of what it holds
	maxHeader = 4 << 10
	maxKid    = 256
)

// Errors, wrapped with what was wrong.
var (
	ErrForm      = errors.New("the encrypted message is malformed")
	ErrAlgorithm = errors.New("the encryption is not allowed")
	ErrKey       = errors.New("the encryption key can't be used")
	ErrOpen      = errors.New("the message can't be decrypted with this key")
)

// Key is a private key that messages are encrypted to, with the name by which they
// call it.
type Key struct {
	ID      string
	Private *ecdsa.PrivateKey
}

// NewKey returns a fresh key with a name that nothing else has.
func NewKey() (*Key, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making an encryption key: %w", err)
	}
	var id [16]byte
	rand.Read(id[:])
	return &Key{base64.RawURLEncoding.EncodeToString(id[:]), k}, nil
}

// Public returns what is published: the key with its name, use and algorithm.
func (k *Key) Public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: &k.Private.PublicKey, KeyID: k.ID, Use: "enc", Algorithm: ECDHES}
}

// Marshal returns the private key as a JSON Web Key, to be kept secret until the
// answer comes.
func (k *Key) Marshal() ([]byte, error) {
	b, err := (&jose.JSONWebKey{Key: k.Private, KeyID: k.ID}).MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("writing an encryption key: %w", err)
	}
	return b, nil
}

// ParseKey reads what [Key.Marshal] wrote.
func ParseKey(b []byte) (*Key, error) {
	var j jose.JSONWebKey
	if err := j.UnmarshalJSON(b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	p, ok := j.Key.(*ecdsa.PrivateKey)
	if !ok || p.Curve != elliptic.P256() || j.KeyID == "" {
		return nil, fmt.Errorf("%w: not a private key on P-256 with a name", ErrKey)
	}
	return &Key{j.KeyID, p}, nil
}

// Set is a JSON Web Key Set of public keys (RFC 7517 §5). Keys of kinds that are not
// known here are left out when reading.
type Set struct {
	Keys []jose.JSONWebKey
}

// maxKeys bounds a set.
const maxKeys = 16

// MarshalJSON writes the set.
func (s Set) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"keys": s.Keys})
}

// UnmarshalJSON reads a set in which no key is private and no name stands twice.
func (s *Set) UnmarshalJSON(b []byte) error {
	var raw struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	if len(raw.Keys) == 0 || len(raw.Keys) > maxKeys {
		return fmt.Errorf("%w: a set has 1 to %d keys", ErrKey, maxKeys)
	}
	seen := map[string]bool{}
	s.Keys = nil
	for _, m := range raw.Keys {
		for _, private := range []string{"d", "k", "p"} {
			if _, ok := m[private]; ok {
				return fmt.Errorf("%w: it is private or symmetric", ErrKey)
			}
		}
		id, _ := m["kid"].(string)
		if id != "" && seen[id] {
			return fmt.Errorf("%w: two keys are called %q", ErrKey, id)
		}
		seen[id] = true
		// A set lists keys for others too, of curves that this package leaves alone.
		if k, err := jws.PublicKey(m); err == nil {
			s.Keys = append(s.Keys, *k)
		}
	}
	return nil
}

// Choose returns the first key of the set to encrypt to: on P-256, for ECDH-ES, not for
// another use, with a name.
func (s Set) Choose() (*jose.JSONWebKey, error) {
	for i := range s.Keys {
		if usable(&s.Keys[i]) == nil && s.Keys[i].KeyID != "" {
			return &s.Keys[i], nil
		}
	}
	return nil, fmt.Errorf("%w: no key of the set is for ECDH-ES on P-256", ErrKey)
}

func usable(k *jose.JSONWebKey) error {
	p, ok := k.Key.(*ecdsa.PublicKey)
	switch {
	case !ok || p.Curve != elliptic.P256():
		return fmt.Errorf("%w: not a public key on P-256", ErrKey)
	case k.Algorithm != ECDHES:
		return fmt.Errorf("%w: alg %q, want %s", ErrKey, k.Algorithm, ECDHES)
	case k.Use != "" && k.Use != "enc":
		return fmt.Errorf("%w: use %q", ErrKey, k.Use)
	case len(k.KeyID) > maxKid:
		return fmt.Errorf("%w: the name is too long", ErrKey)
	}
	return nil
}

// Check tells whether a message can be encrypted to a key.
func Check(k *jose.JSONWebKey) error { return usable(k) }

// Select returns the content encryption to use with a reader that supports some: the
// strongest that is known here. None given means A128GCM (OpenID4VP 1.0 §5.1).
func Select(supported []string) (string, error) {
	if len(supported) == 0 {
		return A128GCM, nil
	}
	for _, e := range []string{A256GCM, A128GCM} {
		if slices.Contains(supported, e) {
			return e, nil
		}
	}
	return "", fmt.Errorf("%w: none of the reader's is known", ErrAlgorithm)
}

// Seal encrypts a payload to a key, whose name the message carries. zip is "" or
// [Deflate].
func Seal(payload []byte, to *jose.JSONWebKey, enc, zip string) (string, error) {
	if err := usable(to); err != nil {
		return "", err
	}
	if !slices.Contains(Encryptions(), enc) || zip != "" && zip != Deflate {
		return "", fmt.Errorf("%w: enc %q, zip %q", ErrAlgorithm, enc, zip)
	}
	e, err := jose.NewEncrypter(jose.ContentEncryption(enc),
		jose.Recipient{Algorithm: jose.ECDH_ES, Key: to.Key, KeyID: to.KeyID},
		&jose.EncrypterOptions{Compression: jose.CompressionAlgorithm(zip)})
	if err != nil {
		return "", fmt.Errorf("encrypting: %w", err)
	}
	m, err := e.Encrypt(payload)
	if err != nil {
		return "", fmt.Errorf("encrypting: %w", err)
	}
	return m.CompactSerialize()
}

// Header is what a message says of itself, before anything was decrypted.
type Header struct {
	Kid, Enc, Zip string
}

// Peek reads the header of a message, to find the key that it was encrypted to.
func Peek(compact string) (Header, error) {
	if len(compact) > MaxBytes {
		return Header{}, fmt.Errorf("%w: %d bytes, at most %d", ErrForm, len(compact), MaxBytes)
	}
	parts := strings.Split(compact, ".")
	if len(parts) != 5 || parts[1] != "" || len(parts[0]) > maxHeader {
		return Header{}, fmt.Errorf("%w: not five parts, the second empty", ErrForm)
	}
	var first []byte
	for i, p := range parts {
		b, err := base64.RawURLEncoding.Strict().DecodeString(p)
		if err != nil {
			return Header{}, fmt.Errorf("%w: %w", ErrForm, err)
		}
		if i == 0 {
			first = b
		}
	}
	m, err := strict.Object(first, maxHeader)
	if err != nil {
		return Header{}, fmt.Errorf("%w: header: %w", ErrForm, err)
	}
	return header(m)
}

func header(m map[string]any) (Header, error) {
	var h Header
	var alg string
	for n, to := range map[string]*string{"alg": &alg, "enc": &h.Enc, "zip": &h.Zip, "kid": &h.Kid} {
		v, there := m[n]
		if !there {
			continue
		}
		s, ok := v.(string)
		if !ok || len(s) > maxKid {
			return Header{}, fmt.Errorf("%w: %s", ErrForm, n)
		}
		*to = s
	}
	if _, ok := m["crit"]; ok {
		return Header{}, fmt.Errorf("%w: a critical extension", ErrForm)
	}
	if alg != ECDHES || !slices.Contains(Encryptions(), h.Enc) || h.Zip != "" && h.Zip != Deflate {
		return Header{}, fmt.Errorf("%w: alg %q, enc %q, zip %q", ErrAlgorithm, alg, h.Enc, h.Zip)
	}
	if _, err := jws.PublicKey(m["epk"]); err != nil {
		return Header{}, fmt.Errorf("%w: epk: %w", ErrForm, err)
	}
	return h, nil
}

// Allow says what a reader accepts beyond plain messages.
type Allow struct {
	Encryptions []string // nil: all of [Encryptions]
	Zip         bool     // compressed messages; what they hold is bounded by [MaxPlain]
}

// Open decrypts a message, which must call the key by its name.
func (k *Key) Open(compact string, a Allow) ([]byte, error) {
	h, err := Peek(compact)
	if err != nil {
		return nil, err
	}
	if h.Zip != "" && !a.Zip || a.Encryptions != nil && !slices.Contains(a.Encryptions, h.Enc) {
		return nil, fmt.Errorf("%w: enc %q, zip %q", ErrAlgorithm, h.Enc, h.Zip)
	}
	if h.Kid != k.ID {
		return nil, fmt.Errorf("%w: it is encrypted to another key", ErrOpen)
	}
	// Compressed text may grow tenfold and no more, which go-jose sees to; short of
	// that, a message this long could still hold more than MaxPlain.
	if h.Zip != "" && len(compact) > MaxPlain/10 {
		return nil, fmt.Errorf("%w: too long for a compressed message", ErrForm)
	}
	m, err := jose.ParseEncryptedCompact(compact, []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A128GCM, jose.A256GCM})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	b, err := m.Decrypt(k.Private)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOpen, err)
	}
	if len(b) > MaxPlain {
		return nil, fmt.Errorf("%w: it holds more than %d bytes", ErrForm, MaxPlain)
	}
	return b, nil
}

// Thumbprint returns the SHA-256 thumbprint of a public key (RFC 7638) as bytes, which
// the session transcript of an mdoc is made with (OpenID4VP 1.0 appendix B.2.6.1).
func Thumbprint(k *jose.JSONWebKey) ([]byte, error) {
	b, err := k.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return b, nil
}
