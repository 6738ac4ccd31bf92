package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// certificate is one of a name that a key made itself.
func certificate(t testing.TB, name string, key crypto.Signer) *x509.Certificate {
	t.Helper()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, SubjectKeyId: []byte(name), NotAfter: time.Unix(2e9, 0)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func raw(t testing.TB, v any) []byte {
	t.Helper()
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// maker writes a message, right or wrong.
type maker struct {
	key     crypto.Signer
	cert    *x509.Certificate
	kind    asn1.ObjectIdentifier
	content []byte
	hash    crypto.Hash
	method  asn1.ObjectIdentifier
	attrs   [][]byte
	more    func(*SignedData, *SignerInfo)
}

func newMaker(t testing.TB) *maker {
	key := newKey(t)
	cert := certificate(t, "signer", key)
	m := &maker{key: key, cert: cert, kind: OIDData, content: []byte("content"), hash: crypto.SHA256, method: OIDECDSAWithSHA256}
	m.attrs = [][]byte{m.attr(t, OIDContentType, OIDData), m.attr(t, OIDMessageDigest, Digest(crypto.SHA256, m.content)), m.attr(t, OIDSigningCertV2, SigningCertificate(cert))}
	return m
}

func (m *maker) attr(t testing.TB, oid asn1.ObjectIdentifier, v any) []byte {
	t.Helper()
	b, err := Attribute(oid, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (m *maker) make(t testing.TB) []byte {
	t.Helper()
	attrs := bytes.Join(m.attrs, nil)
	set := raw(t, asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: attrs})
	opts, signed := crypto.SignerOpts(m.hash), set
	if _, pure := m.key.(ed25519.PrivateKey); pure {
		opts = crypto.Hash(0)
	} else {
		signed = Digest(m.hash, set)
	}
	sig, err := m.key.Sign(rand.Reader, signed, opts)
	if err != nil {
		t.Fatal(err)
	}
	oid := map[crypto.Hash]asn1.ObjectIdentifier{crypto.SHA256: OIDSHA256, crypto.SHA384: OIDSHA384, crypto.SHA512: OIDSHA512}[m.hash]
	s := SignerInfo{Version: 1, ID: asn1.RawValue{FullBytes: raw(t, IssuerAndSerial{asn1.RawValue{FullBytes: m.cert.RawIssuer}, m.cert.SerialNumber})},
		Digest: pkix.AlgorithmIdentifier{Algorithm: oid}, Signed: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: attrs},
		Method: pkix.AlgorithmIdentifier{Algorithm: m.method}, Signature: sig}
	sd := SignedData{Version: 1, Content: Encapsulated{m.kind, m.content},
		Certificates: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: m.cert.Raw}}
	if m.more != nil {
		m.more(&sd, &s)
	}
	if sd.Signers == nil {
		sd.Signers = []SignerInfo{s}
	}
	return raw(t, ContentInfo{OIDSignedData, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: raw(t, sd)}})
}

func verify(der []byte) (*x509.Certificate, error) {
	m, err := Parse(der, 2)
	if err != nil {
		return nil, err
	}
	return m.Verify(Expect{Kind: OIDData, Digest: func(h crypto.Hash) []byte { return Digest(h, m.Content) }})
}

func TestVerify(t *testing.T) {
	other := newKey(t)
	for name, c := range map[string]struct {
		change func(m *maker)
		want   error
	}{
		"good": {func(*maker) {}, nil},
		"named by its key": {func(m *maker) {
			m.more = func(_ *SignedData, s *SignerInfo) {
				s.ID = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, Bytes: m.cert.SubjectKeyId}
			}
		}, nil},
		"SHA-512 and Ed25519": {func(m *maker) {
			_, m.key, _ = ed25519.GenerateKey(rand.Reader)
			m.cert, m.hash, m.method = certificate(t, "signer", m.key), crypto.SHA512, asn1.ObjectIdentifier{1, 3, 101, 112}
			m.attrs[1], m.attrs[2] = m.attr(t, OIDMessageDigest, Digest(crypto.SHA512, m.content)), m.attr(t, OIDSigningCertV2, SigningCertificate(m.cert))
		}, nil},
		"another content":        {func(m *maker) { m.content = []byte("other") }, ErrContent},
		"another kind":           {func(m *maker) { m.kind = OIDStampInfo }, ErrForm},
		"another kind, signed":   {func(m *maker) { m.attrs[0] = m.attr(t, OIDContentType, OIDStampInfo) }, ErrForm},
		"no kind":                {func(m *maker) { m.attrs = m.attrs[1:] }, ErrForm},
		"no digest":              {func(m *maker) { m.attrs = [][]byte{m.attrs[0], m.attrs[2]} }, ErrForm},
		"no certificate's name":  {func(m *maker) { m.attrs = m.attrs[:2] }, ErrForm},
		"an attribute twice":     {func(m *maker) { m.attrs = append(m.attrs, m.attrs[0]) }, ErrForm},
		"bytes for an attribute": {func(m *maker) { m.attrs = append(m.attrs, []byte{0x30, 0x05}) }, ErrForm},
		"named by SHA-1": {func(m *maker) {
			s := sha1.Sum(m.cert.Raw)
			m.attrs[2] = m.attr(t, OIDSigningCert, struct{ C []shortCertID }{[]shortCertID{{s[:]}}})
		}, ErrForm},
		"signed by another key": {func(m *maker) { m.key = other }, ErrSignature},
		"another method":        {func(m *maker) { m.method = OIDRSAWithSHA256 }, ErrSignature},
		"an unknown method":     {func(m *maker) { m.method = OIDData }, ErrSignature},
		"another digest":        {func(m *maker) { m.more = func(_ *SignedData, s *SignerInfo) { s.Digest.Algorithm = OIDSHA512 } }, ErrContent},
		"an unknown digest":     {func(m *maker) { m.more = func(_ *SignedData, s *SignerInfo) { s.Digest.Algorithm = OIDData } }, ErrSignature},
		"no certificate":        {func(m *maker) { m.more = func(d *SignedData, _ *SignerInfo) { d.Certificates = asn1.RawValue{} } }, ErrForm},
		"another's certificate": {func(m *maker) {
			c := certificate(t, "other", other)
			m.more = func(d *SignedData, _ *SignerInfo) { d.Certificates.Bytes = c.Raw }
		}, ErrForm},
		"the same key, another": {func(m *maker) {
			c := certificate(t, "other", m.key)
			m.more = func(d *SignedData, _ *SignerInfo) { d.Certificates.Bytes = c.Raw }
		}, ErrForm},
		"another serial": {func(m *maker) {
			id := raw(t, IssuerAndSerial{asn1.RawValue{FullBytes: m.cert.RawIssuer}, big.NewInt(8)})
			m.more = func(_ *SignedData, s *SignerInfo) { s.ID.FullBytes = id }
		}, ErrForm},
		"too many certificates": {func(m *maker) {
			m.more = func(d *SignedData, _ *SignerInfo) { d.Certificates.Bytes = bytes.Repeat(m.cert.Raw, 3) }
		}, ErrForm},
		"two signers":              {func(m *maker) { m.more = func(d *SignedData, s *SignerInfo) { d.Signers = []SignerInfo{*s, *s} } }, ErrForm},
		"no signature's attribute": {func(m *maker) { m.attrs = nil }, ErrForm},
	} {
		m := newMaker(t)
		c.change(m)
		got, err := verify(m.make(t))
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || err == nil && !got.Equal(m.cert) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestForms(t *testing.T) {
	good := newMaker(t).make(t)
	for name, b := range map[string][]byte{"nothing": nil, "cut": good[:len(good)-1], "longer": append(bytes.Clone(good), 0), "another": raw(t, ContentInfo{OIDData, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: []byte{5, 0}}})} {
		if _, err := Parse(b, 2); !errors.Is(err, ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := newMaker(t)
	for i := range maxAttributes {
		m.attrs = append(m.attrs, m.attr(t, asn1.ObjectIdentifier{2, 999, i}, i))
	}
	if _, err := verify(m.make(t)); !errors.Is(err, ErrForm) {
		t.Errorf("too many attributes: %v", err)
	}
	m = newMaker(t)
	s := sha1.Sum(m.cert.Raw)
	m.attrs[2] = m.attr(t, OIDSigningCert, struct{ C []shortCertID }{[]shortCertID{{s[:]}}})
	old, err := Parse(m.make(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Verify(Expect{Kind: OIDData, SHA1Names: true, Digest: func(h crypto.Hash) []byte { return Digest(h, m.content) }}); err != nil {
		t.Errorf("named by SHA-1 where that may be: %v", err)
	}
	if _, err := old.Verify(Expect{Kind: OIDData, SHA1Names: true, Digest: func(crypto.Hash) []byte { return nil }}); !errors.Is(err, ErrSignature) {
		t.Errorf("a digest that the caller refuses: %v", err)
	}
}

// FuzzVerify: whatever comes is refused or names a certificate that is in it.
func FuzzVerify(f *testing.F) {
	f.Add(newMaker(f).make(f))
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := verify(der)
		if (c == nil) == (err == nil) {
			t.Fatalf("%v, %v", c, err)
		}
	})
}
