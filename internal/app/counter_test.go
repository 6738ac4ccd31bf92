//go:build !race

package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"diwan/internal/app/apptest"
)

// At the counter the officer chooses the person's language; the page's is offered.
func TestCounterLanguage(t *testing.T) {
	a := apptest.Open(t)
	counter := signedIn(t, a, apptest.AtCounter)
	counter.sees("/fr/office/counter", `<option value="fr" lang="fr" selected>`, `<option value="ar" lang="ar">`)
	begin := func(lang string) url.Values {
		return url.Values{"name": {"Fatima Modèle"}, "procedure": {"building-permit"}, "lang": {lang}}
	}
	at := counter.moves("/fr/office/counter/begin", "/drafts/", begin("ar"))
	acc, err := a.Accounts.ByLogin(t.Context(), apptest.AtCounter)
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.Casework.PresentOf(t.Context(), acc.Actor, at[strings.LastIndex(at, "/")+1:])
	if err != nil || p.Lang != "ar" {
		t.Errorf("%+v, %v", p, err)
	}
	if w := counter.post("/fr/office/counter/begin", begin("tlh")); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a language that the country has not: %d", w.Code)
	}
	if w := counter.post("/fr/office/counter/begin", begin("ar"), "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", w.Code)
	}
}
