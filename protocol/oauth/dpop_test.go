package oauth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/jws"
)

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

// memory is the store of replays in tests.
type memory struct {
	mu   sync.Mutex
	seen map[string]bool
	err  error
}

func (m *memory) Seen(_ context.Context, key string, _ time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return false, m.err
	}
	if m.seen[key] {
		return true, nil
	}
	if m.seen == nil {
		m.seen = map[string]bool{}
	}
	m.seen[key] = true
	return false, nil
}

const here = "https://server.example.com/token"

func goodClaims() map[string]any {
	return map[string]any{"jti": "-BwC3ESc6acc2lTc", "htm": "POST", "htu": here, "iat": noon.Unix()}
}

func TestDPoPRefused(t *testing.T) {
	key, other := newKey(t), newKey(t)
	header := func(k crypto.Signer) jws.Header {
		return jws.Header{Typ: dpopType, JWK: &jose.JSONWebKey{Key: k.Public()}}
	}
	claims := func(name string, value any) string {
		c := goodClaims()
		if value == nil {
			delete(c, name)
		} else {
			c[name] = value
		}
		return sign(t, key, header(key), c)
	}
	good := claims("unknown", "is ignored")
	private, err := (&jose.JSONWebKey{Key: key}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	raw := func(h string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(h)) + good[strings.Index(good, "."):]
	}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	with := func(change func(*DPoPCheck)) func(*DPoPCheck) { return change }
	cases := []struct {
		name   string
		proofs []string
		change func(*DPoPCheck)
		want   error
	}{
		{"good", []string{good}, nil, nil},
		{"good with a query and another spelling", []string{claims("htu", "HTTPS://Server.example.com:443/%74oken?a=b#c")}, nil, nil},
		{"none", nil, nil, InvalidDPoPProof},
		{"two", []string{good, good}, nil, InvalidDPoPProof},
		{"two in one", []string{good + ", " + good}, nil, InvalidDPoPProof},
		{"empty", []string{""}, nil, InvalidDPoPProof},
		{"too long", []string{strings.Repeat("a", maxProof+1)}, nil, InvalidDPoPProof},
		{"type JWT", []string{sign(t, key, jws.Header{Typ: "JWT", JWK: &jose.JSONWebKey{Key: key.Public()}}, goodClaims())}, nil, InvalidDPoPProof},
		{"no jwk", []string{sign(t, key, jws.Header{Typ: dpopType, Kid: "a"}, goodClaims())}, nil, InvalidDPoPProof},
		{"private jwk", []string{raw(`{"alg":"ES256","typ":"dpop+jwt","jwk":` + string(private) + `}`)}, nil, InvalidDPoPProof},
		{"alg none", []string{raw(`{"alg":"none","typ":"dpop+jwt"}`)}, nil, InvalidDPoPProof},
		{"alg HS256", []string{raw(`{"alg":"HS256","typ":"dpop+jwt"}`)}, nil, InvalidDPoPProof},
		{"alg not listed", []string{sign(t, ed, header(ed), goodClaims())}, nil, InvalidDPoPProof},
		{"alg listed", []string{sign(t, ed, header(ed), goodClaims())}, with(func(c *DPoPCheck) { c.Algorithms = []string{jws.EdDSA} }), nil},
		{"signed by another key", []string{sign(t, other, header(key), goodClaims())}, nil, InvalidDPoPProof},
		{"no jti", []string{claims("jti", nil)}, nil, InvalidDPoPProof},
		{"short jti", []string{claims("jti", "1234567")}, nil, InvalidDPoPProof},
		{"long jti", []string{claims("jti", strings.Repeat("a", maxID+1))}, nil, InvalidDPoPProof},
		{"jti with spaces", []string{claims("jti", "not very good")}, nil, InvalidDPoPProof},
		{"jti is a number", []string{claims("jti", 123456789)}, nil, InvalidDPoPProof},
		{"no htm", []string{claims("htm", nil)}, nil, InvalidDPoPProof},
		{"other htm", []string{claims("htm", "GET")}, nil, InvalidDPoPProof},
		{"htm in other case", []string{claims("htm", "post")}, nil, InvalidDPoPProof},
		{"no htu", []string{claims("htu", nil)}, nil, InvalidDPoPProof},
		{"other path", []string{claims("htu", "https://server.example.com/credential")}, nil, InvalidDPoPProof},
		{"other host", []string{claims("htu", "https://server.example.org/token")}, nil, InvalidDPoPProof},
		{"other scheme", []string{claims("htu", "http://server.example.com/token")}, nil, InvalidDPoPProof},
		{"user in htu", []string{claims("htu", "https://a@server.example.com/token")}, nil, InvalidDPoPProof},
		{"relative htu", []string{claims("htu", "/token")}, nil, InvalidDPoPProof},
		{"escaped slash", []string{claims("htu", "https://server.example.com/a%2f..%2ftoken")}, nil, InvalidDPoPProof},
		{"no iat", []string{claims("iat", nil)}, nil, InvalidDPoPProof},
		{"iat is a text", []string{claims("iat", "now")}, nil, InvalidDPoPProof},
		{"iat is null", []string{sign(t, key, header(key), map[string]any{"jti": "-BwC3ESc6acc2lTc", "htm": "POST", "htu": here, "iat": nil})}, nil, InvalidDPoPProof},
		{"too old", []string{claims("iat", noon.Add(-6*time.Minute).Unix())}, nil, InvalidDPoPProof},
		{"to come", []string{claims("iat", noon.Add(2*time.Minute).Unix())}, nil, InvalidDPoPProof},
		{"far to come", []string{claims("iat", 1e300)}, nil, InvalidDPoPProof},
		{"no ath", []string{good}, with(func(c *DPoPCheck) { c.AccessToken = "token" }), InvalidDPoPProof},
		{"other ath", []string{claims("ath", tokenHash("other"))}, with(func(c *DPoPCheck) { c.AccessToken = "token" }), InvalidDPoPProof},
		{"ath", []string{claims("ath", tokenHash("token"))}, with(func(c *DPoPCheck) { c.AccessToken = "token" }), nil},
		{"other key than the token's", []string{good}, with(func(c *DPoPCheck) { c.Thumbprint = "abc" }), InvalidDPoPProof},
		{"no nonce", []string{good}, with(func(c *DPoPCheck) { c.Nonce = func(string) bool { return true } }), UseDPoPNonce},
		{"stale nonce", []string{claims("nonce", "a")}, with(func(c *DPoPCheck) { c.Nonce = func(string) bool { return false } }), UseDPoPNonce},
		{"nonce", []string{claims("nonce", "a")}, with(func(c *DPoPCheck) { c.Nonce = func(s string) bool { return s == "a" } }), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			check := DPoPCheck{Header: http.Header{"Dpop": c.proofs}, Method: "POST", URL: here, Now: noon, Replays: &memory{}}
			if c.change != nil {
				c.change(&check)
			}
			p, err := VerifyDPoP(t.Context(), check)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if (p == nil) != (err != nil) {
				t.Error("a proof beside an error, or none")
			}
		})
	}
}

// TestDPoPReplay checks that of many that bring one proof at once, one is served.
func TestDPoPReplay(t *testing.T) {
	proof, err := DPoP{Key: newKey(t), Method: "POST", URL: here + "?q", Now: noon, Nonce: "n", AccessToken: "token"}.Make()
	if err != nil {
		t.Fatal(err)
	}
	store := &memory{}
	check := DPoPCheck{Header: http.Header{"Dpop": {proof}}, Method: "POST", URL: here, Now: noon, AccessToken: "token", Replays: store}
	var wg sync.WaitGroup
	results := make(chan error, 8)
	for range 8 {
		wg.Go(func() {
			_, err := VerifyDPoP(t.Context(), check)
			results <- err
		})
	}
	wg.Wait()
	close(results)
	good := 0
	for err := range results {
		if err == nil {
			good++
		} else if !errors.Is(err, InvalidDPoPProof) {
			t.Error(err)
		}
	}
	if good != 1 {
		t.Errorf("%d were served", good)
	}
	store.err = errors.New("the store is away")
	if _, err := VerifyDPoP(t.Context(), check); !errors.Is(err, store.err) || CodeOf(err) != "" {
		t.Errorf("a failing store gives %v", err)
	}
}

// TestDPoPPublished checks the proofs that RFC 9449 prints in its figures 2, 6 and 12,
// which are all by one key, whose thumbprint is printed in §6.1.
func TestDPoPPublished(t *testing.T) {
	const head = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19."
	cases := []struct {
		proof, method, url, token string
		at                        int64
	}{
		{"eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg", "POST", here, "", 1562262616},
		{"eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjY1Mjk2fQ.pAqut2IRDm_De6PR93SYmGBPXpwrAk90e8cP2hjiaG5QsGSuKDYW7_X620BxqhvYC8ynrrvZLTk41mSRroapUA", "POST", here, "", 1562265296},
		{"eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA", "GET", "https://resource.example.org/protectedresource", "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU", 1562262618},
	}
	for _, c := range cases {
		p, err := VerifyDPoP(t.Context(), DPoPCheck{Header: http.Header{"Dpop": {head + c.proof}}, Method: c.method, URL: c.url,
			AccessToken: c.token, Thumbprint: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", Now: time.Unix(c.at, 0)})
		if err != nil || p.ID == "" {
			t.Errorf("%s %s: %v, %v", c.method, c.url, p, err)
		}
	}
}

func TestDPoPMake(t *testing.T) {
	key := newKey(t)
	if _, err := (DPoP{Key: key, Method: "POST", URL: "not an address", Now: noon}).Make(); !errors.Is(err, ErrAddress) {
		t.Errorf("got %v", err)
	}
	a, err := DPoP{Key: key, Method: "POST", URL: here, Now: noon}.Make()
	if err != nil {
		t.Fatal(err)
	}
	b, _ := DPoP{Key: key, Method: "POST", URL: here, Now: noon}.Make()
	pa, err := VerifyDPoP(t.Context(), DPoPCheck{Header: http.Header{"Dpop": {a}}, Method: "POST", URL: here, Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	pb, err := VerifyDPoP(t.Context(), DPoPCheck{Header: http.Header{"Dpop": {b}}, Method: "POST", URL: here, Now: noon})
	if err != nil || pa.ID == pb.ID || pa.Thumbprint != pb.Thumbprint {
		t.Errorf("two proofs have %s and %s, %v", pa.ID, pb.ID, err)
	}
}

func BenchmarkVerifyDPoP(b *testing.B) {
	proof, err := DPoP{Key: newKey(b), Method: "POST", URL: here, Now: noon}.Make()
	if err != nil {
		b.Fatal(err)
	}
	check := DPoPCheck{Header: http.Header{"Dpop": {proof}}, Method: "POST", URL: here, Now: noon}
	for b.Loop() {
		if _, err := VerifyDPoP(b.Context(), check); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzVerifyDPoP(f *testing.F) {
	key := newKey(f)
	good, err := DPoP{Key: key, Method: "POST", URL: here, Now: noon}.Make()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{good, "a.b.c", "", "e30.e30.AA", strings.Repeat(".", 10)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := VerifyDPoP(t.Context(), DPoPCheck{Header: http.Header{"Dpop": {s}}, Method: "POST", URL: here, Now: noon})
		if err == nil && p.Thumbprint == "" || err != nil && CodeOf(err) != InvalidDPoPProof {
			t.Errorf("%q gives %v, %v", s, p, err)
		}
	})
}
