package mdoc

import (
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// TestStrictForm checks CBOR that says one thing in two ways.
func TestStrictForm(t *testing.T) {
	cases := map[string]string{
		"empty":                "",
		"null":                 "\xf6",
		"a name twice":         "\xa2\x61a\x01\x61a\x02",
		"indefinite length":    "\xbf\x61a\x01\xff",
		"followed by more":     "\xa0\xa0",
		"nested deep":          strings.Repeat("\x81", 40) + "\x01",
		"claims a huge length": "\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
		"a huge array":         "\x9a\x7f\xff\xff\xff",
		"too large":            strings.Repeat("\x00", MaxBytes+1),
		"a bignum":             "\xc2\x41\x01",
	}
	for name, s := range cases {
		if _, err := Parse([]byte(s)); !errors.Is(err, ErrForm) {
			t.Errorf("%s: issued: %v", name, err)
		}
		if _, err := ParseResponse([]byte(s)); !errors.Is(err, ErrForm) && !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: answer: %v", name, err)
		}
	}
	var s byteString
	if err := decode([]byte{0x82, 1, 2}, &s); err == nil {
		t.Error("an array is read as a byte string")
	}
	var e encoded
	for _, b := range []string{"\xd8\x19\x41\xa0", "\xd8\x18\x81\x01", "\x41\xa0"} {
		if err := decode([]byte(b), &e); err == nil {
			t.Errorf("%x is read as encoded CBOR", b)
		}
	}
	for _, b := range []string{"\xa0", "\xa4\x01\x02\x20\x61x\x21\x41\x01\x22\x41\x01", "\xa4\x01\x02\x20\x01\x21\x41\x01\x22\xf5"} {
		var k coseKey
		if err := decode([]byte(b), &k); err == nil {
			t.Errorf("%x is read as a key", b)
		}
	}
}

func TestPrivateDeviceKey(t *testing.T) {
	key := newKey(t, elliptic.P256())
	b, err := encoder.Marshal(coseKey{&key.PublicKey})
	if err != nil {
		t.Fatal(err)
	}
	var fields map[int64]any
	if err := decode(b, &fields); err != nil {
		t.Fatal(err)
	}
	fields[-4] = make([]byte, coordinate)
	b, _ = encoder.Marshal(fields)
	var k coseKey
	if err := decode(b, &k); err == nil {
		t.Error("a private key is read")
	}
	delete(fields, -4)
	fields[-3] = make([]byte, coordinate)
	b, _ = encoder.Marshal(fields)
	if err := decode(b, &k); err == nil {
		t.Error("a point off the curve is read")
	}
}

func TestJSON(t *testing.T) {
	cases := map[string]string{
		"\xd9\x03\xec\x6a2026-03-01":              `"2026-03-01"`,
		"\xc0\x742026-03-01T10:00:00Z":            `"2026-03-01T10:00:00Z"`,
		"\x43\xfb\xff\x00":                        `"-_8A"`,
		"\xf9\x7e\x00":                            `null`,
		"\xf7":                                    `null`,
		"\xa2\x01\x61a\x61b\x82\x20\xf5":          `{"1":"a","b":[-1,true]}`,
		"\xd8\x20\x6bhttps://a.b":                 `"https://a.b"`,
		"\x1b\x7f\xff\xff\xff\xff\xff\xff\xff":    `9223372036854775807`,
		"\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00":    `1.5`,
		"\x82\xa1\x61a\xd9\x03\xec\x6a2026-03-01": "",
	}
	for in, want := range cases {
		v, err := decodeValue([]byte(in))
		if want == "" {
			if err == nil {
				t.Errorf("%x is read", in)
			}
			continue
		}
		if err != nil {
			t.Errorf("%x: %v", in, err)
			continue
		}
		if b, err := json.Marshal(JSON(v)); err != nil || string(b) != want {
			t.Errorf("%x gives %s, %v, want %s", in, b, err, want)
		}
	}
	for _, in := range []string{"\xa2\x01\x61a\x611\x61b", "\xa1\xf5\x01", "\xd9\x03\xec\x01", "\xe0", "\x1b\xff\xff\xff\xff\xff\xff\xff\xff", "\x61\xff", "\xc0\x61x"} {
		if v, err := decodeValue([]byte(in)); err == nil {
			t.Errorf("%x gives %v", in, v)
		}
	}
	if NewDate(now) != "2026-03-01" {
		t.Error(NewDate(now))
	}
}
