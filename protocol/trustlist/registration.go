package trustlist

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"diwan/protocol/jws"
	"diwan/protocol/strict"
)

// Verifiers is the type that stands for registering who may ask for credentials.
const Verifiers = "verifiers"

// RegistrationType is the type of the token of a [Registration].
const RegistrationType = "verifier-registration+jwt"

// maxRegistration bounds the token.
const maxRegistration = 32 << 10

// ReaderUse is the extended key usage of who asks for credentials (ISO/IEC 18013-5
// annex B, reader authentication).
var ReaderUse = asn1.ObjectIdentifier{1, 0, 18013, 5, 1, 6}

// Registration says that the holder of one certificate is registered as a verifier. It
// lives for minutes: a verifier whose registration ends gets no new one.
type Registration struct {
	Operator string `json:"iss"`
	// Verifier is the serialNumber of the subject of the certificate.
	Verifier string       `json:"sub"`
	IssuedAt int64        `json:"iat"`
	Expires  int64        `json:"exp"`
	Bound    Confirmation `json:"cnf"`
}

// Confirmation ties a registration to a certificate (RFC 8705 §3.1).
type Confirmation struct {
	Thumbprint string `json:"x5t#S256"`
}

// Register makes the registration of a certificate's holder.
func Register(operator string, cert *x509.Certificate, from, until time.Time) *Registration {
	return &Registration{Operator: operator, Verifier: cert.Subject.SerialNumber, IssuedAt: from.Unix(), Expires: until.Unix(), Bound: Confirmation{thumbprint(cert)}}
}

func thumbprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Sign signs a registration by who is on a list for [Verifiers].
func (r *Registration) Sign(key crypto.Signer, h jws.Header) (string, error) {
	h.Typ = RegistrationType
	return jws.SignClaims(key, h, r)
}

// ParseRegistration reads the form of a registration, and who signed it. It says nothing
// of whether it holds.
func ParseRegistration(token string) (*Registration, []*x509.Certificate, error) {
	r, t, err := parseRegistration(token)
	if err != nil {
		return nil, nil, err
	}
	return r, t.Header.X5C, nil
}

func parseRegistration(token string) (*Registration, *jws.Token, error) {
	if len(token) > maxRegistration {
		return nil, nil, fmt.Errorf("%w: a registration of %d bytes", ErrForm, len(token))
	}
	t, err := jws.Parse(token, jws.Want{Types: []string{RegistrationType}, Algorithms: []string{jws.ES256, jws.ES384}})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	r := &Registration{}
	if err := strict.Unmarshal(t.Unverified(), maxRegistration, r); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return r, t, nil
}

// Verifier checks that who signed a request under a chain of certificates, leaf first and
// without the anchor, is a registered verifier: somebody on the list for [Verifiers]
// signed a registration for that very certificate, it is of this moment, and the
// certificate leads to the same root and was issued for asking ([ReaderUse]). One that
// was issued for something else, for seals or for documents, asks nobody. The error wraps
// [ErrUntrusted] or [ErrForm].
func (l *List) Verifier(chain []*x509.Certificate, token string, now time.Time) (*Registration, error) {
	r, t, err := parseRegistration(token)
	if err != nil {
		return nil, err
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("%w: there is no certificate", ErrUntrusted)
	}
	key, by, err := l.Key(t.Header.X5C, Verifiers, now)
	if err != nil {
		return nil, err
	}
	if _, err := t.Verify(key); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	const leeway = time.Minute
	leaf := chain[0]
	switch {
	case r.Operator != l.Operator:
		return nil, fmt.Errorf("%w: it is registered with another operator", ErrUntrusted)
	case now.Add(leeway).Before(time.Unix(r.IssuedAt, 0)), !now.Before(time.Unix(r.Expires, 0)):
		return nil, fmt.Errorf("%w: its registration is not of this time", ErrUntrusted)
	case r.Verifier == "" || r.Verifier != leaf.Subject.SerialNumber || r.Bound.Thumbprint != thumbprint(leaf):
		return nil, fmt.Errorf("%w: the registration is of somebody else", ErrUntrusted)
	case !slices.ContainsFunc(leaf.UnknownExtKeyUsage, ReaderUse.Equal):
		return nil, fmt.Errorf("%w: its certificate is for another use than asking", ErrUntrusted)
	}
	if err := chained(chain, l.roots[by.ID], now); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	return r, nil
}
