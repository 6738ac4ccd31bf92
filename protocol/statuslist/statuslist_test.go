package statuslist

import (
	"bytes"
	"compress/zlib"
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
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"diwan/protocol/jws"
)

const uri = "https://issuer.example/status/1"

var now = time.Unix(1_800_000_000, 0).UTC()

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signedBy(key crypto.Signer) func(jws.Header, string) (crypto.PublicKey, error) {
	return func(jws.Header, string) (crypto.PublicKey, error) { return key.Public(), nil }
}

// token is a list of 16 entries of which the sixth is revoked and the seventh
// suspended.
func token(t testing.TB) *Token {
	t.Helper()
	l, err := New(16, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Set(5, Invalid), l.Set(6, Suspended)); err != nil {
		t.Fatal(err)
	}
	p, err := l.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return &Token{URI: uri, IssuedAt: now, Expires: now.Add(24 * time.Hour), TTL: time.Hour, List: p, AggregationURI: "https://issuer.example/status"}
}

// sign returns the token in both forms, by media type.
func sign(t testing.TB, tok *Token, key crypto.Signer) map[string][]byte {
	t.Helper()
	j, err := tok.SignJWT(key, jws.Header{Kid: "k"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := tok.SignCWT(key, jws.Header{Kid: "k"})
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{MediaJWT: []byte(j), MediaCWT: c}
}

func TestSignAndVerify(t *testing.T) {
	key, other := newKey(t), newKey(t)
	refused := errors.New("unknown signer")
	cases := []struct {
		name   string
		token  func(*Token)
		policy func(*Policy)
		want   error
	}{
		{"good", nil, nil, nil},
		{"neither end nor time to live", func(o *Token) { o.Expires, o.TTL, o.AggregationURI = time.Time{}, 0, "" }, nil, nil},
		{"of another address", nil, func(p *Policy) { p.URI = uri + "0" }, ErrSubject},
		{"of a stranger", nil, func(p *Policy) { p.Key = signedBy(other) }, ErrSignature},
		{"of an unknown signer", nil, func(p *Policy) {
			p.Key = func(jws.Header, string) (crypto.PublicKey, error) { return nil, refused }
		}, ErrKey},
		{"algorithm not allowed", nil, func(p *Policy) { p.Algorithms = []string{jws.ES384} }, ErrAlgorithm},
		{"expired", nil, func(p *Policy) { p.Now = now.Add(24 * time.Hour) }, ErrExpired},
		{"expired within the leeway", nil, func(p *Policy) { p.Now, p.Leeway = now.Add(24*time.Hour), time.Minute }, nil},
		{"from the future", nil, func(p *Policy) { p.Now = now.Add(-time.Second) }, ErrNotYet},
		{"too old for the reader", nil, func(p *Policy) { p.Now, p.MaxAge = now.Add(2*time.Hour), time.Hour }, ErrStale},
		{"more entries than expected", nil, func(p *Policy) { p.MaxEntries = 12 }, ErrLarge},
	}
	for _, c := range cases {
		tok := token(t)
		if c.token != nil {
			c.token(tok)
		}
		for media, b := range sign(t, tok, key) {
			p := Policy{URI: uri, Key: signedBy(key), Now: now}
			if c.policy != nil {
				c.policy(&p)
			}
			v, err := Verify(media+"; charset=utf-8", b, p)
			if !errors.Is(err, c.want) {
				t.Errorf("%s, %s: error %v, want %v", c.name, media, err, c.want)
			}
			if err != nil {
				continue
			}
			if !v.IssuedAt.Equal(tok.IssuedAt) || !v.Expires.Equal(tok.Expires) || v.TTL != tok.TTL || v.AggregationURI != tok.AggregationURI || v.Header.Kid != "k" {
				t.Errorf("%s, %s: got %+v", c.name, media, v)
			}
			for i, want := range []Value{4: Valid, 5: Invalid, 6: Suspended, 15: Valid} {
				if s, err := v.Status(Reference{Index: i, URI: uri}); err != nil || s != want {
					t.Errorf("%s, %s: %d is %s, %v", c.name, media, i, s, err)
				}
			}
			if _, err := v.Status(Reference{Index: 16, URI: uri}); !errors.Is(err, ErrIndex) {
				t.Errorf("%s, %s: index outside: %v", c.name, media, err)
			}
			if _, err := v.Status(Reference{Index: 1, URI: uri + "/"}); !errors.Is(err, ErrSubject) {
				t.Errorf("%s, %s: reference to another list: %v", c.name, media, err)
			}
		}
	}
}

func TestMediaTypes(t *testing.T) {
	key := newKey(t)
	both := sign(t, token(t), key)
	p := Policy{URI: uri, Key: signedBy(key), Now: now}
	for _, media := range []string{"", "text/html", "application/jwt", "application/json", "statuslist+jwt"} {
		if _, err := Verify(media, both[MediaJWT], p); !errors.Is(err, ErrType) {
			t.Errorf("as %q: %v", media, err)
		}
	}
	if _, err := Verify(MediaCWT, both[MediaJWT], p); !errors.Is(err, ErrForm) {
		t.Errorf("a JWT as CWT: %v", err)
	}
	if _, err := Verify(MediaJWT, both[MediaCWT], p); !errors.Is(err, ErrForm) {
		t.Errorf("a CWT as JWT: %v", err)
	}
}

// TestForgedJWT signs what no issuer should.
func TestForgedJWT(t *testing.T) {
	key := newKey(t)
	tok := token(t)
	lst := base64.RawURLEncoding.EncodeToString(tok.List.Data)
	good := `"sub":"` + uri + `","iat":1800000000,`
	list := `"status_list":{"bits":2,"lst":"` + lst + `"}`
	var bomb bytes.Buffer
	z, _ := zlib.NewWriterLevel(&bomb, zlib.BestCompression)
	for range 64 {
		if _, err := z.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	packed := func(b []byte) string {
		return `{` + good + `"status_list":{"bits":1,"lst":"` + base64.RawURLEncoding.EncodeToString(b) + `"}}`
	}
	for name, c := range map[string]struct {
		typ, payload string
		want         error
	}{
		"good":               {TypeJWT, `{` + good + list + `}`, nil},
		"another type":       {"JWT", `{` + good + list + `}`, ErrType},
		"no iat":             {TypeJWT, `{"sub":"` + uri + `",` + list + `}`, ErrForm},
		"no sub":             {TypeJWT, `{"iat":1800000000,` + list + `}`, ErrSubject},
		"no list":            {TypeJWT, `{` + good + `"x":1}`, ErrForm},
		"iat a text":         {TypeJWT, `{"sub":"` + uri + `","iat":"1800000000",` + list + `}`, ErrForm},
		"ttl zero":           {TypeJWT, `{` + good + `"ttl":0,` + list + `}`, ErrForm},
		"ttl negative":       {TypeJWT, `{` + good + `"ttl":-5,` + list + `}`, ErrForm},
		"ttl endless":        {TypeJWT, `{` + good + `"ttl":1e18,` + list + `}`, ErrForm},
		"exp null":           {TypeJWT, `{` + good + `"exp":null,` + list + `}`, ErrForm},
		"sub twice":          {TypeJWT, `{` + good + `"sub":"x",` + list + `}`, ErrForm},
		"bits 3":             {TypeJWT, `{` + good + `"status_list":{"bits":3,"lst":"` + lst + `"}}`, ErrBits},
		"bits a text":        {TypeJWT, `{` + good + `"status_list":{"bits":"2","lst":"` + lst + `"}}`, ErrForm},
		"lst padded":         {TypeJWT, `{` + good + `"status_list":{"bits":2,"lst":"AA=="}}`, ErrForm},
		"lst not compressed": {TypeJWT, packed([]byte("plain")), ErrForm},
		"lst cut":            {TypeJWT, packed(tok.List.Data[:len(tok.List.Data)-1]), ErrForm},
		"lst with more":      {TypeJWT, packed(append(bytes.Clone(tok.List.Data), 0)), ErrForm},
		"lst of nothing":     {TypeJWT, packed([]byte{0x78, 0xda, 3, 0, 0, 0, 0, 1}), ErrForm},
		"a bomb":             {TypeJWT, packed(bomb.Bytes()), ErrLarge},
		"not an object":      {TypeJWT, `[]`, ErrForm},
	} {
		s, err := jws.Sign(key, jws.Header{Typ: c.typ}, []byte(c.payload))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := VerifyJWT(s, Policy{URI: uri, Key: signedBy(key), Now: now}); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
}

func TestForgedCWT(t *testing.T) {
	key := newKey(t)
	good := token(t)
	signer, err := cose.NewSigner(cose.AlgorithmES256, key)
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]any{"bits": 2, "lst": good.List.Data}
	type headers = map[any]any
	claims := func(edit func(map[any]any)) map[any]any {
		m := map[any]any{2: uri, 6: now.Unix(), 65533: list}
		edit(m)
		return m
	}
	none := func(map[any]any) {}
	typ := headers{cose.HeaderLabelType: MediaCWT}
	for name, c := range map[string]struct {
		protected, unprotected headers
		claims                 any
		want                   error
	}{
		"good":                {typ, nil, claims(none), nil},
		"no type":             {headers{}, nil, claims(none), ErrType},
		"type not protected":  {headers{}, typ, claims(none), ErrType},
		"type of a JWT":       {headers{cose.HeaderLabelType: MediaJWT}, nil, claims(none), ErrType},
		"a critical header":   {headers{cose.HeaderLabelType: MediaCWT, cose.HeaderLabelCritical: []any{int64(16)}}, nil, claims(none), ErrForm},
		"a chain of nonsense": {typ, headers{cose.HeaderLabelX5Chain: []byte{1}}, claims(none), ErrForm},
		"no list":             {typ, nil, claims(func(m map[any]any) { delete(m, 65533) }), ErrForm},
		"no iat":              {typ, nil, claims(func(m map[any]any) { delete(m, 6) }), ErrForm},
		"no sub":              {typ, nil, claims(func(m map[any]any) { delete(m, 2) }), ErrSubject},
		"ttl zero":            {typ, nil, claims(func(m map[any]any) { m[65534] = 0 }), ErrForm},
		"ttl negative":        {typ, nil, claims(func(m map[any]any) { m[65534] = -1 }), ErrForm},
		"exp a text":          {typ, nil, claims(func(m map[any]any) { m[4] = "x" }), ErrForm},
		"exp a fraction":      {typ, nil, claims(func(m map[any]any) { m[4] = float64(now.Unix()) + 0.5 }), ErrExpired},
		"a tag within":        {typ, nil, claims(func(m map[any]any) { m[6] = cbor.Tag{Number: 1, Content: 1} }), ErrForm},
		"bits 3":              {typ, nil, claims(func(m map[any]any) { m[65533] = map[string]any{"bits": 3, "lst": good.List.Data} }), ErrBits},
		"more claims":         {typ, nil, claims(func(m map[any]any) { m["x"] = 1; m[1] = "iss" }), nil},
		"not a map":           {typ, nil, []int{1}, ErrForm},
	} {
		m := cose.NewSign1Message()
		for k, v := range c.protected {
			m.Headers.Protected[k] = v
		}
		for k, v := range c.unprotected {
			m.Headers.Unprotected[k] = v
		}
		m.Headers.Protected.SetAlgorithm(cose.AlgorithmES256)
		if m.Payload, err = cbor.Marshal(c.claims); err != nil {
			t.Fatal(err)
		}
		if err := m.Sign(rand.Reader, nil, signer); err != nil {
			t.Fatal(err)
		}
		b, err := m.MarshalCBOR()
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range [][]byte{b, b[1:], append([]byte(tagCWT), b...)} {
			if _, err := VerifyCWT(form, Policy{URI: uri, Key: signedBy(key), Now: now}); !errors.Is(err, c.want) {
				t.Errorf("%s: error %v, want %v", name, err, c.want)
			}
		}
	}
	if _, err := VerifyCWT(make([]byte, MaxBytes+1), Policy{}); !errors.Is(err, ErrLarge) {
		t.Errorf("too large: %v", err)
	}
}

func TestChains(t *testing.T) {
	key := newKey(t)
	var chain []*x509.Certificate
	for i := range int64(2) {
		c := &x509.Certificate{SerialNumber: big.NewInt(i + 1), Subject: pkix.Name{CommonName: "c"}}
		der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		chain = append(chain, c)
		b, err := token(t).SignCWT(key, jws.Header{X5C: chain})
		if err != nil {
			t.Fatal(err)
		}
		v, err := VerifyCWT(b, Policy{URI: uri, Now: now, Key: func(h jws.Header, _ string) (crypto.PublicKey, error) { return h.Key(), nil }})
		if err != nil || len(v.Header.X5C) != len(chain) {
			t.Errorf("%d certificates: %v", len(chain), err)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	key := newKey(t)
	for name, edit := range map[string]func(*Token){
		"no address":       func(o *Token) { o.URI = "" },
		"relative address": func(o *Token) { o.URI = "/status/1" },
		"no date":          func(o *Token) { o.IssuedAt = time.Time{} },
		"ends before":      func(o *Token) { o.Expires = o.IssuedAt },
		"half seconds":     func(o *Token) { o.TTL = time.Second / 2 },
		"no list":          func(o *Token) { o.List = Packed{} },
	} {
		tok := token(t)
		edit(tok)
		if _, err := tok.SignJWT(key, jws.Header{}); err == nil {
			t.Errorf("%s: signed as JWT", name)
		}
		if _, err := tok.SignCWT(key, jws.Header{}); err == nil {
			t.Errorf("%s: signed as CWT", name)
		}
	}
}

func TestList(t *testing.T) {
	for _, bits := range []int{1, 2, 4, 8} {
		l, err := New(100, bits)
		if err != nil {
			t.Fatal(err)
		}
		for i := range l.Len() {
			if err := l.Set(i, Value(i)&Value(l.mask())); err != nil {
				t.Fatal(err)
			}
		}
		copied := l.Clone()
		if err := l.Set(3, 0); err != nil {
			t.Fatal(err)
		}
		for i := range copied.Len() {
			if s, err := copied.Get(i); err != nil || s != Value(i)&Value(l.mask()) {
				t.Errorf("%d bits, %d: %d, %v", bits, i, s, err)
			}
		}
		if bits < 8 {
			if err := l.Set(0, Value(1)<<bits); !errors.Is(err, ErrStatus) {
				t.Errorf("%d bits: %v", bits, err)
			}
		}
		for _, i := range []int{-1, l.Len(), 1 << 40} {
			if _, err := l.Get(i); !errors.Is(err, ErrIndex) {
				t.Errorf("got %d: %v", i, err)
			}
			if err := l.Set(i, 0); !errors.Is(err, ErrIndex) {
				t.Errorf("set %d: %v", i, err)
			}
		}
	}
	for _, c := range []struct{ entries, bits int }{{0, 1}, {-1, 1}, {MaxEntries + 1, 1}, {8, 0}, {8, 3}, {8, 16}, {8, -1}} {
		if _, err := New(c.entries, c.bits); err == nil {
			t.Errorf("made a list of %v", c)
		}
	}
}

func TestValueNames(t *testing.T) {
	for v, want := range map[Value]string{0: "VALID", 1: "INVALID", 2: "SUSPENDED", 3: "APPLICATION_SPECIFIC_3",
		11: "UNREGISTERED_11", 12: "APPLICATION_SPECIFIC_12", 15: "APPLICATION_SPECIFIC_15", 16: "UNREGISTERED_16"} {
		if v.String() != want {
			t.Errorf("%d is %s, want %s", v, v, want)
		}
	}
}

func TestReference(t *testing.T) {
	for text, want := range map[string]error{
		`{"status_list":{"idx":0,"uri":"https://a.example/1"}}`:         nil,
		`{"status_list":{"idx":268435455,"uri":"urn:example:1"},"x":1}`: nil,
		`{"other":{}}`:              ErrMechanism,
		`"status"`:                  ErrReference,
		`{"status_list":1}`:         ErrReference,
		`{"status_list":{"idx":0}}`: ErrReference,
		`{"status_list":{"uri":"https://a.example/1"}}`:                 ErrReference,
		`{"status_list":{"idx":-1,"uri":"https://a.example/1"}}`:        ErrReference,
		`{"status_list":{"idx":1.5,"uri":"https://a.example/1"}}`:       ErrReference,
		`{"status_list":{"idx":"1","uri":"https://a.example/1"}}`:       ErrReference,
		`{"status_list":{"idx":268435456,"uri":"https://a.example/1"}}`: ErrReference,
		`{"status_list":{"idx":1e2,"uri":"https://a.example/1"}}`:       nil,
		`{"status_list":{"idx":1,"uri":"status/1"}}`:                    ErrReference,
		`{"status_list":{"idx":1,"uri":"%zz"}}`:                         ErrReference,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if _, err := FromClaim(v); !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", text, err, want)
		}
	}
	want := Reference{Index: 412, URI: uri}
	b, err := cbor.Marshal(Status{want})
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := cbor.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if got, err := FromClaim(v); err != nil || got != want {
		t.Errorf("through CBOR: %+v, %v", got, err)
	}
	if got, err := FromClaim(want.Claim()); err != nil || got != want {
		t.Errorf("through a claim: %+v, %v", got, err)
	}
}

func TestAggregation(t *testing.T) {
	for text, good := range map[string]bool{
		`{"status_lists":["https://a.example/1","https://a.example/2"]}`: true,
		`{"status_lists":[]}`:                    true,
		`{}`:                                     false,
		`[]`:                                     false,
		`{"status_lists":[1]}`:                   false,
		`{"status_lists":["relative"]}`:          false,
		`{"status_lists":["urn:a:1","urn:a:1"]}`: false,
	} {
		if _, err := ParseAggregation([]byte(text)); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A list that is as mixed as can be is large, and is signed and read all the same; any
// other token of that size is refused.
func TestDenseList(t *testing.T) {
	const entries = 1 << 20
	l, err := New(entries, 2)
	if err != nil {
		t.Fatal(err)
	}
	random := make([]byte, entries)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	for i, b := range random {
		if err := l.Set(i, Value(b%3)); err != nil {
			t.Fatal(err)
		}
	}
	tok := token(t)
	if tok.List, err = l.Pack(); err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	for kind, b := range sign(t, tok, key) {
		t.Logf("%s: %d bytes", kind, len(b))
		if kind == MediaJWT && len(b) <= jws.MaxBytes {
			t.Error("the list proves nothing: it is small")
		}
		v, err := Verify(kind, b, Policy{URI: uri, Key: signedBy(key), Now: now})
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		for _, i := range []int{0, 1, 77, entries / 2, entries - 1} {
			if got, err := v.List.Get(i); err != nil || got != Value(random[i]%3) {
				t.Errorf("%s: %d is %v, %v", kind, i, got, err)
			}
		}
		if kind != MediaJWT {
			continue
		}
		if _, err := jws.Parse(string(b), jws.Want{Types: []string{TypeJWT}, Algorithms: []string{jws.ES256}}); !errors.Is(err, jws.ErrForm) {
			t.Error("without a bound of its own:", err)
		}
		long := append(b, bytes.Repeat([]byte("A"), MaxBytes)...)
		if _, err := VerifyJWT(string(long), Policy{URI: uri, Key: signedBy(key), Now: now}); !errors.Is(err, ErrForm) {
			t.Error("beyond the bound:", err)
		}
	}
}
