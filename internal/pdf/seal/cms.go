package seal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidStampToken    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidECDSA         = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
)

// The structures of RFC 5652 §5 and RFC 5035 §3, as far as a seal uses them.
type (
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	signedData struct {
		Version      int
		Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
		Content      encapsulated
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		CRLs         asn1.RawValue `asn1:"optional,tag:1"`
		Signers      []signerInfo  `asn1:"set"`
	}
	encapsulated struct {
		Type asn1.ObjectIdentifier
	}
	signerInfo struct {
		Version   int
		ID        asn1.RawValue
		Digest    pkix.AlgorithmIdentifier
		Signed    asn1.RawValue `asn1:"tag:0"`
		Method    pkix.AlgorithmIdentifier
		Signature []byte
		Unsigned  asn1.RawValue `asn1:"optional,tag:1"`
	}
	issuerAndSerial struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	attribute struct {
		Type   asn1.ObjectIdentifier
		Values asn1.RawValue
	}
	signingCertificate struct {
		Certs    []certID
		Policies asn1.RawValue `asn1:"optional"`
	}
	certID struct {
		Hash   pkix.AlgorithmIdentifier `asn1:"optional"`
		Digest []byte
		Issuer asn1.RawValue `asn1:"optional"`
	}
	shortCertID struct{ Digest []byte } // the hash left out is SHA-256
)

// methodOf returns the signature algorithm of a key.
func methodOf(pub crypto.PublicKey) (asn1.ObjectIdentifier, error) {
	switch pub.(type) {
	case *ecdsa.PublicKey:
		return oidECDSA, nil
	case *rsa.PublicKey:
		return oidRSA, nil
	}
	return nil, errors.New("a seal's key must be on a NIST curve or RSA, which all readers know")
}

// attr writes one attribute with one value.
func attr(oid asn1.ObjectIdentifier, value any) ([]byte, error) {
	v, err := asn1.Marshal(value)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(attribute{oid, asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: v}})
}

// signedAttributes are what the signature is over, in DER order. There is no
// signing time among them: the dictionary of the seal has it (EN 319 142-1, 6.3).
func signedAttributes(digest []byte, cert *x509.Certificate) ([]byte, error) {
	sum := sha256.Sum256(cert.Raw)
	var all [][]byte
	for _, a := range []struct {
		oid   asn1.ObjectIdentifier
		value any
	}{
		{oidContentType, oidData},
		{oidMessageDigest, digest},
		{oidSigningCertV2, struct{ Certs []shortCertID }{[]shortCertID{{sum[:]}}}},
	} {
		b, err := attr(a.oid, a.value)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	slices.SortFunc(all, bytes.Compare)
	return bytes.Join(all, nil), nil
}

// cms makes the signature of a digest, in DER.
func (o *Options) cms(digest []byte, stamp func(signature []byte) ([]byte, error)) ([]byte, error) {
	cert := o.Chain[0]
	method, err := methodOf(cert.PublicKey)
	if err != nil {
		return nil, err
	}
	attrs, err := signedAttributes(digest, cert)
	if err != nil {
		return nil, err
	}
	set, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: attrs})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(set)
	sig, err := o.Signer.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	id, err := asn1.Marshal(issuerAndSerial{asn1.RawValue{FullBytes: cert.RawIssuer}, cert.SerialNumber})
	if err != nil {
		return nil, err
	}
	s := signerInfo{Version: 1, ID: asn1.RawValue{FullBytes: id}, Digest: pkix.AlgorithmIdentifier{Algorithm: oidSHA256},
		Signed: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: attrs},
		Method: pkix.AlgorithmIdentifier{Algorithm: method}, Signature: sig}
	if method.Equal(oidRSA) {
		s.Method.Parameters = asn1.NullRawValue
	}
	if stamp != nil {
		token, err := stamp(sig)
		if err != nil {
			return nil, fmt.Errorf("time-stamping: %w", err)
		}
		b, err := attr(oidStampToken, asn1.RawValue{FullBytes: token})
		if err != nil {
			return nil, err
		}
		s.Unsigned = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: b}
	}
	var certs []byte
	for _, c := range o.Chain {
		certs = append(certs, c.Raw...)
	}
	sd, err := asn1.Marshal(signedData{Version: 1, Digests: []pkix.AlgorithmIdentifier{{Algorithm: oidSHA256}}, Content: encapsulated{oidData},
		Certificates: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: certs}, Signers: []signerInfo{s}})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(contentInfo{oidSignedData, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: sd}})
}
