package vci

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/jws"
)

const issuer = "https://issuer.example.com"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t testing.TB, key crypto.Signer, h jws.Header, claims any) string {
	s, err := jws.SignClaims(key, h, claims)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func certificate(t testing.TB, key crypto.Signer) *x509.Certificate {
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c
}

func good(s string) bool { return s == "good" }

func proofCheck() ProofCheck {
	return ProofCheck{Issuer: issuer, Now: noon, Nonce: good, BatchSize: 3}
}

func TestProofRefused(t *testing.T) {
	key := newKey(t)
	jwk := jws.Header{Typ: proofType, JWK: &jose.JSONWebKey{Key: key.Public()}}
	claims := func(change ...any) string {
		c := map[string]any{"aud": issuer, "iat": noon.Unix(), "nonce": "good"}
		for i := 0; i < len(change); i += 2 {
			if name := change[i].(string); change[i+1] == nil {
				delete(c, name)
			} else {
				c[name] = change[i+1]
			}
		}
		return sign(t, key, jwk, c)
	}
	fine := claims()
	raw := func(h string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(h)) + fine[strings.Index(fine, "."):]
	}
	private, err := (&jose.JSONWebKey{Key: key}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	public, err := (&jose.JSONWebKey{Key: key.Public()}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	body := map[string]any{"aud": issuer, "iat": noon.Unix(), "nonce": "good"}
	cert := certificate(t, key)
	known := func(c *ProofCheck) {
		c.Key = func(h jws.Header) (crypto.PublicKey, error) { return key.Public(), nil }
	}
	client := func(c *ProofCheck) { c.ClientID = "wallet" }
	cases := []struct {
		name, proof string
		change      func(*ProofCheck)
		want        error
	}{
		{"good", fine, nil, nil},
		{"good by a client", claims("iss", "wallet"), client, nil},
		{"good by a client who is not named", fine, client, nil},
		{"no nonce endpoint", claims("nonce", nil), func(c *ProofCheck) { c.Nonce = nil }, nil},
		{"known kid", sign(t, key, jws.Header{Typ: proofType, Kid: "a"}, body), known, nil},
		{"certificate", sign(t, key, jws.Header{Typ: proofType, X5C: []*x509.Certificate{cert}}, body), known, nil},
		{"unknown kid", sign(t, key, jws.Header{Typ: proofType, Kid: "a"}, body), nil, InvalidProof},
		{"certificate of nobody", sign(t, key, jws.Header{Typ: proofType, X5C: []*x509.Certificate{cert}}, body), nil, InvalidProof},
		{"kid and certificate", sign(t, key, jws.Header{Typ: proofType, Kid: "a", X5C: []*x509.Certificate{cert}}, body), known, InvalidProof},
		{"kid and jwk", raw(`{"alg":"ES256","typ":"openid4vci-proof+jwt","kid":"a","jwk":` + string(public) + `}`), known, InvalidProof},
		{"no key", sign(t, key, jws.Header{Typ: proofType}, body), known, InvalidProof},
		{"private key", raw(`{"alg":"ES256","typ":"openid4vci-proof+jwt","jwk":` + string(private) + `}`), nil, InvalidProof},
		{"alg none", raw(`{"alg":"none","typ":"openid4vci-proof+jwt"}`), nil, InvalidProof},
		{"alg HS256", raw(`{"alg":"HS256","typ":"openid4vci-proof+jwt"}`), nil, InvalidProof},
		{"alg not listed", fine, func(c *ProofCheck) { c.Algorithms = []string{jws.EdDSA} }, InvalidProof},
		{"typ JWT", sign(t, key, jws.Header{Typ: "JWT", JWK: jwk.JWK}, body), nil, InvalidProof},
		{"no typ", sign(t, key, jws.Header{JWK: jwk.JWK}, body), nil, InvalidProof},
		{"signed by another key", sign(t, newKey(t), jwk, body), nil, InvalidProof},
		{"no aud", claims("aud", nil), nil, InvalidProof},
		{"other aud", claims("aud", issuer+"/"), nil, InvalidProof},
		{"aud as a list", claims("aud", []string{issuer}), nil, InvalidProof},
		{"no iat", claims("iat", nil), nil, InvalidProof},
		{"stale iat", claims("iat", noon.Add(-time.Hour).Unix()), nil, InvalidProof},
		{"iat to come", claims("iat", noon.Add(time.Hour).Unix()), nil, InvalidProof},
		{"no nonce", claims("nonce", nil), nil, InvalidProof},
		{"empty nonce", claims("nonce", ""), nil, InvalidProof},
		{"stale nonce", claims("nonce", "bad"), nil, InvalidNonce},
		{"stale nonce and other aud", claims("nonce", "bad", "aud", "x"), nil, InvalidProof},
		{"iss though anonymous", claims("iss", "wallet"), nil, InvalidProof},
		{"empty iss though anonymous", claims("iss", ""), nil, InvalidProof},
		{"other iss", claims("iss", "other"), client, InvalidProof},
		{"name twice", raw(`{"alg":"ES256","alg":"ES256","typ":"openid4vci-proof+jwt"}`), nil, InvalidProof},
		{"too long", strings.Repeat("a", maxProof+1), nil, InvalidProof},
		{"empty", "", nil, InvalidProof},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			check := proofCheck()
			if c.change != nil {
				c.change(&check)
			}
			keys, err := check.Verify(Proofs{ProofJWT, []string{c.proof}})
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err == nil && (len(keys) != 1 || !key.PublicKey.Equal(keys[0].Key)) {
				t.Errorf("keys %+v", keys)
			}
		})
	}
}

func TestBatch(t *testing.T) {
	make1 := func(k crypto.Signer, nonce string) string {
		s, err := Proof{Key: k, Issuer: issuer, Nonce: nonce, Now: noon}.Sign()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b := newKey(t), newKey(t)
	for name, c := range map[string]struct {
		list []string
		size int
		want error
	}{
		"two keys":              {[]string{make1(a, "good"), make1(b, "good")}, 2, nil},
		"a key twice":           {[]string{make1(a, "good"), make1(a, "good")}, 2, InvalidProof},
		"a proof twice":         {[]string{make1(a, "good"), make1(b, "good"), make1(b, "good")}, 3, InvalidProof},
		"one too many":          {[]string{make1(a, "good"), make1(b, "good")}, 0, InvalidProof},
		"none":                  {nil, 2, InvalidProof},
		"one stale":             {[]string{make1(a, "good"), make1(b, "bad")}, 2, InvalidNonce},
		"one stale, one broken": {[]string{make1(a, "bad"), "x"}, 2, InvalidProof},
	} {
		check := proofCheck()
		check.BatchSize = c.size
		keys, err := check.Verify(Proofs{ProofJWT, c.list})
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || err == nil && len(keys) != len(c.list) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if _, err := proofCheck().Verify(Proofs{"di_vp", []string{"x"}}); !errors.Is(err, InvalidProof) {
		t.Errorf("got %v", err)
	}
}

func TestKeyAttestation(t *testing.T) {
	maker, a, b, stranger := newKey(t), newKey(t), newKey(t), newKey(t)
	jwk := func(k crypto.Signer) *jose.JSONWebKey { return &jose.JSONWebKey{Key: k.Public()} }
	base := KeyAttestation{Issued: noon.Add(-time.Minute), Expires: noon.Add(time.Hour), Keys: []*jose.JSONWebKey{jwk(a), jwk(b)},
		KeyStorage: []string{ResistsModerate}, UserAuthentication: []string{ResistsHigh}, Nonce: "good"}
	attest := func(change func(*KeyAttestation)) string {
		k := base
		change(&k)
		s, err := k.Sign(maker, jws.Header{Kid: "maker"})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	fine := attest(func(*KeyAttestation) {})
	private := sign(t, maker, jws.Header{Typ: attestationType, Kid: "maker"}, map[string]any{"iat": noon.Unix(), "exp": noon.Unix() + 9, "nonce": "good",
		"attested_keys": []any{&jose.JSONWebKey{Key: a}}})
	policy := AttestationPolicy{Required: true, Trust: func(h jws.Header, _ string) (crypto.PublicKey, error) {
		if h.Kid != "maker" {
			return nil, errors.New("an unknown maker")
		}
		return maker.Public(), nil
	}}
	proof := func(k crypto.Signer, attestation string) string {
		s, err := Proof{Key: k, Issuer: issuer, Nonce: "good", Now: noon, Attestation: attestation}.Sign()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	cases := []struct {
		name   string
		proofs Proofs
		change func(*ProofCheck)
		keys   int
		want   error
	}{
		{"beside a proof", Proofs{ProofJWT, []string{proof(a, fine)}}, nil, 2, nil},
		{"beside two proofs", Proofs{ProofJWT, []string{proof(b, fine), proof(a, fine)}}, nil, 2, nil},
		{"by itself", Proofs{ProofAttestation, []string{fine}}, nil, 2, nil},
		{"by itself without an end", Proofs{ProofAttestation, []string{attest(func(k *KeyAttestation) { k.Expires = time.Time{} })}}, nil, 2, nil},
		{"by itself, old, without an end", Proofs{ProofAttestation, []string{attest(func(k *KeyAttestation) { k.Expires, k.Issued = time.Time{}, noon.Add(-time.Hour) })}}, nil, 0, InvalidProof},
		{"two by themselves", Proofs{ProofAttestation, []string{fine, fine}}, nil, 0, InvalidProof},
		{"none", Proofs{ProofJWT, []string{proof(a, "")}}, nil, 0, InvalidProof},
		{"none needed", Proofs{ProofJWT, []string{proof(a, "")}}, func(c *ProofCheck) { c.Attestation.Required = false }, 1, nil},
		{"not looked at", Proofs{ProofJWT, []string{proof(stranger, fine)}}, func(c *ProofCheck) { c.Attestation = nil }, 1, nil},
		{"nobody's word by itself", Proofs{ProofAttestation, []string{fine}}, func(c *ProofCheck) { c.Attestation = nil }, 0, InvalidProof},
		{"proof by a key that is not attested", Proofs{ProofJWT, []string{proof(stranger, fine)}}, nil, 0, InvalidProof},
		{"without an end beside a proof", Proofs{ProofJWT, []string{proof(a, attest(func(k *KeyAttestation) { k.Expires = time.Time{} }))}}, nil, 0, InvalidProof},
		{"expired", Proofs{ProofAttestation, []string{attest(func(k *KeyAttestation) { k.Expires = noon })}}, nil, 0, InvalidProof},
		{"to come", Proofs{ProofAttestation, []string{attest(func(k *KeyAttestation) { k.Issued = noon.Add(time.Hour) })}}, nil, 0, InvalidProof},
		{"no nonce", Proofs{ProofAttestation, []string{attest(func(k *KeyAttestation) { k.Nonce = "" })}}, nil, 0, InvalidProof},
		{"stale nonce", Proofs{ProofAttestation, []string{attest(func(k *KeyAttestation) { k.Nonce = "bad" })}}, nil, 0, InvalidNonce},
		{"stale nonce beside a proof", Proofs{ProofJWT, []string{proof(a, attest(func(k *KeyAttestation) { k.Nonce = "bad" }))}}, nil, 0, InvalidNonce},
		{"a key twice", Proofs{ProofAttestation, []string{attest(func(k *KeyAttestation) { k.Keys = []*jose.JSONWebKey{jwk(a), jwk(a)} })}}, nil, 0, InvalidProof},
		{"private key", Proofs{ProofAttestation, []string{private}}, nil, 0, InvalidProof},
		{"more keys than a batch", Proofs{ProofAttestation, []string{fine}}, func(c *ProofCheck) { c.BatchSize = 1 }, 0, InvalidProof},
		{"level", Proofs{ProofAttestation, []string{fine}}, func(c *ProofCheck) { c.Attestation.KeyStorage = []string{ResistsHigh, ResistsModerate} }, 2, nil},
		{"level too low", Proofs{ProofAttestation, []string{fine}}, func(c *ProofCheck) { c.Attestation.KeyStorage = []string{ResistsHigh} }, 0, InvalidProof},
		{"other level too low", Proofs{ProofAttestation, []string{fine}}, func(c *ProofCheck) { c.Attestation.UserAuthentication = []string{ResistsBasic} }, 0, InvalidProof},
		{"nobody trusted", Proofs{ProofAttestation, []string{fine}}, func(c *ProofCheck) { c.Attestation.Trust = nil }, 0, InvalidProof},
		{"a proof as one", Proofs{ProofAttestation, []string{proof(a, "")}}, nil, 0, InvalidProof},
		{"one as a proof", Proofs{ProofJWT, []string{fine}}, nil, 0, InvalidProof},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			check, p := proofCheck(), policy
			check.Attestation = &p
			if c.change != nil {
				c.change(&check)
			}
			keys, err := check.Verify(c.proofs)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || len(keys) != c.keys {
				t.Fatalf("got %d keys, %v, want %d, %v", len(keys), err, c.keys, c.want)
			}
		})
	}
	// The key of a proof can be named among those attested.
	named := attest(func(k *KeyAttestation) { k.Keys = []*jose.JSONWebKey{{Key: a.Public(), KeyID: "0"}} })
	text := sign(t, a, jws.Header{Typ: proofType, Kid: "0", More: map[string]any{"key_attestation": named}}, map[string]any{"aud": issuer, "iat": noon.Unix(), "nonce": "good"})
	check := proofCheck()
	check.Attestation = &policy
	if keys, err := check.Verify(Proofs{ProofJWT, []string{text}}); err != nil || len(keys) != 1 || keys[0].Attestation == nil {
		t.Errorf("by name: %v, %v", keys, err)
	}
	if _, err := (KeyAttestation{}).Sign(maker, jws.Header{}); err == nil {
		t.Error("an attestation of nothing was made")
	}
}

// TestPublishedProof checks the proof that OpenID4VCI 1.0 appendix F.1 prints.
func TestPublishedProof(t *testing.T) {
	const proof = "eyJ0eXAiOiJvcGVuaWQ0dmNpLXByb29mK2p3dCIsImFsZyI6IkVTMjU2Iiwiandr" +
		"Ijp7Imt0eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4IjoiblVXQW9BdjNYWml0aDhFN2kxOU9kYXhPTFlGT3dNLVoyRXVNMDJUaXJUNCIsInkiOiJIc2tIVThCalVpMVU5WHFpN1N3bWo4Z3dBS18weGtjRGpFV183MVNvc0VZIn19" +
		".eyJhdWQiOiJodHRwczovL2NyZWRlbnRpYWwtaXNzdWVyLmV4YW1wbGUuY29tIiwiaWF0IjoxNzAxOTYwNDQ0LCJub25jZSI6IkxhclJHU2JtVVBZdFJZTzZCUTR5bjgifQ" +
		".-a3EDsxClUB4O3LeDD5DVGEnNMT01FCQW4P6-2-BNBqc_Zxf0Qw4CWayLEpqkAomlkLb9zioZoipdP-jvh1WlA"
	keys, err := ProofCheck{Issuer: "https://credential-issuer.example.com", Now: time.Unix(1701960444, 0),
		Nonce: func(s string) bool { return s == "LarRGSbmUPYtRYO6BQ4yn8" }}.Verify(Proofs{ProofJWT, []string{proof}})
	if err != nil || len(keys) != 1 {
		t.Errorf("got %v, %v", keys, err)
	}
}

func BenchmarkVerify(b *testing.B) {
	s, err := Proof{Key: newKey(b), Issuer: issuer, Nonce: "good", Now: noon}.Sign()
	if err != nil {
		b.Fatal(err)
	}
	check := proofCheck()
	for b.Loop() {
		if _, err := check.Verify(Proofs{ProofJWT, []string{s}}); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	maker, key := newKey(f), newKey(f)
	attestation, err := KeyAttestation{Issued: noon, Expires: noon.Add(time.Hour), Nonce: "good", Keys: []*jose.JSONWebKey{{Key: key.Public()}}}.Sign(maker, jws.Header{Kid: "m"})
	if err != nil {
		f.Fatal(err)
	}
	proof, err := Proof{Key: key, Issuer: issuer, Nonce: "good", Now: noon, Attestation: attestation}.Sign()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{proof, attestation, "", "e30.e30.AA", "a.b"} {
		f.Add(s)
	}
	check := proofCheck()
	check.Attestation = &AttestationPolicy{Trust: func(jws.Header, string) (crypto.PublicKey, error) { return maker.Public(), nil }}
	f.Fuzz(func(t *testing.T, s string) {
		for _, kind := range []string{ProofJWT, ProofAttestation} {
			keys, err := check.Verify(Proofs{kind, []string{s}})
			if err == nil && (len(keys) == 0 || keys[0].Thumbprint == "") {
				t.Errorf("%q proves nothing", s)
			}
		}
		var p Proofs
		if err := json.Unmarshal([]byte(s), &p); err == nil && len(p.Values) == 0 {
			t.Errorf("%q is read as no proofs", s)
		}
	})
}
