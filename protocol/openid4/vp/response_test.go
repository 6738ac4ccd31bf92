package vp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"diwan/protocol/oauth"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/openid4/jwe"
)

func TestAnswer(t *testing.T) {
	p := newParty(t)
	key, err := jwe.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []*jwe.Key{nil, key} {
		r := p.request(t, k)
		rd := Reader{Mode: r.Mode, Key: k, State: r.State}
		form, err := r.Answer(Tokens{"permit": {"a~b~"}})
		if err != nil {
			t.Fatal(err)
		}
		kid, state, err := Peek(form)
		if err != nil || k != nil && kid != k.ID || k == nil && state != r.State {
			t.Errorf("%s: %s, %s, %v", r.Mode, kid, state, err)
		}
		got, err := rd.Read(form)
		if err != nil || got.Err != nil || got.Tokens["permit"][0] != "a~b~" || got.Tokens.Counts()["permit"] != 1 {
			t.Errorf("%s: %+v, %v", r.Mode, got, err)
		}
		refused, err := rd.Read(r.Refuse(oauth.AccessDenied))
		if err != nil || refused.Err == nil || !errors.Is(refused.Err, oauth.AccessDenied) || refused.Tokens != nil {
			t.Errorf("%s: %+v, %v", r.Mode, refused, err)
		}
		clear := url.Values{"error": {"access_denied"}, "error_description": {"no \"way\""}, "state": {r.State}}
		if refused, err = rd.Read(clear); err != nil || refused.Err.Description != "no 'way'" {
			t.Errorf("%s: refused in the clear: %+v, %v", r.Mode, refused, err)
		}
		if _, err := (Reader{Mode: r.Mode, Key: k, State: NewNonce()}).Read(form); !errors.Is(err, ErrResponse) {
			t.Errorf("%s: another request's state: %v", r.Mode, err)
		}
		for _, bad := range []Tokens{nil, {}, {"permit": nil}, {"permit": {""}}} {
			if _, err := r.Answer(bad); !errors.Is(err, ErrResponse) {
				t.Errorf("%v: %v", bad, err)
			}
		}
	}
}

func TestReadRefused(t *testing.T) {
	key, err := jwe.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	other, err := jwe.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	seal := func(to *jwe.Key, s string) string {
		pub := to.Public()
		text, err := jwe.Seal([]byte(s), &pub, jwe.A128GCM, "")
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	const state = "s"
	const fine = `{"vp_token":{"permit":["a"]},"state":"s"}`
	stolen := &jwe.Key{ID: key.ID, Private: other.Private}
	clear, sealed := Reader{Mode: DirectPost, State: state}, Reader{Mode: DirectPostJWT, Key: key, State: state}
	cases := []struct {
		name string
		rd   Reader
		form url.Values
		ok   bool
	}{
		{"encrypted", sealed, url.Values{"response": {seal(key, fine)}}, true},
		{"unknown members", sealed, url.Values{"response": {seal(key, `{"vp_token":{"permit":["a"]},"state":"s","x":1}`)}, "y": {"1"}}, true},
		{"to another key", sealed, url.Values{"response": {seal(other, fine)}}, false},
		{"to another key by this name", sealed, url.Values{"response": {seal(stolen, fine)}}, false},
		{"not encrypted", sealed, url.Values{"vp_token": {`{"permit":["a"]}`}, "state": {"s"}}, false},
		{"signed instead", sealed, url.Values{"response": {"e30.e30.AA"}}, false},
		{"both", sealed, url.Values{"response": {seal(key, fine)}, "vp_token": {`{"permit":["a"]}`}}, false},
		{"twice", sealed, url.Values{"response": {seal(key, fine), seal(key, fine)}}, false},
		{"encrypted unasked", clear, url.Values{"response": {seal(key, fine)}}, false},
		{"state only outside", sealed, url.Values{"response": {seal(key, `{"vp_token":{"permit":["a"]}}`)}, "state": {"s"}}, false},
		{"no state", clear, url.Values{"vp_token": {`{"permit":["a"]}`}}, false},
		{"nothing", clear, url.Values{"state": {"s"}}, false},
		{"error and token", clear, url.Values{"vp_token": {`{"permit":["a"]}`}, "error": {"x"}, "state": {"s"}}, false},
		{"clear", clear, url.Values{"vp_token": {`{"permit":["a"]}`}, "state": {"s"}}, true},
		{"token twice", clear, url.Values{"vp_token": {`{"permit":["a"]}`, `{"permit":["b"]}`}, "state": {"s"}}, false},
		{"question twice", clear, url.Values{"vp_token": {`{"permit":["a"],"permit":["b"]}`}, "state": {"s"}}, false},
		{"questions that differ by case", clear, url.Values{"vp_token": {`{"permit":["a"],"Permit":["b"]}`}, "state": {"s"}}, true},
		{"encrypted text", sealed, url.Values{"response": {seal(key, `{"vp_token":"a","state":"s"}`)}}, false},
		{"encrypted state a number", sealed, url.Values{"response": {seal(key, `{"vp_token":{"permit":["a"]},"state":1}`)}}, false},
		{"encrypted name twice", sealed, url.Values{"response": {seal(key, `{"vp_token":{"permit":["a"]},"state":"s","state":"s"}`)}}, false},
		{"no list", clear, url.Values{"vp_token": {`{"permit":"a"}`}, "state": {"s"}}, false},
		{"empty list", clear, url.Values{"vp_token": {`{"permit":[]}`}, "state": {"s"}}, false},
		{"null in a list", clear, url.Values{"vp_token": {`{"permit":[null]}`}, "state": {"s"}}, false},
		{"an object", clear, url.Values{"vp_token": {`{"permit":[{}]}`}, "state": {"s"}}, false},
		{"empty", clear, url.Values{"vp_token": {`{}`}, "state": {"s"}}, false},
		{"null", clear, url.Values{"vp_token": {`null`}, "state": {"s"}}, false},
		{"a text", clear, url.Values{"vp_token": {`"a~"`}, "state": {"s"}}, false},
		{"too many questions", clear, url.Values{"vp_token": {many(dcql.MaxCredentials + 1)}, "state": {"s"}}, false},
	}
	for _, c := range cases {
		got, err := c.rd.Read(c.form)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrResponse) || (got == nil) != (err != nil) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func many(n int) string {
	m := Tokens{}
	for i := range n {
		m[strings.Repeat("q", i+1)] = []string{"a"}
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestReceipt(t *testing.T) {
	r, code, err := NewReceipt("https://bank.example/done")
	if err != nil || r.RedirectURI != "https://bank.example/done#response_code="+code || len(code) < 22 {
		t.Fatal(r, err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseReceipt(b); err != nil || *got != r {
		t.Errorf("got %+v, %v", got, err)
	}
	for text, ok := range map[string]bool{`{}`: true, `{"x":1}`: true, `[]`: false, `{"redirect_uri":"javascript:alert(1)"}`: false, `{"redirect_uri":"http://a.example"}`: false, ``: false} {
		if _, err := ParseReceipt([]byte(text)); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, _, err := NewReceipt("/done"); !errors.Is(err, ErrResponse) {
		t.Errorf("got %v", err)
	}
}

func TestTransactions(t *testing.T) {
	q, err := dcql.Parse([]byte(`{"credentials":[{"id":"permit","format":"dc+sd-jwt","meta":{"vct_values":["urn:x:1"]}},
		{"id":"open","format":"mso_mdoc","meta":{"doctype_value":"d"},"require_cryptographic_holder_binding":false}]}`))
	if err != nil {
		t.Fatal(err)
	}
	enc := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for name, c := range map[string]struct {
		list []string
		ok   bool
	}{
		"good":              {[]string{enc(`{"type":"a","credential_ids":["permit"],"x":1}`)}, true},
		"hashes":            {[]string{enc(`{"type":"a","credential_ids":["permit"],"transaction_data_hashes_alg":["sha-512","sha-256"]}`)}, true},
		"none":              {[]string{}, false},
		"no type":           {[]string{enc(`{"credential_ids":["permit"]}`)}, false},
		"no ids":            {[]string{enc(`{"type":"a"}`)}, false},
		"empty ids":         {[]string{enc(`{"type":"a","credential_ids":[]}`)}, false},
		"unknown id":        {[]string{enc(`{"type":"a","credential_ids":["x"]}`)}, false},
		"without a holder":  {[]string{enc(`{"type":"a","credential_ids":["open"]}`)}, false},
		"ids a text":        {[]string{enc(`{"type":"a","credential_ids":"permit"}`)}, false},
		"ids of numbers":    {[]string{enc(`{"type":"a","credential_ids":[1]}`)}, false},
		"hashes a text":     {[]string{enc(`{"type":"a","credential_ids":["permit"],"transaction_data_hashes_alg":"sha-256"}`)}, false},
		"name twice":        {[]string{enc(`{"type":"a","type":"b","credential_ids":["permit"]}`)}, false},
		"not base64url":     {[]string{"{}"}, false},
		"not an object":     {[]string{enc(`[]`)}, false},
		"one good, one bad": {[]string{pay(t, "permit"), "x"}, false},
	} {
		if _, err := ParseTransactions(c.list, q); (err == nil) != c.ok || err != nil && !errors.Is(err, InvalidTransactionData) {
			t.Errorf("%s: %v", name, err)
		}
	}
	first, second := pay(t, "permit"), enc(`{"type":"b","credential_ids":["permit"]}`)
	list, err := ParseTransactions([]string{first, second}, q)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Approve(list)
	sum := sha256.Sum256([]byte(first)) // of the text as it came
	if err != nil || a.Algorithm != "" || a.Hashes[0] != base64.RawURLEncoding.EncodeToString(sum[:]) {
		t.Fatal(a, err)
	}
	if err := CheckApproval(list, a); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]Approval{
		"one missing":  {Hashes: a.Hashes[:1]},
		"one twice":    {Hashes: []string{a.Hashes[0], a.Hashes[0]}},
		"one more":     {Hashes: append(a.Hashes[:2:2], a.Hashes[0])},
		"another":      {Hashes: []string{a.Hashes[0], "x"}},
		"another hash": {Hashes: a.Hashes, Algorithm: "sha-512"},
		"unknown hash": {Hashes: a.Hashes, Algorithm: "md5"},
		"none":         {},
	} {
		if err := CheckApproval(list, bad); !errors.Is(err, ErrTransaction) {
			t.Errorf("%s: %v", name, err)
		}
	}
	strong, err := ParseTransactions([]string{enc(`{"type":"a","credential_ids":["permit"],"transaction_data_hashes_alg":["sha-512"]}`)}, q)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = Approve(strong); err != nil || a.Algorithm != "sha-512" || CheckApproval(strong, a) != nil {
		t.Errorf("got %+v, %v", a, err)
	}
	if err := CheckApproval(strong, Approval{Hashes: a.Hashes}); !errors.Is(err, ErrTransaction) {
		t.Errorf("the hash is not named: %v", err)
	}
	if _, err := Approve(append(strong, list...)); !errors.Is(err, InvalidTransactionData) {
		t.Errorf("got %v", err)
	}
}

func FuzzResponse(f *testing.F) {
	key, err := jwe.NewKey()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{`vp_token=%7B%22permit%22%3A%5B%22a%22%5D%7D&state=s`, "error=access_denied&state=s", "response=a.b.c.d.e", `{"redirect_uri":"https://a.example#x"}`, "state=s&state=t"} {
		f.Add(s)
	}
	q, err := dcql.Parse([]byte(question))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if form, err := url.ParseQuery(s); err == nil {
			for _, rd := range []Reader{{Mode: DirectPost, State: "s"}, {Mode: DirectPostJWT, Key: key, State: "s"}} {
				if got, err := rd.Read(form); err == nil && (got.Err == nil) == (got.Tokens == nil) {
					t.Errorf("%q: %+v", s, got)
				}
			}
			_, _, _ = Peek(form)
			_, _ = ParseFetch(form)
		}
		_, _ = ParseReceipt([]byte(s))
		if list, err := ParseTransactions([]string{s}, q); err == nil {
			if a, err := Approve(list); err == nil && CheckApproval(list, a) != nil {
				t.Errorf("%q", s)
			}
		}
	})
}
