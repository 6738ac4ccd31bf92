package apptest

import (
	"testing"

	"diwan/internal/app"
	"diwan/internal/gov"
	"diwan/internal/verifier"
)

// verifierPages are those of who asks for documents, and of the registry of who may.
func verifierPages(t testing.TB, a *app.App) []Page {
	t.Helper()
	steward, err := a.Accounts.ByLogin(t.Context(), Steward)
	if err != nil {
		t.Fatal(err)
	}
	const id = "notary"
	data, err := a.Verifier.Registered(t.Context(), "bank-demo")
	if err != nil {
		t.Fatal(err)
	}
	p := verifier.Party{ID: id, Name: gov.Text{}, Purpose: gov.Text{}, May: data.May, Returns: []string{"https://notary.example/back"}}
	for _, l := range a.Country.Languages {
		p.Name[l.Code], p.Purpose[l.Code] = data.Name[l.Code], data.Purpose[l.Code]
	}
	if err := a.Verifier.Register(t.Context(), steward.Actor, p, true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Verifier.MakeToken(t.Context(), steward.Actor, id, "Software of the office"); err != nil {
		t.Fatal(err)
	}
	party, err := a.Verifier.Party(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Verifier.Begin(t.Context(), party, verifier.Ask{Template: party.Templates[0].ID}); err != nil {
		t.Fatal(err)
	}
	return []Page{
		{Kind: "verify", Path: "/verify"},
		{Kind: "verify: a code", Path: "/verify/code"},
		{Kind: "verify: refused", Path: "/verify/code", Form: map[string]string{"text": "not a document"}},
		{Kind: "verify: no number", Path: "/verify/P-17", Status: 404},
		{Kind: "verify: waiting for another device", Path: "/verify", Click: `button[value="cross_device"]`},
		{Kind: "verify: waiting here", Path: "/verify", Click: `button[value="same_device"]`},
		{Kind: "verifiers", Path: "/office/verifiers", As: Steward},
		{Kind: "verifier", Path: "/office/verifiers/" + id, As: Steward},
		{Kind: "verifier of the data", Path: "/office/verifiers/bank-demo", As: Steward},
		{Kind: "verifier to change", Path: "/office/verifiers/" + id + "/edit", As: Steward},
		{Kind: "verifier to register", Path: "/office/verifiers/new", As: Steward},
		{Kind: "no verifier", Path: "/office/verifiers/nobody", As: Steward, Status: 404},
		{Kind: "devices", Path: "/me/wallets", As: Person},
	}
}
