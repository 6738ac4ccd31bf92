package vp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"diwan/protocol/jws"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/openid4/jwe"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const host = "https://bank.example/answers/1"

const question = `{"credentials":[{"id":"permit","format":"dc+sd-jwt","meta":{"vct_values":["urn:x:1"]},"claims":[{"path":["plot"]}]}]}`

// party is a verifier with its certificate.
type party struct {
	key    *ecdsa.PrivateKey
	chain  []*x509.Certificate
	anchor *x509.Certificate
}

func newParty(t testing.TB, hosts ...string) *party {
	make1 := func(name string, parent *x509.Certificate, by crypto.Signer) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: noon.Add(time.Hour), IsCA: parent == nil,
			BasicConstraintsValid: true, DNSNames: hosts}
		if parent == nil {
			parent, by = c, key
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		return c, key
	}
	anchor, by := make1("anchor", nil, nil)
	leaf, key := make1("verifier", anchor, by)
	return &party{key, []*x509.Certificate{leaf}, anchor}
}

// trust is that of a wallet which knows the anchor.
func (p *party) trust(h jws.Header, _ string) (crypto.PublicKey, error) {
	pool := x509.NewCertPool()
	pool.AddCert(p.anchor)
	if len(h.X5C) == 0 {
		return nil, errors.New("no certificate")
	}
	_, err := h.X5C[0].Verify(x509.VerifyOptions{Roots: pool, CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return h.X5C[0].PublicKey, err
}

func (p *party) request(t testing.TB, key *jwe.Key) *Request {
	q, err := dcql.Parse([]byte(question))
	if err != nil {
		t.Fatal(err)
	}
	r := &Request{ClientID: HashID(p.chain[0]), Mode: DirectPost, ResponseURI: host, Nonce: NewNonce(), State: NewNonce(), Query: q,
		Metadata: MetadataFor(key), Issued: noon, Expires: noon.Add(5 * time.Minute)}
	if key != nil {
		r.Mode = DirectPostJWT
	}
	return r
}

func TestSignAndOpen(t *testing.T) {
	p := newParty(t, "bank.example")
	key, err := jwe.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Request){
		"by hash": func(*Request) {},
		"by host": func(r *Request) { r.ClientID = DNSID("bank.example") },
		"after a post": func(r *Request) {
			r.WalletNonce = "mine"
		},
	} {
		r := p.request(t, key)
		change(r)
		text, err := r.Sign(p.key, p.chain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := OpenRequest(text, Check{Link: Link{ClientID: r.ClientID}, WalletNonce: r.WalletNonce, Now: noon, Trust: p.trust})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a, _ := json.Marshal(got.Query)
		b, _ := json.Marshal(r.Query)
		if got.ClientID != r.ClientID || got.Nonce != r.Nonce || got.State != r.State || string(a) != string(b) || got.EncryptionKey() == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for name, c := range map[string]struct {
		change func(*Request)
		chain  []*x509.Certificate
	}{
		"another's hash":   {func(r *Request) { r.ClientID = HashID(p.anchor) }, p.chain},
		"another host":     {func(r *Request) { r.ClientID = DNSID("other.example") }, p.chain},
		"answer elsewhere": {func(r *Request) { r.ClientID, r.ResponseURI = DNSID("bank.example"), "https://other.example/" }, p.chain},
		"with the anchor":  {func(*Request) {}, append(p.chain[:1:1], p.anchor)},
		"short nonce":      {func(r *Request) { r.Nonce = "short" }, p.chain},
		"no date":          {func(r *Request) { r.Issued = time.Time{} }, p.chain},
		"plain address":    {func(r *Request) { r.ResponseURI = "http://bank.example" }, p.chain},
		"no key":           {func(r *Request) { r.Metadata.JWKS = nil }, p.chain},
		"bad state":        {func(r *Request) { r.State = "a b" }, p.chain},
		"no query":         {func(r *Request) { r.Query = &dcql.Query{} }, p.chain},
		"by address":       {func(r *Request) { r.ClientID = "redirect_uri:" + host }, p.chain},
	} {
		r := p.request(t, key)
		c.change(r)
		if _, err := r.Sign(p.key, c.chain); err == nil {
			t.Errorf("%s: it is signed", name)
		}
	}
}

func TestOpenRefused(t *testing.T) {
	p, other := newParty(t, "bank.example"), newParty(t, "bank.example")
	id := HashID(p.chain[0])
	members := func(change func(map[string]any)) map[string]any {
		m := map[string]any{"client_id": id, "aud": Static, "response_type": "vp_token", "response_mode": "direct_post", "response_uri": host,
			"nonce": "n-0S6_WzA2Mj", "state": "s", "dcql_query": json.RawMessage(question), "iat": noon.Unix(), "iss": "ignored", "unknown": 1}
		change(m)
		return m
	}
	header := jws.Header{Typ: requestType, X5C: p.chain}
	cases := []struct {
		name   string
		change func(map[string]any)
		header *jws.Header
		check  func(*Check)
		want   error
		tell   bool // the verifier can be told
	}{
		{name: "good"},
		{name: "another client_id than the link's", change: func(m map[string]any) { m["client_id"] = "x509_hash:abc" }, want: oauth.InvalidRequest},
		{name: "client_id without its prefix", change: func(m map[string]any) { m["client_id"] = strings.TrimPrefix(id, "x509_hash:") }, want: oauth.InvalidRequest},
		{name: "no client_id", change: func(m map[string]any) { delete(m, "client_id") }, want: oauth.InvalidRequest},
		{name: "another aud", change: func(m map[string]any) { m["aud"] = "https://other.example" }, want: oauth.InvalidRequest},
		{name: "no aud", change: func(m map[string]any) { delete(m, "aud") }, want: oauth.InvalidRequest},
		{name: "typ JWT", header: &jws.Header{Typ: "JWT", X5C: p.chain}, want: oauth.InvalidRequest},
		{name: "no typ", header: &jws.Header{X5C: p.chain}, want: oauth.InvalidRequest},
		{name: "no certificate", header: &jws.Header{Typ: requestType, Kid: "a"}, want: oauth.InvalidRequest},
		{name: "another's certificate", header: &jws.Header{Typ: requestType, X5C: other.chain}, want: oauth.InvalidRequest},
		{name: "with the anchor", header: &jws.Header{Typ: requestType, X5C: append(p.chain[:1:1], p.anchor)}, want: oauth.InvalidRequest},
		{name: "untrusted", check: func(c *Check) { c.Trust = other.trust }, want: oauth.InvalidRequest},
		{name: "nobody trusted", check: func(c *Check) { c.Trust = nil }, want: oauth.InvalidRequest},
		{name: "prefix not supported", check: func(c *Check) { c.Prefixes = []string{X509SANDNS} }, want: oauth.InvalidRequest},
		{name: "origin", check: func(c *Check) {
			c.Link.ClientID, c.Prefixes = "origin:https://bank.example", []string{"origin"}
		}, want: oauth.InvalidRequest},
		{name: "by address yet signed", check: func(c *Check) { c.Link.ClientID, c.Prefixes = "redirect_uri:"+host, []string{RedirectURI} }, want: oauth.InvalidRequest},
		{name: "by a federation", check: func(c *Check) { c.Link.ClientID, c.Prefixes = "openid_federation:https://a", []string{Federation} }, want: oauth.InvalidRequest},
		{name: "no wallet_nonce", check: func(c *Check) { c.WalletNonce = "mine" }, want: oauth.InvalidRequest},
		{name: "another wallet_nonce", change: func(m map[string]any) { m["wallet_nonce"] = "yours" }, check: func(c *Check) { c.WalletNonce = "mine" }, want: oauth.InvalidRequest},
		{name: "iat to come", change: func(m map[string]any) { m["iat"] = noon.Add(time.Hour).Unix() }, want: oauth.InvalidRequest},
		{name: "expired", change: func(m map[string]any) { m["exp"] = noon.Unix() }, want: oauth.InvalidRequest},
		{name: "redirect_uri", change: func(m map[string]any) { m["redirect_uri"] = host }, want: oauth.InvalidRequest},
		{name: "no response_uri", change: func(m map[string]any) { delete(m, "response_uri") }, want: oauth.InvalidRequest},
		{name: "response_uri of a file", change: func(m map[string]any) { m["response_uri"] = "file:///etc/passwd" }, want: oauth.InvalidRequest},
		{name: "fragment", change: func(m map[string]any) { m["response_mode"] = "fragment" }, want: oauth.InvalidRequest},
		{name: "state with a space", change: func(m map[string]any) { m["state"] = "a b" }, want: oauth.InvalidRequest},
		{name: "code", change: func(m map[string]any) { m["response_type"] = "code" }, want: oauth.UnsupportedResponseType, tell: true},
		{name: "no nonce", change: func(m map[string]any) { delete(m, "nonce") }, want: oauth.InvalidRequest, tell: true},
		{name: "nonce with a slash", change: func(m map[string]any) { m["nonce"] = "a/b" }, want: oauth.InvalidRequest, tell: true},
		{name: "no query", change: func(m map[string]any) { delete(m, "dcql_query") }, want: oauth.InvalidRequest, tell: true},
		{name: "query null", change: func(m map[string]any) { m["dcql_query"] = nil }, want: oauth.InvalidRequest, tell: true},
		{name: "query and scope", change: func(m map[string]any) { m["scope"] = "x" }, want: oauth.InvalidRequest, tell: true},
		{name: "scope", change: func(m map[string]any) { m["scope"] = "x"; delete(m, "dcql_query") }, want: oauth.InvalidScope, tell: true},
		{name: "bad query", change: func(m map[string]any) { m["dcql_query"] = map[string]any{} }, want: oauth.InvalidRequest, tell: true},
		{name: "encrypted without a key", change: func(m map[string]any) { m["response_mode"] = "direct_post.jwt" }, want: oauth.InvalidRequest, tell: true},
		{name: "no known format", check: func(c *Check) { c.Formats = []string{openid4.MDoc} }, want: FormatsNotSupported, tell: true},
		{name: "transaction data", change: func(m map[string]any) { m["transaction_data"] = []string{pay(t, "permit")} }, want: InvalidTransactionData, tell: true},
		{name: "empty transaction data", change: func(m map[string]any) { m["transaction_data"] = []string{} }, check: supportAll, want: InvalidTransactionData, tell: true},
		{name: "supported transaction data", change: func(m map[string]any) { m["transaction_data"] = []string{pay(t, "permit")} }, check: supportAll},
		{name: "transaction data of nothing asked", change: func(m map[string]any) { m["transaction_data"] = []string{pay(t, "other")} }, check: supportAll, want: InvalidTransactionData, tell: true},
		{name: "without the holder and state", change: func(m map[string]any) {
			m["dcql_query"] = json.RawMessage(strings.Replace(question, `"meta"`, `"require_cryptographic_holder_binding":false,"meta"`, 1))
		}, want: oauth.InvalidRequest, tell: true},
		{name: "without the holder", change: func(m map[string]any) {
			m["dcql_query"] = json.RawMessage(strings.Replace(question, `"meta"`, `"require_cryptographic_holder_binding":false,"meta"`, 1))
			m["state"] = NewNonce()
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := header
			if c.header != nil {
				h = *c.header
			}
			m := members(func(map[string]any) {})
			if c.change != nil {
				m = members(c.change)
			}
			text, err := jws.SignClaims(p.key, h, m)
			if err != nil {
				t.Fatal(err)
			}
			check := Check{Link: Link{ClientID: id}, Now: noon, Trust: p.trust}
			if c.check != nil {
				c.check(&check)
			}
			r, err := OpenRequest(text, check)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || (r != nil) != (c.tell || c.want == nil) {
				t.Errorf("got %v, %v, want %v", r, err, c.want)
			}
		})
	}
	stranger, err := jws.SignClaims(other.key, header, members(func(map[string]any) {}))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"signed by a stranger": stranger, "unsigned": "eyJhbGciOiJub25lIiwidHlwIjoib2F1dGgtYXV0aHotcmVxK2p3dCJ9.e30.", "rubbish": "x"} {
		if r, err := OpenRequest(text, Check{Link: Link{ClientID: id}, Now: noon, Trust: p.trust}); !errors.Is(err, oauth.InvalidRequest) || r != nil {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}

func supportAll(c *Check) { c.Transaction = func(TransactionData) error { return nil } }

func pay(t testing.TB, id string) string {
	s, err := NewTransaction("urn:x:pay", []string{id}, map[string]any{"amount": "100.00"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRegistered(t *testing.T) {
	p := newParty(t)
	r := p.request(t, nil)
	r.ClientID = "known"
	w, err := r.wire()
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.SignClaims(p.key, jws.Header{Typ: requestType, Kid: "k"}, w)
	if err != nil {
		t.Fatal(err)
	}
	check := Check{Link: Link{ClientID: "known"}, Now: noon, Prefixes: []string{Registered}, Trust: func(h jws.Header, id string) (crypto.PublicKey, error) {
		if h.Kid != "k" || id != "known" {
			return nil, errors.New("unknown")
		}
		return p.key.Public(), nil
	}}
	if _, err := OpenRequest(text, check); err != nil {
		t.Error(err)
	}
	check.Prefixes = nil
	if _, err := OpenRequest(text, check); !errors.Is(err, oauth.InvalidRequest) {
		t.Errorf("got %v", err)
	}
}

func TestUnsigned(t *testing.T) {
	base := url.Values{"client_id": {"redirect_uri:" + host}, "response_type": {"vp_token"}, "response_mode": {DirectPost}, "nonce": {"n"}, "dcql_query": {question},
		"client_metadata": {`{"vp_formats_supported":{}}`}}
	for name, c := range map[string]struct {
		change func(url.Values)
		ok     bool
	}{
		"good":             {func(url.Values) {}, true},
		"with response":    {func(v url.Values) { v.Set("response_uri", host) }, true},
		"answer elsewhere": {func(v url.Values) { v.Set("response_uri", "https://other.example") }, false},
		"a certificate":    {func(v url.Values) { v.Set("client_id", "x509_hash:abc") }, false},
		"bad query":        {func(v url.Values) { v.Set("dcql_query", "{") }, false},
		"bad metadata":     {func(v url.Values) { v.Set("client_metadata", "[") }, false},
		"both queries":     {func(v url.Values) { v.Set("scope", "x") }, false},
		"redirect":         {func(v url.Values) { v.Set("redirect_uri", host) }, false},
	} {
		v := url.Values{}
		for k, x := range base {
			v[k] = x
		}
		c.change(v)
		l, err := ParseLink(Scheme + "?" + v.Encode())
		if err != nil {
			t.Fatal(err)
		}
		check := Check{Link: *l, Now: noon, Prefixes: []string{RedirectURI, X509Hash}}
		r, err := OpenUnsigned(check)
		if (err == nil) != c.ok || c.ok && r.ResponseURI != host {
			t.Errorf("%s: %v, %v", name, r, err)
		}
		check.Prefixes = nil
		if _, err := OpenUnsigned(check); err == nil {
			t.Errorf("%s: an unsigned request is taken by default", name)
		}
	}
}

func BenchmarkOpenRequest(b *testing.B) {
	p := newParty(b)
	key, err := jwe.NewKey()
	if err != nil {
		b.Fatal(err)
	}
	r := p.request(b, key)
	text, err := r.Sign(p.key, p.chain)
	if err != nil {
		b.Fatal(err)
	}
	check := Check{Link: Link{ClientID: r.ClientID}, Now: noon, Trust: p.trust}
	for b.Loop() {
		if _, err := OpenRequest(text, check); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzRequest(f *testing.F) {
	p := newParty(f)
	key, err := jwe.NewKey()
	if err != nil {
		f.Fatal(err)
	}
	r := p.request(f, key)
	text, err := r.Sign(p.key, p.chain)
	if err != nil {
		f.Fatal(err)
	}
	w, err := r.wire()
	if err != nil {
		f.Fatal(err)
	}
	members, err := json.Marshal(w)
	if err != nil {
		f.Fatal(err)
	}
	link, err := Link{ClientID: r.ClientID, RequestURI: host, Method: Post}.URL(Scheme)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{text, string(members), link, Scheme + "?client_id=redirect_uri%3Ahttps%3A%2F%2Fa.example&response_type=vp_token", "x509_hash:abc", "{}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := OpenRequest(s, Check{Link: Link{ClientID: r.ClientID}, Now: noon, Trust: p.trust}); err == nil && s != text {
			t.Errorf("%q counts as signed", s)
		}
		if w, err := decode([]byte(s)); err == nil {
			if got, err := w.read(); err == nil {
				if _, err := got.Answer(Tokens{"permit": {"x"}}); err != nil {
					t.Errorf("%s: a good request can't be answered: %v", s, err)
				}
			} else if oauth.CodeOf(err) == "" {
				t.Error(err)
			}
		}
		if l, err := ParseLink(s); err == nil {
			_, _ = OpenUnsigned(Check{Link: *l, Now: noon, Prefixes: []string{RedirectURI}})
			if l.Parameters == nil {
				again, err := l.URL(Scheme)
				if err != nil {
					t.Errorf("%q: %v", s, err)
				} else if _, err := ParseLink(again); err != nil {
					t.Errorf("%q: %v", again, err)
				}
			}
		}
		_, _ = ParseClientID(s, []string{X509Hash})
	})
}
