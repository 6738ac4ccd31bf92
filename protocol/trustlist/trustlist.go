// Package trustlist reads and writes a list of who may issue which credentials: a
// signed JWT that verifiers keep, so that they can check a credential without asking
// anybody, and know for each issuer the certificates it signs under, the types it may
// issue and until when.
//
// There is no common format of such lists yet for JSON; the members here are named
// after ETSI TS 119 602. What this package promises is only its own format.
package trustlist

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"diwan/protocol/jws"
	"diwan/protocol/strict"
)

// Type is the type of the token; with "application/" before, its media type.
const Type = "issuer-list+jwt"

// MediaType of a list.
const MediaType = "application/" + Type

// Bounds of a list.
const (
	MaxIssuers = 5000
	maxRoots   = 8
	maxCerts   = 64
	maxTypes   = 500
	maxNames   = 16
)

// Errors, wrapped with what was wrong.
var (
	ErrForm      = errors.New("the list of issuers is malformed")
	ErrStale     = errors.New("the list of issuers is too old")
	ErrSigner    = errors.New("the list of issuers is signed by somebody else")
	ErrUntrusted = errors.New("the issuer is not on the list for this type")
)

// Issuer is who may issue.
type Issuer struct {
	// ID is the serialNumber of the subject of the issuer's certificates: a root can
	// stand above many issuers, and each signs for itself alone.
	ID    string            `json:"id"`
	Name  map[string]string `json:"name"` // by language
	Types []string          `json:"types"`
	// Roots are the certificates above the issuer's own, in DER.
	Roots []string `json:"roots"`
	// Certificates are those that it signs with, in DER, for what is too small to carry
	// its own: a code on paper names one by the beginning of its SHA-256.
	Certificates []string `json:"certificates,omitempty"`
	// From and Until bound when it may issue, in seconds since 1970; 0 is no bound.
	From  int64 `json:"from,omitempty"`
	Until int64 `json:"until,omitempty"`
	// Demonstration says that it issues invented documents.
	Demonstration bool `json:"demonstration,omitempty"`
}

// StatusLists is the type that stands for signing status lists.
const StatusLists = "status-lists"

// List is the content of the token.
type List struct {
	Operator string   `json:"iss"`
	IssuedAt int64    `json:"iat"`
	Expires  int64    `json:"exp"`
	TTL      int64    `json:"ttl"` // seconds that it may be kept before one asks again
	Issuers  []Issuer `json:"issuers"`

	roots map[string]*x509.CertPool
	byID  map[string]*Issuer
	byKey map[[KeyIDSize]byte]*x509.Certificate
}

// KeyIDSize is how many bytes of a certificate's SHA-256 name it.
const KeyIDSize = 8

// Sign signs a list.
func (l *List) Sign(key crypto.Signer, h jws.Header) (string, error) {
	if err := l.prepare(); err != nil {
		return "", err
	}
	h.Typ = Type
	return jws.SignClaims(key, h, l)
}

// Verify reads a list that somebody under one of the anchors signed for an operator.
// A list that has expired is returned with [ErrStale]: it can still be shown, with its
// age, but proves nothing.
func Verify(token, operator string, anchors []*x509.Certificate, now time.Time) (*List, error) {
	t, err := jws.Parse(token, jws.Want{Types: []string{Type}, Algorithms: []string{jws.ES256, jws.ES384}})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	l := &List{}
	if err := strict.Unmarshal(t.Unverified(), jws.MaxBytes, l); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	// The signer must have been good when the list was made, whatever the day.
	if err := chained(t.Header.X5C, pool(anchors), time.Unix(l.IssuedAt, 0)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigner, err)
	}
	if _, err := t.Verify(t.Header.Key()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigner, err)
	}
	if operator != "" && l.Operator != operator {
		return nil, fmt.Errorf("%w: it is of another operator", ErrForm)
	}
	if err := l.prepare(); err != nil {
		return nil, err
	}
	const leeway = 5 * time.Minute
	if l.IssuedAt == 0 || now.Add(leeway).Before(time.Unix(l.IssuedAt, 0)) {
		return nil, fmt.Errorf("%w: it is of a day to come", ErrForm)
	}
	if !now.Before(time.Unix(l.Expires, 0)) {
		return l, ErrStale
	}
	return l, nil
}

func (l *List) prepare() error {
	if len(l.Issuers) > MaxIssuers {
		return fmt.Errorf("%w: %d issuers, at most %d", ErrForm, len(l.Issuers), MaxIssuers)
	}
	l.roots, l.byID, l.byKey = map[string]*x509.CertPool{}, map[string]*Issuer{}, map[[KeyIDSize]byte]*x509.Certificate{}
	for i := range l.Issuers {
		x := &l.Issuers[i]
		if x.ID == "" || l.byID[x.ID] != nil || len(x.Name) > maxNames || len(x.Types) > maxTypes || len(x.Roots) == 0 || len(x.Roots) > maxRoots {
			return fmt.Errorf("%w: issuer %.80q", ErrForm, x.ID)
		}
		certs, err := certificates(x.Roots)
		if err != nil {
			return fmt.Errorf("%w: issuer %.80q: %w", ErrForm, x.ID, err)
		}
		if len(x.Certificates) > maxCerts {
			return fmt.Errorf("%w: issuer %.80q has %d certificates", ErrForm, x.ID, len(x.Certificates))
		}
		own, err := certificates(x.Certificates)
		if err != nil {
			return fmt.Errorf("%w: issuer %.80q: %w", ErrForm, x.ID, err)
		}
		for _, c := range own {
			if c.Subject.SerialNumber != x.ID {
				return fmt.Errorf("%w: issuer %.80q has the certificate of another", ErrForm, x.ID)
			}
			sum := sha256.Sum256(c.Raw)
			l.byKey[[KeyIDSize]byte(sum[:KeyIDSize])] = c
		}
		l.byID[x.ID], l.roots[x.ID] = x, pool(certs)
	}
	return nil
}

// certificates reads DER in base64.
func certificates(list []string) ([]*x509.Certificate, error) {
	out := make([]*x509.Certificate, len(list))
	for i, r := range list {
		der, err := base64.StdEncoding.DecodeString(r)
		if err != nil {
			return nil, err
		}
		if out[i], err = x509.ParseCertificate(der); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func pool(certs []*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certs {
		p.AddCert(c)
	}
	return p
}

// Issuer finds who signed under a chain of certificates, leaf first and without the
// anchor, and checks that they may issue a type (a vct, a doctype, or [StatusLists]) at
// a moment. The error wraps [ErrUntrusted].
func (l *List) Issuer(chain []*x509.Certificate, kind string, at time.Time) (*Issuer, error) {
	if len(chain) == 0 {
		return nil, fmt.Errorf("%w: there is no certificate", ErrUntrusted)
	}
	x := l.byID[chain[0].Subject.SerialNumber]
	switch {
	case x == nil:
		return nil, fmt.Errorf("%w: nobody of that name", ErrUntrusted)
	case !slices.Contains(x.Types, kind):
		return nil, fmt.Errorf("%w: it may not issue this type", ErrUntrusted)
	case x.From != 0 && at.Before(time.Unix(x.From, 0)), x.Until != 0 && !at.Before(time.Unix(x.Until, 0)):
		return nil, fmt.Errorf("%w: not at this time", ErrUntrusted)
	}
	if err := chained(chain, l.roots[x.ID], at); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	return x, nil
}

// Key returns the key of the leaf of a trusted chain.
func (l *List) Key(chain []*x509.Certificate, kind string, at time.Time) (crypto.PublicKey, *Issuer, error) {
	x, err := l.Issuer(chain, kind, at)
	if err != nil {
		return nil, nil, err
	}
	k, ok := chain[0].PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, nil, fmt.Errorf("%w: its key is not on a NIST curve", ErrUntrusted)
	}
	return k, x, nil
}

// KeyByID is [List.Key] for what names its certificate by the beginning of its SHA-256.
func (l *List) KeyByID(id []byte, kind string, at time.Time) (crypto.PublicKey, *Issuer, error) {
	if len(id) != KeyIDSize {
		return nil, nil, fmt.Errorf("%w: the name of a key has %d bytes", ErrUntrusted, KeyIDSize)
	}
	c := l.byKey[[KeyIDSize]byte(id)]
	if c == nil {
		return nil, nil, fmt.Errorf("%w: no key is called so", ErrUntrusted)
	}
	return l.Key([]*x509.Certificate{c}, kind, at)
}

// chained checks a chain against anchors. A leaf that signed itself, or that is itself
// an anchor, is nobody's.
func chained(chain []*x509.Certificate, anchors *x509.CertPool, at time.Time) error {
	if len(chain) == 0 {
		return errors.New("there is no certificate")
	}
	leaf := chain[0]
	if leaf.IsCA || bytes.Equal(leaf.RawIssuer, leaf.RawSubject) {
		return errors.New("the certificate signed itself or others")
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: anchors, Intermediates: pool(chain[1:]), CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}
