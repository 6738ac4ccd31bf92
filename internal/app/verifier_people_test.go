package app_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"diwan/internal/app/apptest"
)

// From an officer's invitation to a request in a verifier's name, through the whole
// program: the sign-in, its session on the public pages, the policy.
func TestPeopleOfAVerifier(t *testing.T) {
	a := apptest.Open(t)
	server := httptest.NewServer(a.Handler)
	defer server.Close()
	jar := map[string][]*http.Cookie{"": nil}
	for _, who := range []string{apptest.Steward, apptest.Editor, apptest.Person} {
		jar[who] = apptest.SignIn(t, server.URL, who)
	}
	do := func(who, method, path string, form url.Values, head ...string) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(form.Encode()))
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for i := 0; i+1 < len(head); i += 2 {
			r.Header.Set(head[i], head[i+1])
		}
		for _, c := range jar[who] {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		a.Handler.ServeHTTP(w, r)
		for _, c := range w.Result().Cookies() {
			if strings.Contains(c.Name, "verify") {
				jar[who] = append(jar[who], c)
			}
		}
		return w
	}
	const desk = "/fr/office/verifiers/bank-demo/invite"
	invite := url.Values{"label": {"A clerk"}}
	for _, who := range []string{"", apptest.Editor, apptest.Person} {
		if w := do(who, "POST", desk, invite); w.Code < 400 {
			t.Errorf("%q invites: %d", who, w.Code)
		}
	}
	if w := do(apptest.Steward, "POST", desk, invite, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("another site invites: %d", w.Code)
	}
	page := do(apptest.Steward, "POST", desk, invite).Body.String()
	_, link, _ := strings.Cut(page, `<code class="ltr wraps">`)
	link, _, _ = strings.Cut(link, "</code>")
	_, link, _ = strings.Cut(link, "/fr/me/")
	_, code, _ := strings.Cut(page, `<code class="ltr">`)
	code, _, _ = strings.Cut(code, "</code>")
	link = "/fr/me/" + link
	if w := do("", "GET", link, nil); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/fr/me/sign-in?to=") {
		t.Fatalf("who is not signed in: %d %s", w.Code, w.Header().Get("Location"))
	}
	for _, who := range []string{"", apptest.Editor, apptest.Steward} {
		if w := do(who, "POST", link, url.Values{"code": {code}}); w.Code < 400 {
			t.Errorf("%q joins: %d", who, w.Code)
		}
	}
	if w := do(apptest.Person, "POST", link, url.Values{"code": {code}}, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("another site makes a person join: %d", w.Code)
	}
	if w := do(apptest.Person, "POST", link, url.Values{"code": {code}}); w.Code != http.StatusSeeOther {
		t.Fatalf("joining: %d %s", w.Code, w.Body)
	}
	if w := do(apptest.Person, "GET", "/fr/verify", nil); !strings.Contains(w.Body.String(), `/me/verifiers"`) || !strings.Contains(w.Body.String(), `value="permit-loan"`) {
		t.Error("the page does not say in whose name the person asks")
	}
	w := do(apptest.Person, "POST", "/fr/verify/ask", url.Values{"verifier": {"bank-demo"}, "template": {"permit-loan"}, "flow": {"cross_device"}})
	where := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther {
		t.Fatalf("asking: %d", w.Code)
	}
	if w := do(apptest.Person, "GET", where, nil); w.Code != http.StatusOK {
		t.Errorf("the request: %d", w.Code)
	}
	signedIn := jar[apptest.Person]
	for _, c := range signedIn { // the same browser after signing out
		if strings.Contains(c.Name, "verify") {
			jar[apptest.Person] = []*http.Cookie{c}
		}
	}
	if w := do(apptest.Person, "GET", where, nil); w.Code != http.StatusNotFound {
		t.Errorf("the request without the account: %d", w.Code)
	}
	jar[apptest.Person] = signedIn
	if w := do(apptest.Person, "POST", "/fr/me/verifiers", url.Values{"verifier": {"bank-demo"}}); w.Code != http.StatusSeeOther {
		t.Errorf("leaving: %d", w.Code)
	}
	if w := do(apptest.Person, "GET", where, nil); w.Code != http.StatusNotFound {
		t.Errorf("the request of who left: %d", w.Code)
	}
}
