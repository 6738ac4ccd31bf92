package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestChallenge(t *testing.T) {
	// RFC 7636 appendix B.
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	if got := Challenge(verifier); got != challenge {
		t.Errorf("got %s", got)
	}
	cases := []struct {
		name, verifier string
		want           error
	}{
		{"good", verifier, nil},
		{"another", strings.Replace(verifier, "d", "e", 1), InvalidGrant},
		{"missing", "", InvalidRequest},
		{"short", verifier[:42], InvalidRequest},
		{"long", strings.Repeat("a", 129), InvalidRequest},
		{"longest", strings.Repeat("a", 128), InvalidGrant},
		{"character", verifier + "+", InvalidRequest},
		{"the challenge itself", challenge, InvalidGrant},
	}
	for _, c := range cases {
		if err := CheckVerifier(challenge, c.verifier); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	for _, c := range [][2]string{{challenge, "plain"}, {challenge, ""}, {"short", S256}, {challenge + "=", S256}, {"", S256}} {
		if err := CheckChallenge(c[0], c[1]); !errors.Is(err, InvalidRequest) {
			t.Errorf("%v: got %v", c, err)
		}
	}
	if v := NewVerifier(); CheckVerifier(Challenge(v), v) != nil || v == NewVerifier() || CheckChallenge(Challenge(v), S256) != nil {
		t.Error("a fresh verifier does not serve")
	}
}

func TestNonces(t *testing.T) {
	first, second := []byte(strings.Repeat("a", 32)), []byte(strings.Repeat("b", 32))
	old, err := NewNonces(time.Minute, first)
	if err != nil {
		t.Fatal(err)
	}
	turned, err := NewNonces(time.Minute, second, first)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := NewNonces(time.Minute, second)
	if err != nil {
		t.Fatal(err)
	}
	n := old.Make(ForProof, noon)
	cases := []struct {
		name    string
		nonces  *Nonces
		purpose string
		nonce   string
		now     time.Time
		want    error
	}{
		{"at once", old, ForProof, n, noon, nil},
		{"at its end", old, ForProof, n, noon.Add(time.Minute), nil},
		{"after its end", old, ForProof, n, noon.Add(time.Minute + time.Millisecond), ErrStale},
		{"from a clock ahead", old, ForProof, n, noon.Add(-30 * time.Second), nil},
		{"from the future", old, ForProof, n, noon.Add(-time.Hour), ErrStale},
		{"another purpose", old, ForDPoP, n, noon, ErrForeign},
		{"after the secret was turned", turned, ForProof, n, noon, nil},
		{"after the secret was dropped", gone, ForProof, n, noon, ErrForeign},
		{"empty", old, ForProof, "", noon, ErrForeign},
		{"cut", old, ForProof, n[:len(n)-1], noon, ErrForeign},
		{"longer", old, ForProof, n + "A", noon, ErrForeign},
		{"changed", old, ForProof, "B" + n[1:], noon, ErrForeign},
	}
	for _, c := range cases {
		if err := c.nonces.Check(c.purpose, c.nonce, c.now); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	if old.Make(ForProof, noon) == n {
		t.Error("the same nonce twice")
	}
	if _, err := NewNonces(time.Minute, []byte("short")); err == nil {
		t.Error("a short secret is taken")
	}
	if _, err := NewNonces(0, first); err == nil {
		t.Error("nonces without a life are made")
	}
}

func TestAuthorization(t *testing.T) {
	cases := []struct {
		values []string
		want   Authorization
		err    error
	}{
		{[]string{"DPoP abc.def~_-+/="}, Authorization{DPoPScheme, "abc.def~_-+/="}, nil},
		{[]string{"dpop  abc"}, Authorization{DPoPScheme, "abc"}, nil},
		{[]string{"BEARER abc"}, Authorization{Bearer, "abc"}, nil},
		{nil, Authorization{}, ErrNoToken},
		{[]string{"Basic abc"}, Authorization{}, ErrNoToken},
		{[]string{""}, Authorization{}, ErrNoToken},
		{[]string{"Bearer abc", "DPoP abc"}, Authorization{}, InvalidRequest},
		{[]string{"Bearer"}, Authorization{}, InvalidRequest},
		{[]string{"Bearer a b"}, Authorization{}, InvalidRequest},
		{[]string{"Bearer a\"b"}, Authorization{}, InvalidRequest},
		{[]string{"Bearer " + strings.Repeat("a", maxToken+1)}, Authorization{}, InvalidRequest},
	}
	for _, c := range cases {
		got, err := ParseAuthorization(http.Header{"Authorization": c.values})
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || got != c.want {
			t.Errorf("%.80q: got %v, %v, want %v, %v", c.values, got, err, c.want, c.err)
		}
	}
	if err := (Demand{DPoP: true}).Check(Authorization{Bearer, "a"}); !errors.Is(err, InvalidToken) {
		t.Errorf("a bound token as Bearer gives %v", err)
	}
	if err := (Demand{DPoP: true}).Check(Authorization{DPoPScheme, "a"}); err != nil {
		t.Error(err)
	}
}

func TestDenied(t *testing.T) {
	cases := []struct {
		err    error
		status int
		header string
	}{
		{ErrNoToken, 401, `DPoP algs="ES256"`},
		{UseDPoPNonce, 401, `DPoP error="use_dpop_nonce", algs="ES256"`},
		{errors.Join(InvalidToken, errors.New("what \"was\" \\ said\nthere")), 401, `DPoP error="invalid_token", error_description="?what 'was' ? said?there", algs="ES256"`},
		{InsufficientScope, 403, `DPoP error="insufficient_scope", algs="ES256"`},
		{InvalidRequest, 400, `DPoP error="invalid_request", algs="ES256"`},
		{errors.New("the store is away"), 500, ""},
	}
	for _, c := range cases {
		if status, header := Denied(c.err, DPoPScheme, nil); status != c.status || header != c.header {
			t.Errorf("%v: got %d %s, want %d %s", c.err, status, header, c.status, c.header)
		}
	}
	if got := (Denial{Scheme: Bearer, Realm: "r", Scope: "s"}).String(); got != `Bearer realm="r", scope="s"` {
		t.Errorf("got %s", got)
	}
}

func TestRespond(t *testing.T) {
	_, err := ReadToken(url.Values{"grant_type": {"password\"\u00e9"}})
	if r := Respond(err); r.Code != UnsupportedGrantType || r.Code.Status() != 400 || strings.ContainsAny(r.Description, "\"\\\u00e9") {
		t.Errorf("got %+v", r)
	}
	if r := Respond(errors.New("the password of the store is x")); r.Code != ServerError || r.Description != "" {
		t.Errorf("got %+v", r)
	}
	b, _ := json.Marshal(ErrorResponse{Code: InvalidGrant})
	if string(b) != `{"error":"invalid_grant"}` {
		t.Errorf("got %s", b)
	}
	if r := ParseError(b); !errors.Is(r, InvalidGrant) || Respond(r).Code != InvalidGrant {
		t.Errorf("got %+v", r)
	}
	if r := ParseError([]byte("<html>")); r.Code != ServerError {
		t.Errorf("got %+v", r)
	}
	for c, status := range map[Code]int{InvalidClient: 401, InvalidClientAttestation: 401, UseAttestationChallenge: 400, UseFreshAttestation: 400,
		UseDPoPNonce: 400, InvalidDPoPProof: 400, InsufficientScope: 403, ServerError: 500, TemporarilyUnavailable: 503} {
		if c.Status() != status {
			t.Errorf("%s has status %d", c, c.Status())
		}
	}
}

func TestReadToken(t *testing.T) {
	cases := []struct {
		form string
		want error
	}{
		{"grant_type=authorization_code&code=a&code_verifier=b&unknown=1&unknown=2", nil},
		{"grant_type=authorization_code&code=a", InvalidRequest},
		{"grant_type=authorization_code&code_verifier=a", InvalidRequest},
		{"grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code&pre-authorized_code=a&tx_code=1", nil},
		{"grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code", InvalidRequest},
		{"grant_type=authorization_code&code=a&code_verifier=b&tx_code=1", InvalidRequest},
		{"grant_type=refresh_token&refresh_token=a", nil},
		{"grant_type=refresh_token", InvalidRequest},
		{"grant_type=password", UnsupportedGrantType},
		{"", InvalidRequest},
		{"grant_type=refresh_token&refresh_token=a&refresh_token=b", InvalidRequest},
		{"grant_type=refresh_token&refresh_token=" + strings.Repeat("a", maxParameter+1), InvalidRequest},
	}
	for _, c := range cases {
		form, err := url.ParseQuery(c.form)
		if err != nil {
			t.Fatal(err)
		}
		r, err := ReadToken(form)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%.80s: got %v, want %v", c.form, err, c.want)
		}
		if err != nil {
			continue
		}
		if again, err := ReadToken(r.Form()); err != nil || *again != *r {
			t.Errorf("%s is written as %v", c.form, r.Form())
		}
	}
}

func TestReadPush(t *testing.T) {
	good := AuthorizationRequest{ClientID: "c", ResponseType: "code", RedirectURI: "https://c.example/cb", Scope: "s", State: "x",
		CodeChallenge: Challenge(NewVerifier()), CodeChallengeMethod: S256, IssuerState: "i", DPoPThumbprint: "j", Details: "[]"}
	for name, c := range map[string]struct {
		change func(url.Values)
		want   error
	}{
		"good":          {func(url.Values) {}, nil},
		"by reference":  {func(v url.Values) { v.Set("request_uri", "urn:x") }, InvalidRequest},
		"token":         {func(v url.Values) { v.Set("response_type", "token") }, UnsupportedResponseType},
		"no address":    {func(v url.Values) { v.Del("redirect_uri") }, InvalidRequest},
		"plain":         {func(v url.Values) { v.Set("code_challenge_method", "plain") }, InvalidRequest},
		"no challenge":  {func(v url.Values) { v.Del("code_challenge") }, InvalidRequest},
		"client twice":  {func(v url.Values) { v.Add("client_id", "d") }, InvalidRequest},
		"many unknowns": {func(v url.Values) { many(v) }, InvalidRequest},
	} {
		form := good.Form()
		c.change(form)
		r, err := ReadPush(form)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if err == nil && *r != good {
			t.Errorf("read %+v", r)
		}
	}
	if _, err := ReadAuthorization(url.Values{"client_id": {"c"}, "request_uri": {NewRequestURI()}}); err != nil {
		t.Error(err)
	}
	if _, err := ReadAuthorization(url.Values{"client_id": {"c"}}); !errors.Is(err, InvalidRequest) {
		t.Errorf("got %v", err)
	}
}

func many(v url.Values) {
	for i := range maxParameters {
		v.Set(strings.Repeat("x", i+1), "")
	}
}

func TestAuthorizationResponse(t *testing.T) {
	u, err := AuthorizationResponse{Code: "c", State: "s", Issuer: server}.URL("https://c.example/cb?a=b")
	if err != nil {
		t.Fatal(err)
	}
	read := func(s, state, issuer string) (string, error) {
		p, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return ReadAuthorizationResponse(p.Query(), state, issuer)
	}
	if code, err := read(u, "s", server); err != nil || code != "c" {
		t.Errorf("%s: %s, %v", u, code, err)
	}
	if _, err := read(u, "other", server); err == nil {
		t.Error("another state is taken")
	}
	if _, err := read(u, "s", "https://other.example"); err == nil {
		t.Error("another server is taken")
	}
	u, _ = AuthorizationResponse{State: "s", Issuer: server, Err: ErrorResponse{AccessDenied, "no"}}.URL("https://c.example/cb")
	if _, err := read(u, "s", server); !errors.Is(err, AccessDenied) {
		t.Errorf("got %v", err)
	}
	if _, err := (AuthorizationResponse{}).URL("https://c.example/cb#x"); !errors.Is(err, ErrAddress) {
		t.Errorf("got %v", err)
	}
}

func TestAddresses(t *testing.T) {
	for s, ok := range map[string]bool{
		"https://a.example":          true,
		"https://a.example:8443/x?y": true,
		"http://localhost:8080/x":    true,
		"http://127.0.0.1/x":         true,
		"http://[::1]:1/x":           true,
		"http://a.example":           false,
		"http://127.0.0.1.example":   false,
		"https://u@a.example":        false,
		"https://a.example/#x":       false,
		"https://a.example/#":        false,
		"https:///x":                 false,
		"https:a.example":            false,
		"//a.example":                false,
		"":                           false,
		"ftp://a.example":            false,
		"file:///etc/passwd":         false,
		"https://a.example/ x":       false,
		"https://a.example/\u00e9":   false,
	} {
		if err := CheckURL(s); (err == nil) != ok {
			t.Errorf("%q: %v", s, err)
		}
	}
	if CheckURL("https://a.example/"+strings.Repeat("a", maxAddress)) == nil {
		t.Error("a long address is taken")
	}
	if CheckIssuer("https://a.example?b") == nil || CheckIssuer("https://a.example/b") != nil {
		t.Error("identifiers")
	}
	for id, want := range map[string]string{
		"https://a.example":       "https://a.example/.well-known/" + MetadataName,
		"https://a.example/":      "https://a.example/.well-known/" + MetadataName,
		"https://a.example:1/b/c": "https://a.example:1/.well-known/" + MetadataName + "/b/c",
	} {
		if got, err := WellKnown(id, MetadataName); err != nil || got != want {
			t.Errorf("%s: got %s, %v", id, got, err)
		}
	}
}

func TestMetadata(t *testing.T) {
	m := Metadata{Issuer: server, TokenEndpoint: server + "/token", GrantTypes: []string{GrantPreAuthorized}, AnonymousPreAuthorized: true}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseMetadata(b, server)
	if err != nil || !got.Supports(GrantPreAuthorized) || got.Supports(GrantCode) || !got.AnonymousPreAuthorized {
		t.Errorf("got %+v, %v", got, err)
	}
	if !(Metadata{}).Supports(GrantCode) {
		t.Error("without a list a code must do")
	}
	for name, text := range map[string]string{
		"another issuer":  strings.Replace(string(b), server, server+"/", 1),
		"no endpoint":     `{"issuer":"` + server + `"}`,
		"plain endpoint":  `{"issuer":"` + server + `","token_endpoint":"http://as.example.com/token"}`,
		"name twice":      `{"issuer":"` + server + `","issuer":"` + server + `","token_endpoint":"` + server + `"}`,
		"not JSON":        "<html>",
		"endpoint no URL": `{"issuer":"` + server + `","token_endpoint":"` + server + `","challenge_endpoint":"x"}`,
	} {
		if _, err := ParseMetadata([]byte(text), server); !errors.Is(err, ErrMetadata) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if r, err := ParseTokenResponse([]byte(`{"access_token":"a","token_type":"DPoP","expires_in":60,"x":1}`)); err != nil || r.ExpiresIn != 60 {
		t.Errorf("got %+v, %v", r, err)
	}
	for _, text := range []string{`{}`, `[]`, `{"access_token":"a"}`, `{"access_token":"a","token_type":"DPoP","expires_in":-1}`} {
		if _, err := ParseTokenResponse([]byte(text)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	if _, err := ParsePushResponse([]byte(`{"request_uri":"urn:x","expires_in":60}`)); err != nil {
		t.Error(err)
	}
	if c, err := ParseChallenge([]byte(`{"attestation_challenge":"a"}`)); err != nil || c != "a" {
		t.Errorf("got %s, %v", c, err)
	}
	for _, text := range []string{`{}`, `[]`, `{"attestation_challenge":1}`} {
		if _, err := ParseChallenge([]byte(text)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	if _, err := ParsePushResponse([]byte(`{"expires_in":60}`)); err == nil {
		t.Error("no reference is taken")
	}
}

func FuzzForms(f *testing.F) {
	for _, s := range []string{"grant_type=refresh_token&refresh_token=a", "response_type=code&code=a&state=s&iss=i", "a=b;c", "%zz", "code=a&code=b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		form, err := url.ParseQuery(s)
		if err != nil {
			return
		}
		if r, err := ReadToken(form); err == nil {
			if again, err := ReadToken(r.Form()); err != nil || *again != *r {
				t.Errorf("%q: %v", s, err)
			}
		} else if CodeOf(err) == "" {
			t.Error(err)
		}
		if r, err := ReadPush(form); err == nil && r.CodeChallengeMethod != S256 {
			t.Errorf("%q", s)
		}
		_, _ = ReadAuthorizationResponse(form, "s", "i")
	})
}

func FuzzTexts(f *testing.F) {
	for _, s := range []string{`{"issuer":"https://as.example.com","token_endpoint":"https://as.example.com/t"}`, "https://a.example/%2e%2E/b?c#d",
		"Bearer abc", `{"access_token":"a","token_type":"b"}`, `{"error":"invalid_grant"}`, "AAAA"} {
		f.Add(s)
	}
	n, err := NewNonces(time.Minute, make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if m, err := ParseMetadata([]byte(s), server); err == nil && m.Issuer != server {
			t.Errorf("%q", s)
		}
		_, _ = ParseTokenResponse([]byte(s))
		_, _ = ParsePushResponse([]byte(s))
		_, _ = ParseChallenge([]byte(s))
		ParseError([]byte(s))
		if d := Description(s); strings.ContainsAny(d, "\"\\\n") || len(d) > maxDescription {
			t.Errorf("%q is described as %q", s, d)
		}
		_, _ = ParseAuthorization(http.Header{"Authorization": {s}})
		if n.Check(ForProof, s, noon) == nil {
			t.Errorf("%q is a nonce", s)
		}
		if once, err := target(s); err == nil {
			if twice, err := target(once); err != nil || twice != once {
				t.Errorf("%q is normalised to %q and that to %q, %v", s, once, twice, err)
			}
		}
		_ = CheckURL(s)
		_ = CheckVerifier(s, s)
	})
}
