package jws

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"

	"diwan/protocol/strict"
)

// Bounds on what is read.
const (
	MaxBytes  = 256 << 10 // of a token, where [Want] says nothing else
	maxHeader = 64 << 10
	maxChain  = 6 // certificates in x5c
)

// Errors that reading returns, wrapped with what was wrong.
var (
	ErrForm      = errors.New("the token is malformed")
	ErrType      = errors.New("the token is of another type")
	ErrAlgorithm = errors.New("the algorithm is not allowed")
	ErrKey       = errors.New("the key can't be used")
	ErrSignature = errors.New("the signature is wrong")
)

// Header is the protected header of a token.
type Header struct {
	Alg string           // set when signing from the key
	Typ string           // media type without "application/"
	Kid string           // at most one of Kid, JWK and X5C names the key
	JWK *jose.JSONWebKey // public
	X5C []*x509.Certificate
	// More holds the other members. When signing, a name above may not stand here.
	More map[string]any
}

// Token is a token that was read.
type Token struct {
	Header  Header
	compact string
	signed  *jose.JSONWebSignature
}

// Want is what a reader accepts.
type Want struct {
	Types      []string // of the header's typ, compared without case and "application/"
	Algorithms []string
	// MaxBytes bounds a token that is large by its nature, as a status list is; 0 is the
	// constant MaxBytes.
	MaxBytes int
}

// Parse reads the form of a compact token. It says nothing of who signed it.
func Parse(compact string, want Want) (*Token, error) {
	most := MaxBytes
	if want.MaxBytes > 0 {
		most = want.MaxBytes
	}
	if len(compact) > most {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrForm, len(compact), most)
	}
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("%w: not three parts", ErrForm)
	}
	// Strictly, so that one signed text has one form: what is stored or hashed by its
	// form can't be brought again in another.
	var decoded [3][]byte
	for i, p := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrForm, err)
		}
	}
	h, err := readHeader(decoded[0])
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(want.Types, func(t string) bool { return strings.EqualFold(t, h.Typ) }) {
		return nil, fmt.Errorf("%w: %q, want %s", ErrType, h.Typ, strings.Join(want.Types, " or "))
	}
	if !slices.Contains(want.Algorithms, h.Alg) || !known(h.Alg) {
		return nil, fmt.Errorf("%w: %q", ErrAlgorithm, h.Alg)
	}
	signed, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(h.Alg)})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return &Token{Header: *h, compact: compact, signed: signed}, nil
}

func known(alg string) bool {
	return slices.Contains([]string{ES256, ES384, ES512, PS256, PS384, PS512, EdDSA}, alg)
}

func readHeader(b []byte) (*Header, error) {
	m, err := strict.Object(b, maxHeader)
	if err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrForm, err)
	}
	for _, n := range []string{"jku", "x5u", "crit", "b64", "zip"} {
		if _, ok := m[n]; ok {
			return nil, fmt.Errorf("%w: the header has %q", ErrForm, n)
		}
	}
	h := &Header{More: m}
	for n, to := range map[string]*string{"alg": &h.Alg, "typ": &h.Typ, "kid": &h.Kid} {
		v, ok := m[n]
		if !ok {
			continue
		}
		if *to, ok = v.(string); !ok {
			return nil, fmt.Errorf("%w: %q is not a text", ErrForm, n)
		}
		delete(m, n)
	}
	if t, ok := strings.CutPrefix(strings.ToLower(h.Typ), "application/"); ok {
		h.Typ = t
	}
	keys := 0
	if h.Kid != "" {
		keys++
	}
	if v, ok := m["jwk"]; ok {
		keys++
		if h.JWK, err = PublicKey(v); err != nil {
			return nil, err
		}
		delete(m, "jwk")
	}
	if v, ok := m["x5c"]; ok {
		keys++
		if h.X5C, err = readChain(v); err != nil {
			return nil, err
		}
		delete(m, "x5c")
	}
	// A certificate chain may carry its key's name; a bare key may not carry both.
	if keys > 1 && (h.JWK != nil || h.X5C == nil) {
		return nil, fmt.Errorf("%w: the header names its key more than once", ErrForm)
	}
	return h, nil
}

// PublicKey reads a JSON Web Key, as a decoded object, that must be public,
// asymmetric and well formed.
func PublicKey(v any) (*jose.JSONWebKey, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: not an object", ErrKey)
	}
	for _, n := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, ok := m[n]; ok {
			return nil, fmt.Errorf("%w: it is private or symmetric", ErrKey)
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	k := new(jose.JSONWebKey)
	if err := k.UnmarshalJSON(b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if !k.Valid() || !k.IsPublic() {
		return nil, fmt.Errorf("%w: it is not a public key", ErrKey)
	}
	return k, nil
}

func readChain(v any) ([]*x509.Certificate, error) {
	list, ok := v.([]any)
	if !ok || len(list) == 0 || len(list) > maxChain {
		return nil, fmt.Errorf("%w: x5c has 1 to %d certificates", ErrForm, maxChain)
	}
	chain := make([]*x509.Certificate, len(list))
	for i, c := range list {
		s, _ := c.(string)
		der, err := base64.StdEncoding.Strict().DecodeString(s)
		if err == nil {
			chain[i], err = x509.ParseCertificate(der)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: x5c: %w", ErrForm, err)
		}
	}
	return chain, nil
}

// Verify checks the signature with a key that the caller trusts and returns what was
// signed.
func (t *Token) Verify(key crypto.PublicKey) ([]byte, error) {
	if err := fits(t.Header.Alg, key); err != nil {
		return nil, err
	}
	b, err := t.signed.Verify(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return b, nil
}

// Claims checks the signature and decodes what was signed, a JSON object, into v.
func (t *Token) Claims(key crypto.PublicKey, v any) error {
	b, err := t.Verify(key)
	if err != nil {
		return err
	}
	return strict.Unmarshal(b, MaxBytes, v)
}

// Unverified returns what the token carries before its signature was checked: to find
// out whose key to check it with, and for nothing else.
func (t *Token) Unverified() []byte { return t.signed.UnsafePayloadWithoutVerification() }

// String returns the token as it was read.
func (t *Token) String() string { return t.compact }

// Key returns the public key that the header itself carries, in jwk or in the first
// certificate of x5c, or nil. That it is there makes nobody trust it.
func (h Header) Key() crypto.PublicKey {
	switch {
	case h.JWK != nil:
		return h.JWK.Key
	case len(h.X5C) > 0:
		return h.X5C[0].PublicKey
	}
	return nil
}

// Sign signs a payload. The header's algorithm is the key's own.
func Sign(key crypto.Signer, h Header, payload []byte) (string, error) {
	alg, err := AlgorithmOf(key.Public())
	if err != nil {
		return "", err
	}
	o := &jose.SignerOptions{}
	o.WithType(jose.ContentType(h.Typ))
	for n, v := range h.More {
		o.WithHeader(jose.HeaderKey(n), v)
	}
	if h.Kid != "" {
		o.WithHeader("kid", h.Kid)
	}
	if h.JWK != nil {
		pub := h.JWK.Public()
		o.WithHeader("jwk", &pub)
	}
	if len(h.X5C) > 0 {
		o.WithHeader("x5c", Chain(h.X5C))
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: cryptosigner.Opaque(key)}, o)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	signed, err := s.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return signed.CompactSerialize()
}

// SignClaims signs v as JSON.
func SignClaims(key crypto.Signer, h Header, v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return Sign(key, h, b)
}

// Chain writes certificates as the values of x5c: standard base64 of DER.
func Chain(certs []*x509.Certificate) []string {
	out := make([]string, len(certs))
	for i, c := range certs {
		out[i] = base64.StdEncoding.EncodeToString(c.Raw)
	}
	return out
}

// Thumbprint returns the JWK thumbprint (RFC 7638) of a public key with SHA-256, in
// base64url.
func Thumbprint(key crypto.PublicKey) (string, error) {
	k := jose.JSONWebKey{Key: key}
	sum, err := k.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrKey, err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
