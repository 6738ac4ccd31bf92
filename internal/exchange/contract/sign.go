package contract

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// Kind is what a signature says.
type Kind string

// The kinds (FSC Core, "Signature types").
const (
	Accept Kind = "accept"
	Reject Kind = "reject"
	Revoke Kind = "revoke"
)

// statement is what a signature is over.
type statement struct {
	Hash     string `json:"contract_content_hash"`
	Type     Kind   `json:"type"`
	SignedAt int64  `json:"signed_at"`
}

// Errors of signatures.
var (
	ErrSignature   = errors.New("contract.signature")
	ErrMismatch    = errors.New("contract.signature_mismatch")
	ErrCertificate = errors.New("contract.certificate")
)

// thumbprintHeader names the certificate of the signer (RFC 7515 §4.1.8).
const thumbprintHeader = "x5t#S256"

// algorithms are those the standard allows; it has no EdDSA.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512}

// maxJWS bounds a signature.
const maxJWS = 16 << 10

// Sign signs a content hash with the key of a member's certificate. The key must
// be RSA or on a NIST curve.
func Sign(hash string, kind Kind, at time.Time, key crypto.Signer, cert *x509.Certificate) (string, error) {
	opaque := cryptosigner.Opaque(key)
	algs := opaque.Algs()
	if len(algs) == 0 {
		return "", fmt.Errorf("signing a contract: a key of type %T can't", key.Public())
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: algs[0], Key: opaque}, (&jose.SignerOptions{}).WithHeader(thumbprintHeader, Thumbprint(cert)))
	if err != nil {
		return "", fmt.Errorf("signing a contract: %w", err)
	}
	payload, err := json.Marshal(statement{hash, kind, at.Unix()})
	if err != nil {
		return "", err
	}
	jws, err := s.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing a contract: %w", err)
	}
	return jws.CompactSerialize()
}

// Thumbprint is the base64url SHA-256 of a certificate.
func Thumbprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// KeyThumbprint is the hexadecimal SHA-256 of a public key as the standard binds
// an outway to it.
func KeyThumbprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// Signer tells whose certificate a thumbprint names: the member and the
// certificate, which was issued by the exchange and was not revoked. ok is false
// for any other.
type Signer func(thumbprint string) (member string, cert *x509.Certificate, ok bool)

// Signature is a signature that was checked.
type Signature struct {
	Member   string
	Kind     Kind
	SignedAt time.Time
	JWS      string
}

// ReadSignature checks a signature over a content hash. The certificate must
// have been valid when it was made, which the signer himself says: one who
// backdates binds himself, and one whose key was stolen has it revoked.
func ReadSignature(jws, hash string, who Signer) (*Signature, error) {
	if len(jws) > maxJWS {
		return nil, ErrSignature
	}
	parsed, err := jose.ParseSignedCompact(jws, algorithms)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	thumb, _ := parsed.Signatures[0].Protected.ExtraHeaders[thumbprintHeader].(string)
	member, cert, ok := who(thumb)
	if !ok {
		return nil, ErrCertificate
	}
	payload, err := parsed.Verify(cert.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if err := strictJSON(payload); err != nil {
		return nil, err
	}
	var s statement
	if err := json.Unmarshal(payload, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	at := time.Unix(s.SignedAt, 0)
	switch {
	case s.Hash != hash:
		return nil, ErrMismatch
	case s.Type != Accept && s.Type != Reject && s.Type != Revoke:
		return nil, ErrSignature
	case at.Before(cert.NotBefore) || at.After(cert.NotAfter):
		return nil, ErrCertificate
	}
	return &Signature{member, s.Type, at, jws}, nil
}
