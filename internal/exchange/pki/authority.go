package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"
)

// Lives of certificates. A gateway renews when a third of the life is left.
const (
	RootLife   = 15 * 365 * 24 * time.Hour
	NodeLife   = 90 * 24 * time.Hour
	MemberLife = 2 * 365 * 24 * time.Hour
	StampLife  = 5 * 365 * 24 * time.Hour
	// Backdate covers clocks that are a little behind.
	Backdate = 5 * time.Minute
)

// Scheme of the addresses in certificates that name a node.
const Scheme = "exchange"

// ErrRequest says that a certificate request can't be used.
var ErrRequest = errors.New("exchange.certificate_request")

// Authority issues certificates.
type Authority struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// NewRoot makes the certificate of a new authority, signed by its own key, which
// must be on a NIST curve.
func NewRoot(instance string, key crypto.Signer, now time.Time) (*Authority, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Exchange authority " + instance, Organization: []string{instance}},
		NotBefore: now.Add(-Backdate), NotAfter: now.Add(RootLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making the exchange's authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	return &Authority{cert, key}, err
}

// Holder is who a certificate is for.
type Holder struct {
	Member string // INSTANCE/CLASS/CODE
	Node   string
	Hosts  []string // host names and IP addresses of a node's listeners
}

// IssueNode issues the TLS certificate of a node. The request proves that its
// sender holds the key; its names are ignored.
func (a *Authority) IssueNode(csr []byte, h Holder, now time.Time) (*x509.Certificate, error) {
	pub, err := keyOf(csr)
	if err != nil {
		return nil, err
	}
	tmpl := &x509.Certificate{
		Subject: pkix.Name{CommonName: h.Node, Organization: []string{h.Member}, SerialNumber: h.Member}, NotAfter: now.Add(NodeLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		URIs: []*url.URL{{Scheme: Scheme, Opaque: h.Member + "/" + h.Node}},
	}
	for _, host := range h.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, host)
		}
	}
	return a.issue(tmpl, pub, now)
}

// IssueMember issues the certificate of a member's own key, which signs contracts.
func (a *Authority) IssueMember(csr []byte, member string, now time.Time) (*x509.Certificate, error) {
	pub, err := keyOf(csr)
	if err != nil {
		return nil, err
	}
	return a.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: member, Organization: []string{member}, SerialNumber: member}, NotAfter: now.Add(MemberLife),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}, pub, now)
}

// IssueStamp issues the certificate of a time-stamp authority (RFC 3161 §2.3: one
// extended key usage, critical).
func (a *Authority) IssueStamp(pub crypto.PublicKey, name string, now time.Time) (*x509.Certificate, error) {
	return a.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotAfter: now.Add(StampLife), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: oidExtKeyUsage, Critical: true, Value: stampUsage}},
	}, pub, now)
}

var (
	oidExtKeyUsage = []int{2, 5, 29, 37}
	// stampUsage is the sequence of id-kp-timeStamping alone.
	stampUsage = []byte{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08}
)

func (a *Authority) issue(tmpl *x509.Certificate, pub crypto.PublicKey, now time.Time) (*x509.Certificate, error) {
	var err error
	if tmpl.SerialNumber, err = newSerial(); err != nil {
		return nil, err
	}
	tmpl.NotBefore, tmpl.BasicConstraintsValid = now.Add(-Backdate), true
	if tmpl.NotAfter.After(a.Certificate.NotAfter) {
		tmpl.NotAfter = a.Certificate.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.Certificate, pub, a.Key)
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// maxRequest bounds a certificate request.
const maxRequest = 16 << 10

// keyOf returns the key of a request whose signature is right: P-256 or better,
// for weaker ones would weaken everybody's proofs.
func keyOf(csr []byte) (crypto.PublicKey, error) {
	if len(csr) > maxRequest {
		return nil, fmt.Errorf("%w: too large", ErrRequest)
	}
	r, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if err := r.CheckSignature(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if r.PublicKeyAlgorithm != x509.ECDSA {
		return nil, fmt.Errorf("%w: a key of type %v; make one on P-256", ErrRequest, r.PublicKeyAlgorithm)
	}
	return r.PublicKey, nil
}

// NewRequest makes a certificate request for a key.
func NewRequest(key crypto.Signer) ([]byte, error) {
	return x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
}

func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("a serial number: %w", err)
	}
	return n.Add(n, big.NewInt(1)), nil
}
