package sdjwt

import (
	"crypto"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/internal/beside"
	"diwan/protocol/jws"
)

var both = jws.Want{Types: []string{"example+sd-jwt", TypeVC}}

// vectorFile reads a published vector beside the project, or skips the test.
func vectorFile(t testing.TB, place string) []byte {
	t.Helper()
	found, err := beside.Find(place)
	if err != nil {
		t.Skip("the vectors are absent: ", err)
	}
	b, err := os.ReadFile(filepath.Clean(found))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type vectors struct {
	IssuerKey jose.JSONWebKey `json:"issuer_key"`
	HolderKey jose.JSONWebKey `json:"holder_key"`
	Examples  []struct {
		Name, Kind, Compact string
		Disclosures         []struct {
			Encoded, SHA256 string
			Contents        []any
		}
		Processed json.RawMessage `json:"processed_payload"`
		Binding   struct {
			Payload struct {
				Nonce, Aud string
				Iat        int64
			}
		} `json:"key_binding"`
	}
	Digests []struct {
		Disclosure, SHA256 string
		Contents           []any
	} `json:"disclosure_digests"`
}

func readVectors(t testing.TB, name string) (v vectors) {
	if err := json.Unmarshal(vectorFile(t, "vectors/sd-jwt/"+name), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func issuedBy(key crypto.PublicKey) func(jws.Header, map[string]any) (crypto.PublicKey, error) {
	return func(jws.Header, map[string]any) (crypto.PublicKey, error) { return key, nil }
}

// same compares two values by what they are as JSON.
func same(t *testing.T, got any, want []byte) {
	t.Helper()
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var g, w any
	if err := errors.Join(json.Unmarshal(b, &g), json.Unmarshal(want, &w)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("claims\n%s\nwant\n%s", b, want)
	}
}

func TestVectors(t *testing.T) {
	for _, file := range []string{"rfc9901-examples.json", "sd-jwt-vc-18-examples.json"} {
		v := readVectors(t, file)
		for _, e := range v.Examples {
			t.Run(e.Name, func(t *testing.T) {
				token, err := Parse(e.Compact, both)
				if e.Kind == "issuer-signed-jwt" {
					if !errors.Is(err, ErrForm) {
						t.Errorf("a JWS without a tilde: %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				p := Policy{Key: issuedBy(v.IssuerKey.Public().Key), Now: time.Unix(1750000000, 0)}
				if e.Kind == "sd-jwt+kb" {
					kb := e.Binding.Payload
					p.Now = time.Unix(kb.Iat+10, 0)
					p.Binding = &Binding{Audience: kb.Aud, Nonce: kb.Nonce}
				}
				got, err := token.Verify(p)
				if err != nil {
					t.Fatal(err)
				}
				same(t, got.Claims, e.Processed)
				if token.String() != e.Compact || len(got.Disclosed) != len(e.Disclosures) {
					t.Errorf("%d disclosures, want %d", len(got.Disclosed), len(e.Disclosures))
				}
				for i, d := range e.Disclosures {
					if token.Disclosures[i].Encoded != d.Encoded || d.SHA256 != "" && token.Disclosures[i].digest != d.SHA256 {
						t.Errorf("disclosure %d is %+v, want %v", i, token.Disclosures[i], d)
					}
				}
			})
		}
	}
}

func TestVectorDigests(t *testing.T) {
	for _, d := range readVectors(t, "rfc9901-examples.json").Digests {
		got, err := readDisclosure(d.Disclosure, crypto.SHA256)
		if err != nil {
			t.Errorf("%s: %v", d.Disclosure, err)
			continue
		}
		if got.digest != d.SHA256 || got.Salt != d.Contents[0] || got.Element != (len(d.Contents) == 2) {
			t.Errorf("%s: got %+v, want %v", d.Disclosure, got, d)
		}
	}
}

// TestVectorVCLD verifies the example of OpenID4VP 1.0, which is complete.
func TestVectorVCLD(t *testing.T) {
	v := readVectors(t, "rfc9901-examples.json")
	const dir = "vectors/oid4vp/sd_jwt_vcld/01/"
	read := func(name string) []byte { return vectorFile(t, dir+name) }
	var kb struct {
		Nonce, Aud string
		Iat        int64
	}
	if err := json.Unmarshal(read("kb_jwt_payload.json"), &kb); err != nil {
		t.Fatal(err)
	}
	compact := strings.Join(strings.Fields(string(read("sd_jwt_presentation.txt"))), "")
	token, err := Parse(compact, both)
	if err != nil {
		t.Fatal(err)
	}
	got, err := token.Verify(Policy{
		Key: issuedBy(v.IssuerKey.Public().Key), Now: time.Unix(kb.Iat, 0),
		Binding: &Binding{Audience: kb.Aud, Nonce: kb.Nonce},
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, got.Claims, read("verified_contents.json"))
}

// TestVectorIssue issues the claims of the published examples anew, the same places
// hidden. The text of a disclosure is the issuer's to choose, so digests differ and
// claims agree.
func TestVectorIssue(t *testing.T) {
	v := readVectors(t, "rfc9901-examples.json")
	for _, e := range v.Examples {
		if e.Kind != "sd-jwt" {
			continue
		}
		token, err := Parse(e.Compact, both)
		if err != nil {
			t.Fatal(err)
		}
		i := Issuance{Header: jws.Header{Typ: token.Header.Typ}, Hash: SHA256, Random: rand.NewChaCha8([32]byte{})}
		if err := json.Unmarshal(e.Processed, &i.Claims); err != nil {
			t.Fatal(err)
		}
		for _, d := range token.Disclosures {
			i.Disclosable = append(i.Disclosable, d.Path)
		}
		compact, err := Issue(v.IssuerKey.Key.(crypto.Signer), i)
		if err != nil {
			t.Fatalf("%s: %v", e.Name, err)
		}
		again, err := Parse(compact, both)
		if err != nil {
			t.Fatalf("%s: %v", e.Name, err)
		}
		same(t, again.Unverified(), e.Processed)
		if len(again.Disclosures) != len(token.Disclosures) {
			t.Errorf("%s: %d disclosures, want %d", e.Name, len(again.Disclosures), len(token.Disclosures))
		}
	}
}
