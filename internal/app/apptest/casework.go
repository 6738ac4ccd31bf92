package apptest

import (
	"net/http"
	"testing"

	"diwan/internal/app"
	"diwan/internal/casework"
	"diwan/internal/casework/clock"
	"diwan/internal/gov"
)

// Officers of the office that the demonstration's cases go to.
const (
	Receives = "receive.demo"
	Studies  = "study.demo"
	Signs    = "sign.demo"
)

// Cases are the numbers of cases in every state that pages show differently, and a
// draft.
type Cases struct {
	Draft, Incomplete, Running, Asked, Refused, Silent, Appeal, Contested, Above, Certified string
}

const permit = "building-permit"

// CaseDesk files cases of the sample person.
func CaseDesk(t testing.TB, a *app.App) Cases {
	t.Helper()
	ctx := t.Context()
	person, err := a.Accounts.ByLogin(ctx, Person)
	if err != nil {
		t.Fatal(err)
	}
	officer, err := a.Accounts.ByLogin(ctx, Studies)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := a.Accounts.ByLogin(ctx, Signs)
	if err != nil {
		t.Fatal(err)
	}
	terms, err := a.Casework.Procedures.Terms(ctx, permit)
	if err != nil {
		t.Fatal(err)
	}
	file := func(on gov.Date, missing ...string) *casework.Case {
		c, err := a.Casework.File(ctx, casework.Filing{Administration: officer.Administration, Person: person.ID, By: person.Actor, Channel: casework.Online, Lang: "ar",
			Applicant: person.Name, Terms: terms, Answers: []byte(`{}`), Missing: missing, On: on})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	act := func(by gov.Actor, c *casework.Case, action casework.Action) {
		if _, err := a.Casework.Act(ctx, by, c.Number, action); err != nil {
			t.Fatal(err)
		}
	}
	f, err := a.Casework.Form(ctx, permit, "")
	if err != nil {
		t.Fatal(err)
	}
	draft, err := a.Casework.Begin(ctx, casework.Draft{Person: person.ID, Filer: person.ID, Administration: officer.Administration, Procedure: permit, Form: f.Doc().Version})
	if err != nil {
		t.Fatal(err)
	}
	today := gov.DateOf(a.Site.Clock.Now(), a.Country.Zone())
	out := Cases{Draft: draft.ID, Incomplete: file(gov.Date{}, "plans").Number, Running: file(today.AddDays(-20)).Number}
	c := file(today.AddDays(-9))
	act(officer.Actor, c, casework.Action{Type: casework.MessageSent, Text: "A question will follow."})
	act(officer.Actor, c, casework.Action{Type: string(clock.InformationRequested), Text: "How high is the wall?"})
	out.Asked = c.Number
	c = file(today.AddDays(-5))
	act(officer.Actor, c, casework.Action{Type: casework.Prepared, Ground: string(clock.Refused), Text: "The plot lies outside."})
	act(signer.Actor, c, casework.Action{Type: string(clock.Refused), Text: "The plot lies outside the zone."})
	out.Refused = c.Number
	c = file(today.AddDays(-6))
	act(officer.Actor, c, casework.Action{Type: casework.Prepared, Ground: string(clock.Refused), Text: "No road."})
	act(signer.Actor, c, casework.Action{Type: string(clock.Refused), Text: "No road leads there."})
	_, appeal, err := a.Casework.Appeal(ctx, person.Actor, c.Number, casework.Action{Text: "The road was opened in May."})
	if err != nil {
		t.Fatal(err)
	}
	out.Above, out.Certified = silentCases(t, a)
	out.Contested, out.Appeal = c.Number, appeal.Number
	out.Silent = file(today.AddDays(-120)).Number
	if _, err := a.Casework.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	return out
}

// silentCases are cases of the office's own software that lie before the
// administration above, which has certified the silence of the second.
func silentCases(t testing.TB, a *app.App) (waits, done string) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	boss, err := a.Accounts.ByLogin(ctx, Supervises)
	must(err)
	governor, err := a.Accounts.ByLogin(ctx, Governs)
	must(err)
	secret, _, err := a.Casework.MakeToken(ctx, boss.Actor, casework.Token{Name: "Registre communal", Scopes: []string{casework.ScopeImport}})
	must(err)
	token, err := a.Casework.Bearer(ctx, secret)
	must(err)
	today := gov.DateOf(a.Site.Clock.Now(), a.Country.Zone())
	var all []string
	for _, own := range []string{"A-1", "A-2"} {
		c, _, err := a.Casework.Bring(ctx, token, casework.Incoming{Own: own, Procedure: permit, Person: casework.Whom{Own: own}, Applicant: gov.Text{"fr": "Hamid Modèle"}, Lang: "fr",
			Events: []casework.OwnEvent{{On: today.AddDays(-200), Type: string(clock.Filed)}, {On: today.AddDays(-30), Type: string(clock.DeliveryRequested)}}})
		must(err)
		_, err = a.Casework.Act(ctx, governor.Actor, c.Number, casework.Action{Type: casework.AboveWrote, Text: "Why was nothing answered?"})
		must(err)
		all = append(all, c.Number)
	}
	_, err = a.Casework.Act(ctx, governor.Actor, all[1], casework.Action{Type: string(clock.Certified), Text: "The file was complete, and the period passed."})
	must(err)
	return all[0], all[1]
}

// casePages are the pages of the person's space and of the officers' desk.
func casePages(c Cases) []Page {
	return []Page{
		{Kind: "my space", Path: "/me/", As: Person},
		{Kind: "begin", Path: "/me/apply/" + permit, As: Person},
		{Kind: "begin without a form", Path: "/me/apply/passport", As: Person, Status: http.StatusNotFound},
		{Kind: "question", Path: "/me/drafts/" + c.Draft + "/pages/applicant-kind", As: Person},
		{Kind: "question with an error", Path: "/me/drafts/" + c.Draft + "/pages/contact", As: Person, Status: http.StatusUnprocessableEntity, Form: map[string]string{"contact.phone": "12"}},
		{Kind: "check of the answers", Path: "/me/drafts/" + c.Draft + "/check", As: Person},
		{Kind: "consents", Path: "/me/consents", As: Person},
		{Kind: "my incomplete case", Path: "/me/cases/" + c.Incomplete, As: Person},
		{Kind: "my case", Path: "/me/cases/" + c.Running, As: Person},
		{Kind: "my case with a question", Path: "/me/cases/" + c.Asked, As: Person},
		{Kind: "my refused case", Path: "/me/cases/" + c.Refused, As: Person},
		{Kind: "my case approved by silence", Path: "/me/cases/" + c.Silent, As: Person},
		{Kind: "my appeal", Path: "/me/cases/" + c.Appeal, As: Person},
		{Kind: "my contested case", Path: "/me/cases/" + c.Contested, As: Person},
		{Kind: "receipt of an appeal", Path: "/receipts/" + c.Appeal},
		{Kind: "appeal at the desk", Path: "/office/cases/" + c.Appeal, As: Hears},
		{Kind: "appeal at the desk of who decided", Path: "/office/cases/" + c.Appeal, As: Signs},
		{Kind: "contested case at the desk", Path: "/office/cases/" + c.Contested, As: Hears},
		{Kind: "before the authority above", Path: "/office/above", As: Governs},
		{Kind: "done by the authority above", Path: "/office/above?view=done", As: Governs},
		{Kind: "case before the authority above", Path: "/office/above/" + c.Above, As: Governs},
		{Kind: "certified case", Path: "/office/above/" + c.Certified, As: Governs},
		{Kind: "case whose silence is explained", Path: "/office/cases/" + c.Above, As: Signs},
		{Kind: "whole case at the authority above", Path: "/office/cases/" + c.Above, As: Governs},
		{Kind: "before no authority above", Path: "/office/above/" + c.Above, As: Signs, Status: http.StatusNotFound},
		{Kind: "inbox of the authority above", Path: "/office/cases", As: Governs},
		{Kind: "receipt of a certified case", Path: "/receipts/" + c.Certified},
		{Kind: "no case", Path: "/me/cases/2026-AAAA-AAAA-AAAA", As: Person, Status: http.StatusNotFound},
		{Kind: "receipt", Path: "/receipts/" + c.Running},
		{Kind: "receipt of an incomplete file", Path: "/receipts/" + c.Incomplete},
		{Kind: "no receipt", Path: "/receipts/2026-AAAA-AAAA-AAAA", Status: http.StatusNotFound},
		{Kind: "inbox", Path: "/office/cases", As: Studies},
		{Kind: "closed cases", Path: "/office/cases?view=closed", As: Studies},
		{Kind: "inbox of nothing", Path: "/office/cases?view=mine", As: Studies},
		{Kind: "case at the desk", Path: "/office/cases/" + c.Running, As: Studies},
		{Kind: "case with a question at the desk", Path: "/office/cases/" + c.Asked, As: Studies},
		{Kind: "case to sign", Path: "/office/cases/" + c.Running, As: Signs},
		{Kind: "what happens if nobody acts", Path: "/office/cases/" + c.Running + "/what", As: Studies},
	}
}
