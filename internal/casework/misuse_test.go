package casework

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"diwan/internal/casework/clock"
	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// codeOf is the stable code of an error, empty of none.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return problem.From(err).Code
}

// The clock of the machine goes back a month: nothing that happened is undone, and
// no event stands before another.
func TestClockSetBack(t *testing.T) {
	each(t, func(w *world) {
		c := w.file()
		w.hand.days(40)
		if n, err := w.Sweep(t.Context()); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		w.hand.days(-35)
		for range 2 {
			if n, err := w.Sweep(t.Context()); err != nil || n != 0 {
				t.Fatal(n, err)
			}
		}
		if got := w.stands(c.Number, clock.SilenceApproved, ""); got.Open {
			t.Error("the case is open again")
		}
		w.refused(signer, c, Action{Type: string(clock.Refused), Text: "In time after all"}, "clock.decision.after_silence")
		c = w.act(studies, c, Action{Type: Noted, Text: "The clock is wrong."})
		if _, changed, err := w.Recount(t.Context()); err != nil || changed != 0 {
			t.Error(changed, err)
		}
		journal, err := w.Journal(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if len(journal) != 3 {
			t.Errorf("%d events", len(journal))
		}
		for i := 1; i < len(journal); i++ {
			if journal[i].On.Before(journal[i-1].On) || journal[i].At.Before(journal[i-1].At) {
				t.Errorf("%s of %s, %s stands after %s of %s, %s", journal[i].Type, journal[i].On, journal[i].At, journal[i-1].Type, journal[i-1].On, journal[i-1].At)
			}
		}
		if got := w.stands(c.Number, clock.SilenceApproved, ""); got.State != c.State {
			t.Error(got.State)
		}
	})
}

// A case keeps what it began with, whatever is published later.
func TestProcedureChangedUnderTheCase(t *testing.T) {
	each(t, func(w *world) {
		c := w.file()
		later := permit()
		later.Version, later.DeadlineDays, later.Lists, later.Documents = 4, 10, nil, []Document{{ID: "survey"}}
		next := w.file(func(f *Filing) { f.Terms = later; f.Answers = []byte(`{"floors":3}`) })
		w.refused(studies, c, Action{Type: string(clock.DoubtRaised), Items: []string{"survey"}, Text: "?"}, "case.document_unknown")
		w.act(studies, c, Action{Type: string(clock.DefectNotified), Items: []string{"plans"}, Text: "Not signed."})
		w.hand.days(15)
		if _, err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if terms, err := w.TermsOf(t.Context(), c); err != nil || terms.Version != 3 || terms.DeadlineDays != 30 {
			t.Error(terms, err)
		}
		got, err := w.Find(t.Context(), studies, next.Number)
		if err != nil || got.State != clock.LapsedAppealable {
			t.Error(got.State, err)
		}
	})
}

func TestAnothersCase(t *testing.T) {
	each(t, func(w *world) {
		c := w.file()
		for _, who := range []gov.Actor{idris, other} {
			if _, err := w.Find(t.Context(), who, c.Number); codeOf(err) != "case.not_found" {
				t.Errorf("%s finds it: %v", who.ID, err)
			}
			for kind := range rules {
				a := Action{Type: kind, Text: "x", Items: []string{"plans"}}
				if kind == string(clock.InformationRequested) {
					a.Items = nil
				}
				w.refused(who, c, a, "case.not_found")
			}
		}
		if _, err := w.Find(t.Context(), gov.Actor{}, c.Number); codeOf(err) != "unauthenticated" {
			t.Error(err)
		}
		// The same answer for a number that no case has: who asks learns nothing.
		if _, err := w.Find(t.Context(), idris, NewNumber(2026)); codeOf(err) != "case.not_found" {
			t.Error(err)
		}
		if list, err := w.CasesOf(t.Context(), idris.ID); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
	})
}

// Fields that a page hides and somebody edits.
func TestEditedHiddenFields(t *testing.T) {
	each(t, func(w *world) {
		c := w.file()
		w.refused(studies, c, Action{Type: Noted, Text: "x", Version: c.Version + 7}, "case.changed")
		w.refused(studies, c, Action{Type: "time_passed", Text: "x"}, "case.action_unknown")
		w.refused(studies, c, Action{Type: "", Text: "x"}, "case.action_unknown")
		w.refused(studies, c, Action{Type: Paid, Text: "x"}, "case.action_unknown")
		w.refused(salma, c, Action{Type: Noted, Text: "x"}, "forbidden")
		w.refused(studies, c, Action{Type: string(clock.Withdrawn)}, "forbidden")
		w.refused(studies, c, Action{Type: string(clock.DoubtRaised), Items: []string{"plans'; DROP TABLE casework_case"}, Text: "?"}, "case.document_unknown")
		w.refused(studies, c, Action{Type: string(clock.DoubtRaised), Items: make([]string, 101), Text: "?"}, "case.items_many")
		w.refused(studies, c, Action{Type: Assigned, To: "a\x00b"}, "case.field")
		w.refused(studies, c, Action{Type: Assigned, To: strings.Repeat("a", 300)}, "case.field")
		if got := w.stands(c.Number, clock.Running, "2026-04-02"); got.Version != c.Version || got.Events != 1 {
			t.Errorf("version %d, %d events", got.Version, got.Events)
		}
		f := Filing{Administration: "commune", Person: salma.ID, By: salma, Terms: permit()}
		for want, change := range map[string]func(*Filing){
			"case.incomplete_filing": func(f *Filing) { f.Administration = "" },
			"case.document_unknown":  func(f *Filing) { f.Missing = []string{"passport"} },
			"draft.not_found":        func(f *Filing) { f.Draft = gov.NewID() },
			"case.future":            func(f *Filing) { f.On = w.today().AddDays(1) },
		} {
			x := f
			change(&x)
			if _, err := w.File(t.Context(), x); codeOf(err) != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
	})
}

// Texts that are too long, or that turn the page around them.
func TestHostileTexts(t *testing.T) {
	each(t, func(w *world) {
		long := strings.Repeat("a", 10<<20)
		f := Filing{Administration: "commune", Person: salma.ID, By: salma, Terms: permit(), Answers: []byte(`{}`)}
		for want, change := range map[string]func(*Filing){
			"case.name_too_long": func(f *Filing) { f.Applicant = gov.Text{"fr": long} },
			"draft.too_large":    func(f *Filing) { f.Answers = []byte(`{"a":"` + long + `"}`) },
		} {
			x := f
			change(&x)
			if _, err := w.File(t.Context(), x); codeOf(err) != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
		c := w.file(func(f *Filing) { f.Applicant = gov.Text{"fr": "Sal\u202ema \u0000B.\u202d"} })
		content, err := w.Content(t.Context(), c)
		if err != nil || content.Applicant["fr"] != "Salma B." {
			t.Errorf("%q, %v", content.Applicant["fr"], err)
		}
		w.refused(studies, c, Action{Type: Noted, Text: long}, "case.text_too_long")
		w.refused(studies, c, Action{Type: Noted, Text: "\xff\xfe"}, "case.text_too_long")
		w.refused(studies, c, Action{Type: Noted, Text: "\u202e\u200b \u202c"}, "case.reasons_missing")
		c = w.act(studies, c, Action{Type: Noted, Text: "paid 001\u202e.000\u202c DH\x00\nlast " + strings.Repeat("e\u0301", 3) + strings.Repeat("\u0301", 5000)})
		journal, err := w.Journal(t.Context(), c)
		if err != nil || strings.ContainsAny(journal[1].Text, "\u202e\u202c\x00") || len(journal[1].Text) > 100 || !strings.Contains(journal[1].Text, "\n") {
			t.Errorf("%q, %v", journal[1].Text, err)
		}
		d, err := w.Begin(t.Context(), Draft{Person: salma.ID, Filer: salma.ID, Administration: "commune", Procedure: "permit"})
		if err != nil {
			t.Fatal(err)
		}
		d.Answers = []byte(`{"a":"` + long + `"}`)
		if err := w.SaveDraft(t.Context(), &d); codeOf(err) != "draft.too_large" {
			t.Error(err)
		}
		for _, typed := range []string{long, "2026-\x00", "\u202e2026"} {
			if _, err := w.Find(t.Context(), studies, typed); codeOf(err) != "case.not_found" {
				t.Error(err)
			}
		}
		if _, _, err := w.Inbox(t.Context(), Filter{Administration: "commune", Unit: long}); codeOf(err) != "case.filter" {
			t.Error(err)
		}
	})
}

// slowFetcher answers when it is told to.
type slowFetcher struct{ asked, answer chan bool }

func (f slowFetcher) Fetch(context.Context, Call) (Copy, error) {
	f.asked <- true
	<-f.answer
	return Copy{Values: []Value{{Label: gov.Text{"fr": "Titre"}, Text: "T/1234"}}, Exchange: "x1"}, nil
}

// Who takes a consent back while the answer is on its way keeps it back: nothing
// of the answer is kept, and nothing is used.
func TestConsentWithdrawnInTheMiddle(t *testing.T) {
	each(t, func(w *world) {
		f := slowFetcher{make(chan bool, 1), make(chan bool)}
		w.Fetcher = f
		d, err := w.Begin(t.Context(), Draft{Person: salma.ID, Filer: salma.ID, Administration: "commune", Procedure: "permit", Answers: []byte(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var fetched error
		wg.Go(func() {
			_, fetched = w.Consent(context.Background(), &d, "title", &form.Once{Service: "titles", From: "land", Fields: []string{"number"}, Purpose: gov.Text{"fr": "Permis"}, Days: 30}, form.Answers{})
		})
		<-f.asked
		consents, err := w.Consents(t.Context(), salma.ID)
		if err != nil || len(consents) != 1 || consents[0].State != EvidenceConsented {
			t.Fatal(consents, err)
		}
		if err := w.WithdrawConsent(t.Context(), idris.ID, consents[0].ID); !problem.Is(err, problem.NotFound) {
			t.Error("somebody else took it back:", err)
		}
		if err := w.WithdrawConsent(t.Context(), salma.ID, consents[0].ID); err != nil {
			t.Fatal(err)
		}
		close(f.answer)
		wg.Wait()
		if codeOf(fetched) != "evidence.changed" {
			t.Error("the answer that came late:", fetched)
		}
		consents, err = w.Consents(t.Context(), salma.ID)
		if err != nil || consents[0].State != EvidenceWithdrawn || len(consents[0].Copy.Values) != 0 {
			t.Errorf("%+v, %v", consents[0], err)
		}
		if err := w.Agree(t.Context(), salma.ID, consents[0].ID, true); err == nil {
			t.Error("a withdrawn consent was agreed to")
		}
		c := w.file(func(f *Filing) { f.Draft = d.ID })
		if proofs, err := w.EvidenceOfCase(t.Context(), c.Number); err != nil || len(proofs) != 0 {
			t.Error(proofs, err)
		}
	})
}

// Many who file and save at once share the disk's work, and one that fails takes
// nobody along.
func TestFilingTogether(t *testing.T) {
	each(t, func(w *world) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		numbers := map[string]bool{}
		for i := range 60 {
			wg.Go(func() {
				f := Filing{Administration: "commune", Person: salma.ID, By: salma, Terms: permit(), Answers: []byte(`{}`)}
				if i%3 == 0 {
					f.Draft = gov.NewID() // of nobody
				}
				c, err := w.File(t.Context(), f)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case i%3 == 0:
					if codeOf(err) != "draft.not_found" {
						t.Error(err)
					}
				case err != nil:
					t.Error(err)
				default:
					numbers[c.Number] = true
				}
			})
		}
		wg.Wait()
		if len(numbers) != 40 {
			t.Errorf("%d cases", len(numbers))
		}
		for n := range numbers {
			c, err := w.Find(t.Context(), salma, n)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Journal(t.Context(), c); err != nil {
				t.Error(err)
			}
		}
		ended, end := context.WithTimeout(t.Context(), time.Nanosecond)
		defer end()
		<-ended.Done()
		if _, err := w.File(ended, Filing{Administration: "commune", Person: salma.ID, By: salma, Terms: permit()}); err == nil {
			t.Error("filed for somebody who left")
		}
	})
}
