package trustlist

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
	"testing"
	"time"

	"diwan/protocol/jws"
)

// reader makes somebody who asks, with a certificate for some uses.
func reader(t testing.TB, name string, above party, uses ...asn1.ObjectIdentifier) party {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: name, SerialNumber: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(1000 * time.Hour),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, UnknownExtKeyUsage: uses}
	if len(uses) == 1 && uses[0] == nil {
		c.UnknownExtKeyUsage, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, above.cert, key.Public(), above.key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return party{key, c}
}

func TestRegistration(t *testing.T) {
	root, stranger := certify(t, "root", true, nil), certify(t, "stranger", true, nil)
	portal, commune, falsePortal := certify(t, "portal", false, &root), certify(t, "commune", false, &root), certify(t, "portal", false, &stranger)
	roots := []string{base64.StdEncoding.EncodeToString(root.cert.Raw)}
	const operator = "https://example.org"
	l := &List{Operator: operator, IssuedAt: now.Unix(), Expires: now.Add(time.Hour).Unix(), TTL: 60, Issuers: []Issuer{
		{ID: "portal", Name: map[string]string{"fr": "Portail"}, Types: []string{StatusLists, Verifiers}, Roots: roots},
		{ID: "commune", Name: map[string]string{"fr": "Commune"}, Types: []string{"urn:x:1"}, Roots: roots}}}
	if err := l.prepare(); err != nil {
		t.Fatal(err)
	}
	seal, document := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}, asn1.ObjectIdentifier{1, 0, 18013, 5, 1, 2}
	bank := reader(t, "verifier bank", root, ReaderUse)
	signed := func(by, of party, change func(*Registration)) string {
		t.Helper()
		r := Register(operator, of.cert, now, now.Add(5*time.Minute))
		if change != nil {
			change(r)
		}
		s, err := r.Sign(by.key, header(by))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	good := signed(portal, bank, nil)
	for _, test := range []struct {
		name  string
		asks  party
		token string
		at    time.Time
		want  error
	}{
		{"registered", bank, good, now, nil},
		{"later", bank, good, now.Add(6 * time.Minute), ErrUntrusted},
		{"before", bank, good, now.Add(-2 * time.Minute), ErrUntrusted},
		{"not registered", bank, "", now, ErrForm},
		{"the registration of another", reader(t, "verifier shop", root, ReaderUse), good, now, ErrUntrusted},
		{"the same name, another certificate", reader(t, "verifier bank", root, ReaderUse), good, now, ErrUntrusted},
		{"by an issuer of documents", bank, signed(commune, bank, nil), now, ErrUntrusted},
		{"by a portal under another root", bank, signed(falsePortal, bank, nil), now, ErrUntrusted},
		{"by itself", bank, signed(bank, bank, nil), now, ErrUntrusted},
		{"with another operator", bank, signed(portal, bank, func(r *Registration) { r.Operator = "https://other.example" }), now, ErrUntrusted},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := l.Verifier([]*x509.Certificate{test.asks.cert}, test.token, test.at); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
	for name, x := range map[string]party{
		"for seals":          reader(t, "verifier x", root, seal),
		"for documents":      reader(t, "verifier x", root, document),
		"for anything":       reader(t, "verifier x", root, nil),
		"for no named use":   reader(t, "verifier x", root),
		"under another root": reader(t, "verifier x", stranger, ReaderUse),
		"of one who signs":   certify(t, "verifier x", true, &root),
	} {
		if _, err := l.Verifier([]*x509.Certificate{x.cert}, signed(portal, x, nil), now); !errors.Is(err, ErrUntrusted) {
			t.Errorf("a certificate %s: %v", name, err)
		}
	}
	if _, err := l.Verifier(nil, good, now); !errors.Is(err, ErrUntrusted) {
		t.Error(err)
	}
}

func FuzzRegistration(f *testing.F) {
	root := certify(f, "root", true, nil)
	portal := certify(f, "portal", false, &root)
	s, err := Register("https://example.org", portal.cert, now, now.Add(time.Minute)).Sign(portal.key, jws.Header{X5C: []*x509.Certificate{portal.cert}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s)
	f.Fuzz(func(t *testing.T, s string) {
		l := &List{Operator: "https://example.org"}
		if _, err := l.Verifier([]*x509.Certificate{portal.cert}, s, now); err == nil {
			t.Error("an empty list trusts somebody")
		}
	})
}
