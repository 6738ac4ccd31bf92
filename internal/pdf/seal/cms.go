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
	"slices"

	"diwan/protocol/cms"
)

// methodOf returns the signature algorithm of a key.
func methodOf(pub crypto.PublicKey) (asn1.ObjectIdentifier, error) {
	switch pub.(type) {
	case *ecdsa.PublicKey:
		return cms.OIDECDSAWithSHA256, nil
	case *rsa.PublicKey:
		return cms.OIDRSAWithSHA256, nil
	}
	return nil, errors.New("a seal's key must be on a NIST curve or RSA, which all readers know")
}

// signedAttributes are what the signature is over, in DER order. There is no
// signing time among them: the dictionary of the seal has it (EN 319 142-1, 6.3).
func signedAttributes(digest []byte, cert *x509.Certificate) ([]byte, error) {
	var all [][]byte
	for _, a := range []struct {
		oid   asn1.ObjectIdentifier
		value any
	}{
		{cms.OIDContentType, cms.OIDData},
		{cms.OIDMessageDigest, digest},
		{cms.OIDSigningCertV2, cms.SigningCertificate(cert)},
	} {
		b, err := cms.Attribute(a.oid, a.value)
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
	id, err := asn1.Marshal(cms.IssuerAndSerial{Issuer: asn1.RawValue{FullBytes: cert.RawIssuer}, Serial: cert.SerialNumber})
	if err != nil {
		return nil, err
	}
	s := cms.SignerInfo{Version: 1, ID: asn1.RawValue{FullBytes: id}, Digest: pkix.AlgorithmIdentifier{Algorithm: cms.OIDSHA256},
		Signed: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: attrs},
		Method: pkix.AlgorithmIdentifier{Algorithm: method}, Signature: sig}
	if method.Equal(cms.OIDRSAWithSHA256) {
		s.Method.Parameters = asn1.NullRawValue
	}
	if stamp != nil {
		token, err := stamp(sig)
		if err != nil {
			return nil, fmt.Errorf("time-stamping: %w", err)
		}
		b, err := cms.Attribute(cms.OIDStampToken, asn1.RawValue{FullBytes: token})
		if err != nil {
			return nil, err
		}
		s.Unsigned = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: b}
	}
	var certs []byte
	for _, c := range o.Chain {
		certs = append(certs, c.Raw...)
	}
	sd, err := asn1.Marshal(cms.SignedData{Version: 1, Digests: []pkix.AlgorithmIdentifier{{Algorithm: cms.OIDSHA256}}, Content: cms.Encapsulated{Type: cms.OIDData},
		Certificates: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: certs}, Signers: []cms.SignerInfo{s}})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(cms.ContentInfo{Type: cms.OIDSignedData, Content: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: sd}})
}
