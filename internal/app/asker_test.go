package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"diwan/internal/app"
	"diwan/internal/app/apptest"
)

// asker sends requests to the program as one browser does: what it is given as a cookie
// goes with the next request.
type asker struct {
	t       testing.TB
	h       http.Handler
	cookies []*http.Cookie
}

// anybody asks without being signed in.
func anybody(t testing.TB, a *app.App) *asker { return &asker{t: t, h: a.Handler} }

// entered asks as a sample account, in a person's space or at the office.
func entered(t testing.TB, a *app.App, login string) *asker {
	t.Helper()
	root := "/office"
	if login == apptest.Person {
		root = "/me"
	}
	k := anybody(t, a)
	if w := k.post("/en"+root+"/sign-in", url.Values{"login": {login}}); w.Code != http.StatusSeeOther || len(k.cookies) == 0 {
		t.Fatalf("signing in as %s: %d", login, w.Code)
	}
	return k
}

// signedIn asks as a sample account, and as an officer after the second factor of the
// demonstration.
func signedIn(t testing.TB, a *app.App, login string) *asker {
	t.Helper()
	k := entered(t, a, login)
	if login != apptest.Person {
		k.post("/en/office/confirm/sample", url.Values{"to": {"/office/cases"}})
	}
	return k
}

// officer adds an account and asks as it, signed in with a link.
func officer(t testing.TB, a *app.App, login, administration string, roles ...string) *asker {
	t.Helper()
	if err := a.AddAccount(t.Context(), login, login, administration, "", roles); err != nil {
		t.Fatal(err)
	}
	link, err := a.SignInLink(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	k := anybody(t, a)
	if w := k.do(http.MethodPost, u.Path, nil); w.Code != http.StatusSeeOther || len(k.cookies) == 0 {
		t.Fatalf("signing in as %s: %d", login, w.Code)
	}
	return k
}

func (k *asker) do(method, target string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	k.t.Helper()
	r := httptest.NewRequestWithContext(k.t.Context(), method, target, body)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for _, c := range k.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	k.h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		k.cookies = slices.DeleteFunc(k.cookies, func(old *http.Cookie) bool { return old.Name == c.Name })
		if c.MaxAge >= 0 {
			k.cookies = append(k.cookies, c)
		}
	}
	return w
}

func (k *asker) get(target string) *httptest.ResponseRecorder {
	k.t.Helper()
	return k.do(http.MethodGet, target, nil)
}

func (k *asker) post(target string, form url.Values, header ...string) *httptest.ResponseRecorder {
	k.t.Helper()
	return k.do(http.MethodPost, target, strings.NewReader(form.Encode()),
		append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
}

// sees reads a page that must say some things.
func (k *asker) sees(path string, words ...string) string {
	k.t.Helper()
	w := k.get(path)
	if w.Code != http.StatusOK {
		k.t.Fatalf("%s: %d", path, w.Code)
	}
	body := w.Body.String()
	for _, s := range words {
		if !strings.Contains(body, s) {
			k.t.Errorf("%s does not say %q", path, s)
		}
	}
	return body
}

// moves sends a form that must lead on to an address.
func (k *asker) moves(path, to string, form url.Values) string {
	k.t.Helper()
	w := k.post(path, form)
	at := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !regexp.MustCompile(to).MatchString(at) {
		k.t.Fatalf("%s: %d to %q, want %q", path, w.Code, at, to)
	}
	return at
}
