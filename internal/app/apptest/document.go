package apptest

import (
	"testing"

	"diwan/internal/app"
	"diwan/internal/credential"
	"diwan/internal/gov"
)

// documentPages makes documents in the states that their pages show: one of a case that
// silence decided, one that lacks something, one that was revoked.
func documentPages(t testing.TB, a *app.App, c Cases) []Page {
	t.Helper()
	ctx, s := t.Context(), a.Credentials
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Settle(ctx)
	must(err)
	of, err := s.Of(ctx, c.Silent)
	must(err)
	if len(of) == 1 && of[0].State != credential.Ready {
		faults, ferr := s.Faults(ctx, of[0])
		t.Fatalf("the document of the case that silence decided is %s: %v, %v", of[0].State, faults, ferr)
	}
	ready := of[0]
	person, err := a.Accounts.ByLogin(ctx, Person)
	must(err)
	signs, err := a.Accounts.ByLogin(ctx, Signs)
	must(err)
	made := func(kind string) *credential.Document {
		t.Helper()
		d, err := s.Make(ctx, credential.Source{ID: "sample:" + kind + "." + gov.NewID(), Type: kind, Administration: ready.Administration, Person: person.ID, On: ready.DecidedOn})
		must(err)
		return d
	}
	revoked := made("building-permit")
	_, err = s.Change(ctx, signs.Actor, revoked.ID, credential.Revoked, "The plans were not those that were filed.")
	must(err)
	licence := made("driving-licence") // it has a picture and a list
	return []Page{
		{Kind: "my licence", Path: "/me/documents/" + licence.ID, As: Person},
		{Kind: "licence issued", Path: "/office/documents/" + licence.ID, As: Signs},
		{Kind: "type with a list", Path: "/office/types/driving-licence", As: Steward},
		{Kind: "my documents", Path: "/me/documents", As: Person},
		{Kind: "my document", Path: "/me/documents/" + ready.ID, As: Person},
		{Kind: "my document offered", Path: "/me/documents/" + ready.ID, As: Person, Click: `form[action$="/offer"] button`},
		{Kind: "my revoked document", Path: "/me/documents/" + revoked.ID, As: Person},
		{Kind: "documents issued", Path: "/office/documents?state=ready", As: Signs},
		{Kind: "document issued", Path: "/office/documents/" + ready.ID, As: Signs},
		{Kind: "document revoked", Path: "/office/documents/" + revoked.ID, As: Studies},
		{Kind: "types of documents", Path: "/office/types", As: Steward},
		{Kind: "type of document", Path: "/office/types/building-permit", As: Steward},
	}
}
