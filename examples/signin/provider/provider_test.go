package provider

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func open(t *testing.T) (string, *http.Client) {
	t.Helper()
	var h http.Handler
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	var err error
	if h, err = New(Options{Issuer: s.URL, ClientID: "c", Secret: "s", Sites: []string{"http://site.example"}, Callback: "/cb", SignedOut: "/out", Logout: "/bye"}); err != nil {
		t.Fatal(err)
	}
	return s.URL, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func TestWhatIsRefused(t *testing.T) {
	base, c := open(t)
	good := url.Values{"client_id": {"c"}, "redirect_uri": {"http://site.example/cb"}, "response_type": {"code"}, "scope": {"openid"}, "state": {"x"}, "code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"}}
	ask := func(change url.Values) string {
		q := url.Values{}
		for k, v := range good {
			q[k] = v
		}
		for k, v := range change {
			q[k] = v
		}
		res, err := c.Get(base + "/authorize?" + q.Encode())
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.Header.Get("Location")
	}
	if to := ask(nil); !strings.HasPrefix(to, "/choose?request=") && !strings.HasPrefix(to, base+"/choose?request=") {
		t.Fatalf("the honest request leads to %q", to)
	}
	for name, change := range map[string]url.Values{
		"no PKCE": {"code_challenge": nil}, "plain PKCE": {"code_challenge_method": {"plain"}}, "another address": {"redirect_uri": {"http://evil.example/cb"}},
		"another client": {"client_id": {"x"}}, "no page": {"prompt": {"none"}}, "implicit": {"response_type": {"id_token"}},
	} {
		if to := ask(change); strings.Contains(to, "/choose") || strings.Contains(to, "evil.example") {
			t.Errorf("%s leads to %q", name, to)
		}
	}
	for _, form := range []url.Values{{"request": {"guess"}, "login": {"salma.demo"}}, {"request": {last(ask(nil))}, "login": {"nobody"}}} {
		res, err := c.PostForm(base+"/choose", form)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("%v: %d", form, res.StatusCode)
		}
	}
}

// Both languages say that all of it is invented.
func TestPageIsLabelled(t *testing.T) {
	base, c := open(t)
	for lang, word := range map[string]string{"fr": "Démonstration", "ar": `dir="rtl"`} {
		res, err := c.Get(base + "/?lang=" + lang + "&q=%3Cscript%3E")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || !strings.Contains(string(b), word) || !strings.Contains(string(b), `class="demo"`) || strings.Contains(string(b), "<script") || res.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %v\n%.300s", lang, err, b)
		}
	}
}

func TestOnlyOnThisMachine(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "portal.example:0"} {
		if err := Run(t.Context(), []string{"--listen", address}, io.Discard); err == nil {
			t.Errorf("it listens on %s", address)
		}
	}
}

// last is what an address ends with.
func last(address string) string { return address[strings.LastIndexByte(address, '=')+1:] }
