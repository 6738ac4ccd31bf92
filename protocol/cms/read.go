package cms

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
)

// Errors of messages that must not be believed.
var (
	ErrForm      = errors.New("not signed data of the kind that was expected")
	ErrContent   = errors.New("the signature is over another content")
	ErrSignature = errors.New("the signature does not hold")
)

// maxAttributes bounds the attributes of one kind, signed or not.
const maxAttributes = 32

// One reads a single DER value without anything after it; what names it in the
// error, which is ErrForm.
func One(b []byte, v any, what string) error {
	rest, err := asn1.Unmarshal(b, v)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrForm, what, err)
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: bytes after the %s", ErrForm, what)
	}
	return nil
}

// Message is signed data taken apart, of which nothing is believed yet.
type Message struct {
	// Kind and Content are what is signed; Content is nil where it stands elsewhere.
	Kind         asn1.ObjectIdentifier
	Content      []byte
	Certificates []*x509.Certificate
	Signer       SignerInfo
}

// Parse reads signed data of one signer with at most so many certificates. The length
// of what it is given is the caller's to bound.
func Parse(der []byte, certificates int) (*Message, error) {
	var ci ContentInfo
	if err := One(der, &ci, "message"); err != nil {
		return nil, err
	}
	var sd SignedData
	if err := One(ci.Content.Bytes, &sd, "signed data"); err != nil {
		return nil, err
	}
	if !ci.Type.Equal(OIDSignedData) {
		return nil, fmt.Errorf("%w: it is of another kind", ErrForm)
	}
	if len(sd.Signers) != 1 {
		return nil, fmt.Errorf("%w: %d signers, want one", ErrForm, len(sd.Signers))
	}
	list, err := x509.ParseCertificates(sd.Certificates.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: certificates: %w", ErrForm, err)
	}
	if len(list) > certificates {
		return nil, fmt.Errorf("%w: %d certificates", ErrForm, len(list))
	}
	return &Message{sd.Content.Type, sd.Content.Content, list, sd.Signers[0]}, nil
}

// Expect is what a message must sign.
type Expect struct {
	Kind asn1.ObjectIdentifier
	// Digest returns the hash of the content, nil for a hash that is not accepted.
	Digest func(crypto.Hash) []byte
	// SHA1Names lets the older attribute name the certificate by its SHA-1 (RFC 5816,
	// section 2.2): the chain and the signature are checked with better hashes.
	SHA1Names bool
}

// Verify checks that the message signs the content, with a certificate that is in it
// and that its signed attributes name, and returns that certificate: ErrContent when
// it signs something else, ErrSignature when the signature does not hold. Whether the
// certificate is to be trusted it does not ask.
func (m *Message) Verify(want Expect) (*x509.Certificate, error) {
	h := HashOf(m.Signer.Digest.Algorithm)
	if h == 0 {
		return nil, fmt.Errorf("%w: its digest is of an unknown kind", ErrSignature)
	}
	attrs, err := Attributes(m.Signer.Signed.Bytes)
	if err != nil {
		return nil, err
	}
	var kind asn1.ObjectIdentifier
	var digest []byte
	if err := errors.Join(One(attrs[OIDContentType.String()], &kind, "content type"), One(attrs[OIDMessageDigest.String()], &digest, "message digest")); err != nil {
		return nil, err
	}
	if !m.Kind.Equal(want.Kind) || !kind.Equal(want.Kind) {
		return nil, fmt.Errorf("%w: it signs something else", ErrForm)
	}
	expected := want.Digest(h)
	if expected == nil {
		return nil, fmt.Errorf("%w: its digest is of an unknown kind", ErrSignature)
	}
	if !bytes.Equal(digest, expected) {
		return nil, ErrContent
	}
	signer, err := m.named(attrs, want.SHA1Names)
	if err != nil {
		return nil, err
	}
	for _, k := range methods {
		if k.digest == h && k.oid.Equal(m.Signer.Method.Algorithm) {
			if err := signer.CheckSignature(k.method, m.Signer.signedBytes(), m.Signer.Signature); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrSignature, err)
			}
			return signer, nil
		}
	}
	return nil, fmt.Errorf("%w: it is of an unknown kind", ErrSignature)
}

// named returns the certificate that the signed attributes name. Without that binding
// another certificate with the same key could take its place (RFC 5035, section 1).
func (m *Message) named(attrs map[string][]byte, sha1Names bool) (*x509.Certificate, error) {
	v2 := attrs[OIDSigningCertV2.String()]
	value := v2
	if value == nil && sha1Names {
		value = attrs[OIDSigningCert.String()]
	}
	var list signingCertificate
	if err := One(value, &list, "signing certificate"); err != nil {
		return nil, err
	}
	if len(list.Certs) == 0 {
		return nil, fmt.Errorf("%w: it names no certificate", ErrForm)
	}
	// The first one is the signer's (RFC 5035, section 3).
	var id certID
	if err := One(list.Certs[0].FullBytes, &id, "certificate's name"); err != nil {
		return nil, err
	}
	sum := func(c *x509.Certificate) []byte { s := sha1.Sum(c.Raw); return s[:] }
	if v2 != nil {
		h := crypto.SHA256
		if id.Hash.Algorithm != nil {
			h = HashOf(id.Hash.Algorithm)
		}
		if h == 0 {
			return nil, fmt.Errorf("%w: a certificate named by an unknown hash", ErrForm)
		}
		sum = func(c *x509.Certificate) []byte { return Digest(h, c.Raw) }
	}
	for _, c := range m.Certificates {
		if bytes.Equal(sum(c), id.Digest) && m.Signer.is(c) {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: the signer's certificate is not in it", ErrForm)
}

// is reports whether the signer's identifier fits the certificate.
func (s *SignerInfo) is(c *x509.Certificate) bool {
	if s.ID.Class == asn1.ClassContextSpecific && s.ID.Tag == 0 {
		return len(c.SubjectKeyId) > 0 && bytes.Equal(s.ID.Bytes, c.SubjectKeyId)
	}
	var id IssuerAndSerial
	return One(s.ID.FullBytes, &id, "signer") == nil && bytes.Equal(id.Issuer.FullBytes, c.RawIssuer) && id.Serial.Cmp(c.SerialNumber) == 0
}

// signedBytes is what the signature is over: the attributes under the tag of a set
// (RFC 5652, section 5.4).
func (s *SignerInfo) signedBytes() []byte {
	b := bytes.Clone(s.Signed.FullBytes)
	b[0] = 0x31
	return b
}

// Attributes reads a list of attributes, each of one kind and one value, by the text
// of their identifiers.
func Attributes(b []byte) (map[string][]byte, error) {
	all := map[string][]byte{}
	for len(b) > 0 {
		var a attribute
		var err error
		if b, err = asn1.Unmarshal(b, &a); err != nil {
			return nil, fmt.Errorf("%w: attributes: %w", ErrForm, err)
		}
		var value asn1.RawValue
		key := a.Type.String()
		if a.Values.Class != asn1.ClassUniversal || a.Values.Tag != asn1.TagSet || all[key] != nil || len(all) == maxAttributes {
			return nil, fmt.Errorf("%w: attribute %s", ErrForm, key)
		}
		if err := One(a.Values.Bytes, &value, "attribute"); err != nil {
			return nil, err
		}
		all[key] = value.FullBytes
	}
	return all, nil
}
