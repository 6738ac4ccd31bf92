package vci

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"diwan/protocol/oauth"
	"diwan/protocol/openid4/jwe"
)

const grants = `"urn:ietf:params:oauth:grant-type:pre-authorized_code"`

func offer(more string) string {
	return `{"credential_issuer":"` + issuer + `","credential_configuration_ids":["a"]` + more + `}`
}

func TestOffer(t *testing.T) {
	cases := []struct {
		name, text string
		ok, code   bool
	}{
		{"no grants", offer(``), true, false},
		{"null grants", offer(`,"grants":null`), true, false},
		{"empty grants", offer(`,"grants":{}`), true, false},
		{"unknown grants", offer(`,"grants":{"x":{"tx_code":1}}`), true, false},
		{"empty code grant", offer(`,"grants":{"authorization_code":{}}`), true, false},
		{"no tx_code", offer(`,"grants":{` + grants + `:{"pre-authorized_code":"x"}}`), true, false},
		{"empty tx_code", offer(`,"grants":{` + grants + `:{"pre-authorized_code":"x","tx_code":{}}}`), true, true},
		{"full tx_code", offer(`,"grants":{` + grants + `:{"pre-authorized_code":"x","tx_code":{"input_mode":"text","length":6,"description":"` + strings.Repeat("\u00e9", 300) + `"}}}`), true, true},
		{"null tx_code", offer(`,"grants":{` + grants + `:{"pre-authorized_code":"x","tx_code":null}}`), false, false},
		{"tx_code true", offer(`,"grants":{` + grants + `:{"pre-authorized_code":"x","tx_code":true}}`), false, false},
		{"input_mode", offer(`,"grants":{` + grants + `:{"pre-authorized_code":"x","tx_code":{"input_mode":"voice"}}}`), false, false},
		{"negative length", offer(`,"grants":{` + grants + `:{"pre-authorized_code":"x","tx_code":{"length":-1}}}`), false, false},
		{"huge length", offer(`,"grants":{` + grants + `:{"pre-authorized_code":"x","tx_code":{"length":1000000}}}`), false, false},
		{"long description", offer(`,"grants":{` + grants + `:{"pre-authorized_code":"x","tx_code":{"description":"` + strings.Repeat("a", 301) + `"}}}`), false, false},
		{"no code", offer(`,"grants":{` + grants + `:{}}`), false, false},
		{"long code", offer(`,"grants":{` + grants + `:{"pre-authorized_code":"` + strings.Repeat("a", maxCode+1) + `"}}`), false, false},
		{"no issuer", `{"credential_configuration_ids":["a"]}`, false, false},
		{"plain issuer", `{"credential_issuer":"http://issuer.example.com","credential_configuration_ids":["a"]}`, false, false},
		{"issuer with a query", `{"credential_issuer":"` + issuer + `?a","credential_configuration_ids":["a"]}`, false, false},
		{"no configurations", `{"credential_issuer":"` + issuer + `"}`, false, false},
		{"empty configurations", `{"credential_issuer":"` + issuer + `","credential_configuration_ids":[]}`, false, false},
		{"a configuration twice", `{"credential_issuer":"` + issuer + `","credential_configuration_ids":["a","a"]}`, false, false},
		{"an empty configuration", `{"credential_issuer":"` + issuer + `","credential_configuration_ids":[""]}`, false, false},
		{"name twice", offer(`,"credential_issuer":"https://other.example"`), false, false},
		{"too large", offer(`,"x":"` + strings.Repeat("a", maxOffer) + `"`), false, false},
		{"a signed text", "eyJhbGciOiJub25lIn0.e30.", false, false},
	}
	for _, c := range cases {
		o, err := ParseOffer([]byte(c.text))
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrOffer) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil {
			continue
		}
		if g := o.PreAuthorized(); (g != nil && g.TxCode != nil) != c.code {
			t.Errorf("%s: a code is asked for: %v", c.name, !c.code)
		}
		link, err := o.Link(OfferScheme)
		if err != nil {
			t.Fatal(err)
		}
		if again, ref, err := ParseLink(link); err != nil || ref != "" || !reflect.DeepEqual(again, o) {
			t.Errorf("%s: its link %s gives %+v, %v", c.name, link, again, err)
		}
	}
}

func TestLinks(t *testing.T) {
	link, err := LinkTo(OfferSchemeHAIP, issuer+"/offers/a")
	if err != nil {
		t.Fatal(err)
	}
	if o, ref, err := ParseLink(link); err != nil || o != nil || !strings.HasPrefix(ref, issuer+"/offers/") {
		t.Errorf("%s: %v, %s, %v", link, o, ref, err)
	}
	if s, err := LinkTo("https://wallet.example/open?x=1", issuer); err != nil || !strings.HasPrefix(s, "https://wallet.example/open?x=1&credential_offer_uri=") {
		t.Errorf("got %s, %v", s, err)
	}
	for name, s := range map[string]string{
		"both":          OfferScheme + "?credential_offer=%7B%7D&credential_offer_uri=https%3A%2F%2Fa.example",
		"neither":       OfferScheme + "?x=1",
		"no query":      OfferScheme,
		"twice":         OfferScheme + "?credential_offer_uri=https%3A%2F%2Fa.example&credential_offer_uri=https%3A%2F%2Fb.example",
		"plain address": OfferScheme + "?credential_offer_uri=http%3A%2F%2Fa.example",
		"file":          OfferScheme + "?credential_offer_uri=file%3A%2F%2F%2Fetc%2Fpasswd",
		"bad escape":    OfferScheme + "?credential_offer_uri=%zz",
		"bad offer":     OfferScheme + "?credential_offer=%7B%7D",
		"too long":      OfferScheme + "?x=" + strings.Repeat("a", 3*maxOffer),
	} {
		if _, _, err := ParseLink(s); !errors.Is(err, ErrOffer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := LinkTo(OfferScheme, "http://a.example"); !errors.Is(err, ErrOffer) {
		t.Errorf("got %v", err)
	}
}

func TestParseRequest(t *testing.T) {
	key, err := jwe.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	pub := key.Public()
	jwk, err := pub.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	enc := func(more string) string {
		return `{"credential_configuration_id":"a","credential_response_encryption":{"jwk":` + string(jwk) + more + `}}`
	}
	sealed, must := RequestCheck{Encrypted: true, Zip: true}, RequestCheck{ResponseRequired: true}
	cases := []struct {
		name, text string
		check      RequestCheck
		want       error
	}{
		{"by configuration", `{"credential_configuration_id":"a","x":1}`, RequestCheck{}, nil},
		{"by identifier", `{"credential_identifier":"a","proofs":{"jwt":["x"]}}`, RequestCheck{}, nil},
		{"both", `{"credential_identifier":"a","credential_configuration_id":"a"}`, RequestCheck{}, InvalidCredentialRequest},
		{"neither", `{"proofs":{"jwt":["x"]}}`, RequestCheck{}, InvalidCredentialRequest},
		{"name twice", `{"credential_identifier":"a","credential_identifier":"b"}`, RequestCheck{}, InvalidCredentialRequest},
		{"not JSON", `credential_identifier=a`, RequestCheck{}, InvalidCredentialRequest},
		{"an array", `[]`, RequestCheck{}, InvalidCredentialRequest},
		{"a number", `{"credential_identifier":1}`, RequestCheck{}, InvalidCredentialRequest},
		{"long name", `{"credential_identifier":"` + strings.Repeat("a", maxName+1) + `"}`, RequestCheck{}, InvalidCredentialRequest},
		{"too large", `{"credential_identifier":"` + strings.Repeat("a", MaxRequest) + `"}`, RequestCheck{}, InvalidCredentialRequest},
		{"no proofs", `{"credential_identifier":"a","proofs":{}}`, RequestCheck{}, InvalidProof},
		{"two types", `{"credential_identifier":"a","proofs":{"jwt":["x"],"attestation":["x"]}}`, RequestCheck{}, InvalidProof},
		{"unknown type", `{"credential_identifier":"a","proofs":{"ldp_vp":["x"]}}`, RequestCheck{}, InvalidProof},
		{"empty list", `{"credential_identifier":"a","proofs":{"jwt":[]}}`, RequestCheck{}, InvalidProof},
		{"proof not a text", `{"credential_identifier":"a","proofs":{"jwt":[{}]}}`, RequestCheck{}, InvalidProof},
		{"two attestations", `{"credential_identifier":"a","proofs":{"attestation":["x","y"]}}`, RequestCheck{BatchSize: 5}, InvalidProof},
		{"a batch", `{"credential_identifier":"a","proofs":{"jwt":["x","y"]}}`, RequestCheck{BatchSize: 2}, nil},
		{"one more than a batch", `{"credential_identifier":"a","proofs":{"jwt":["x","y","z"]}}`, RequestCheck{BatchSize: 2}, InvalidProof},
		{"two without batches", `{"credential_identifier":"a","proofs":{"jwt":["x","y"]}}`, RequestCheck{}, InvalidProof},
		{"encrypted", enc(`,"enc":"A256GCM"`), sealed, nil},
		{"encrypted and compressed", enc(`,"enc":"A128GCM","zip":"DEF"`), sealed, nil},
		{"compressed though not supported", enc(`,"enc":"A128GCM","zip":"DEF"`), RequestCheck{Encrypted: true}, InvalidEncryption},
		{"key in the clear", enc(`,"enc":"A256GCM"`), RequestCheck{}, InvalidEncryption},
		{"unknown enc", enc(`,"enc":"A128CBC-HS256"`), sealed, InvalidEncryption},
		{"no enc", enc(``), sealed, InvalidEncryption},
		{"unknown zip", enc(`,"enc":"A256GCM","zip":"GZ"`), sealed, InvalidEncryption},
		{"private key", strings.Replace(enc(`,"enc":"A256GCM"`), `"kty"`, `"d":"AA","kty"`, 1), sealed, InvalidEncryption},
		{"no alg", strings.Replace(enc(`,"enc":"A256GCM"`), `"alg"`, `"algo"`, 1), sealed, InvalidEncryption},
		{"none though needed", `{"credential_configuration_id":"a"}`, must, InvalidEncryption},
	}
	for _, c := range cases {
		r, err := ParseRequest([]byte(c.text), c.check)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || (r == nil) != (err != nil) {
			t.Errorf("%s: %v, %v, want %v", c.name, r, err, c.want)
		}
		if d := oauth.Respond(err).Description; err != nil && strings.ContainsAny(d, "\"\\") {
			t.Errorf("%s: described as %s", c.name, d)
		}
	}
	if r, err := ParseDeferred([]byte(`{"transaction_id":"a"}`), RequestCheck{}); err != nil || r.Transaction != "a" {
		t.Errorf("got %v, %v", r, err)
	}
	for text, want := range map[string]error{`{}`: InvalidTransaction, `[]`: InvalidCredentialRequest, `{"transaction_id":"` + strings.Repeat("a", maxName+1) + `"}`: InvalidTransaction} {
		if _, err := ParseDeferred([]byte(text), RequestCheck{}); !errors.Is(err, want) {
			t.Errorf("%.40s: %v, want %v", text, err, want)
		}
	}
	for text, ok := range map[string]bool{
		`{"notification_id":"a","event":"credential_accepted","x":1}`:                       true,
		`{"notification_id":"a","event":"credential_deleted","event_description":"\u00e9"}`: true,
		`{"notification_id":"a","event":"Credential_accepted"}`:                             false,
		`{"notification_id":"a"}`:             false,
		`{"event":"credential_failure"}`:      false,
		`{"event":"credential_failure","a":`:  false,
		`{"notification_id":"a","event":"x"}`: false,
	} {
		n, err := ParseNotification([]byte(text))
		if (err == nil) != ok || err != nil && !errors.Is(err, InvalidNotificationRequest) {
			t.Errorf("%s: %+v, %v", text, n, err)
		}
	}
}

func TestResponse(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"credentials":[{"credential":"a"},{"credential":"b"}],"notification_id":"n"}`: true,
		`{"transaction_id":"t","interval":5}`:                                           true,
		`{}`:                                                                            false,
		`{"credentials":[]}`:                                                            false,
		`{"credentials":[{"credential":"a"}],"transaction_id":"t","interval":5}`: false,
		`{"transaction_id":"t"}`:                                                                     false,
		`{"transaction_id":"t","interval":5,"notification_id":"n"}`:                                  false,
		`{"credentials":[{"credential":"a"}],"interval":5}`:                                          false,
		`{"credentials":[{"credential":""}]}`:                                                        false,
		`{"credentials":[{"credential":{}}]}`:                                                        false,
		`{"credentials":[{"credential":"a"},{"credential":"b"},{"credential":"c"}]}`:                 false,
		`{"credentials":[{"credential":"a"}],"credentials":[{"credential":"b"}]}`:                    false,
		`{"credentials":[{"credential":"a","credential":"b"}]}`:                                      false,
		`{"notification_id":"` + strings.Repeat("a", 2000) + `","credentials":[{"credential":"a"}]}`: false,
	} {
		r, err := ParseResponse([]byte(text), 2)
		if (err == nil) != ok || err != nil && !errors.Is(err, ErrResponse) {
			t.Errorf("%.80s: %+v, %v", text, r, err)
		}
		if err == nil && r.Status() != map[bool]int{true: 202, false: 200}[r.Transaction != ""] {
			t.Errorf("%s has status %d", text, r.Status())
		}
	}
	if n, err := ParseNonce([]byte(`{"c_nonce":"a","c_nonce_expires_in":1}`)); err != nil || n != "a" {
		t.Errorf("got %s, %v", n, err)
	}
	if _, err := ParseNonce([]byte(`{}`)); err == nil {
		t.Error("no nonce is taken")
	}
}

func TestDetails(t *testing.T) {
	for text, ok := range map[string]bool{
		`[{"type":"openid_credential","credential_configuration_id":"a","locations":["` + issuer + `"]},{"type":"other"}]`: true,
		`[{"type":"openid_credential","credential_configuration_id":"a"}]`:                                                 false,
		`[{"type":"openid_credential","locations":["` + issuer + `"]}]`:                                                    false,
		`[]`: false,
		`{}`: false,
	} {
		list, err := ParseDetails([]byte(text), issuer)
		if (err == nil) != ok || err != nil && !errors.Is(err, oauth.InvalidAuthorizationDetails) || ok && len(list) != 1 {
			t.Errorf("%s: %+v, %v", text, list, err)
		}
	}
}

func TestEncryption(t *testing.T) {
	published, back := must(jwe.NewKey()), must(jwe.NewKey())
	m := &Metadata{RequestEncryption: &RequestEncryption{Enc: jwe.Encryptions(), Required: true}}
	m.RequestEncryption.JWKS.Keys = append(m.RequestEncryption.JWKS.Keys, published.Public())
	pub := back.Public()
	body, kind, err := m.Body(CredentialRequest{Configuration: "a", Encryption: &ResponseKey{JWK: &pub, Enc: jwe.A128GCM, Zip: ""}})
	if err != nil || kind != JWT {
		t.Fatal(kind, err)
	}
	o := Opener{Keys: []*jwe.Key{must(jwe.NewKey()), published}, Required: true}
	plain, encrypted, err := o.Open(body, "application/jwt; charset=utf-8")
	if err != nil || !encrypted {
		t.Fatal(err)
	}
	r, err := ParseRequest(plain, RequestCheck{Encrypted: encrypted, ResponseRequired: true})
	if err != nil {
		t.Fatal(err)
	}
	answer, kind, err := CredentialResponse{Credentials: []Credential{{"c"}}}.Body(r.Encryption)
	if err != nil || kind != JWT || bytes.Contains(answer, []byte("credentials")) {
		t.Fatal(kind, err)
	}
	plain, err = OpenResponse(answer, kind, back)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseResponse(plain, 1); err != nil || got.Credentials[0].Value != "c" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := OpenResponse([]byte(`{}`), JSON, back); !errors.Is(err, ErrResponse) {
		t.Errorf("in the clear: %v", err)
	}
	if _, err := OpenResponse(answer, JWT, nil); !errors.Is(err, ErrResponse) {
		t.Errorf("encrypted unasked: %v", err)
	}
	for name, c := range map[string]struct {
		opener Opener
		body   []byte
		kind   string
		want   error
	}{
		"in the clear":     {o, []byte(`{}`), JSON, InvalidEncryption},
		"another key":      {Opener{Keys: []*jwe.Key{back}}, body, JWT, InvalidEncryption},
		"not encrypted":    {o, []byte(`{}`), JWT, InvalidEncryption},
		"a form":           {o, []byte(`a=b`), "application/x-www-form-urlencoded", InvalidCredentialRequest},
		"no type":          {o, body, "", InvalidCredentialRequest},
		"changed":          {o, append(bytes.Clone(body[:len(body)-4]), "AAAA"...), JWT, InvalidEncryption},
		"clear and may be": {Opener{}, []byte(`{}`), JSON, nil},
	} {
		if _, _, err := c.opener.Open(c.body, c.kind); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	key := &ResponseKey{JWK: &pub, Enc: jwe.A128GCM}
	for _, r := range []any{CredentialRequest{Encryption: key}, &CredentialRequest{Encryption: key}, DeferredRequest{Encryption: key}, &DeferredRequest{Encryption: key}} {
		if _, _, err := (&Metadata{}).Body(r); !errors.Is(err, InvalidEncryption) {
			t.Errorf("a key in the clear: %v", err)
		}
	}
	if b, kind, err := (&Metadata{}).Body(DeferredRequest{Transaction: "t"}); err != nil || kind != JSON || string(b) != `{"transaction_id":"t"}` {
		t.Errorf("got %s, %s, %v", b, kind, err)
	}
}

func must(k *jwe.Key, err error) *jwe.Key {
	if err != nil {
		panic(err)
	}
	return k
}

func FuzzMessages(f *testing.F) {
	for _, s := range []string{smallest, offer(`,"grants":{` + grants + `:{"pre-authorized_code":"x","tx_code":{}}}`), OfferScheme + "?credential_offer_uri=https%3A%2F%2Fa.example",
		`{"credential_identifier":"a","proofs":{"jwt":["x"]}}`, `{"transaction_id":"t","interval":5}`, `{"notification_id":"a","event":"credential_accepted"}`,
		`[{"type":"openid_credential","credential_configuration_id":"a"}]`, `{"c_nonce":"a"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if o, err := ParseOffer(b); err == nil {
			link, err := o.Link(OfferScheme)
			if err != nil {
				t.Fatal(err)
			}
			if again, _, err := ParseLink(link); err != nil || again.Issuer != o.Issuer {
				t.Errorf("%s: its link gives %v", b, err)
			}
		}
		if o, ref, err := ParseLink(string(b)); err == nil && (o == nil) == (ref == "") {
			t.Errorf("%q gives both or neither", b)
		}
		if m, err := ParseMetadata(b, issuer); err == nil {
			if again, err := json.Marshal(m); err != nil {
				t.Error(err)
			} else if _, err := ParseMetadata(again, issuer); err != nil {
				t.Errorf("%s is written as %s: %v", b, again, err)
			}
		}
		if r, err := ParseRequest(b, RequestCheck{Encrypted: true, BatchSize: 2}); err == nil && (r.Identifier == "") == (r.Configuration == "") {
			t.Errorf("%s", b)
		} else if err != nil && oauth.CodeOf(err) == "" {
			t.Error(err)
		}
		_, _ = ParseDeferred(b, RequestCheck{})
		_, _ = ParseNotification(b)
		_, _ = ParseResponse(b, 2)
		_, _ = ParseDetails(b, "")
		_, _ = ParseNonce(b)
		_, _, _ = Opener{}.Open(b, JWT)
	})
}
