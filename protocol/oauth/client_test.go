package oauth

import (
	"bytes"
	"crypto"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/internal/beside"
	"diwan/protocol/jws"
)

const server = "https://as.example.com"

type attested struct {
	maker, copy crypto.Signer
	claims, pop map[string]any
	header, ph  jws.Header
}

func newAttested(t *testing.T) *attested {
	a := &attested{maker: newKey(t), copy: newKey(t)}
	jwk, err := json.Marshal(&jose.JSONWebKey{Key: a.copy.Public()})
	if err != nil {
		t.Fatal(err)
	}
	a.claims = map[string]any{"iss": "https://maker.example", "sub": "https://wallet.example", "iat": noon.Add(-time.Hour).Unix(),
		"exp": noon.Add(time.Hour).Unix(), "cnf": map[string]any{"jwk": json.RawMessage(jwk)}}
	a.pop = map[string]any{"iss": "https://wallet.example", "aud": server, "jti": "d25d00ab-552b", "iat": noon.Unix(), "challenge": "good"}
	a.header = jws.Header{Typ: attestationType, Kid: "11"}
	a.ph = jws.Header{Typ: popType}
	return a
}

func (a *attested) headers(t *testing.T) http.Header {
	h := http.Header{}
	h.Add(AttestationHeader, sign(t, a.maker, a.header, a.claims))
	h.Add(AttestationPoPHeader, sign(t, a.copy, a.ph, a.pop))
	return h
}

func (a *attested) check(h http.Header) ClientCheck {
	return ClientCheck{Header: h, Issuer: server, Now: noon, Replays: &memory{},
		Challenge: func(s string) bool { return s == "good" },
		Trust: func(h jws.Header, issuer string) (crypto.PublicKey, error) {
			if h.Kid != "11" {
				return nil, errors.New("an unknown maker")
			}
			return a.maker.Public(), nil
		}}
}

func TestVerifyClient(t *testing.T) {
	cases := []struct {
		name   string
		change func(*attested)
		check  func(*ClientCheck)
		want   error
	}{
		{name: "good"},
		{name: "without iss, as from draft 08 on", change: func(a *attested) { delete(a.claims, "iss"); delete(a.pop, "iss") }},
		{name: "aud as a list of one", change: func(a *attested) { a.pop["aud"] = []string{server} }},
		{name: "the client that the request names", check: func(c *ClientCheck) { c.ClientID = "https://wallet.example" }},
		{name: "another client", check: func(c *ClientCheck) { c.ClientID = "https://other.example" }, want: InvalidClient},
		{name: "another key than before", check: func(c *ClientCheck) { c.Thumbprint = "abc" }, want: InvalidClient},
		{name: "none", check: func(c *ClientCheck) { c.Header = http.Header{} }, want: InvalidClient},
		{name: "no proof", check: func(c *ClientCheck) { c.Header.Del(AttestationPoPHeader) }, want: InvalidClientAttestation},
		{name: "a proof alone", check: func(c *ClientCheck) { c.Header.Del(AttestationHeader) }, want: InvalidClientAttestation},
		{name: "two attestations", check: func(c *ClientCheck) { c.Header.Add(AttestationHeader, c.Header.Get(AttestationHeader)) }, want: InvalidClientAttestation},
		{name: "two proofs", check: func(c *ClientCheck) { c.Header.Add(AttestationPoPHeader, c.Header.Get(AttestationPoPHeader)) }, want: InvalidClientAttestation},
		{name: "nobody trusted", check: func(c *ClientCheck) { c.Trust = nil }, want: InvalidClientAttestation},
		{name: "unknown maker", change: func(a *attested) { a.header.Kid = "12" }, want: InvalidClientAttestation},
		{name: "signed by another", check: func(c *ClientCheck) {
			c.Trust = func(jws.Header, string) (crypto.PublicKey, error) { return newKey(t).Public(), nil }
		}, want: InvalidClientAttestation},
		{name: "other type", change: func(a *attested) { a.header.Typ = "JWT" }, want: InvalidClientAttestation},
		{name: "no sub", change: func(a *attested) { delete(a.claims, "sub") }, want: InvalidClientAttestation},
		{name: "no exp", change: func(a *attested) { delete(a.claims, "exp") }, want: InvalidClientAttestation},
		{name: "no cnf", change: func(a *attested) { delete(a.claims, "cnf") }, want: InvalidClientAttestation},
		{name: "private cnf", change: func(a *attested) {
			a.claims["cnf"] = map[string]any{"jwk": &jose.JSONWebKey{Key: a.copy}}
		}, want: InvalidClientAttestation},
		{name: "expired", change: func(a *attested) { a.claims["exp"] = noon.Unix() }, want: UseFreshAttestation},
		{name: "too old", check: func(c *ClientCheck) { c.MaxAge = time.Minute }, want: UseFreshAttestation},
		{name: "of unknown age", change: func(a *attested) { delete(a.claims, "iat") }, check: func(c *ClientCheck) { c.MaxAge = time.Minute }, want: UseFreshAttestation},
		{name: "not yet valid", change: func(a *attested) { a.claims["nbf"] = noon.Add(time.Hour).Unix() }, want: InvalidClientAttestation},
		{name: "proof of another type", change: func(a *attested) { a.ph.Typ = dpopType }, want: InvalidClientAttestation},
		{name: "proof by another key", change: func(a *attested) { a.copy = newKey(t) }, want: InvalidClientAttestation},
		{name: "proof of another client", change: func(a *attested) { a.pop["iss"] = "https://other.example" }, want: InvalidClientAttestation},
		{name: "proof for another server", change: func(a *attested) { a.pop["aud"] = "https://other.example" }, want: InvalidClientAttestation},
		{name: "proof for two servers", change: func(a *attested) { a.pop["aud"] = []string{server, "https://other.example"} }, want: InvalidClientAttestation},
		{name: "proof without jti", change: func(a *attested) { delete(a.pop, "jti") }, want: InvalidClientAttestation},
		{name: "proof without iat", change: func(a *attested) { delete(a.pop, "iat") }, want: InvalidClientAttestation},
		{name: "old proof", change: func(a *attested) { a.pop["iat"] = noon.Add(-time.Hour).Unix() }, want: InvalidClientAttestation},
		{name: "proof not yet valid", change: func(a *attested) { a.pop["nbf"] = noon.Add(time.Hour).Unix() }, want: InvalidClientAttestation},
		{name: "no challenge", change: func(a *attested) { delete(a.pop, "challenge") }, want: UseAttestationChallenge},
		{name: "stale challenge", change: func(a *attested) { a.pop["challenge"] = "bad" }, want: UseAttestationChallenge},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := newAttested(t)
			if c.change != nil {
				c.change(a)
			}
			check := a.check(a.headers(t))
			if c.check != nil {
				c.check(&check)
			}
			client, err := VerifyClient(t.Context(), check)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || (client == nil) != (err != nil) {
				t.Fatalf("got %v, %v, want %v", client, err, c.want)
			}
			if err != nil {
				return
			}
			if client.ID != "https://wallet.example" || client.Method != AttestationMethod {
				t.Errorf("got %+v", client)
			}
			if _, err := VerifyClient(t.Context(), check); !errors.Is(err, InvalidClientAttestation) {
				t.Errorf("a replay gives %v", err)
			}
		})
	}
}

// TestCombined proves an attestation by the DPoP proof of the request.
func TestCombined(t *testing.T) {
	copyKey, maker := newKey(t), newKey(t)
	text, err := ClientAttestation{Issuer: "https://maker.example", ClientID: "https://wallet.example", Expires: noon.Add(time.Hour), Key: copyKey.Public(), Name: "W"}.Sign(maker, jws.Header{Kid: "11"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key   crypto.Signer
		nonce string
		want  error
	}{
		"good":        {copyKey, "good", nil},
		"another key": {newKey(t), "good", InvalidClientAttestation},
		"no nonce":    {copyKey, "", UseAttestationChallenge},
	} {
		t.Run(name, func(t *testing.T) {
			proof, err := DPoP{Key: c.key, Method: "POST", URL: here, Now: noon, Nonce: c.nonce}.Make()
			if err != nil {
				t.Fatal(err)
			}
			h := http.Header{}
			h.Set(AttestationHeader, text)
			h.Set(DPoPHeader, proof)
			check := DPoPCheck{Header: h, Method: "POST", URL: here, Now: noon}
			if c.nonce != "" {
				check.Nonce = func(string) bool { return true }
			}
			p, err := VerifyDPoP(t.Context(), check)
			if err != nil {
				t.Fatal(err)
			}
			client, err := VerifyClient(t.Context(), ClientCheck{Header: h, Issuer: server, Now: noon, DPoP: p, Challenge: func(string) bool { return true },
				Trust: func(jws.Header, string) (crypto.PublicKey, error) { return maker.Public(), nil }})
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err == nil && (client.Method != AttestationDPoPMethod || client.Attestation.Name != "W") {
				t.Errorf("got %+v", client)
			}
		})
	}
}

// TestMadeClient checks what is made against what is verified.
func TestMadeClient(t *testing.T) {
	a := newAttested(t)
	text, err := ClientAttestation{Issuer: "https://maker.example", ClientID: "https://wallet.example", Issued: noon, Expires: noon.Add(time.Hour), Key: a.copy.Public()}.Sign(a.maker, a.header)
	if err != nil {
		t.Fatal(err)
	}
	pop, err := ClientPoP{ClientID: "https://wallet.example", Audience: server, Now: noon, Challenge: "good"}.Sign(a.copy)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set(AttestationHeader, text)
	h.Set(AttestationPoPHeader, pop)
	if _, err := VerifyClient(t.Context(), a.check(h)); err != nil {
		t.Error(err)
	}
	if _, err := (ClientAttestation{Key: a.copy.Public()}).Sign(a.maker, a.header); err == nil {
		t.Error("an attestation of nobody was made")
	}
}

// TestPublishedAttestation reads the example of OpenID4VCI 1.0. Its certificate signed
// itself, and it comes without a proof: what is checked is the attestation.
func TestPublishedAttestation(t *testing.T) {
	dir, err := beside.Find("vectors/oid4vci")
	if err != nil {
		t.Skip("the examples of OpenID4VCI are absent: ", err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "wallet_attestation.jwt.txt"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(bytes.Join(bytes.Fields(b), nil))
	c := ClientCheck{Now: time.Unix(1755050000, 0), Trust: func(h jws.Header, issuer string) (crypto.PublicKey, error) {
		if issuer != "https://wallet-provider.example.com" || len(h.X5C) != 1 {
			return nil, errors.New("another maker")
		}
		return h.X5C[0].PublicKey, nil
	}}
	a, err := c.attestation(text)
	if err != nil {
		t.Fatal(err)
	}
	if a.ClientID != "https://wallet.example.com" && a.ClientID != "https://wallet.example.org" || !strings.HasPrefix(a.Name, "Wallet Solution X") {
		t.Errorf("read %+v", a)
	}
	c.Now = time.Unix(1755102745, 0)
	if _, err := c.attestation(text); !errors.Is(err, UseFreshAttestation) {
		t.Errorf("at its end it gives %v", err)
	}
}

func FuzzVerifyClient(f *testing.F) {
	maker, holder := newKey(f), newKey(f)
	text, err := ClientAttestation{ClientID: "https://wallet.example", Expires: noon.Add(time.Hour), Key: holder.Public()}.Sign(maker, jws.Header{Kid: "11"})
	if err != nil {
		f.Fatal(err)
	}
	pop, err := ClientPoP{Audience: server, Now: noon}.Sign(holder)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, pop)
	f.Add(pop, text)
	f.Add("", "")
	f.Add("e30.e30.AA", "..")
	f.Fuzz(func(t *testing.T, a, p string) {
		h := http.Header{}
		h.Set(AttestationHeader, a)
		h.Set(AttestationPoPHeader, p)
		c, err := VerifyClient(t.Context(), ClientCheck{Header: h, Issuer: server, Now: noon,
			Trust: func(jws.Header, string) (crypto.PublicKey, error) { return maker.Public(), nil }})
		if err == nil && (c.ID != "https://wallet.example" || a != text) {
			t.Errorf("%q, %q authenticate %+v", a, p, c)
		}
		if err != nil && CodeOf(err) == "" {
			t.Error(err)
		}
	})
}
