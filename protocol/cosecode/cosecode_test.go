package cosecode

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"diwan/protocol/cosecode/sign1"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var errStranger = errors.New("an unknown issuer")

var kid = []byte{1, 2, 3, 4, 5, 6, 7, 8}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func wanting(key crypto.PublicKey) Want {
	return Want{Key: func(k []byte, issuer string) (crypto.PublicKey, error) {
		if string(k) != string(kid) || issuer != "https://issuer.example" {
			return nil, errStranger
		}
		return key, nil
	}}
}

func permit() *Document {
	return &Document{Issuer: "https://issuer.example", Type: "urn:example:permit:1", Number: "RAB-2026-000123",
		IssuedAt: now, NotBefore: now, Expires: now.AddDate(1, 0, 0), Status: &Status{123456, "https://issuer.example/status/7"},
		Claims: map[string]any{"family_name": "Benali", "given_name": "Salma", "decided": Date("2026-02-27"), "floors": int64(3),
			"land": "TF 12345/R", "place": "12, rue des Orangers, Rabat", "works": "Maison d'habitation", "before": Date("1956-04-07")}}
}

func encodeWell(t testing.TB, key crypto.Signer, d *Document) string {
	t.Helper()
	s, err := Encode(key, kid, d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRoundTrip(t *testing.T) {
	key := newKey(t)
	for _, d := range []*Document{permit(), {Issuer: "https://issuer.example", Type: "t", Number: "n", IssuedAt: now, Claims: map[string]any{}}} {
		s := encodeWell(t, key, d)
		if len(s) > 900 {
			t.Errorf("%d characters", len(s))
		}
		if i := strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune(alphabet, r) }); i >= 0 {
			t.Errorf("character %d is none of a QR code's alphanumeric mode", i)
		}
		got, err := Decode(s, wanting(key.Public()), now)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, d) {
			t.Errorf("got %+v, want %+v", got, d)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	key := newKey(t)
	good := encodeWell(t, key, permit())
	at := func(change func(*Document)) string {
		d := permit()
		change(d)
		return encodeWell(t, key, d)
	}
	want := wanting(key.Public())
	cases := []struct {
		name, text string
		want       error
	}{
		{"empty", "", ErrUnsupported},
		{"another prefix", "HC1:" + good[len(Prefix):], ErrUnsupported},
		{"prefix alone", Prefix, ErrForm},
		{"small letters", strings.ToLower(good), ErrUnsupported},
		{"shortened", good[:len(good)-3], ErrForm},
		{"a line's end", good + "\n", ErrForm},
		{"lengthened", good + "000", ErrForm},
		{"too long", Prefix + strings.Repeat("0", MaxText), ErrForm},
		{"another issuer", at(func(d *Document) { d.Issuer = "https://other.example" }), errStranger},
		{"expired", at(func(d *Document) { d.Expires = now }), ErrExpired},
		{"not yet", at(func(d *Document) { d.NotBefore = now.Add(time.Second) }), ErrNotYet},
		{"issued later", at(func(d *Document) { d.NotBefore = time.Time{}; d.IssuedAt = now.Add(time.Hour) }), ErrNotYet},
	}
	for _, c := range cases {
		d, err := Decode(c.text, want, now)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if (c.want == ErrExpired || c.want == ErrNotYet) != (d != nil) {
			t.Errorf("%s: the document is %v", c.name, d)
		}
	}
	if _, err := Decode(good, wanting(newKey(t).Public()), now); !errors.Is(err, ErrSignature) {
		t.Errorf("another key gives %v", err)
	}
	if _, err := Decode(good, Want{}, now); err == nil {
		t.Error("nobody found the key")
	}
	want.Leeway = time.Minute
	for _, c := range cases[len(cases)-3 : len(cases)-1] {
		if _, err := Decode(c.text, want, now); err != nil {
			t.Errorf("%s within the leeway: %v", c.name, err)
		}
	}
}

// text packs any message.
func text(t *testing.T, message []byte) string {
	t.Helper()
	b, err := pack(message)
	if err != nil {
		t.Fatal(err)
	}
	return Prefix + EncodeBase45(b)
}

// TestForged signs properly what is wrong in one thing.
func TestForged(t *testing.T) {
	key := newKey(t)
	payload, err := permit().payload()
	if err != nil {
		t.Fatal(err)
	}
	sign := func(protected, unprotected map[any]any, payload []byte) string {
		b, err := sign1.Sign(key, protected, unprotected, payload, false)
		if err != nil {
			t.Fatal(err)
		}
		return text(t, append([]byte{tagSign1}, b...))
	}
	headers := func() map[any]any { return map[any]any{sign1.LabelKeyID: kid, sign1.LabelType: Type} }
	with := func(label, value any) map[any]any {
		h := headers()
		h[label] = value
		return h
	}
	claim := func(change func(map[int64]any)) []byte {
		var m map[int64]any
		if err := cbor.Unmarshal(payload, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		b, err := encoder.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	set := func(v any) []byte {
		return claim(func(m map[int64]any) { m[-65537] = map[int64]any{1: "t", 2: "n", 3: map[string]any{"a": v}} })
	}
	long := append([]byte{payload[0], 0x18}, payload[1:]...) // the first label in two bytes
	detached, err := sign1.Sign(key, headers(), nil, payload, true)
	if err != nil {
		t.Fatal(err)
	}
	untagged, err := sign1.Sign(key, headers(), nil, payload, false)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, text string
		want       error
	}{
		{"nothing", sign(headers(), nil, payload), nil},
		{"a status list of the same key", sign(with(sign1.LabelType, "application/statuslist+cwt"), nil, payload), ErrUnsupported},
		{"no type", sign(map[any]any{sign1.LabelKeyID: kid}, nil, payload), ErrUnsupported},
		{"type of a number", sign(with(sign1.LabelType, 42), nil, payload), ErrUnsupported},
		{"no key's name", sign(map[any]any{sign1.LabelType: Type}, nil, payload), ErrForm},
		{"key's name not signed", sign(map[any]any{sign1.LabelType: Type}, map[any]any{sign1.LabelKeyID: kid}, payload), ErrForm},
		{"more headers", sign(with(int64(99), 1), nil, payload), ErrForm},
		{"headers not signed", sign(headers(), map[any]any{int64(99): 1}, payload), ErrForm},
		{"detached", text(t, append([]byte{tagSign1}, detached...)), ErrForm},
		{"no tag", text(t, untagged), ErrForm},
		{"unknown claim", sign(headers(), nil, claim(func(m map[int64]any) { m[7] = []byte{1} })), ErrForm},
		{"no issuer", sign(headers(), nil, claim(func(m map[int64]any) { delete(m, 1) })), ErrForm},
		{"no time of issue", sign(headers(), nil, claim(func(m map[int64]any) { delete(m, 6) })), ErrForm},
		{"expiry of a text", sign(headers(), nil, claim(func(m map[int64]any) { m[4] = "never" })), ErrForm},
		{"expiry of a fraction", sign(headers(), nil, claim(func(m map[int64]any) { m[4] = 1.5 })), ErrForm},
		{"expiry of null", sign(headers(), nil, claim(func(m map[int64]any) { m[4] = nil })), ErrForm},
		{"no set", sign(headers(), nil, claim(func(m map[int64]any) { delete(m, -65537) })), ErrForm},
		{"a list", sign(headers(), nil, set([]any{1})), ErrForm},
		{"a fraction", sign(headers(), nil, set(1.5)), ErrForm},
		{"a truth", sign(headers(), nil, set(true)), ErrForm},
		{"another tag", sign(headers(), nil, set(cbor.Tag{Number: 101, Content: 1})), ErrForm},
		{"a day beyond", sign(headers(), nil, set(cbor.Tag{Number: tagDays, Content: lastDay + 1})), ErrForm},
		{"a day of text", sign(headers(), nil, set(cbor.Tag{Number: tagDays, Content: "x"})), ErrForm},
		{"status without address", sign(headers(), nil, claim(func(m map[int64]any) { m[65535] = map[string]any{"status_list": map[string]any{"idx": 1}} })), ErrForm},
		{"another encoding", sign(headers(), nil, long), ErrForm},
		{"claim twice", sign(headers(), nil, []byte("\xa2\x01\x61a\x01\x61b")), ErrForm},
		{"more after the claims", sign(headers(), nil, append(payload[:len(payload):len(payload)], 0)), ErrForm},
		{"a bomb", text(t, make([]byte, 1<<20)), ErrForm},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if len(c.text) > MaxText {
				t.Fatalf("%d characters", len(c.text))
			}
			if _, err := Decode(c.text, wanting(key.Public()), now); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestPhotocopy changes one claim and keeps the signature.
func TestPhotocopy(t *testing.T) {
	key := newKey(t)
	s := encodeWell(t, key, permit())
	packed, err := DecodeBase45(s[len(Prefix):])
	if err != nil {
		t.Fatal(err)
	}
	b, err := unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(b), "Benali", "Benani", 1)
	if changed == string(b) {
		t.Fatal("nothing was changed")
	}
	if _, err := Decode(text(t, []byte(changed)), wanting(key.Public()), now); !errors.Is(err, ErrSignature) {
		t.Errorf("a changed name gives %v", err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	key := newKey(t)
	cases := map[string]func(*Document){
		"no issuer":       func(d *Document) { d.Issuer = "" },
		"no type":         func(d *Document) { d.Type = "" },
		"no number":       func(d *Document) { d.Number = "" },
		"no time":         func(d *Document) { d.IssuedAt = time.Time{} },
		"before all time": func(d *Document) { d.Expires = time.Unix(-5, 0) },
		"int":             func(d *Document) { d.Claims["a"] = 1 },
		"bytes":           func(d *Document) { d.Claims["a"] = []byte{1} },
		"no day":          func(d *Document) { d.Claims["a"] = Date("2026-02-30") },
		"the year null":   func(d *Document) { d.Claims["a"] = Date("0000-01-01") },
		"not UTF-8":       func(d *Document) { d.Claims["a"] = "\xff" },
		"long text":       func(d *Document) { d.Claims["a"] = strings.Repeat("a", maxValue+1) },
		"no name":         func(d *Document) { d.Claims[""] = "a" },
		"many claims": func(d *Document) {
			for i := range maxClaims {
				d.Claims[fmt.Sprint("a", i)] = int64(i)
			}
		},
		"no status address": func(d *Document) { d.Status.URI = "" },
		"too much": func(d *Document) {
			for i := range 8 {
				b := make([]byte, maxValue/2)
				_, _ = rand.Read(b)
				d.Claims[fmt.Sprint("a", i)] = fmt.Sprintf("%x", b)
			}
		},
	}
	for name, change := range cases {
		d := permit()
		change(d)
		if _, err := Encode(key, kid, d); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	for _, k := range [][]byte{nil, make([]byte, maxKeyID+1)} {
		if _, err := Encode(key, k, permit()); err == nil {
			t.Errorf("a key's name of %d bytes is written", len(k))
		}
	}
}

func TestKeyID(t *testing.T) {
	key := newKey(t)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err == nil {
		c, err = x509.ParseCertificate(der)
	}
	if err != nil || len(KeyID(c)) != 8 {
		t.Fatal(err)
	}
}

// TestBase45 holds the examples of RFC 9285 §4.3 and §4.4 and the limits of §6.
func TestBase45(t *testing.T) {
	for plain, coded := range map[string]string{"": "", "AB": "BB8", "Hello!!": "%69 VD92EX0", "base-45": "UJCLQE7W581", "ietf!": "QED8WEX0", "\xff\xff": "FGW", "\xff": "U5", "\x00": "00"} {
		if got := EncodeBase45([]byte(plain)); got != coded {
			t.Errorf("%q gives %q, want %q", plain, got, coded)
		}
		if got, err := DecodeBase45(coded); err != nil || string(got) != plain {
			t.Errorf("%q gives %q, %v, want %q", coded, got, err, plain)
		}
	}
	for _, s := range []string{"A", "AAAA", "GGW", ":::", "V5", "::", "aa", "A\xc3\x84", "A\n", "=00"} {
		if b, err := DecodeBase45(s); !errors.Is(err, ErrForm) {
			t.Errorf("%q gives %x, %v", s, b, err)
		}
	}
}

func FuzzBase45(f *testing.F) {
	for _, s := range []string{"BB8", "%69 VD92EX0", ":::", "GGW", "V5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := DecodeBase45(s)
		if err == nil && EncodeBase45(b) != s {
			t.Errorf("%q is a second form of %x", s, b)
		}
		if again, err := DecodeBase45(EncodeBase45([]byte(s))); err != nil || string(again) != s {
			t.Errorf("%q comes back as %q, %v", s, again, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	key := newKey(f)
	good := encodeWell(f, key, permit())
	for _, s := range []string{good, Prefix, "HC1:", Prefix + "BB8", good[:100]} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := Decode(s, wanting(key.Public()), now)
		if err == nil && !reflect.DeepEqual(d, permit()) {
			t.Errorf("%q is forged", s)
		}
	})
}

// FuzzPayload reaches the claims, which the layers above keep from random bytes.
func FuzzPayload(f *testing.F) {
	good, err := permit().payload()
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range [][]byte{good, {}, {0xa0}, []byte("\xa2\x01\x61a\x01\x61b"), []byte("\xa1\x3a\x00\x01\x00\x00\xa3\x01\x61t\x02\x61n\x03\xa1\x61a\xd8\x64\x01")} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parsePayload(b)
		if err != nil {
			if !errors.Is(err, ErrForm) {
				t.Error(err)
			}
			return
		}
		if again, err := d.payload(); err != nil || string(again) != string(b) {
			t.Errorf("%x is written as %x, %v", b, again, err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	key, d := newKey(b), permit()
	for b.Loop() {
		if _, err := Encode(key, kid, d); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(encodeWell(b, key, d))), "characters")
}

func BenchmarkDecode(b *testing.B) {
	key := newKey(b)
	s := encodeWell(b, key, permit())
	for b.Loop() {
		if _, err := Decode(s, wanting(key.Public()), now); err != nil {
			b.Fatal(err)
		}
	}
}
