// Package openid4 has what issuing credentials (OpenID4VCI 1.0, package vci) and
// presenting them (OpenID4VP 1.0, packages vp and dcql) share: the names of formats
// and the rules of HAIP 1.0 for certificates.
package openid4

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
)

// Formats of credentials.
const (
	SDJWT = "dc+sd-jwt" // RFC 9901 and SD-JWT VC
	MDoc  = "mso_mdoc"  // ISO/IEC 18013-5
)

// ErrChain is a certificate chain that breaks a rule of HAIP 1.0.
var ErrChain = errors.New("the certificate chain is not one of the profile")

// CheckChain checks the form of an x5c header: a leaf that did not sign itself, each
// certificate issued by the next, and no anchor at the end, which the reader has or
// doesn't trust (HAIP 1.0 §4.5.1, §5.3). It says nothing of whom to trust.
func CheckChain(chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return fmt.Errorf("%w: it is empty", ErrChain)
	}
	for i, c := range chain {
		if bytes.Equal(c.RawIssuer, c.RawSubject) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil {
			return fmt.Errorf("%w: certificate %d signed itself", ErrChain, i)
		}
		if i > 0 {
			if err := chain[i-1].CheckSignatureFrom(c); err != nil {
				return fmt.Errorf("%w: certificate %d: %w", ErrChain, i, err)
			}
		}
	}
	return nil
}

// AuthorityKeys returns the authority key identifiers of a chain, by which a query
// names who issued a credential (OpenID4VP 1.0 §6.1.1.1).
func AuthorityKeys(chain []*x509.Certificate) [][]byte {
	var out [][]byte
	for _, c := range chain {
		if len(c.AuthorityKeyId) > 0 {
			out = append(out, c.AuthorityKeyId)
		}
	}
	return out
}
