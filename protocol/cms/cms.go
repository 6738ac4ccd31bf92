// Package cms reads what time stamps (RFC 3161) and seals of documents (EN 319 122-1)
// need of the Cryptographic Message Syntax (RFC 5652), and has the structures to write
// it: signed data with one signer, whose signed attributes name the certificate (RFC
// 5035). It says whether a message holds; whose it is and what it is worth is the
// caller's matter.
package cms

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
)

// The identifiers of contents and attributes.
var (
	OIDData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	OIDSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	OIDStampInfo     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	OIDContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	OIDMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	OIDSigningCert   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	OIDSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	OIDStampToken    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
)

// The identifiers of algorithms.
var (
	OIDSHA256          = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	OIDSHA384          = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	OIDSHA512          = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	OIDECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	OIDRSAWithSHA256   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidRSA             = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
)

// methods are the ways to sign that are accepted; SHA-1 is not among them.
var methods = []struct {
	oid    asn1.ObjectIdentifier
	method x509.SignatureAlgorithm
	digest crypto.Hash
}{
	{OIDECDSAWithSHA256, x509.ECDSAWithSHA256, crypto.SHA256},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, x509.ECDSAWithSHA384, crypto.SHA384},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, x509.ECDSAWithSHA512, crypto.SHA512},
	{OIDRSAWithSHA256, x509.SHA256WithRSA, crypto.SHA256},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, x509.SHA384WithRSA, crypto.SHA384},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, x509.SHA512WithRSA, crypto.SHA512},
	{oidRSA, x509.SHA256WithRSA, crypto.SHA256},
	{oidRSA, x509.SHA384WithRSA, crypto.SHA384},
	{oidRSA, x509.SHA512WithRSA, crypto.SHA512},
	{asn1.ObjectIdentifier{1, 3, 101, 112}, x509.PureEd25519, crypto.SHA512},
}

// HashOf returns the hash of an identifier, 0 for those that are not accepted.
func HashOf(oid asn1.ObjectIdentifier) crypto.Hash {
	switch {
	case oid.Equal(OIDSHA256):
		return crypto.SHA256
	case oid.Equal(OIDSHA384):
		return crypto.SHA384
	case oid.Equal(OIDSHA512):
		return crypto.SHA512
	}
	return 0
}

// Digest is the hash of some bytes. The hash is one of HashOf.
func Digest(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}

// The structures of RFC 5652, section 5, RFC 5035, section 3, and RFC 3161, section
// 2.4.2.
type (
	// ContentInfo is the outermost structure.
	ContentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	// SignedData is a message and who signed it.
	SignedData struct {
		Version      int
		Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
		Content      Encapsulated
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		CRLs         asn1.RawValue `asn1:"optional,tag:1"`
		Signers      []SignerInfo  `asn1:"set"`
	}
	// Encapsulated is what is signed; Content is nil where it stands elsewhere.
	Encapsulated struct {
		Type    asn1.ObjectIdentifier
		Content []byte `asn1:"explicit,optional,tag:0"`
	}
	// SignerInfo is one signature.
	SignerInfo struct {
		Version   int
		ID        asn1.RawValue
		Digest    pkix.AlgorithmIdentifier
		Signed    asn1.RawValue `asn1:"tag:0"`
		Method    pkix.AlgorithmIdentifier
		Signature []byte
		Unsigned  asn1.RawValue `asn1:"optional,tag:1"`
	}
	// IssuerAndSerial names a certificate.
	IssuerAndSerial struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	// StampResponse is the answer of a time-stamp authority.
	StampResponse struct {
		Status StampStatus
		Token  asn1.RawValue `asn1:"optional"`
	}
	// StampStatus says whether it gave a stamp.
	StampStatus struct {
		Status  int
		Text    []asn1.RawValue `asn1:"optional"`
		Failure asn1.BitString  `asn1:"optional"`
	}
	attribute struct {
		Type   asn1.ObjectIdentifier
		Values asn1.RawValue
	}
	signingCertificate struct {
		Certs    []asn1.RawValue
		Policies asn1.RawValue `asn1:"optional"`
	}
	certID struct {
		Hash   pkix.AlgorithmIdentifier `asn1:"optional"`
		Digest []byte
		Issuer asn1.RawValue `asn1:"optional"`
	}
	shortCertID struct{ Digest []byte } // the hash left out is SHA-256
)

// Attribute writes one attribute with one value.
func Attribute(oid asn1.ObjectIdentifier, value any) ([]byte, error) {
	v, err := asn1.Marshal(value)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(attribute{oid, asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: v}})
}

// SigningCertificate is the value of the attribute OIDSigningCertV2 for a certificate.
func SigningCertificate(c *x509.Certificate) any {
	return struct{ Certs []shortCertID }{[]shortCertID{{Digest(crypto.SHA256, c.Raw)}}}
}
