package app_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"diwan/internal/app/apptest"
	"diwan/internal/credential"
	"diwan/internal/gov"
)

// Somebody of whom nothing has to be kept leaves, and can't come back by their session;
// who holds a valid document stays.
func TestLeaving(t *testing.T) {
	a := apptest.Open(t)
	salma := entered(t, a, apptest.Person)
	holder, err := a.Accounts.ByLogin(t.Context(), apptest.Person)
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.Credentials.Make(t.Context(), credential.Source{ID: "sample:diploma.x", Type: "diploma", Administration: "commune", Person: holder.ID, On: gov.Date{Year: 2026, Month: 1, Day: 2}})
	if err != nil || d.State != credential.Ready {
		t.Fatal(d, err)
	}
	leave := url.Values{"sure": {"yes"}, "close": {"yes"}}
	if w := salma.post("/fr/me/privacy", leave); w.Code != http.StatusConflict {
		t.Errorf("who holds a document: %d", w.Code)
	}
	if _, err := a.Credentials.Change(t.Context(), gov.Actor{ID: "officer", Administration: "commune", Roles: []gov.Role{gov.RoleSign}}, d.ID, credential.Revoked, "For the test"); err != nil {
		t.Fatal(err)
	}
	if w := salma.post("/fr/me/privacy", url.Values{"close": {"yes"}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("without being sure: %d", w.Code)
	}
	steward, err := a.Accounts.ByLogin(t.Context(), apptest.Steward)
	if err != nil {
		t.Fatal(err)
	}
	invited, err := a.Verifier.Invite(t.Context(), steward.Actor, "bank-demo", "A clerk")
	if err == nil {
		_, err = a.Verifier.Join(t.Context(), holder.Actor, invited.Secret, invited.Code)
	}
	if err != nil {
		t.Fatal(err)
	}
	session := slices.Clone(salma.cookies)
	if w := salma.post("/fr/me/privacy", leave); w.Code != http.StatusSeeOther {
		t.Fatalf("leaving: %d %s", w.Code, w.Body)
	}
	if people, err := a.Verifier.People(t.Context(), "bank-demo"); err != nil || len(people) != 0 {
		t.Errorf("an account that is closed asks as a verifier: %+v %v", people, err)
	}
	salma.cookies = session
	if w := salma.get("/fr/me/"); w.Code == http.StatusOK {
		t.Error("the session outlives the account")
	}
}
