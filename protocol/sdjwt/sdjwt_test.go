package sdjwt

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
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/statuslist"
)

var now = time.Unix(1_800_000_000, 0)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// jwk returns a public key as the decoded JSON of a cnf claim.
func jwk(t testing.TB, key crypto.Signer) map[string]any {
	t.Helper()
	b, err := (&jose.JSONWebKey{Key: key.Public()}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"jwk": m}
}

// issuance is a credential with ten disclosures, two of them within another.
func issuance(t testing.TB, holder crypto.Signer) Issuance {
	return Issuance{
		Claims: map[string]any{
			"iss": "https://issuer.example", "vct": "urn:example:birth:1",
			"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(24 * time.Hour).Unix(),
			"cnf": jwk(t, holder), "status": statuslist.Reference{Index: 7, URI: "https://issuer.example/status/1"}.Claim(),
			"family_name": "Dent", "given_name": "Arthur", "birthdate": "1978-04-10", "number": 12,
			"place":   map[string]any{"locality": "Islington", "country": "XX"},
			"parents": []any{"Alpha", "Beta"}, "office": "Islington 3", "year": 1978,
		},
		Disclosable: []claimpath.Path{
			{"family_name"}, {"given_name"}, {"birthdate"}, {"number"}, {"place"}, {"place", "locality"}, {"place", "country"},
			{"parents", nil}, {"office"},
		},
	}
}

func issue(t testing.TB, key crypto.Signer, i Issuance) *Token {
	t.Helper()
	compact, err := Issue(key, i)
	if err != nil {
		t.Fatal(err)
	}
	token, err := Parse(compact, jws.Want{})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func paths(t *Token) (out []string) {
	for _, d := range t.Disclosures {
		out = append(out, d.Path.String())
	}
	slices.Sort(out)
	return out
}

func TestIssueAndVerify(t *testing.T) {
	key, holder := newKey(t), newKey(t)
	i := issuance(t, holder)
	for _, decoys := range []int{0, 3} {
		i.Decoys = decoys
		token := issue(t, key, i)
		v, err := token.Verify(Policy{Key: issuedBy(key.Public()), Now: now, Limited: true, Issued: true})
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(i.Claims)
		if err != nil {
			t.Fatal(err)
		}
		same(t, v.Claims, want)
		if len(v.Disclosed) != 10 || v.Type != "urn:example:birth:1" || v.Issuer != "https://issuer.example" ||
			!v.Expires.Equal(now.Add(24*time.Hour)) || !v.NotBefore.Equal(now) || !v.IssuedAt.Equal(now) ||
			*v.Status != (statuslist.Reference{Index: 7, URI: "https://issuer.example/status/1"}) || v.Binding != nil {
			t.Errorf("got %+v", v)
		}
		if !holder.PublicKey.Equal(v.Holder.Key) {
			t.Error("another holder's key")
		}
		payload := string(token.signed.Unverified())
		for _, hidden := range []string{"Dent", "Islington", "Alpha", "family_name"} {
			if strings.Contains(payload, hidden) {
				t.Errorf("%s is not hidden", hidden)
			}
		}
	}
}

func TestPresent(t *testing.T) {
	key, holder := newKey(t), newKey(t)
	token := issue(t, key, issuance(t, holder))
	cases := []struct {
		name  string
		paths []claimpath.Path
		want  []string
		err   error
	}{
		{"nothing", nil, nil, nil},
		{"one", []claimpath.Path{{"family_name"}}, []string{`["family_name"]`}, nil},
		{"nested with its parent", []claimpath.Path{{"place", "country"}}, []string{`["place","country"]`, `["place"]`}, nil},
		{"with its sub-claims", []claimpath.Path{{"place"}}, []string{`["place","country"]`, `["place","locality"]`, `["place"]`}, nil},
		{"an element", []claimpath.Path{{"parents", 1}}, []string{`["parents",0]`}, nil},
		{"all elements", []claimpath.Path{{"parents", nil}}, []string{`["parents",0]`, `["parents",1]`}, nil},
		{"not hidden", []claimpath.Path{{"vct"}}, nil, nil},
		{"twice", []claimpath.Path{{"office"}, {"office"}}, []string{`["office"]`}, nil},
		{"absent", []claimpath.Path{{"office"}, {"nothing"}}, nil, ErrPath},
		{"wrong kind", []claimpath.Path{{"parents", "first"}}, nil, ErrPath},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			shown, err := token.Present(c.paths...)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err != nil {
				return
			}
			if got := paths(shown); !slices.Equal(got, c.want) {
				t.Errorf("shows %v, want %v", got, c.want)
			}
		})
	}
	shown, err := token.Present(claimpath.Path{"parents", 1})
	if err != nil {
		t.Fatal(err)
	}
	same(t, shown.Unverified()["parents"], []byte(`["Beta"]`))
}

func TestBinding(t *testing.T) {
	key, holder := newKey(t), newKey(t)
	token := issue(t, key, issuance(t, holder))
	shown, err := token.Present(claimpath.Path{"family_name"})
	if err != nil {
		t.Fatal(err)
	}
	asked := Binding{Audience: "x509_hash:abc", Nonce: "n-1"}
	proof := Proof{Audience: asked.Audience, Nonce: asked.Nonce, IssuedAt: now}
	transactions := []string{"e30", "W10"}
	cases := []struct {
		name   string
		proof  func(*Proof)
		policy func(*Policy)
		want   error
	}{
		{"as asked", nil, nil, nil},
		{"another nonce", func(p *Proof) { p.Nonce = "n-2" }, nil, ErrNonce},
		{"no nonce", func(p *Proof) { p.Nonce = "" }, func(p *Policy) { p.Binding.Nonce = "" }, ErrNonce},
		{"audience without prefix", func(p *Proof) { p.Audience = "abc" }, nil, ErrAudience},
		{"too old", func(p *Proof) { p.IssuedAt = now.Add(-6 * time.Minute) }, nil, ErrStale},
		{"old within the leeway", func(p *Proof) { p.IssuedAt = now.Add(-6 * time.Minute) }, func(p *Policy) { p.Leeway = time.Minute }, nil},
		{"in the future", func(p *Proof) { p.IssuedAt = now.Add(time.Minute) }, nil, ErrStale},
		{"algorithm not allowed", nil, func(p *Policy) { p.Binding.Algorithms = []string{jws.EdDSA} }, ErrHolder},
		{"transactions", func(p *Proof) { p.Transactions = transactions },
			func(p *Policy) { p.Binding.Transactions = []string{"W10", "e30"} }, nil},
		{"transactions, hash named", func(p *Proof) { p.Transactions, p.TransactionHash = transactions, SHA512 },
			func(p *Policy) {
				p.Binding.Transactions, p.Binding.TransactionHashes = transactions, []string{SHA256, SHA512}
			}, nil},
		{"hash not named", func(p *Proof) { p.Transactions = transactions },
			func(p *Policy) { p.Binding.Transactions, p.Binding.TransactionHashes = transactions, []string{SHA256} }, ErrTransaction},
		{"hash not asked", func(p *Proof) { p.Transactions, p.TransactionHash = transactions, SHA512 },
			func(p *Policy) { p.Binding.Transactions = transactions }, ErrTransaction},
		{"another transaction", func(p *Proof) { p.Transactions = []string{"e30", "e31"} },
			func(p *Policy) { p.Binding.Transactions = transactions }, ErrTransaction},
		{"a transaction left out", func(p *Proof) { p.Transactions = transactions[:1] },
			func(p *Policy) { p.Binding.Transactions = transactions }, ErrTransaction},
		{"no transaction confirmed", nil, func(p *Policy) { p.Binding.Transactions = transactions }, ErrTransaction},
		{"a transaction nobody asked", func(p *Proof) { p.Transactions = transactions }, nil, ErrTransaction},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b, p := asked, proof
			policy := Policy{Key: issuedBy(key.Public()), Now: now, Binding: &b}
			if c.proof != nil {
				c.proof(&p)
			}
			if c.policy != nil {
				c.policy(&policy)
			}
			compact, err := shown.Bind(holder, p)
			if err != nil {
				t.Fatal(err)
			}
			presented, err := Parse(compact, jws.Want{})
			if err != nil {
				t.Fatal(err)
			}
			v, err := presented.Verify(policy)
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err == nil && (v.Binding.Nonce != p.Nonce || len(v.Binding.Transactions) != len(p.Transactions)) {
				t.Errorf("binding %+v", v.Binding)
			}
		})
	}
	if _, err := shown.Bind(newKey(t), proof); !errors.Is(err, ErrHolder) {
		t.Errorf("bound with another key: %v", err)
	}
}

func TestIssueRefuses(t *testing.T) {
	key := newKey(t)
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	selfSigned, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}}
	if der, err = x509.CreateCertificate(rand.Reader, leaf, root, newKey(t).Public(), key); err != nil {
		t.Fatal(err)
	}
	other, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name string
		edit func(*Issuance)
		want error
	}{
		{"no vct", func(i *Issuance) { delete(i.Claims, "vct") }, ErrClaims},
		{"a path to nothing", func(i *Issuance) { i.Disclosable = append(i.Disclosable, claimpath.Path{"x"}) }, ErrClaims},
		{"a reserved name", func(i *Issuance) { i.Claims["office"] = map[string]string{"...": "x"} }, ErrClaims},
		{"a reserved name", func(i *Issuance) { i.Claims["_sd"] = []any{"x"} }, ErrClaims},
		{"what JSON can't write", func(i *Issuance) { i.Claims["office"] = make(chan int) }, ErrClaims},
		{"too many decoys", func(i *Issuance) { i.Decoys = maxDecoys + 1 }, ErrClaims},
		{"a weak hash", func(i *Issuance) { i.Hash = "sha-256-32" }, ErrUnsupported},
		{"too large", func(i *Issuance) { i.Claims["office"] = strings.Repeat("x", MaxBytes) }, ErrClaims},
		{"a self-signed certificate", func(i *Issuance) { i.Header.X5C = []*x509.Certificate{selfSigned} }, ErrClaims},
		{"a certificate of another key", func(i *Issuance) { i.Header.X5C = []*x509.Certificate{other} }, ErrClaims},
	}
	for _, name := range protected {
		cases = append(cases, struct {
			name string
			edit func(*Issuance)
			want error
		}{"hidden " + name, func(i *Issuance) { i.Disclosable = []claimpath.Path{{name}} }, ErrProtected})
	}
	cases = append(cases, cases[0])
	cases[len(cases)-1].name, cases[len(cases)-1].want = "hidden below status", ErrProtected
	cases[len(cases)-1].edit = func(i *Issuance) { i.Disclosable = []claimpath.Path{{"status", "status_list"}} }
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			i := issuance(t, key)
			c.edit(&i)
			if _, err := Issue(key, i); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
	i := issuance(t, key)
	i.Optional, i.Disclosable = true, append(i.Disclosable, claimpath.Path{"absent"})
	if _, err := Issue(key, i); err != nil {
		t.Errorf("an optional path to nothing: %v", err)
	}
}

// TestUnlinkable checks that two issuances of one credential share no salt, no digest
// and no signature.
func TestUnlinkable(t *testing.T) {
	key := newKey(t)
	i := issuance(t, key)
	i.Decoys = 2
	a, b := issue(t, key, i), issue(t, key, i)
	for k := range a.Disclosures {
		for _, d := range b.Disclosures {
			if a.Disclosures[k].Salt == d.Salt || a.Disclosures[k].digest == d.digest {
				t.Errorf("shared: %s", d.Encoded)
			}
		}
		salt, err := base64.RawURLEncoding.DecodeString(a.Disclosures[k].Salt)
		if err != nil || len(salt) != saltBytes {
			t.Errorf("salt %q", a.Disclosures[k].Salt)
		}
	}
	var payload struct {
		SD []string `json:"_sd"`
	}
	if err := json.Unmarshal(a.signed.Unverified(), &payload); err != nil || !slices.IsSorted(payload.SD) || len(payload.SD) != 8 {
		t.Errorf("digests %v, %v", payload.SD, err)
	}
}
