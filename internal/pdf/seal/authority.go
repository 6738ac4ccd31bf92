package seal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Lives of certificates.
const (
	RootLife = 15 * 365 * 24 * time.Hour
	SealLife = 3 * 365 * 24 * time.Hour
	backdate = 5 * time.Minute // for clocks that are a little behind
)

// oidDocuments is id-kp-documentSigning (RFC 9336).
var oidDocuments = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}

// Authority makes the certificates of seals. It is for an installation that has
// no trust service yet; what it makes is worth as much as its root is known.
type Authority struct {
	Certificate *x509.Certificate
	key         crypto.Signer
}

// NewAuthority makes a root of a name and a country (ISO 3166-1 alpha-2), signed by its
// own key on a NIST curve. Readers of ISO mdocs refuse an issuer whose root names no
// country. The certificate is to be kept: another one for the same key is another root
// to those who pin it.
func NewAuthority(name, country string, key crypto.Signer, now time.Time) (*Authority, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name, Country: []string{country}}, NotBefore: now.Add(-backdate), NotAfter: now.Add(RootLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making the authority of seals: %w", err)
	}
	return OpenAuthority(der, key)
}

// OpenAuthority returns the authority of a certificate that was kept.
func OpenAuthority(der []byte, key crypto.Signer) (*Authority, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("the certificate of the authority of seals: %w", err)
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(pub, c.RawSubjectPublicKeyInfo) || !c.IsCA {
		return nil, errors.New("the certificate of the authority of seals is not that of its key")
	}
	return &Authority{c, key}, nil
}

// Roots is what a verifier of this authority's seals believes.
func (a *Authority) Roots() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.Certificate)
	return p
}

// Holder is an administration whose seal it is.
type Holder struct {
	Name    string // as people read it
	ID      string // as the house knows it
	Country string // ISO 3166-1 alpha-2
	// Uses are what the key is good for, as extended key usages; none named are
	// seals of documents (RFC 9336).
	Uses []asn1.ObjectIdentifier
}

func (h *Holder) uses() []asn1.ObjectIdentifier {
	if len(h.Uses) == 0 {
		return []asn1.ObjectIdentifier{oidDocuments}
	}
	return h.Uses
}

// Issue makes the certificate of an administration's key: good for what the holder
// uses it for and for nothing else, no longer than the root.
func (a *Authority) Issue(pub crypto.PublicKey, h Holder, now time.Time) (*x509.Certificate, error) {
	if _, ok := pub.(*ecdsa.PublicKey); !ok {
		return nil, errors.New("the key of a seal must be on a NIST curve")
	}
	if h.Name == "" || h.ID == "" {
		return nil, errors.New("the certificate of a seal needs the name of its holder")
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: h.Name, Organization: []string{h.Name}, SerialNumber: h.ID},
		NotBefore: now.Add(-backdate), NotAfter: now.Add(SealLife), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageContentCommitment | x509.KeyUsageDigitalSignature, UnknownExtKeyUsage: h.uses()}
	if h.Country != "" {
		t.Subject.Country = []string{h.Country}
	}
	if t.NotAfter.After(a.Certificate.NotAfter) {
		t.NotAfter = a.Certificate.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.Certificate, pub, a.key)
	if err != nil {
		return nil, fmt.Errorf("making the certificate of a seal: %w", err)
	}
	return x509.ParseCertificate(der)
}

func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("a serial number: %w", err)
	}
	return n.Add(n, big.NewInt(1)), nil
}
