package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"diwan/internal/app/apptest"
)

// From an officer's invitation to a request in a verifier's name, through the whole
// program: the sign-in, its session on the public pages, the policy.
func TestPeopleOfAVerifier(t *testing.T) {
	a := apptest.Open(t)
	nobody, steward := anybody(t, a), entered(t, a, apptest.Steward)
	editor, salma := entered(t, a, apptest.Editor), entered(t, a, apptest.Person)
	const desk = "/fr/office/verifiers/bank-demo/invite"
	invite := url.Values{"label": {"A clerk"}}
	for who, k := range map[string]*asker{"nobody": nobody, "an editor": editor, "a person": salma} {
		if w := k.post(desk, invite); w.Code < 400 {
			t.Errorf("%s invites: %d", who, w.Code)
		}
	}
	if w := steward.post(desk, invite, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("another site invites: %d", w.Code)
	}
	page := steward.post(desk, invite).Body.String()
	_, link, _ := strings.Cut(page, `<code class="ltr wraps">`)
	link, _, _ = strings.Cut(link, "</code>")
	_, link, _ = strings.Cut(link, "/fr/me/")
	_, code, _ := strings.Cut(page, `<code class="ltr">`)
	code, _, _ = strings.Cut(code, "</code>")
	link = "/fr/me/" + link
	if w := nobody.get(link); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/fr/me/sign-in?to=") {
		t.Fatalf("who is not signed in: %d %s", w.Code, w.Header().Get("Location"))
	}
	for who, k := range map[string]*asker{"nobody": nobody, "an editor": editor, "a steward": steward} {
		if w := k.post(link, url.Values{"code": {code}}); w.Code < 400 {
			t.Errorf("%s joins: %d", who, w.Code)
		}
	}
	if w := salma.post(link, url.Values{"code": {code}}, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("another site makes a person join: %d", w.Code)
	}
	if w := salma.post(link, url.Values{"code": {code}}); w.Code != http.StatusSeeOther {
		t.Fatalf("joining: %d %s", w.Code, w.Body)
	}
	if w := salma.get("/fr/verify"); !strings.Contains(w.Body.String(), `/me/verifiers"`) || !strings.Contains(w.Body.String(), `value="permit-loan"`) {
		t.Error("the page does not say in whose name the person asks")
	}
	w := salma.post("/fr/verify/ask", url.Values{"verifier": {"bank-demo"}, "template": {"permit-loan"}, "flow": {"cross_device"}})
	where := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther {
		t.Fatalf("asking: %d", w.Code)
	}
	if w := salma.get(where); w.Code != http.StatusOK {
		t.Errorf("the request: %d", w.Code)
	}
	left := anybody(t, a) // the same browser after signing out
	for _, c := range salma.cookies {
		if strings.Contains(c.Name, "verify") {
			left.cookies = append(left.cookies, c)
		}
	}
	if w := left.get(where); len(left.cookies) != 1 || w.Code != http.StatusNotFound {
		t.Errorf("the request without the account: %d", w.Code)
	}
	if w := salma.post("/fr/me/verifiers", url.Values{"verifier": {"bank-demo"}}); w.Code != http.StatusSeeOther {
		t.Errorf("leaving: %d", w.Code)
	}
	if w := salma.get(where); w.Code != http.StatusNotFound {
		t.Errorf("the request of who left: %d", w.Code)
	}
}
