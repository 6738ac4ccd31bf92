package casework

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

func TestCounter(t *testing.T) {
	eachDesk(t, func(w *world) {
		officer := gov.Actor{ID: "desk", Administration: "commune", Roles: []gov.Role{gov.RoleCounter}}
		colleague := gov.Actor{ID: "desk2", Administration: "commune", Roles: []gov.Role{gov.RoleCounter}}
		if _, err := NamedPresent(" x"); code(err) != "case.present_name" {
			t.Error(err)
		}
		if _, err := NamedPresent(strings.Repeat("long ", 5000)); code(err) != "case.present_name" {
			t.Error(err)
		}
		p, err := NamedPresent("Fatima \u202eZahra\x00  Alami")
		if err != nil || p.Name[""] != "Fatima Zahra Alami" || p.Account {
			t.Fatal(p, err)
		}
		if _, err := w.BeginPresent(t.Context(), officer, Present{ID: officer.ID}, Draft{Procedure: "permit"}); code(err) != "case.present_self" {
			t.Error("an officer filed for themselves:", err)
		}
		if _, err := w.BeginPresent(t.Context(), gov.Actor{}, p, Draft{}); err == nil {
			t.Error("nobody began a draft")
		}
		d, err := w.BeginPresent(t.Context(), officer, p, Draft{Procedure: "permit", Form: "1"})
		if err != nil || d.Administration != "commune" || d.Person != p.ID || d.Filer != officer.ID {
			t.Fatal(d, err)
		}
		got, err := w.PresentOf(t.Context(), officer, d.ID)
		if err != nil || got.ID != p.ID || got.Name[""] != p.Name[""] {
			t.Fatal(got, err)
		}
		if _, err := w.PresentOf(t.Context(), colleague, d.ID); !problem.Is(err, problem.NotFound) {
			t.Error("a colleague's draft:", err)
		}
		c := w.file(func(f *Filing) { f.Draft, f.Person, f.By, f.Channel = d.ID, p.ID, officer, Counter })
		if c.Channel != Counter || c.Filer != officer.ID || c.Person != p.ID {
			t.Errorf("%+v", c)
		}
		if got := w.notices("filed"); len(got) != 1 || got[0] != p.ID {
			t.Error("told of the filing:", got)
		}
		if err := w.DropDraft(t.Context(), officer.ID, d.ID); err != nil {
			t.Error(err)
		}
		if err := w.Chores(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// The person is written to in the language that they chose at the counter, whatever
// the officer's page is in, and what they told this administration is not asked again;
// what they told another stays there.
func TestCounterLanguageAndWhatIsKnown(t *testing.T) {
	eachDesk(t, func(w *world) {
		w.Options.Procedures = onePermit{}
		officer := gov.Actor{ID: "desk", Administration: "commune", Roles: []gov.Role{gov.RoleCounter}}
		facts := firstFacts()
		facts.Published, _ = onePermit{}.Published(t.Context(), "permit")
		f, err := form.FromProcedure(facts)
		if err == nil {
			_, err = w.PublishForm(t.Context(), gov.Actor{ID: "steward"}, f.JSON())
		}
		if err != nil {
			t.Fatal(err)
		}
		said := func(administration, phone string) {
			t.Helper()
			answers, err := f.Document(form.Answers{"contact": map[string]any{"phone": phone}})
			if err != nil {
				t.Fatal(err)
			}
			w.file(func(x *Filing) {
				x.Administration, x.Terms.Form, x.Answers = administration, f.Doc().Version, answers
			})
		}
		said("commune", "+212522000001")
		w.hand.days(1)
		said("elsewhere", "+212522000002")
		here, err := w.KnownHere(t.Context(), officer, Present{ID: salma.ID, Account: true})
		if err != nil || here["phone"] != "+212522000001" {
			t.Errorf("known here: %v, %v", here, err)
		}
		if other, err := w.KnownHere(t.Context(), officer, Present{ID: salma.ID}); err != nil || len(other) != 0 {
			t.Errorf("known of a name: %v, %v", other, err)
		}
		p := Present{ID: salma.ID, Name: gov.Text{"fr": "Salma"}, Account: true, Lang: "zgh"}
		if _, err := w.BeginPresent(t.Context(), officer, Present{ID: "x", Lang: "xx"}, Draft{Procedure: "permit"}); code(err) != "case.present_language" {
			t.Error("a language that there is not:", err)
		}
		d, err := w.BeginPresent(t.Context(), officer, p, Draft{Procedure: "permit", Form: f.Doc().Version})
		if err != nil {
			t.Fatal(err)
		}
		desk := &CounterDesk{Desk: &Desk{Casework: w.Casework, Actor: func(*http.Request) gov.Actor { return officer }}}
		m := &Mine{Casework: w.Casework, Actor: desk.Actor, Acting: desk.acting, Root: CounterRoot, Channel: Counter}
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.SetPathValue("draft", d.ID)
		c, err := m.handIn(r, &writing{Draft: d, form: f, answers: form.Answers{}})
		if err != nil || c.Lang != "zgh" || c.Channel != Counter {
			t.Errorf("%+v, %v", c, err)
		}
	})
}
