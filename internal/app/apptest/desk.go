package apptest

import (
	"testing"
	"time"

	"diwan/internal/app"
	"diwan/internal/casework"
	"diwan/internal/casework/form"
	"diwan/internal/gov"
)

// More officers of the demonstration.
const (
	Supervises = "supervise.demo"
	AtCounter  = "counter.demo"
	Neighbour  = "neighbour.demo"
	Hears      = "hear.demo"
	Governs    = "governor.demo"
)

// deskPages does what the officers' desk has pages for, and returns them: an
// opinion asked, a fee, an absence, an appointment, a form that is built, somebody
// at the counter.
func deskPages(t testing.TB, a *app.App, c Cases) []Page {
	t.Helper()
	ctx, w := t.Context(), a.Casework
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	studies, boss, neighbour, person, editor := actor(t, a, Studies), actor(t, a, Supervises), actor(t, a, Neighbour), actor(t, a, Person), actor(t, a, Editor)
	_, err := w.Act(ctx, studies, c.Running, casework.Action{Type: casework.OpinionAsked, To: neighbour.Administration, Days: 5, Text: "Is the road wide enough?"})
	must(err)
	asked, err := w.AskedOpinions(ctx, neighbour, false)
	must(err)
	must(w.SetFee(ctx, studies, c.Running, 1250, "By the square metre"))
	today := gov.DateOf(a.Site.Clock.Now(), a.Country.Zone())
	_, err = w.SetAbsence(ctx, boss, casework.Absence{Account: boss.ID, Delegate: studies.ID, From: today.AddDays(3), To: today.AddDays(9)})
	must(err)
	_, err = w.SaveView(ctx, studies.ID, "Urgent", casework.SavedFilter{Soon: 7})
	must(err)
	for d := time.Sunday; d <= time.Saturday; d++ {
		must(w.AddOpening(ctx, boss, casework.Opening{Weekday: d, From: 540, To: 600, Slot: 20, Seats: 2}))
	}
	days, err := w.BookableDays(ctx, boss.Administration)
	must(err)
	day := days[len(days)-1]
	booked, err := w.Book(ctx, casework.Booking{Administration: boss.Administration, Day: day, Minute: 540, Account: person.ID, Person: person.ID, Name: person.Name, Procedure: permit})
	must(err)
	letter, err := w.SaveLetter(ctx, boss, casework.Letter{Name: "Convocation", Lang: "fr", Subject: "Dossier {{number}}", Body: "Bonjour {{applicant}}."})
	must(err)
	_, err = w.Act(ctx, studies, c.Running, casework.Action{Type: casework.MessageSent, Ref: "letter:fr", Text: "Subject\n\nText"})
	must(err)
	version, err := w.NewForm(ctx, editor, permit, "1", form.Facts{})
	must(err)
	built := "/office/forms/" + permit + "/" + version
	present, err := casework.NamedPresent("Fatima Modèle")
	must(err)
	draft, err := w.BeginPresent(ctx, actor(t, a, AtCounter), present, casework.Draft{Procedure: permit, Form: "1"})
	must(err)
	return []Page{
		{Kind: "opinions", Path: "/office/opinions", As: Neighbour},
		{Kind: "opinions given", Path: "/office/opinions?view=given", As: Neighbour},
		{Kind: "opinion", Path: "/office/opinions/" + asked[0].ID, As: Neighbour},
		{Kind: "case whose opinion is asked", Path: "/office/cases/" + c.Running, As: Neighbour},
		{Kind: "case with an opinion", Path: "/office/cases/" + c.Running, As: Supervises},
		{Kind: "team", Path: "/office/team", As: Studies},
		{Kind: "team to distribute", Path: "/office/team", As: Supervises},
		{Kind: "inbox to distribute", Path: "/office/cases", As: Supervises},
		{Kind: "counter", Path: "/office/counter", As: AtCounter},
		{Kind: "question at the counter", Path: casework.CounterRoot + "/drafts/" + draft.ID + "/pages/applicant-kind", As: AtCounter},
		{Kind: "receipt at the counter", Path: casework.CounterRoot + "/cases/" + c.Running, As: AtCounter},
		{Kind: "not at the counter", Path: "/office/counter", As: Studies, Status: 403},
		{Kind: "letters", Path: "/office/letters", As: Studies},
		{Kind: "letter that is changed", Path: "/office/letters?edit=" + letter.ID, As: Supervises},
		{Kind: "letter that is written", Path: "/office/cases/" + c.Running + "/letter?letter=" + letter.ID, As: Studies},
		{Kind: "agenda", Path: "/office/agenda?day=" + day.String(), As: Supervises},
		{Kind: "my appointments", Path: "/me/appointments", As: Person},
		{Kind: "my ticket", Path: "/me/appointments/" + booked.ID, As: Person},
		{Kind: "booking for a case", Path: "/me/appointments/new?case=" + c.Running, As: Person},
		{Kind: "booking", Path: "/me/appointments/new?procedure=" + permit, As: Person},
		{Kind: "my case with a fee", Path: "/me/cases/" + c.Running, As: Person},
		{Kind: "forms", Path: "/office/forms", As: Editor},
		{Kind: "form that is built", Path: built, As: Editor},
		{Kind: "form to publish", Path: built, As: Commission},
		{Kind: "page of a form", Path: built + "/pages/applicant-kind", As: Editor},
		{Kind: "page of a form under a condition", Path: built + "/pages/deed", As: Editor},
		{Kind: "page of a published form", Path: "/office/forms/" + permit + "/1/pages/applicant-kind", As: Editor},
	}
}
