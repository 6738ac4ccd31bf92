package trustlist

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"math/big"
	"testing"
	"time"

	"diwan/protocol/jws"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type party struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

// certify makes a party, under another or of itself.
func certify(t testing.TB, name string, ca bool, above *party) party {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name, SerialNumber: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(1000 * time.Hour),
		IsCA: ca, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature}
	if ca {
		c.KeyUsage = x509.KeyUsageCertSign
	}
	parent, signer := c, key
	if above != nil {
		parent, signer = above.cert, above.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return party{key, c}
}

func header(p party) jws.Header { return jws.Header{X5C: []*x509.Certificate{p.cert}} }

func TestList(t *testing.T) {
	root, stranger := certify(t, "root", true, nil), certify(t, "stranger", true, nil)
	operator, commune := certify(t, "operator", false, &root), certify(t, "commune", false, &root)
	falseCommune := certify(t, "commune", false, &stranger)
	l := &List{Operator: "https://example.org", IssuedAt: now.Unix(), Expires: now.Add(time.Hour).Unix(), TTL: 60, Issuers: []Issuer{
		{ID: "commune", Name: map[string]string{"fr": "Commune"}, Types: []string{"urn:x:1"}, Roots: []string{base64.StdEncoding.EncodeToString(root.cert.Raw)}, Until: now.Add(30 * time.Minute).Unix(),
			Certificates: []string{base64.StdEncoding.EncodeToString(commune.cert.Raw)}}}}
	token, err := l.Sign(operator.key, header(operator))
	if err != nil {
		t.Fatal(err)
	}
	anchors := []*x509.Certificate{root.cert}
	got, err := Verify(token, "https://example.org", anchors, now)
	if err != nil {
		t.Fatal(err)
	}
	chains := []struct {
		name string
		by   []*x509.Certificate
		kind string
		at   time.Time
		want error
	}{
		{"the issuer", []*x509.Certificate{commune.cert}, "urn:x:1", now, nil},
		{"another type", []*x509.Certificate{commune.cert}, "urn:x:2", now, ErrUntrusted},
		{"too late", []*x509.Certificate{commune.cert}, "urn:x:1", now.Add(time.Hour), ErrUntrusted},
		{"same name under another root", []*x509.Certificate{falseCommune.cert}, "urn:x:1", now, ErrUntrusted},
		{"the same with its root along", []*x509.Certificate{falseCommune.cert, stranger.cert}, "urn:x:1", now, ErrUntrusted},
		{"somebody else under the root", []*x509.Certificate{operator.cert}, "urn:x:1", now, ErrUntrusted},
		{"the root itself", []*x509.Certificate{root.cert}, "urn:x:1", now, ErrUntrusted},
		{"nobody", nil, "urn:x:1", now, ErrUntrusted},
	}
	for _, c := range chains {
		t.Run(c.name, func(t *testing.T) {
			k, x, err := got.Key(c.by, c.kind, c.at)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err == nil && (x.Name["fr"] != "Commune" || !commune.key.PublicKey.Equal(k)) {
				t.Errorf("found %+v", x)
			}
		})
	}
	sum := sha256.Sum256(commune.cert.Raw)
	if k, _, err := got.KeyByID(sum[:KeyIDSize], "urn:x:1", now); err != nil || !commune.key.PublicKey.Equal(k) {
		t.Error("by the name of its key:", err)
	}
	if _, _, err := got.KeyByID(make([]byte, KeyIDSize), "urn:x:1", now); !errors.Is(err, ErrUntrusted) {
		t.Error("by another name:", err)
	}
	if _, err := Verify(token, "https://example.com", anchors, now); !errors.Is(err, ErrForm) {
		t.Error("another operator:", err)
	}
	if _, err := Verify(token, "", []*x509.Certificate{stranger.cert}, now); !errors.Is(err, ErrSigner) {
		t.Error("another anchor:", err)
	}
	if old, err := Verify(token, "", anchors, now.Add(2*time.Hour)); !errors.Is(err, ErrStale) || old == nil {
		t.Error("an old list:", old, err)
	}
	if _, err := Verify(token, "", anchors, now.Add(-time.Hour)); !errors.Is(err, ErrForm) {
		t.Error("a list of a day to come:", err)
	}
	forged, err := l.Sign(falseCommune.key, header(commune))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(forged, "", anchors, now); !errors.Is(err, ErrSigner) {
		t.Error("signed by another key than the certificate's:", err)
	}
}

func FuzzVerify(f *testing.F) {
	root := certify(f, "root", true, nil)
	operator := certify(f, "operator", false, &root)
	l := &List{Operator: "o", IssuedAt: now.Unix(), Expires: now.Add(time.Hour).Unix()}
	token, err := l.Sign(operator.key, header(operator))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("e30.e30.AA")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := Verify(s, "", []*x509.Certificate{root.cert}, now); err == nil && s != token {
			t.Errorf("%q counts as signed", s)
		}
	})
}
