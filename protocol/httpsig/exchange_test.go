package httpsig

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

type memberKeys struct{ fixedKeys }

func (k memberKeys) ExchangeKey(ctx context.Context, id string) (Key, string, error) {
	key, err := k.Key(ctx, id, "")
	return key, "MA/GOV/A", err
}

type nonces map[string]bool

func (n nonces) Seen(_ context.Context, keyID, nonce string) (bool, error) {
	return n[keyID+nonce], nil
}
func (n nonces) Record(_ context.Context, keyID, nonce string, _ time.Time) (bool, error) {
	fresh := !n[keyID+nonce]
	n[keyID+nonce] = true
	return fresh, nil
}

func exchangeRequest() *Message {
	return &Message{Method: "POST", Scheme: "https", Authority: "gw.b:5500", Target: "/exchange", Header: http.Header{}, Trailer: http.Header{}}
}

func TestExchange(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ed, edKey := edKeys(t)
	now := time.Unix(1700000000, 0)
	body := []byte(`{"a":1}`)
	head := []byte("POST\r\n/r1/x\r\nX-Road-Client:MA/GOV/A/S\r\n")
	for _, signer := range []Signer{ed, {KeyID: "k", Alg: ECDSAP256, Key: p256}} {
		keys := edKey
		if signer.Alg == ECDSAP256 {
			keys.key = Key{Alg: ECDSAP256, Public: p256.Public()}
		}
		for _, streamed := range []bool{false, true} {
			v := ExchangeVerifier{Keys: memberKeys{keys}, Replay: nonces{}, Skew: 5 * time.Second, Now: func() time.Time { return now }}
			m := exchangeRequest()
			out := Outgoing{Signer: signer, Head: head, BodySum: sha512.Sum512(body), Now: now, Streamed: streamed}
			if _, err := SignExchangeRequest(m, out); err != nil {
				t.Fatal(err)
			}
			in, err := v.VerifyExchangeRequest(t.Context(), m, "MA/GOV/A", sha512.Sum512(body))
			if err != nil || !bytes.Equal(in.Head, head) || in.Member != "MA/GOV/A" || in.Params.Tag != ExchangeTag {
				t.Fatalf("%s streamed %v: %+v %v", signer.Alg, streamed, in, err)
			}
			if _, err := v.VerifyExchangeRequest(t.Context(), m, "MA/GOV/A", sha512.Sum512(body)); !errors.Is(err, ErrReplay) {
				t.Errorf("again: %v", err)
			}
			r := &Message{Status: 200, Header: http.Header{}, Trailer: http.Header{}, Request: m}
			out.RequestHash, out.Head = "hash", []byte("200\r\n")
			if _, err := SignExchangeResponse(r, out); err != nil {
				t.Fatal(err)
			}
			if _, err := v.VerifyExchangeResponse(t.Context(), r, "MA/GOV/A", sha512.Sum512(body), "hash"); err != nil {
				t.Errorf("response: %v", err)
			}
			if _, err := v.VerifyExchangeResponse(t.Context(), r, "MA/GOV/A", sha512.Sum512(body), "other"); !errors.Is(err, ErrPolicy) {
				t.Errorf("the hash of another request: %v", err)
			}
			other := exchangeRequest()
			if _, err := SignExchangeRequest(other, Outgoing{Signer: signer, Head: head, Now: now, Streamed: streamed}); err != nil {
				t.Fatal(err)
			}
			r.Request, v.Replay = other, nonces{}
			if _, err := v.VerifyExchangeResponse(t.Context(), r, "MA/GOV/A", sha512.Sum512(body), "hash"); !errors.Is(err, ErrSignature) {
				t.Errorf("an answer to another request: %v", err)
			}
		}
	}
}

func TestExchangeRefuses(t *testing.T) {
	signer, keys := edKeys(t)
	now := time.Unix(1700000000, 0)
	sum := sha512.Sum512([]byte("body"))
	for name, c := range map[string]struct {
		change func(*Message)
		peer   string
		sum    [64]byte
		at     time.Duration
		want   error
	}{
		"good":          {},
		"another peer":  {peer: "MA/GOV/B", want: ErrPeer},
		"another body":  {sum: sha512.Sum512([]byte("b0dy")), want: ErrDigest},
		"expired":       {at: 66 * time.Second, want: ErrTime},
		"future":        {at: -6 * time.Second, want: ErrTime},
		"method":        {change: func(m *Message) { m.Method = "PUT" }, want: ErrSignature},
		"authority":     {change: func(m *Message) { m.Authority = "gw.c:5500" }, want: ErrSignature},
		"head":          {change: func(m *Message) { m.Header.Set(HeaderHead, ":R0VU:") }, want: ErrSignature},
		"two heads":     {change: func(m *Message) { m.Header.Add(HeaderHead, ":R0VU:") }, want: ErrMalformed},
		"no head":       {change: func(m *Message) { m.Header.Del(HeaderHead) }, want: ErrMalformed},
		"head of text":  {change: func(m *Message) { m.Header.Set(HeaderHead, `"GET"`) }, want: ErrMalformed},
		"huge head":     {change: func(m *Message) { m.Header.Set(HeaderHead, ":"+strings.Repeat("A", 1<<16)+":") }, want: ErrMalformed},
		"digest":        {change: func(m *Message) { m.Header.Set(HeaderDigest, FormatDigest(SHA512, make([]byte, 64))) }, want: ErrDigest},
		"weaker digest": {change: func(m *Message) { m.Header.Set(HeaderDigest, FormatDigest(SHA256, make([]byte, 32))) }, want: ErrDigest},
		"no digest":     {change: func(m *Message) { m.Header.Del(HeaderDigest) }, want: ErrDigest},
		"no signature":  {change: func(m *Message) { m.Header.Del(HeaderSignature) }, want: ErrNoSignature},
		"another tag": {change: func(m *Message) {
			m.Header.Set(HeaderInput, strings.Replace(m.Header.Get(HeaderInput), ExchangeTag, "diwan-exchange-0", 1))
		}, want: ErrNoSignature},
		"fewer components": {change: func(m *Message) {
			m.Header.Set(HeaderInput, strings.Replace(m.Header.Get(HeaderInput), ` "diwan-head"`, "", 1))
		}, want: ErrPolicy},
		"no expiry": {change: func(m *Message) {
			in := m.Header.Get(HeaderInput)
			i := strings.Index(in, ";expires=")
			m.Header.Set(HeaderInput, in[:i]+in[i+len(";expires=1700000060"):])
		}, want: ErrPolicy},
		"nonce": {change: func(m *Message) {
			in := m.Header.Get(HeaderInput)
			i := strings.Index(in, `;nonce="`)
			m.Header.Set(HeaderInput, in[:i]+`;nonce="x`+in[i+9:])
		}, want: ErrSignature},
		"nonce of an accepted one": {change: func(m *Message) { m.Header.Set("X-Seen", "1") }, want: ErrReplay},
	} {
		m := exchangeRequest()
		if _, err := SignExchangeRequest(m, Outgoing{Signer: signer, Head: []byte("GET\r\n"), BodySum: sum, Now: now}); err != nil {
			t.Fatal(err)
		}
		if c.change != nil {
			c.change(m)
		}
		if c.peer == "" {
			c.peer = "MA/GOV/A"
		}
		if c.sum == [64]byte{} {
			c.sum = sum
		}
		replay := nonces{}
		v := ExchangeVerifier{Keys: memberKeys{keys}, Replay: replay, Skew: 5 * time.Second, Now: func() time.Time { return now.Add(c.at) }}
		if m.Header.Get("X-Seen") != "" {
			all, _ := signatures(m, false)
			replay["k"+all[0].params.Nonce] = true
		}
		recorded := len(replay)
		_, err := v.VerifyExchangeRequest(t.Context(), m, c.peer, c.sum)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if err != nil && len(replay) != recorded {
			t.Errorf("%s: a refused message used up a nonce", name)
		}
	}
	rsaKey, _ := rsaV15(t)
	for _, o := range []Outgoing{
		{Signer: signer, Head: make([]byte, ExchangeMaxHead+1), Now: now}, {Signer: signer, Now: now}, {Signer: Signer{Alg: RSAPSS, Key: rsaKey}, Head: []byte("x"), Now: now},
	} {
		if _, err := SignExchangeRequest(exchangeRequest(), o); err == nil {
			t.Errorf("%s signs a head of %d bytes", o.Signer.Alg, len(o.Head))
		}
	}
}

// A streamed body with the signature in the trailers, through net/http.
func TestExchangeStreamedOverHTTP(t *testing.T) {
	signer, keys := edKeys(t)
	now := time.Now()
	body := strings.Repeat("0123456789abcdef", 1<<15)
	v := ExchangeVerifier{Keys: memberKeys{keys}, Replay: nonces{}, Skew: 5 * time.Second}
	result := make(chan error, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := sha512.New()
		_, err := io.Copy(h, r.Body)
		if err == nil {
			_, err = v.VerifyExchangeRequest(r.Context(), FromRequest(r), "MA/GOV/A", [64]byte(h.Sum(nil)))
		}
		result <- err
	}))
	defer srv.Close()
	r, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Trailer = http.Header{HeaderDigest: nil, HeaderInput: nil, HeaderSignature: nil}
	d, err := NewDigester(strings.NewReader(body), SHA512)
	if err != nil {
		t.Fatal(err)
	}
	out := Outgoing{Signer: signer, Head: []byte("POST\r\n"), Now: now, Streamed: true}
	r.Header.Set(HeaderHead, ":UE9TVA0K:")
	r.Body = io.NopCloser(io.MultiReader(d, readerFunc(func([]byte) (int, error) {
		out.BodySum = [64]byte(d.Sum())
		m := FromRequest(r)
		m.Header = m.Header.Clone() // already on its way
		if _, err := SignExchangeRequest(m, out); err != nil {
			return 0, err
		}
		return 0, io.EOF
	})))
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := <-result; err != nil {
		t.Error(err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestDigest(t *testing.T) {
	body := []byte(`{"hello": "world"}`)
	// The values that RFC 9421 and RFC 9530 print for this body.
	for a, want := range map[DigestAlgorithm]string{
		SHA256: "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
		SHA512: "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
	} {
		got, err := ContentDigest(a, body)
		if err != nil || got != want {
			t.Errorf("%s: %s %v", a, got, err)
		}
		if err := CheckDigest([]string{got}, body); err != nil {
			t.Error(err)
		}
		d, err := NewDigester(iotest.OneByteReader(bytes.NewReader(body)), a)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, d); err != nil || d.Value() != want {
			t.Errorf("streamed %s: %s %v", a, d.Value(), err)
		}
	}
	two := []string{"sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:", "md5=:AAAA:, sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"}
	if err := CheckDigest(two, body); err != nil {
		t.Error(err)
	}
	for _, bad := range [][]string{
		nil, {""}, {"sha-256"}, {"sha-256=:AAAA:"}, {"md5=:AAAA:"}, {"sha-256=X48E"}, {"sha-256=(:AAAA:)"}, {"sha-256=:!:"}, {strings.Repeat(" ", MaxField+1)},
		{strings.Replace(two[0], "X48E", "X49E", 1)}, {two[0], strings.Replace(two[1], "WZDP", "XZDP", 1)},
	} {
		if err := CheckDigest(bad, body); !errors.Is(err, ErrDigest) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
	for _, c := range []struct {
		body string
		want error
	}{{string(body), nil}, {string(body) + " ", ErrDigest}, {"", ErrDigest}, {string(body[1:]), ErrDigest}} {
		r, err := Verifier(iotest.HalfReader(strings.NewReader(c.body)), two)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%.20q: %v", c.body, err)
		}
	}
}

func FuzzDigest(f *testing.F) {
	f.Add("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:", []byte("x"))
	f.Fuzz(func(t *testing.T, field string, body []byte) {
		if CheckDigest([]string{field}, body) != nil {
			return
		}
		if CheckDigest([]string{field}, append(body, 0)) == nil {
			t.Fatalf("%q fits two bodies", field)
		}
	})
}
