//go:build !race

package app_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"diwan/internal/app/apptest"
	"diwan/internal/gov"
)

var (
	secretIn = regexp.MustCompile(`(diwan_[A-Za-z0-9_-]{40,}|whsec_[A-Za-z0-9+/=&#;]{20,})</code>`)
	idBefore = `name="id" value="([^"]+)"[^>]*>(?:<button[^>]*>[^<]*(?:<span[^>]*>[^<]*</span>)?</button>)*<button[^>]*value="%s"`
)

// The forms of tokens and addresses: made, given a new secret, ended; by nobody else
// and from no other site.
func TestProgramsForms(t *testing.T) {
	a := apptest.Open(t)
	boss, studies := signedIn(t, a, apptest.Supervises), signedIn(t, a, apptest.Studies)
	const page = "/en/office/programs"
	id := func(do string) string {
		t.Helper()
		m := regexp.MustCompile(strings.Replace(idBefore, "%s", do, 1)).FindStringSubmatch(boss.sees(page))
		if m == nil {
			t.Fatalf("nothing to %s", do)
		}
		return m[1]
	}
	shown := func(v url.Values) string {
		t.Helper()
		w := boss.post(page, v)
		m := secretIn.FindStringSubmatch(w.Body.String())
		if w.Code != http.StatusOK || m == nil || !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
			t.Fatalf("%v: %d, %q", v, w.Code, w.Header().Get("Cache-Control"))
		}
		if strings.Contains(boss.sees(page), m[1]) {
			t.Error("the secret is shown again")
		}
		return m[1]
	}
	status := func(secret string) int {
		return anybody(t, a).do(http.MethodGet, "/api/v1/cases", nil, "Authorization", "Bearer "+secret).Code
	}
	token := url.Values{"do": {"token"}, "name": {"Registre"}, "scope": {"read"}}
	for name, w := range map[string]int{
		"by somebody who may not": studies.post(page, token).Code,
		"from another site":       boss.post(page, token, "Sec-Fetch-Site", "cross-site").Code,
		"from another origin":     boss.post(page, token, "Origin", "https://evil.example").Code,
	} {
		if w != http.StatusForbidden {
			t.Errorf("%s: %d", name, w)
		}
	}
	if w := (anybody(t, a)).post(page, token); w.Code != http.StatusUnauthorized {
		t.Errorf("by nobody: %d", w.Code)
	}
	for _, wrong := range []url.Values{{"do": {"token"}, "name": {"x"}}, {"do": {"token"}, "scope": {"read"}}, {"do": {"token"}, "name": {"x"}, "scope": {"all"}}, {"do": {"token"}, "name": {"x"}, "scope": {"read"}, "until": {"tomorrow"}},
		{"do": {"hook"}, "address": {"ftp://registre.example/"}}, {"do": {"hook"}, "address": {"file:///etc/passwd"}}, {"do": {"other"}}} {
		if w := boss.post(page, wrong); w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusBadRequest {
			t.Errorf("%v: %d", wrong, w.Code)
		}
	}
	first := shown(token)
	second := shown(url.Values{"do": {"token-rotate"}, "id": {id("token-rotate")}})
	if status(first) != http.StatusUnauthorized || status(second) != http.StatusOK {
		t.Errorf("the old secret %d, the new one %d", status(first), status(second))
	}
	hook := url.Values{"do": {"hook"}, "address": {"https://registre.example/events"}}
	if x, y := shown(hook), shown(url.Values{"do": {"hook-rotate"}, "id": {id("hook-rotate")}}); x == y {
		t.Error("the secret of the address is the same")
	}

	// Who supervises a unit has nothing to do with what is the whole administration's,
	// nor with another's.
	acc, err := a.Accounts.ByLogin(t.Context(), apptest.Supervises)
	if err != nil {
		t.Fatal(err)
	}
	unit := gov.Actor{ID: "unit-boss", Administration: acc.Administration, Unit: "roads", Roles: acc.Roles}
	hooks, err := a.Casework.Hooks(t.Context(), acc.Actor)
	if err != nil || len(hooks) != 1 {
		t.Fatal(hooks, err)
	}
	if err := a.Casework.EndHook(t.Context(), unit, hooks[0].ID); err == nil {
		t.Error("a unit ended the administration's address")
	}
	if err := a.Casework.RetryHook(t.Context(), unit, hooks[0].ID); err == nil {
		t.Error("a unit tried the administration's address again")
	}
	neighbour := officer(t, a, "boss.other", "prefecture", "supervise")
	for _, v := range []url.Values{{"do": {"revoke"}, "id": {id("revoke")}}, {"do": {"end"}, "id": {hooks[0].ID}}, {"do": {"token-rotate"}, "id": {id("revoke")}}, {"do": {"hook-rotate"}, "id": {hooks[0].ID}}} {
		if w := neighbour.post(page, v); w.Code < 400 {
			t.Errorf("%v by another administration: %d", v, w.Code)
		}
	}
	boss.moves(page, "saved=1", url.Values{"do": {"revoke"}, "id": {id("revoke")}})
	if status(second) != http.StatusUnauthorized {
		t.Errorf("a revoked token: %d", status(second))
	}
	boss.moves(page, "saved=1", url.Values{"do": {"end"}, "id": {hooks[0].ID}})
	if strings.Contains(boss.sees(page), "registre.example") {
		t.Error("the ended address is still there")
	}
}
