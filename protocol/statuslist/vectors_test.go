package statuslist

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/go-jose/go-jose/v4"

	"diwan/internal/beside"
	"diwan/protocol/jws"
)

type vectors struct {
	Small []struct {
		Bits     int
		BytesHex string `json:"bytes_hex"`
		JSON     struct{ Lst string }
		CBORHex  string `json:"cbor_hex"`
		Statuses []Value
	}
	Long []struct {
		Bits, Entries int
		Statuses      []struct {
			Index  int   `json:"idx"`
			Status Value `json:"value"`
		}
		JSON    struct{ Lst string }
		CBORHex string `json:"cbor_hex"`
	}
	Tokens struct {
		Key jose.JSONWebKey
		JWT struct{ Compact string } `json:"status_list_jwt"`
		CWT struct{ Hex string }     `json:"status_list_cwt"`
		Ref struct{ Hex string }     `json:"referenced_token_cwt"`
		SD  struct{ Payload any }    `json:"referenced_token_sd_jwt"`
	}
}

func readVectors(t testing.TB) (v vectors) {
	t.Helper()
	found, err := beside.Find("vectors/statuslist/status-list-vectors.json")
	if err != nil {
		t.Skip("the vectors are absent: ", err)
	}
	b, err := os.ReadFile(filepath.Clean(found))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func fromHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bothForms unpacks the list in its JSON and its CBOR form.
func bothForms(t *testing.T, bits int, lst, cborHex string) []*List {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(lst)
	if err != nil {
		t.Fatal(err)
	}
	var c cwtList
	if err := decoding.Unmarshal(fromHex(t, cborHex), &c); err != nil {
		t.Fatal(err)
	}
	var out []*List
	for _, p := range []Packed{{bits, data}, {int(c.Bits), c.List}} {
		l, err := p.Unpack(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

func TestVectorsSmall(t *testing.T) {
	for _, e := range readVectors(t).Small {
		own, err := New(len(e.Statuses), e.Bits)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range e.Statuses {
			if err := own.Set(i, s); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(own.Bytes(), fromHex(t, e.BytesHex)) {
			t.Errorf("%d bits: %x, want %s", e.Bits, own.Bytes(), e.BytesHex)
		}
		for _, l := range bothForms(t, e.Bits, e.JSON.Lst, e.CBORHex) {
			if !bytes.Equal(l.Bytes(), own.Bytes()) {
				t.Errorf("%d bits: %x, want %x", e.Bits, l.Bytes(), own.Bytes())
			}
		}
	}
}

func TestVectorsLong(t *testing.T) {
	for _, e := range readVectors(t).Long {
		want, err := New(e.Entries, e.Bits)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range e.Statuses {
			if err := want.Set(s.Index, s.Status); err != nil {
				t.Fatal(err)
			}
		}
		p, err := want.Pack()
		if err != nil {
			t.Fatal(err)
		}
		again, err := p.Unpack(e.Entries)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range append(bothForms(t, e.Bits, e.JSON.Lst, e.CBORHex), again) {
			if l.Len() != e.Entries || !bytes.Equal(l.Bytes(), want.Bytes()) {
				t.Errorf("%d bits, %d entries: another list", e.Bits, l.Len())
			}
		}
		if _, err := p.Unpack(e.Entries - 8); !errors.Is(err, ErrLarge) {
			t.Errorf("unpacked beyond the limit: %v", err)
		}
	}
}

func TestVectorTokens(t *testing.T) {
	v := readVectors(t)
	p := Policy{
		URI: "https://example.com/statuslists/1", Now: time.Unix(1686920170, 0),
		Key: func(h jws.Header, _ string) (crypto.PublicKey, error) {
			if h.Kid != "12" || h.Alg != jws.ES256 {
				t.Errorf("header %+v", h)
			}
			return v.Tokens.Key.Public().Key, nil
		},
	}
	for media, token := range map[string][]byte{MediaJWT: []byte(v.Tokens.JWT.Compact), MediaCWT: fromHex(t, v.Tokens.CWT.Hex)} {
		got, err := Verify(media, token, p)
		if err != nil {
			t.Errorf("%s: %v", media, err)
			continue
		}
		if got.TTL != 12*time.Hour || got.IssuedAt.Unix() != 1686920170 || got.Expires.Unix() != 2291720170 || got.List.Bits() != 1 {
			t.Errorf("%s: %+v", media, got)
		}
		for i, want := range v.Small[0].Statuses {
			if s, err := got.Status(Reference{Index: i, URI: p.URI}); err != nil || s != want {
				t.Errorf("%s: status %d is %s, %v, want %s", media, i, s, err, want)
			}
		}
	}
}

func TestVectorReferences(t *testing.T) {
	v := readVectors(t)
	payload, _ := v.Tokens.SD.Payload.(map[string]any)
	want := Reference{URI: "https://example.com/statuslists/1"}
	if got, err := FromClaim(payload["status"]); err != nil || got != want {
		t.Errorf("in JSON: %+v, %v", got, err)
	}
	// The claims are the third of the four parts of COSE_Sign1.
	var tag cbor.RawTag
	var parts []cbor.RawMessage
	var encoded []byte
	var claims map[int64]any
	if err := cbor.Unmarshal(fromHex(t, v.Tokens.Ref.Hex), &tag); err != nil {
		t.Fatal(err)
	}
	if err := cbor.Unmarshal(tag.Content, &parts); err != nil {
		t.Fatal(err)
	}
	if err := cbor.Unmarshal(parts[2], &encoded); err != nil {
		t.Fatal(err)
	}
	if err := cbor.Unmarshal(encoded, &claims); err != nil {
		t.Fatal(err)
	}
	if got, err := FromClaim(claims[65535]); err != nil || got != want {
		t.Errorf("in CBOR: %+v, %v", got, err)
	}
}
