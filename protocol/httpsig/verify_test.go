package httpsig

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func rsaV15(t *testing.T) (*rsa.PrivateKey, []byte) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("\"@method\": GET\n\"@signature-params\": (\"@method\");keyid=\"k\""))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return key, sig
}

func edKeys(t testing.TB) (Signer, fixedKeys) {
	seed := sha256.Sum256([]byte("a key of these tests"))
	k := ed25519.NewKeyFromSeed(seed[:])
	return Signer{KeyID: "k", Alg: Ed25519, Key: k}, fixedKeys{"k", Key{Alg: Ed25519, Public: k.Public()}}
}

// The worked examples of RFC 9421, 2.1 and 2.2, as values of components.
func TestComponentValues(t *testing.T) {
	m := &Message{Method: "POST", Scheme: "HTTPS", Authority: "www.Example.com:443", Target: "/path?param=value&foo=bar&baz=batman&qux=&empty",
		Header: http.Header{
			"X-Ows": {"   Leading and trailing whitespace.   "}, "X-Obs-Fold": {"Obsolete\n    line folding."}, "Cache-Control": {"max-age=60", "   must-revalidate"},
			"Example-Dict": {"  a=1,    b=2;x=1;y=2,   c=(a   b   c), d"}, "X-Empty": {""}, "Example-Header": {"value, with, lots", "of, commas"},
			"Bad": {"a\nb"}, "Accent": {"\u00e9"}},
		Trailer:    http.Header{"Expires": {"Wed, 9 Nov 2022 07:28:00 GMT"}},
		Structured: map[string]Kind{"example-dict": Dictionary}}
	for _, c := range []struct {
		c    Component
		want string
		bad  bool
	}{
		{c: C("@method"), want: "POST"}, {c: C("@authority"), want: "www.example.com"}, {c: C("@scheme"), want: "https"}, {c: C("@path"), want: "/path"},
		{c: C("@target-uri"), want: "https://www.example.com/path?param=value&foo=bar&baz=batman&qux=&empty"},
		{c: C("@request-target"), want: "/path?param=value&foo=bar&baz=batman&qux=&empty"}, {c: C("@query"), want: "?param=value&foo=bar&baz=batman&qux=&empty"},
		{c: Component{Name: "@query-param", Param: "baz"}, want: "batman"}, {c: Component{Name: "@query-param", Param: "qux"}, want: ""},
		{c: Component{Name: "@query-param", Param: "empty"}, want: ""}, {c: Component{Name: "@query-param", Param: "none"}, bad: true},
		{c: C("x-ows"), want: "Leading and trailing whitespace."}, {c: C("x-obs-fold"), want: "Obsolete line folding."}, {c: C("cache-control"), want: "max-age=60, must-revalidate"},
		{c: C("example-dict"), want: "a=1,    b=2;x=1;y=2,   c=(a   b   c), d"}, {c: C("x-empty"), want: ""},
		{c: Component{Name: "example-dict", SF: true}, want: "a=1, b=2;x=1;y=2, c=(a b c), d"},
		{c: Component{Name: "example-dict", Key: "a"}, want: "1"}, {c: Component{Name: "example-dict", Key: "d"}, want: "?1"},
		{c: Component{Name: "example-dict", Key: "b"}, want: "2;x=1;y=2"}, {c: Component{Name: "example-dict", Key: "c"}, want: "(a b c)"},
		{c: Component{Name: "example-dict", Key: "e"}, bad: true}, {c: Component{Name: "x-ows", SF: true}, bad: true},
		{c: Component{Name: "example-header", BS: true}, want: ":dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:"},
		{c: Component{Name: "expires", TR: true}, want: "Wed, 9 Nov 2022 07:28:00 GMT"}, {c: C("expires"), bad: true}, {c: C("@status"), bad: true},
		{c: Component{Name: "@method", Req: true}, bad: true}, {c: C("bad"), bad: true}, {c: C("accent"), bad: true}, {c: Component{Name: "accent", BS: true}, want: ":w6k=:"},
		{c: C("host"), want: "www.Example.com:443"},
	} {
		got, err := m.value(c.c)
		if (err != nil) != c.bad || got != c.want && !c.bad {
			t.Errorf("%s = %q, %v; want %q", c.c, got, err, c.want)
		}
	}
	response := &Message{Status: 503, Header: http.Header{}, Request: m}
	for id, want := range map[Component]string{C("@status"): "503", {Name: "@method", Req: true}: "POST", {Name: "cache-control", Req: true}: "max-age=60, must-revalidate"} {
		if got, err := response.value(id); err != nil || got != want {
			t.Errorf("%s = %q %v", id, got, err)
		}
	}
	if _, err := response.value(C("@path")); err == nil {
		t.Error("a response has a path")
	}
	encoded := &Message{Method: "GET", Target: "/parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something&two=1&two=2"}
	for param, want := range map[string]string{"var": "this%20is%20a%20big%0Amultiline%20value", "bar": "with%20plus%20whitespace", "fa%C3%A7ade%22%3A%20": "something"} {
		if got, err := encoded.value(Component{Name: "@query-param", Param: param}); err != nil || got != want {
			t.Errorf("%s = %q %v", param, got, err)
		}
	}
	if _, err := encoded.value(Component{Name: "@query-param", Param: "two"}); err == nil {
		t.Error("a parameter that occurs twice can be named")
	}
	for target, want := range map[string]string{"http://h/a?b": "/a", "": "/", "/a%2Fb;c": "/a%2Fb;c", "//x/../y": "//x/../y"} {
		if got, err := (&Message{Method: "GET", Target: target}).value(C("@path")); err != nil || got != want {
			t.Errorf("the path of %q = %q %v", target, got, err)
		}
	}
}

func signed(t testing.TB, s Signer, o SignOptions) *Message {
	m := &Message{Method: "GET", Scheme: "https", Authority: "h", Target: "/x?y", Header: http.Header{"X-A": {"1"}}}
	if _, err := Sign(m, s, o); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestPolicy(t *testing.T) {
	s, keys := edKeys(t)
	now := time.Unix(1700000000, 0)
	sign := SignOptions{Label: "s", Components: Cs("@method", "@path", "x-a"), Params: Params{Created: now, Expires: now.Add(time.Minute), Nonce: "n", Tag: "t", Alg: Ed25519}}
	good := Policy{Components: Cs("x-a", "@path"), Tag: "t", Label: "s", Nonce: true, MaxAge: time.Minute, MaxValidity: time.Minute, Skew: 5 * time.Second,
		Algorithms: []Algorithm{Ed25519}}
	for name, c := range map[string]struct {
		policy func(*Policy)
		sign   func(*SignOptions)
		at     time.Duration
		want   error
	}{
		"good":             {},
		"at the skew":      {at: -5 * time.Second},
		"from the future":  {at: -6 * time.Second, want: ErrTime},
		"last moment":      {at: time.Minute + 4*time.Second},
		"expired":          {at: time.Minute + 5*time.Second, want: ErrTime},
		"too old":          {at: time.Minute, policy: func(p *Policy) { p.MaxAge = time.Second; p.Skew = 0 }, want: ErrTime},
		"valid too long":   {sign: func(o *SignOptions) { o.Params.Expires = now.Add(time.Hour) }, want: ErrTime},
		"ends first":       {sign: func(o *SignOptions) { o.Params.Expires = now.Add(-time.Second) }, want: ErrTime},
		"no created":       {sign: func(o *SignOptions) { o.Params.Created = time.Time{} }, want: ErrPolicy},
		"no expires":       {sign: func(o *SignOptions) { o.Params.Expires = time.Time{} }, want: ErrPolicy},
		"no nonce":         {sign: func(o *SignOptions) { o.Params.Nonce = "" }, want: ErrPolicy},
		"not covered":      {policy: func(p *Policy) { p.Components = Cs("@authority") }, want: ErrPolicy},
		"covered as other": {policy: func(p *Policy) { p.Components = []Component{{Name: "x-a", BS: true}} }, want: ErrPolicy},
		"another tag":      {policy: func(p *Policy) { p.Tag = "u" }, want: ErrNoSignature},
		"another label":    {policy: func(p *Policy) { p.Label = "u" }, want: ErrNoSignature},
		"not allowed":      {policy: func(p *Policy) { p.Algorithms = []Algorithm{ECDSAP256} }, want: ErrPolicy},
		"says another":     {sign: func(o *SignOptions) { o.Params.Alg = HMACSHA256 }, want: ErrKey},
		"unknown key":      {sign: func(o *SignOptions) { o.Params.KeyID = "other" }, want: ErrKey},
	} {
		p, o := good, sign
		p.Now = func() time.Time { return now.Add(c.at) }
		if c.policy != nil {
			c.policy(&p)
		}
		if c.sign != nil {
			c.sign(&o)
		}
		if _, err := Verify(t.Context(), signed(t, s, o), keys, p); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestHMACNeedsPermission(t *testing.T) {
	secret := []byte("sixteen bytes at least")
	m := signed(t, Signer{KeyID: "k", Alg: HMACSHA256, Secret: secret}, SignOptions{Label: "s", Components: Cs("@method")})
	keys := fixedKeys{"k", Key{Alg: HMACSHA256, Secret: secret}}
	if _, err := Verify(t.Context(), m, keys, Policy{}); !errors.Is(err, ErrPolicy) {
		t.Errorf("unasked: %v", err)
	}
	if _, err := Verify(t.Context(), m, keys, Policy{Algorithms: []Algorithm{HMACSHA256}}); err != nil {
		t.Error(err)
	}
}

// A key is used with its own algorithm only, and weak ones are not used at all.
func TestKeyFits(t *testing.T) {
	weak, _ := rsa.GenerateKey(rand.Reader, 1024)
	other, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	for _, s := range []Signer{
		{Alg: ECDSAP256, Key: other}, {Alg: ECDSAP256, Key: ed}, {Alg: Ed25519, Key: p256}, {Alg: RSAPSS, Key: p256}, {Alg: "none", Key: ed}, {Alg: "", Key: ed},
		{Alg: HMACSHA256, Secret: []byte("short")}, {Alg: HMACSHA256, Key: ed}, {Alg: Ed25519},
	} {
		if _, err := s.sign([]byte("x")); !errors.Is(err, ErrKey) {
			t.Errorf("%s with %T: %v", s.Alg, s.Key, err)
		}
	}
	if weak != nil {
		if err := (Key{Alg: RSAPSS, Public: weak.Public()}).verify(nil, nil); !errors.Is(err, ErrKey) {
			t.Errorf("1024 bits: %v", err)
		}
	}
	if err := (Key{Alg: HMACSHA256, Public: ed.Public()}).verify(nil, nil); !errors.Is(err, ErrKey) {
		t.Errorf("a public key as a secret: %v", err)
	}
	for _, sig := range [][]byte{nil, make([]byte, 64), make([]byte, 63)} {
		if err := (Key{Alg: ECDSAP256, Public: p256.Public()}).verify([]byte("x"), sig); !errors.Is(err, ErrSignature) {
			t.Errorf("%d zero bytes: %v", len(sig), err)
		}
	}
}

func TestHostileSignatures(t *testing.T) {
	_, keys := edKeys(t)
	sig := "s=:" + strings.Repeat("A", 86) + "==:"
	for _, c := range []struct{ input, sig string }{
		{"", ""}, {`s=("@method")`, ""}, {"", sig}, {`s=("@method"`, sig}, {`s="@method"`, sig}, {`s=(@method)`, sig}, {`s=(method)`, sig}, {`s=("METHOD")`, sig},
		{`s=("")`, sig}, {`s=("@signature-params")`, sig}, {`s=("@unknown")`, sig}, {`s=("@method" "@method")`, sig}, {`s=("@method";req)`, sig}, {`s=("@status")`, sig},
		{`s=("@method";sf)`, sig}, {`s=("x-a";bs;sf)`, sig}, {`s=("x-a";new)`, sig}, {`s=("x-a";sf=?0)`, sig}, {`s=("x-a";key)`, sig}, {`s=("x-a";name="b")`, sig},
		{`s=("@query-param")`, sig}, {`s=("@method");created="1"`, sig}, {`s=("@method");created=-1`, sig}, {`s=("@method");keyid=k`, sig}, {`s=("@method");expires=1.5`, sig},
		{`s=("@method"), t=("@path")`, sig}, {`s=("@method")`, `s="x"`}, {`s=("@method")`, "s=(:AAAA:)"}, {`s=("@method")`, "s=:A:"}, {`t=("@method")`, sig},
		{`s=("@method");keyid="k"`, sig}, {"s=(" + strings.Repeat(`"a" `, MaxComponents+1) + ")", sig}, {"s=(" + strings.Repeat(" ", MaxField) + ")", sig},
		{strings.Repeat("s=(),", 3) + "s", sig}, {`s=();created=1, a=(), b=(), c=(), d=(), e=(), f=(), g=(), h=()`, `s=::, a=::, b=::, c=::, d=::, e=::, f=::, g=::, h=::`},
	} {
		m := &Message{Method: "GET", Scheme: "https", Authority: "h", Target: "/x", Header: http.Header{"X-A": {"1"}}}
		for name, v := range map[string]string{"Signature-Input": c.input, "Signature": c.sig} {
			if v != "" {
				m.Header.Set(name, v)
			}
		}
		if v, err := Verify(t.Context(), m, keys, Policy{}); err == nil {
			t.Errorf("%.80q %.20q passes: %+v", c.input, c.sig, v)
		}
	}
}

// Over a real connection: what a client signs, a server verifies, and the other
// way round.
func TestOverHTTP(t *testing.T) {
	s, keys := edKeys(t)
	covered := append(Cs("@method", "@target-uri", "@path", "@query", "@authority", "@scheme", "x-a"), Component{Name: "@query-param", Param: "a"})
	bound := []Component{C("@status"), C("content-type"), {Name: "signature", Req: true}, {Name: "@method", Req: true}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := VerifyRequest(r, keys, Policy{Components: covered}); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		m := &Message{Status: 202, Header: w.Header(), Request: FromRequest(r)}
		if _, err := Sign(m, s, SignOptions{Label: "r", Components: bound}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(202)
	}))
	defer srv.Close()
	r, err := http.NewRequestWithContext(t.Context(), "PUT", srv.URL+"/a%2Fb//c?a=1%202&b=;", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Add("X-A", "1")
	r.Header.Add("X-A", "2")
	if err := SignRequest(r, s, SignOptions{Label: "q", Components: covered}); err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 202 {
		b, _ := io.ReadAll(resp.Body)
		t.Fatalf("%d %s", resp.StatusCode, b)
	}
	if _, err := VerifyResponse(t.Context(), resp, r, keys, Policy{Components: bound}); err != nil {
		t.Error(err)
	}
	r.Header.Set("Signature", r.Header.Get("Signature")+", other=:AAAA:")
	if _, err := VerifyResponse(t.Context(), resp, r, keys, Policy{Components: bound}); !errors.Is(err, ErrSignature) {
		t.Errorf("the answer to another request: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(`s=("@method" "x-a";bs "x-d";key="a" "@query-param";name="y");created=1;keyid="k";alg="ed25519"`, `s=:AAAA:`, "a=1, b=(1 2)", "/x?y=1")
	f.Fuzz(func(t *testing.T, input, sig, dict, target string) {
		s, keys := edKeys(t)
		m := &Message{Method: "GET", Scheme: "https", Authority: "h", Target: target,
			Header: http.Header{"Signature-Input": {input}, "Signature": {sig}, "X-A": {"1"}, "X-D": {dict}}}
		if v, err := Verify(context.Background(), m, keys, Policy{}); err == nil {
			t.Fatalf("a forged signature passes: %+v", v)
		}
		// What can be read can be signed, and then verifies.
		all, err := signatures(m, false)
		if err != nil {
			return
		}
		for _, one := range all {
			m.Header = http.Header{"X-A": {"1"}, "X-D": {dict}}
			if _, err := Sign(m, s, SignOptions{Label: "s", Components: one.components}); err != nil {
				continue
			}
			if _, err := Verify(context.Background(), m, keys, Policy{Components: one.components}); err != nil {
				t.Fatalf("%q: %v", m.Header, err)
			}
		}
	})
}

func TestSignRefuses(t *testing.T) {
	s, _ := edKeys(t)
	for _, c := range [][]Component{
		Cs("@method", "@method"), Cs("X-A"), Cs("@signature-params"), Cs("@query-param"), {{Name: "x-a", BS: true, SF: true}}, make([]Component, MaxComponents+1),
	} {
		m := &Message{Method: "GET", Scheme: "https", Authority: "h", Target: "/x", Header: http.Header{"X-A": {"1"}}}
		if _, err := Sign(m, s, SignOptions{Label: "s", Components: c}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.3v: %v", c, err)
		}
	}
}
