package apptest

import (
	"net/http"
	"testing"

	"diwan/internal/app"
	"diwan/internal/casework"
)

// afterPages does what comes after a decision, and what programs need, and returns
// the pages of it.
func afterPages(t testing.TB, a *app.App, c Cases) []Page {
	t.Helper()
	ctx, w := t.Context(), a.Casework
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	person, err := a.Accounts.ByLogin(ctx, Person)
	must(err)
	boss, err := a.Accounts.ByLogin(ctx, Supervises)
	must(err)
	_, _, err = w.MakeToken(ctx, boss.Actor, casework.Token{Name: "Registre", Scopes: []string{casework.ScopeRead, casework.ScopeAct}})
	must(err)
	must(w.MakeHook(ctx, boss.Actor, "https://registre.example/events", "secret", func(string) error { return nil }))
	must(w.Rate(ctx, person.Actor, c.Refused, 2, "Nobody explained."))
	first, err := w.Complain(ctx, person.ID, "", c.Running, "Nobody answers the telephone.")
	must(err)
	must(w.AnswerComplaint(ctx, boss.Actor, first.Number, casework.ComplaintMend, "On which day?", 0))
	_, err = w.Complain(ctx, person.ID, boss.Administration, "", "The door was closed.")
	must(err)
	must(w.KeepIndicators(ctx))
	return []Page{
		{Kind: "satisfaction", Path: "/me/cases/" + c.Silent + "/satisfaction", As: Person},
		{Kind: "satisfaction too early", Path: "/me/cases/" + c.Running + "/satisfaction", As: Person, Status: http.StatusConflict},
		{Kind: "my complaints", Path: "/me/complaints", As: Person},
		{Kind: "complaint about an administration", Path: "/me/complaints?office=commune", As: Person},
		{Kind: "my data", Path: "/me/privacy", As: Person},
		{Kind: "complaints at the desk", Path: "/office/complaints", As: Studies},
		{Kind: "programs", Path: "/office/programs", As: Supervises},
		{Kind: "programs of somebody who may not", Path: "/office/programs", As: Studies, Status: http.StatusForbidden},
		{Kind: "indicators", Path: "/casework/indicators"},
		{Kind: "charters", Path: "/casework/charters"},
		{Kind: "charter", Path: "/casework/charters/" + boss.Administration},
		{Kind: "indicators of no year", Path: "/casework/indicators?year=1900", Status: http.StatusNotFound},
	}
}
