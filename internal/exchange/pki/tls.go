package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// ErrPeer says that a TLS peer is not who it must be.
var ErrPeer = errors.New("exchange.peer")

// VerifyPeer returns a check of a TLS peer's certificate: issued by one of the
// authorities, valid now for this use, and allowed. Names in the certificate play
// no part: who may stand behind a key is the signed directory's to say.
func VerifyPeer(authorities func() *x509.CertPool, now func() time.Time, usage x509.ExtKeyUsage, allowed func(*x509.Certificate) error) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return fmt.Errorf("%w: it showed no certificate", ErrPeer)
		}
		cert := s.PeerCertificates[0]
		_, err := cert.Verify(x509.VerifyOptions{Roots: authorities(), CurrentTime: now(), KeyUsages: []x509.ExtKeyUsage{usage}})
		if err != nil {
			return fmt.Errorf("%w: %w", ErrPeer, err)
		}
		return allowed(cert)
	}
}
