package stamp

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"diwan/protocol/cms"
)

// Errors of a stamp that can be read and must not be believed.
var (
	ErrImprint   = errors.New("the time stamp is for other bytes")
	ErrSignature = errors.New("the time stamp's signature does not hold")
	ErrAuthority = errors.New("the time stamp is not of an authority that is trusted for it")
	ErrNonce     = errors.New("the time stamp answers another request")
	ErrTime      = errors.New("the time stamp's time is out of bounds")
)

// Trust is what a verifier believes beforehand.
type Trust struct {
	// Roots are the certificate authorities of time-stamp authorities.
	Roots *x509.CertPool
	// Policies are the ones accepted; none means any.
	Policies []asn1.ObjectIdentifier
}

// Token is a stamp that was verified.
type Token struct {
	// Time is when the bytes existed at the latest, give or take Accuracy; an
	// Accuracy of 0 means that the authority states none.
	Time     time.Time
	Accuracy time.Duration
	Serial   *big.Int
	Policy   asn1.ObjectIdentifier
	// Authority signed the stamp.
	Authority *x509.Certificate
	nonce     *big.Int
}

// Verify checks that an answer stamps data. The chain of certificates is checked
// at the time stamped, so a stamp outlives the certificate of its authority; who
// must know whether that certificate was revoked asks elsewhere.
func Verify(answerDER, data []byte, trust Trust) (*Token, error) {
	a, err := parse(answerDER)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(a.info.Imprint.Digest, cms.Digest(a.hash, data)) {
		return nil, ErrImprint
	}
	signer, err := a.verifySignature()
	if err != nil {
		return nil, err
	}
	if err := a.verifyAuthority(signer, trust); err != nil {
		return nil, err
	}
	acc := a.info.Accuracy
	return &Token{
		Time: a.info.Time.UTC(), Serial: a.info.Serial, Policy: a.info.Policy, Authority: signer, nonce: a.info.Nonce,
		Accuracy: time.Duration(acc.Seconds)*time.Second + time.Duration(acc.Milliseconds)*time.Millisecond + time.Duration(acc.Microseconds)*time.Microsecond,
	}, nil
}

// verifySignature checks the signature over the content and returns the signer's
// certificate.
func (a *answer) verifySignature() (*x509.Certificate, error) {
	signer, err := a.message.Verify(cms.Expect{Kind: cms.OIDStampInfo, SHA1Names: true,
		Digest: func(h crypto.Hash) []byte { return cms.Digest(h, a.message.Content) }})
	switch {
	case errors.Is(err, cms.ErrForm):
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return signer, nil
}

// verifyAuthority checks the policy, that the certificate is for time stamping
// and nothing else (RFC 3161 §2.3), and that it leads to a trusted root.
func (a *answer) verifyAuthority(signer *x509.Certificate, trust Trust) error {
	if len(trust.Policies) > 0 && !slices.ContainsFunc(trust.Policies, a.info.Policy.Equal) {
		return fmt.Errorf("%w: policy %s", ErrAuthority, a.info.Policy)
	}
	if err := forStamps(signer); err != nil {
		return err
	}
	if trust.Roots == nil {
		return fmt.Errorf("%w: none is", ErrAuthority)
	}
	between := x509.NewCertPool()
	for _, c := range a.message.Certificates {
		between.AddCert(c)
	}
	_, err := signer.Verify(x509.VerifyOptions{Roots: trust.Roots, Intermediates: between, CurrentTime: a.info.Time,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAuthority, err)
	}
	return nil
}

// forStamps checks the purpose in a certificate.
func forStamps(c *x509.Certificate) error {
	critical := false
	for _, e := range c.Extensions {
		critical = critical || e.Id.Equal(oidExtKeyUsage) && e.Critical
	}
	if !critical || len(c.UnknownExtKeyUsage) > 0 || !slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}) {
		return fmt.Errorf("%w: its certificate is not for time stamping alone", ErrAuthority)
	}
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return fmt.Errorf("%w: its certificate is not for signatures", ErrAuthority)
	}
	return nil
}
