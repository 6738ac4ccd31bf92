package jwe

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"diwan/internal/beside"
	"diwan/protocol/jws"
)

func newTestKey(t testing.TB) *Key {
	k, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealAndOpen(t *testing.T) {
	k := newTestKey(t)
	pub := k.Public()
	b, err := k.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := ParseKey(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, enc := range Encryptions() {
		for _, zip := range []string{"", Deflate} {
			text := []byte(strings.Repeat("who reads this ", 100))
			s, err := Seal(text, &pub, enc, zip)
			if err != nil {
				t.Fatal(err)
			}
			if h, err := Peek(s); err != nil || h != (Header{k.ID, enc, zip}) {
				t.Errorf("header %+v, %v", h, err)
			}
			got, err := kept.Open(s, Allow{Zip: true})
			if err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s %s: %q, %v", enc, zip, got, err)
			}
			if _, err := k.Open(s, Allow{}); zip != "" && !errors.Is(err, ErrAlgorithm) {
				t.Errorf("compressed: %v", err)
			}
			other := newTestKey(t)
			if _, err := other.Open(s, Allow{Zip: true}); !errors.Is(err, ErrOpen) {
				t.Errorf("another name: %v", err)
			}
			other.ID = k.ID
			if _, err := other.Open(s, Allow{Zip: true}); !errors.Is(err, ErrOpen) {
				t.Errorf("another key: %v", err)
			}
		}
	}
	s, err := Seal([]byte("x"), &pub, A256GCM, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Open(s, Allow{Encryptions: []string{A128GCM}}); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("an encryption that is not allowed: %v", err)
	}
	for i := range s {
		if s[i] == '.' {
			continue
		}
		c := byte('A')
		if s[i] == c {
			c = 'B'
		}
		if _, err := k.Open(s[:i]+string(c)+s[i+1:], Allow{}); err == nil {
			t.Fatalf("changed at %d it opens", i)
		}
	}
}

// TestAlgorithms goes through every algorithm that go-jose knows for encrypting: one
// way to agree on a key is taken, and two encryptions.
func TestAlgorithms(t *testing.T) {
	k := newTestKey(t)
	for _, alg := range []jose.KeyAlgorithm{jose.ED25519, jose.RSA1_5, jose.RSA_OAEP, jose.RSA_OAEP_256, jose.A128KW, jose.A192KW, jose.A256KW,
		jose.DIRECT, jose.ECDH_ES, jose.ECDH_ES_A128KW, jose.ECDH_ES_A192KW, jose.ECDH_ES_A256KW, jose.A128GCMKW, jose.A192GCMKW, jose.A256GCMKW,
		jose.PBES2_HS256_A128KW, jose.PBES2_HS384_A192KW, jose.PBES2_HS512_A256KW, "none", ""} {
		for _, enc := range []jose.ContentEncryption{jose.A128CBC_HS256, jose.A192CBC_HS384, jose.A256CBC_HS512, jose.A128GCM, jose.A192GCM, jose.A256GCM, ""} {
			ok := alg == jose.ECDH_ES && (enc == jose.A128GCM || enc == jose.A256GCM)
			head := fmt.Sprintf(`{"alg":%q,"enc":%q,"kid":%q,"epk":%s}`, alg, enc, k.ID, epk(t))
			_, err := Peek(base64.RawURLEncoding.EncodeToString([]byte(head)) + "..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA")
			if ok != (err == nil) || !ok && !errors.Is(err, ErrAlgorithm) {
				t.Errorf("%s %s: %v", alg, enc, err)
			}
		}
	}
}

func epk(t testing.TB) string {
	p := newTestKey(t).Public()
	b, err := (&jose.JSONWebKey{Key: p.Key}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRefusedForms(t *testing.T) {
	head := func(s string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(s)) + "..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA"
	}
	private, err := (&jose.JSONWebKey{Key: newTestKey(t).Private}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]string{
		"empty":            "",
		"a signature":      "e30.e30.AA",
		"an encrypted key": base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ECDH-ES"}`)) + ".AA.AA.AA.AA",
		"name twice":       head(`{"alg":"ECDH-ES","alg":"ECDH-ES","enc":"A128GCM","epk":` + epk(t) + `}`),
		"no epk":           head(`{"alg":"ECDH-ES","enc":"A128GCM"}`),
		"private epk":      head(`{"alg":"ECDH-ES","enc":"A128GCM","epk":` + string(private) + `}`),
		"critical":         head(`{"alg":"ECDH-ES","enc":"A128GCM","crit":["exp"],"epk":` + epk(t) + `}`),
		"kid a number":     head(`{"alg":"ECDH-ES","enc":"A128GCM","kid":1,"epk":` + epk(t) + `}`),
		"not base64":       "!..AA.AA.AA",
		"too large":        strings.Repeat("a", MaxBytes+1),
	} {
		if _, err := Peek(s); !errors.Is(err, ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A bomb: a megabyte of nothing in a thousandth of its length.
	k := newTestKey(t)
	pub := k.Public()
	s, err := Seal(make([]byte, 4<<20), &pub, A128GCM, Deflate)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Open(s, Allow{Zip: true}); err == nil {
		t.Error("a bomb opens")
	}
}

func TestKeys(t *testing.T) {
	k := newTestKey(t)
	pub := k.Public()
	for name, change := range map[string]func(*jose.JSONWebKey){
		"no alg":      func(j *jose.JSONWebKey) { j.Algorithm = "" },
		"another alg": func(j *jose.JSONWebKey) { j.Algorithm = "ECDH-ES+A128KW" },
		"to sign":     func(j *jose.JSONWebKey) { j.Use = "sig" },
		"long name":   func(j *jose.JSONWebKey) { j.KeyID = strings.Repeat("a", maxKid+1) },
		"P-384": func(j *jose.JSONWebKey) {
			p, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
			j.Key = p.Public()
		},
	} {
		j := pub
		change(&j)
		if err := Check(&j); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Seal(nil, &j, A128GCM, ""); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Seal(nil, &pub, "A192GCM", ""); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("got %v", err)
	}
	for _, c := range []struct {
		list []string
		want string
	}{{nil, A128GCM}, {[]string{A128GCM}, A128GCM}, {[]string{"A128CBC-HS256", A128GCM, A256GCM}, A256GCM}, {[]string{"A128CBC-HS256"}, ""}} {
		if got, err := Select(c.list); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%v: %s, %v", c.list, got, err)
		}
	}
	b, err := json.Marshal(Set{Keys: []jose.JSONWebKey{pub}})
	if err != nil {
		t.Fatal(err)
	}
	one := strings.TrimSuffix(strings.TrimPrefix(string(b), `{"keys":[`), `]}`)
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"one":              {string(b), true},
		"and unknown ones": {`{"keys":[{"kty":"new","kid":"x"},` + one + `]}`, true},
		"two of a name":    {`{"keys":[` + one + `,` + one + `]}`, false},
		"private":          {`{"keys":[{"kty":"EC","d":"AA"}]}`, false},
		"none":             {`{"keys":[]}`, false},
		"no set":           {`[]`, false},
	} {
		var s Set
		err := json.Unmarshal([]byte(c.text), &s)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if !c.ok {
			continue
		}
		if chosen, err := s.Choose(); err != nil || chosen.KeyID != k.ID {
			t.Errorf("%s: %v, %v", name, chosen, err)
		}
	}
	if _, err := (Set{}).Choose(); !errors.Is(err, ErrKey) {
		t.Errorf("got %v", err)
	}
	if _, err := ParseKey([]byte(one)); !errors.Is(err, ErrKey) {
		t.Errorf("a public key as a private one: %v", err)
	}
}

// TestPublished opens the encrypted response that OpenID4VP 1.0 §8.3 prints, and
// computes the thumbprint of its appendix B.2.6.1.
func TestPublished(t *testing.T) {
	path, err := beside.Find("vectors/oid4vp/inline-vectors.json")
	if err != nil {
		t.Skip("the vectors of OpenID4VP are absent: ", err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Response struct {
			JWE       string          `json:"jwe"`
			Private   json.RawMessage `json:"recipient_private_jwk"`
			Plaintext any             `json:"plaintext"`
		} `json:"encrypted_response"`
		Thumbprint struct {
			JWK map[string]any `json:"jwk"`
			Sum string         `json:"sha256_hex"`
		} `json:"jwk_thumbprint"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	k, err := ParseKey(v.Response.Private)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := k.Open(v.Response.JWE, Allow{})
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(plain, &got); err != nil || fmt.Sprint(got) != fmt.Sprint(v.Response.Plaintext) {
		t.Errorf("it holds %s, %v", plain, err)
	}
	key, err := jws.PublicKey(v.Thumbprint.JWK)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := Thumbprint(key)
	if err != nil || hex.EncodeToString(sum) != v.Thumbprint.Sum {
		t.Errorf("thumbprint %x, %v, want %s", sum, err, v.Thumbprint.Sum)
	}
}

func BenchmarkOpen(b *testing.B) {
	k := newTestKey(b)
	pub := k.Public()
	s, err := Seal(make([]byte, 3000), &pub, A256GCM, "")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := k.Open(s, Allow{}); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	k := newTestKey(f)
	pub := k.Public()
	s, err := Seal([]byte("x"), &pub, A128GCM, "")
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{s, "....", "a.b.c.d.e", "e30....", `{"keys":[{"kty":"EC"}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if b, err := k.Open(text, Allow{Zip: true}); err == nil && (text != s || string(b) != "x") {
			t.Errorf("%q opens as %q", text, b)
		}
		var set Set
		if err := json.Unmarshal([]byte(text), &set); err == nil {
			_, _ = set.Choose()
		}
		_, _ = ParseKey([]byte(text))
	})
}
