package apptest

import (
	"encoding/json"
	"strings"
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
	verifierQuestions(t, a, steward.Actor, data, id)
	invited := verifierPeople(t, a, steward.Actor, id)
	return []Page{
		{Kind: "verify as a verifier", Path: "/verify", As: Person},
		{Kind: "verify as one of two", Path: "/verify?as=" + id, As: Person},
		{Kind: "verify as a verifier: waiting", Path: "/verify", As: Person, Click: `button[value="cross_device"]`},
		{Kind: "my verifiers", Path: "/me/verifiers", As: Person},
		{Kind: "invitation for a verifier", Path: "/me/verifiers/join/" + invited, As: Person},
		{Kind: "invitation for a verifier, wrong", Path: "/me/verifiers/join/0", As: Person, Status: 404},
		{Kind: "verifier: whom to invite", Path: "/office/verifiers/" + id + "/invite", As: Steward},
		{Kind: "verifier: an invitation", Path: "/office/verifiers/" + id + "/invite", As: Steward, Form: map[string]string{"label": "A clerk of the notary"}},
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
		{Kind: "verifier: a question", Path: "/office/verifiers/" + id + "/templates/" + verifier.TemplateID(id, "plain"), As: Steward},
		{Kind: "verifier: a question in DCQL", Path: "/office/verifiers/" + id + "/templates/" + verifier.TemplateID(id, "exact"), As: Steward},
		{Kind: "verifier: a question to write", Path: "/office/verifiers/" + id + "/templates/new", As: Steward},
		{Kind: "verifier to register", Path: "/office/verifiers/new", As: Steward},
		{Kind: "no verifier", Path: "/office/verifiers/nobody", As: Steward, Status: 404},
		{Kind: "devices", Path: "/me/wallets", As: Person},
	}
}

// verifierPeople makes the sample person one of the people of two verifiers, and returns
// the link's secret of an invitation that nobody used yet.
func verifierPeople(t testing.TB, a *app.App, steward gov.Actor, id string) string {
	t.Helper()
	person, err := a.Accounts.ByLogin(t.Context(), Person)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{id, "bank-demo"} {
		i, err := a.Verifier.Invite(t.Context(), steward, v, "Clerk at the desk")
		if err == nil {
			_, err = a.Verifier.Join(t.Context(), person.Actor, i.Secret, i.Code)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	i, err := a.Verifier.Invite(t.Context(), steward, id, "Another clerk")
	if err != nil {
		t.Fatal(err)
	}
	return i.Secret
}

// verifierQuestions writes two questions: one that boxes say, and one that only DCQL says.
func verifierQuestions(t testing.TB, a *app.App, steward gov.Actor, data *verifier.Registered, id string) {
	t.Helper()
	from := data.Templates[0]
	for name, query := range map[string]string{"plain": strings.Replace(string(from.Query), `"id":"permit"`, `"id":"document"`, 1), "exact": strings.Replace(string(from.Query), `"claims"`, `"multiple":true,"claims"`, 1)} {
		q := verifier.Template{ID: verifier.TemplateID(id, name), Name: from.Name, Why: from.Why, Query: json.RawMessage(query), Keep: verifier.KeepClaims, Minutes: 3 * 24 * 60}
		if err := a.Verifier.Write(t.Context(), steward, id, q, true); err != nil {
			t.Fatal(err)
		}
	}
}
