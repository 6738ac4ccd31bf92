package vp

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Prefixes of client identifiers (OpenID4VP 1.0 §5.9.3). The empty one is of clients
// that a wallet knows beforehand.
const (
	Registered          = ""
	RedirectURI         = "redirect_uri"
	X509SANDNS          = "x509_san_dns"
	X509Hash            = "x509_hash"
	DecentralizedID     = "decentralized_identifier"
	VerifierAttestation = "verifier_attestation"
	Federation          = "openid_federation"
	reservedOrigin      = "origin"
)

const maxClientID = 2048

// ErrClient is a client identifier that is not accepted, or that the certificate of a
// request does not prove.
var ErrClient = errors.New("the verifier's identifier is not accepted")

// ClientID is the name of a verifier. As a whole, prefix included, it is the audience
// of what is presented to it.
type ClientID struct {
	Full, Prefix, Name string
}

// ParseClientID reads a client identifier whose prefix is among those allowed. An
// unknown prefix is refused and not taken for part of a registered name; "origin" is
// reserved and always refused.
func ParseClientID(s string, allowed []string) (ClientID, error) {
	if s == "" || len(s) > maxClientID {
		return ClientID{}, fmt.Errorf("%w: it is missing or too long", ErrClient)
	}
	c := ClientID{Full: s, Name: s}
	if prefix, name, found := strings.Cut(s, ":"); found {
		c.Prefix, c.Name = prefix, name
		if prefix == "" || prefix == reservedOrigin || name == "" {
			return ClientID{}, fmt.Errorf("%w: the prefix %.80q", ErrClient, prefix)
		}
	}
	if !slices.Contains(allowed, c.Prefix) {
		return ClientID{}, fmt.Errorf("%w: the prefix %.80q is not supported", ErrClient, c.Prefix)
	}
	return c, nil
}

// HashID returns the client identifier of a verifier by its certificate.
func HashID(leaf *x509.Certificate) string { return X509Hash + ":" + certificateHash(leaf) }

// DNSID returns the client identifier of a verifier by a host of its certificate.
func DNSID(host string) string { return X509SANDNS + ":" + host }

func certificateHash(leaf *x509.Certificate) string {
	sum := sha256.Sum256(leaf.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Proved tells whether a certificate is the one that an identifier names, and whether a
// verifier so named may be answered at an address: by its host, only at that host.
func (c ClientID) Proved(leaf *x509.Certificate, responseURI string) error {
	switch c.Prefix {
	case X509Hash:
		if c.Name != certificateHash(leaf) {
			return fmt.Errorf("%w: the hash is of another certificate", ErrClient)
		}
		return nil
	case X509SANDNS:
		// The name itself must stand there: a wildcard names no one verifier.
		if !slices.ContainsFunc(leaf.DNSNames, func(n string) bool { return strings.EqualFold(n, c.Name) }) {
			return fmt.Errorf("%w: the certificate is of other hosts", ErrClient)
		}
		u, err := url.Parse(responseURI)
		if err != nil || !strings.EqualFold(u.Hostname(), c.Name) {
			return fmt.Errorf("%w: the answer would go to another host", ErrClient)
		}
		return nil
	}
	return fmt.Errorf("%w: no certificate proves the prefix %q", ErrClient, c.Prefix)
}
