package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func newKey(t testing.TB, c elliptic.Curve) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func certificate(t testing.TB, key crypto.Signer) *x509.Certificate {
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err = x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAlgorithms goes through every algorithm that go-jose knows for signatures: each
// is accepted or refused on purpose, even when a caller allows it.
func TestAlgorithms(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	secret := []byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
	cases := []struct {
		alg    jose.SignatureAlgorithm
		key    any
		public crypto.PublicKey
		may    bool
	}{}
	add := func(alg jose.SignatureAlgorithm, key any, public crypto.PublicKey, may bool) {
		cases = append(cases, struct {
			alg    jose.SignatureAlgorithm
			key    any
			public crypto.PublicKey
			may    bool
		}{alg, key, public, may})
	}
	for _, a := range []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512} {
		add(a, secret, secret, false)
	}
	for _, a := range []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512} {
		add(a, rsaKey, rsaKey.Public(), false)
	}
	for _, a := range []jose.SignatureAlgorithm{jose.PS256, jose.PS384, jose.PS512} {
		add(a, rsaKey, rsaKey.Public(), true)
	}
	for a, c := range map[jose.SignatureAlgorithm]elliptic.Curve{jose.ES256: elliptic.P256(), jose.ES384: elliptic.P384(), jose.ES512: elliptic.P521()} {
		k := newKey(t, c)
		add(a, k, k.Public(), true)
	}
	add(jose.EdDSA, ed, ed.Public(), true)
	for _, c := range cases {
		t.Run(string(c.alg), func(t *testing.T) {
			s, err := jose.NewSigner(jose.SigningKey{Algorithm: c.alg, Key: c.key}, (&jose.SignerOptions{}).WithType("test+jwt"))
			if err != nil {
				t.Fatal(err)
			}
			signed, err := s.Sign([]byte(`{}`))
			if err != nil {
				t.Fatal(err)
			}
			text, _ := signed.CompactSerialize()
			tok, err := Parse(text, Want{Types: []string{"test+jwt"}, Algorithms: []string{string(c.alg)}})
			if !c.may {
				if !errors.Is(err, ErrAlgorithm) {
					t.Fatalf("a refused algorithm gives %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tok.Verify(c.public); err != nil {
				t.Error(err)
			}
			if _, err := Parse(text, Want{Types: []string{"test+jwt"}, Algorithms: []string{"none"}}); !errors.Is(err, ErrAlgorithm) {
				t.Errorf("an algorithm that is not allowed gives %v", err)
			}
		})
	}
	none := part(`{"alg":"none","typ":"test+jwt"}`) + "." + part(`{}`) + "."
	if _, err := Parse(none, Want{Types: []string{"test+jwt"}, Algorithms: []string{"none"}}); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("none gives %v", err)
	}
}

func part(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func TestSignAndRead(t *testing.T) {
	key := newKey(t, elliptic.P256())
	cert := certificate(t, key)
	headers := map[string]Header{
		"bare": {Typ: "test+jwt"},
		"kid":  {Typ: "test+jwt", Kid: "one", More: map[string]any{"trust_chain": []any{"a"}}},
		"jwk":  {Typ: "test+jwt", JWK: &jose.JSONWebKey{Key: key}},
		"x5c":  {Typ: "test+jwt", X5C: []*x509.Certificate{cert}},
	}
	for name, h := range headers {
		t.Run(name, func(t *testing.T) {
			text, err := SignClaims(key, h, map[string]string{"a": "b"})
			if err != nil {
				t.Fatal(err)
			}
			tok, err := Parse(text, Want{Types: []string{"TEST+jwt"}, Algorithms: []string{ES256}})
			if err != nil {
				t.Fatal(err)
			}
			if tok.Header.Kid != h.Kid || tok.String() != text || len(tok.Header.More) != len(h.More) {
				t.Errorf("read %+v", tok.Header)
			}
			if k, ok := tok.Header.Key().(*ecdsa.PublicKey); (name == "jwk" || name == "x5c") != ok || ok && !k.Equal(key.Public()) {
				t.Errorf("the header's key is %v", tok.Header.Key())
			}
			if tok.Header.JWK != nil && !tok.Header.JWK.IsPublic() {
				t.Error("the private key stands in the header")
			}
			var got struct{ A string }
			if err := tok.Claims(key.Public(), &got); err != nil || got.A != "b" {
				t.Errorf("claims %v, %v", got, err)
			}
			other := newKey(t, elliptic.P256())
			if _, err := tok.Verify(other.Public()); !errors.Is(err, ErrSignature) {
				t.Errorf("another key gives %v", err)
			}
			if _, err := tok.Verify(newKey(t, elliptic.P384()).Public()); !errors.Is(err, ErrKey) {
				t.Errorf("a key of another curve gives %v", err)
			}
		})
	}
}

// TestRefused signs hostile headers properly and checks that reading refuses them for
// the right reason.
func TestRefused(t *testing.T) {
	key := newKey(t, elliptic.P256())
	good, err := Sign(key, Header{Typ: "test+jwt", Kid: "one"}, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	private, _ := (jose.JSONWebKey{Key: key}).MarshalJSON()
	public, _ := (jose.JSONWebKey{Key: key.Public()}).MarshalJSON()
	chain := `["` + Chain([]*x509.Certificate{certificate(t, key)})[0] + `"]`
	head := func(s string) string { return part(s) + "." + parts[1] + "." + parts[2] }
	cases := []struct {
		name, token string
		want        error
	}{
		{"another type", head(`{"alg":"ES256","typ":"JWT"}`), ErrType},
		{"no type", head(`{"alg":"ES256"}`), ErrType},
		{"no algorithm", head(`{"typ":"test+jwt"}`), ErrAlgorithm},
		{"type is a number", head(`{"alg":"ES256","typ":1}`), ErrForm},
		{"name twice", head(`{"alg":"ES256","typ":"test+jwt","alg":"ES256"}`), ErrForm},
		{"private key", head(`{"alg":"ES256","typ":"test+jwt","jwk":` + string(private) + `}`), ErrKey},
		{"symmetric key", head(`{"alg":"ES256","typ":"test+jwt","jwk":{"kty":"oct","k":"AAAA"}}`), ErrKey},
		{"key off the curve", head(`{"alg":"ES256","typ":"test+jwt","jwk":{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}}`), ErrKey},
		{"key and name", head(`{"alg":"ES256","typ":"test+jwt","kid":"a","jwk":` + string(public) + `}`), ErrForm},
		{"key and chain", head(`{"alg":"ES256","typ":"test+jwt","x5c":` + chain + `,"jwk":` + string(public) + `}`), ErrForm},
		{"empty chain", head(`{"alg":"ES256","typ":"test+jwt","x5c":[]}`), ErrForm},
		{"chain of rubbish", head(`{"alg":"ES256","typ":"test+jwt","x5c":["AAAA"]}`), ErrForm},
		{"critical", head(`{"alg":"ES256","typ":"test+jwt","crit":["b64"],"b64":false}`), ErrForm},
		{"address of a key", head(`{"alg":"ES256","typ":"test+jwt","jku":"https://example.org"}`), ErrForm},
		{"two parts", parts[0] + "." + parts[1], ErrForm},
		{"five parts", good + ".a.b", ErrForm},
		{"padded", parts[0] + "=." + parts[1] + "." + parts[2], ErrForm},
		{"too large", strings.Repeat("a", MaxBytes+1), ErrForm},
		{"empty", "", ErrForm},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Parse(c.token, Want{Types: []string{"test+jwt"}, Algorithms: []string{ES256}}); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	changed := parts[0] + "." + part(`{"a":1}`) + "." + parts[2]
	tok, err := Parse(changed, Want{Types: []string{"test+jwt"}, Algorithms: []string{ES256}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tok.Verify(key.Public()); !errors.Is(err, ErrSignature) {
		t.Errorf("a changed payload gives %v", err)
	}
}

// TestThumbprint is the example of RFC 7638 §3.1, whose key is RSA.
func TestThumbprint(t *testing.T) {
	key, err := PublicKey(map[string]any{"kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
		"n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Thumbprint(key.Key)
	if want := "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func FuzzParse(f *testing.F) {
	key := newKey(f, elliptic.P256())
	good, err := Sign(key, Header{Typ: "test+jwt", JWK: &jose.JSONWebKey{Key: key}}, []byte(`{"a":1}`))
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{good, "a.b.c", "..", part(`{"alg":"none"}`) + ".e30.", part(`{"alg":"ES256","typ":"test+jwt","x5c":["MA=="]}`) + ".e30.AA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := Parse(s, Want{Types: []string{"test+jwt"}, Algorithms: []string{ES256, EdDSA, PS256}})
		if err != nil {
			return
		}
		if !slices.Contains([]string{ES256, EdDSA, PS256}, tok.Header.Alg) {
			t.Errorf("%q was read with %s", s, tok.Header.Alg)
		}
		if _, err := tok.Verify(key.Public()); err == nil && s != good {
			t.Errorf("%q counts as signed", s)
		}
	})
}
