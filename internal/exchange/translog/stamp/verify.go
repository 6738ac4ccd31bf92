package stamp

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
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
	if !bytes.Equal(a.info.Imprint.Digest, digest(a.hash, data)) {
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

// verifySignature finds the signer's certificate and checks the signature over
// the attributes, which in turn bind the content and that certificate.
func (a *answer) verifySignature() (*x509.Certificate, error) {
	h := hashOf(a.signer.Digest.Algorithm)
	if h == 0 {
		return nil, fmt.Errorf("%w: its digest is of an unknown kind", ErrSignature)
	}
	attrs, err := a.attributes()
	if err != nil {
		return nil, err
	}
	var contentType asn1.ObjectIdentifier
	var messageDigest []byte
	if err := one(attrs[oidContentType.String()], &contentType, "content type"); err != nil {
		return nil, err
	}
	if err := one(attrs[oidMessageDigest.String()], &messageDigest, "message digest"); err != nil {
		return nil, err
	}
	if !contentType.Equal(oidStampInfo) || !bytes.Equal(messageDigest, digest(h, a.infoDER)) {
		return nil, fmt.Errorf("%w: it is over another content", ErrSignature)
	}
	signer, err := a.named(attrs)
	if err != nil {
		return nil, err
	}
	for _, m := range signatureMethods {
		if m.oid.Equal(a.signer.Method.Algorithm) && m.digest == h {
			if err := signer.CheckSignature(m.method, a.signedBytes(), a.signer.Signature); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrSignature, err)
			}
			return signer, nil
		}
	}
	return nil, fmt.Errorf("%w: it is of an unknown kind", ErrSignature)
}

// named returns the certificate that the signed attributes name. Without that
// binding another certificate with the same key could take its place (RFC 3161
// §2.4.1, RFC 5816 §2.2). SHA-1 in the older attribute is accepted, since the
// chain and the signature are checked with better hashes.
func (a *answer) named(attrs map[string][]byte) (*x509.Certificate, error) {
	v2 := attrs[oidSigningCertV2.String()]
	value := v2
	if value == nil {
		value = attrs[oidSigningCert.String()]
	}
	var list signingCertificate
	if err := one(value, &list, "signing certificate"); err != nil {
		return nil, err
	}
	if len(list.Certs) == 0 {
		return nil, fmt.Errorf("%w: it names no certificate", ErrAnswer)
	}
	// The first one is the signer's (RFC 5035 §3).
	var id certIDV2
	if err := one(list.Certs[0].FullBytes, &id, "certificate's name"); err != nil {
		return nil, err
	}
	sum := func(c *x509.Certificate) []byte { s := sha1.Sum(c.Raw); return s[:] }
	if v2 != nil {
		h := crypto.SHA256
		if id.Hash.Algorithm != nil {
			h = hashOf(id.Hash.Algorithm)
		}
		if h == 0 {
			return nil, fmt.Errorf("%w: a certificate named by an unknown hash", ErrAnswer)
		}
		sum = func(c *x509.Certificate) []byte { return digest(h, c.Raw) }
	}
	for _, c := range a.certificates {
		if bytes.Equal(sum(c), id.Digest) && a.signer.is(c) {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: the signer's certificate is not in it", ErrAnswer)
}

// is reports whether the signer's identifier fits the certificate.
func (s *signerInfo) is(c *x509.Certificate) bool {
	if s.ID.Class == asn1.ClassContextSpecific && s.ID.Tag == 0 {
		return len(c.SubjectKeyId) > 0 && bytes.Equal(s.ID.Bytes, c.SubjectKeyId)
	}
	var id struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	return one(s.ID.FullBytes, &id, "signer") == nil && bytes.Equal(id.Issuer.FullBytes, c.RawIssuer) && id.Serial.Cmp(c.SerialNumber) == 0
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
	for _, c := range a.certificates {
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
