package vci

import (
	"bytes"
	"crypto"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"diwan/internal/beside"
	"diwan/protocol/jws"
)

const smallest = `{"credential_issuer":"` + issuer + `","credential_endpoint":"` + issuer + `/c","credential_configurations_supported":{"a":{"format":"dc+sd-jwt","vct":"urn:x:1"}}}`

func TestMetadata(t *testing.T) {
	change := func(old, new string) string { return strings.Replace(smallest, old, new, 1) }
	more := func(s string) string { return strings.TrimSuffix(smallest, "}") + s + "}" }
	cases := []struct {
		name, text string
		ok         bool
	}{
		{"smallest", smallest, true},
		{"unknown members", more(`,"x":[1]`), true},
		{"another issuer", change(issuer, issuer+"/"), false},
		{"no endpoint", change(`"credential_endpoint"`, `"x"`), false},
		{"plain endpoint", change(issuer+"/c", "http://issuer.example.com/c"), false},
		{"plain nonce endpoint", more(`,"nonce_endpoint":"http://issuer.example.com"`), false},
		{"empty servers", more(`,"authorization_servers":[]`), false},
		{"plain server", more(`,"authorization_servers":["http://a.example"]`), false},
		{"no configurations", change(`"credential_configurations_supported"`, `"x"`), false},
		{"no format", change(`"format":"dc+sd-jwt",`, ``), false},
		{"no vct", change(`"vct"`, `"x"`), false},
		{"no doctype", change(`dc+sd-jwt`, `mso_mdoc`), false},
		{"proofs without binding", change(`"vct"`, `"proof_types_supported":{"jwt":{"proof_signing_alg_values_supported":["ES256"]}},"vct"`), false},
		{"proofs without algorithms", change(`"vct"`, `"cryptographic_binding_methods_supported":["jwk"],"proof_types_supported":{"jwt":{}},"vct"`), false},
		{"batch of one", more(`,"batch_credential_issuance":{"batch_size":1}`), false},
		{"batch", more(`,"batch_credential_issuance":{"batch_size":2}`), true},
		{"a language twice", more(`,"display":[{"name":"a","locale":"fr"},{"name":"b","locale":"FR"}]`), false},
		{"logo without address", more(`,"display":[{"name":"a","logo":{}}]`), false},
		{"no key to encrypt to", more(`,"credential_request_encryption":{"jwks":{"keys":[]},"enc_values_supported":["A128GCM"],"encryption_required":true}`), false},
		{"no response alg", more(`,"credential_response_encryption":{"enc_values_supported":["A128GCM"],"encryption_required":true}`), false},
		{"bad path", change(`"vct"`, `"credential_metadata":{"claims":[{"path":[]}]},"vct"`), false},
		{"name twice", more(`,"credential_issuer":"` + issuer + `"`), false},
	}
	for _, c := range cases {
		if _, err := ParseMetadata([]byte(c.text), issuer); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrMetadata) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	m, err := ParseMetadata([]byte(smallest), issuer)
	if err != nil || m.BatchSize() != 1 || m.Configurations["a"].Bound() {
		t.Fatal(m, err)
	}
	if s, err := m.Server(""); err != nil || s != issuer {
		t.Errorf("got %s, %v", s, err)
	}
	m.AuthorizationServers = []string{"https://a.example", "https://b.example"}
	for hint, want := range map[string]string{"": "https://a.example", "https://b.example": "https://b.example", "https://c.example": ""} {
		if s, err := m.Server(hint); s != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s, %v", hint, s, err)
		}
	}
}

func TestSignedMetadata(t *testing.T) {
	key := newKey(t)
	m, err := ParseMetadata([]byte(smallest), issuer)
	if err != nil {
		t.Fatal(err)
	}
	check := SignedCheck{Issuer: issuer, Now: noon, Trust: func(jws.Header, string) (crypto.PublicKey, error) { return key.Public(), nil }}
	text, err := m.Sign(key, jws.Header{Kid: "k"}, noon, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := OpenMetadata(text, check); err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("got %+v, %v", got, err)
	}
	body := func(change func(map[string]any)) string {
		var c map[string]any
		if err := json.Unmarshal([]byte(smallest), &c); err != nil {
			t.Fatal(err)
		}
		c["sub"], c["iat"] = issuer, noon.Unix()
		change(c)
		return sign(t, key, jws.Header{Typ: metadataType}, c)
	}
	for name, c := range map[string]struct {
		text   string
		change func(*SignedCheck)
	}{
		"another sub": {body(func(c map[string]any) { c["sub"] = "x" }), nil},
		"no sub":      {body(func(c map[string]any) { delete(c, "sub") }), nil},
		"no iat":      {body(func(c map[string]any) { delete(c, "iat") }), nil},
		"iat to come": {body(func(c map[string]any) { c["iat"] = noon.Add(time.Hour).Unix() }), nil},
		"expired":     {body(func(c map[string]any) { c["exp"] = noon.Unix() }), nil},
		"another typ": {sign(t, key, jws.Header{Typ: "JWT"}, m), nil},
		"a stranger":  {sign(t, newKey(t), jws.Header{Typ: metadataType}, m), nil},
		"nobody":      {text, func(c *SignedCheck) { c.Trust = nil }},
		"untrusted": {text, func(c *SignedCheck) {
			c.Trust = func(jws.Header, string) (crypto.PublicKey, error) { return nil, errors.New("no") }
		}},
		"rubbish":      {"a.b.c", nil},
		"other issuer": {text, func(c *SignedCheck) { c.Issuer = "https://other.example" }},
	} {
		check := check
		if c.change != nil {
			c.change(&check)
		}
		if _, err := OpenMetadata(c.text, check); !errors.Is(err, ErrSigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPublished reads the examples of OpenID4VCI 1.0. Tokens in them are shortened or
// wrapped over lines; what is left out is said beside.
func TestPublished(t *testing.T) {
	dir, err := beside.Find("vectors/oid4vci")
	if err != nil {
		t.Skip("the examples of OpenID4VCI are absent: ", err)
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.IndexByte(b, '{'); bytes.HasPrefix(bytes.TrimSpace(b), []byte("HTTP/")) {
			b = b[i:]
		}
		return b
	}
	for name, tx := range map[string]bool{"credential_offer_authz_code.txt": false, "credential_offer_by_reference.json": true,
		"credential_offer_multiple_credentials.json": true, "credential_offer_pre-authz_code.json": true} {
		o, err := ParseOffer(read(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if g := o.PreAuthorized(); (g != nil && g.TxCode != nil) != tx {
			t.Errorf("%s: %+v", name, o)
		}
	}
	for _, name := range []string{"authorization_details.json", "authorization_details_jwt_vc_json.json", "authorization_details_ldp_vc.json",
		"authorization_details_mso_doc.json", "authorization_details_multiple_credentials.json", "authorization_details_sd_jwt_vc.json", "authorization_details_with_as.json"} {
		location := ""
		if strings.Contains(name, "with_as") {
			location = "https://credential-issuer.example.com"
		}
		if list, err := ParseDetails(read(name), location); err != nil || len(list) == 0 {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
	const published = "https://credential-issuer.example.com"
	m, err := ParseMetadata(read("credential_issuer_metadata_sd_jwt_long.json"), published)
	if err != nil {
		t.Fatal(err)
	}
	if m.BatchSize() != 10 || len(m.RequestEncryption.JWKS.Keys) != 1 || m.NonceEndpoint == "" || len(m.Configurations) != 1 {
		t.Errorf("read %+v", m)
	}
	if _, _, err := m.Body(CredentialRequest{Configuration: "SD_JWT_VC_example_in_OpenID4VCI"}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"credential_metadata_jwt_vc_json.json", "credential_metadata_ldp_vc.json", "credential_metadata_mso_mdoc.json", "credential_metadata_sd_jwt_vc.json"} {
		var part Metadata
		if err := json.Unmarshal(read(name), &part); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		part.Issuer, part.CredentialEndpoint = issuer, issuer+"/c"
		// The example for ldp_vc lists a binding method and no proofs, that for mdoc too.
		if err := part.Check(); err != nil || len(part.Configurations) != 1 {
			t.Errorf("%s: %+v, %v", name, part, err)
		}
	}
	signed := string(bytes.Join(bytes.Fields(read("credential_issuer_metadata_sd_jwt_jwt.txt")), nil))
	_, err = OpenMetadata(signed, SignedCheck{Issuer: published, Now: noon, Trust: func(h jws.Header, _ string) (crypto.PublicKey, error) { return h.Key(), nil }})
	if err != nil {
		t.Errorf("signed metadata: %v", err)
	}
	for name, ok := range map[string]bool{"credential_response_mso_mdoc.txt": true, "credential_response_ldp_vc.txt": false} {
		if _, err := ParseResponse(read(name), 1); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"credential_response_jwt_vc_json.txt", "credential_response_sd_jwt_vc.txt"} {
		if r, err := ParseResponse(unwrap(read(name)), 1); err != nil || len(r.Credentials) != 1 {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	// The request is of an early draft, which named format and doctype: refused.
	if _, err := ParseRequest(read("credential_request_iso_mdl.json"), RequestCheck{}); !errors.Is(err, InvalidCredentialRequest) {
		t.Errorf("got %v", err)
	}
}

// unwrap takes out the line breaks that the examples have within texts.
func unwrap(b []byte) []byte { return bytes.Join(bytes.Fields(b), nil) }
