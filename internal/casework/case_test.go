package casework

import (
	"os"
	"strings"
	"sync"
	"testing"

	"diwan/internal/casework/clock"
	"diwan/internal/casework/form"
	"diwan/internal/db"
	"diwan/internal/keys"
	"diwan/internal/problem"
)

func TestFromFilingToDecision(t *testing.T) {
	each(t, func(w *world) {
		c := w.file()
		if c.State != clock.Running || c.Due.String() != "2026-04-02" {
			t.Fatalf("filed: %s, due %s", c.State, c.Due)
		}
		w.hand.days(10)
		c = w.act(studies, c, Action{Type: string(clock.InformationRequested), Text: "Which street?"})
		w.stands(c.Number, clock.Suspended, "")
		w.refused(studies, c, Action{Type: string(clock.InformationRequested), Text: "And which town?"}, "clock.information.second")
		w.hand.days(13)
		c = w.act(salma, c, Action{Type: string(clock.InformationReceived), Text: "Main street"})
		w.stands(c.Number, clock.Running, "2026-04-16")
		w.refused(studies, c, Action{Type: string(clock.Refused)}, "case.reasons_missing")
		w.refused(salma, c, Action{Type: string(clock.Granted)}, "forbidden")
		w.refused(other, c, Action{Type: string(clock.Granted)}, "case.not_found")
		c = w.act(signer, c, Action{Type: string(clock.Refused), Text: "The plans leave the zone."})
		w.stands(c.Number, clock.RefusedState, "2026-04-27")
		journal, err := w.Journal(t.Context(), c)
		if err != nil || len(journal) != 4 || journal[3].Text != "The plans leave the zone." || journal[3].Actor != signer.ID {
			t.Errorf("%+v, %v", journal, err)
		}
		content, err := w.Content(t.Context(), c)
		if err != nil || string(content.Answers) != `{"floors":2}` || content.Applicant["fr"] != "Salma" {
			t.Errorf("%+v, %v", content, err)
		}
	})
}

func TestSilenceIsApproval(t *testing.T) {
	each(t, func(w *world) {
		c := w.file()
		seen, err := w.Foresee(t.Context(), c, c.Due.AddDays(40))
		if err != nil || len(seen) == 0 || seen[0] != (Foreseen{c.Due.AddDays(1), clock.SilenceApproved}) {
			t.Fatalf("foreseen %v, %v", seen, err)
		}
		w.hand.days(31) // the last day
		if n, err := w.Sweep(t.Context()); err != nil || n != 0 {
			t.Fatal(n, err)
		}
		w.hand.days(400) // nothing ran for a year
		// Two copies of the program sweep at once, and again.
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if _, err := w.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if _, err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := w.Find(t.Context(), salma, c.Number)
		if err != nil || got.State != clock.SilenceApproved {
			t.Fatal(got.State, err)
		}
		journal, err := w.Journal(t.Context(), got)
		if err != nil {
			t.Fatal(err)
		}
		times := 0
		for _, e := range journal {
			if e.Type == TimePassed && e.Clear.State == string(clock.SilenceApproved) {
				times++
				if e.On.String() != "2026-04-03" {
					t.Error("silence had its effect on", e.On)
				}
			}
		}
		if times != 1 {
			t.Errorf("the transition was written %d times", times)
		}
		w.refused(signer, got, Action{Type: string(clock.Refused), Text: "Too late"}, "clock.decision.after_silence")
	})
}

func TestOnlyTheFirstOfTwoDecides(t *testing.T) {
	each(t, func(w *world) {
		c := w.file()
		seen := w.stands(c.Number, clock.Running, "2026-04-02")
		w.act(signer, c, Action{Type: string(clock.Granted), Version: seen.Version})
		w.refused(studies, c, Action{Type: string(clock.Refused), Text: "No", Version: seen.Version}, "case.changed")
		w.refused(studies, c, Action{Type: string(clock.Refused), Text: "No"}, "clock.decision.already")
	})
}

func TestDecisionsAtOnce(t *testing.T) {
	each(t, func(w *world) {
		c := w.file()
		var done sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for i := range 4 {
			done.Go(func() {
				a := Action{Type: string(clock.Granted)}
				if i%2 == 1 {
					a = Action{Type: string(clock.Refused), Text: "No"}
				}
				if _, err := w.Act(t.Context(), signer, c.Number, a); err == nil {
					mu.Lock()
					won++
					mu.Unlock()
				}
			})
		}
		done.Wait()
		if won != 1 {
			t.Errorf("%d decisions were taken", won)
		}
	})
}

func TestNothingIsAskedTwice(t *testing.T) {
	each(t, func(w *world) {
		c := w.file(func(f *Filing) { f.Missing = []string{"plans"} })
		w.stands(c.Number, clock.FiledIncomplete, "2026-04-02")
		complete := true
		c = w.act(salma, c, Action{Type: string(clock.Completed), Complete: &complete, Items: []string{"plans"}})
		w.stands(c.Number, clock.Running, "2026-04-02")
		w.refused(studies, c, Action{Type: string(clock.DoubtRaised), Items: []string{"passport"}, Text: "?"}, "case.document_unknown")
		c = w.act(studies, c, Action{Type: string(clock.DefectNotified), Items: []string{"plans"}, Text: "They are not signed."})
		c = w.act(salma, c, Action{Type: string(clock.DefectMended), Items: []string{"plans"}})
		w.refused(studies, c, Action{Type: string(clock.DefectNotified), Items: []string{"plans"}, Text: "Again."}, "case.asked_already")
	})
}

func TestTwoSign(t *testing.T) {
	each(t, func(w *world) {
		c := w.file(func(f *Filing) { f.Terms.TwoSign = true })
		w.refused(signer, c, Action{Type: string(clock.Granted)}, "case.not_prepared")
		c = w.act(studies, c, Action{Type: Prepared, Ground: "granted", Text: "In order."})
		w.refused(studies, c, Action{Type: string(clock.Granted)}, "case.prepared_by_you")
		w.act(signer, c, Action{Type: string(clock.Granted)})
	})
}

func TestOneDraftOneCase(t *testing.T) {
	each(t, func(w *world) {
		d, err := w.Begin(t.Context(), Draft{Person: salma.ID, Filer: salma.ID, Administration: "commune", Procedure: "permit", Answers: []byte(`{"a":1}`)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Draft(t.Context(), idris.ID, d.ID); !problem.Is(err, problem.NotFound) {
			t.Error("somebody else read a draft:", err)
		}
		stale := d
		d.Answers = []byte(`{"a":2}`)
		if err := w.SaveDraft(t.Context(), &d); err != nil {
			t.Fatal(err)
		}
		if err := w.SaveDraft(t.Context(), &stale); !problem.Is(err, problem.Conflict) {
			t.Error("an older page overwrote a newer:", err)
		}
		got, err := w.Draft(t.Context(), salma.ID, d.ID)
		if err != nil || string(got.Answers) != `{"a":2}` {
			t.Fatal(string(got.Answers), err)
		}
		numbers := make([]string, 4)
		var done sync.WaitGroup
		for i := range numbers {
			done.Go(func() {
				f := Filing{Draft: d.ID, Administration: "commune", Person: salma.ID, By: salma, Terms: permit(), Answers: got.Answers}
				if c, err := w.File(t.Context(), f); err != nil {
					t.Error(err)
				} else {
					numbers[i] = c.Number
				}
			})
		}
		done.Wait()
		for _, n := range numbers {
			if n != numbers[0] {
				t.Errorf("one draft became %v", numbers)
			}
		}
		if _, err := w.File(t.Context(), Filing{Draft: d.ID, Administration: "commune", Person: idris.ID, By: idris, Terms: permit()}); !problem.Is(err, problem.NotFound) {
			t.Error("somebody else filed a draft:", err)
		}
	})
}

func TestAlteredJournalIsFound(t *testing.T) {
	for name, harm := range map[string]string{
		"day":     `UPDATE casework_event SET on_day = '2026-03-01' WHERE seq = 1`,
		"removed": `DELETE FROM casework_event WHERE seq = 2`,
		"ground":  `UPDATE casework_event SET clear = '{}' WHERE seq = 2`,
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				c := w.file()
				c = w.act(studies, c, Action{Type: Noted, Text: "Seen."})
				c = w.act(studies, c, Action{Type: string(clock.Granted)})
				if _, err := w.Journal(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				if err := w.DB.RunTx(t.Context(), func(tx *db.Tx) error { _, err := tx.ExecContext(t.Context(), harm); return err }); err != nil {
					t.Fatal(err)
				}
				if _, err := w.Journal(t.Context(), c); err == nil || problem.From(err).Code != "case.journal" {
					t.Error("not found:", err)
				}
			})
		})
	}
}

// After an erasure the words are gone and the days remain.
func TestErasure(t *testing.T) {
	each(t, func(w *world) {
		c := w.file()
		c = w.act(studies, c, Action{Type: string(clock.Refused), Text: "Because."})
		w.keys.gone[salma.ID] = true
		w.hand.now = w.hand.now.Add(2 * keys.KeptFor)
		journal, err := w.Journal(t.Context(), c)
		if err != nil || len(journal) != 2 || journal[1].Text != "" {
			t.Fatal(journal, err)
		}
		if out, err := w.Stand(t.Context(), c, w.today()); err != nil || out.State != clock.RefusedState {
			t.Error(out.State, err)
		}
	})
}

func TestInbox(t *testing.T) {
	each(t, func(w *world) {
		var filed []*Case
		for range 5 {
			filed = append(filed, w.file())
			w.hand.days(1)
		}
		w.file(func(f *Filing) { f.Administration = "elsewhere" })
		w.act(studies, filed[3], Action{Type: Assigned, To: studies.ID})
		var seen []string
		for page := ""; ; {
			list, next, err := w.Inbox(t.Context(), Filter{Administration: "commune", Size: 2, Page: page})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list {
				seen = append(seen, c.ID)
			}
			if page = next; page == "" {
				break
			}
		}
		if len(seen) != 5 || seen[0] != filed[0].ID && seen[0] != filed[1].ID {
			t.Errorf("listed %v", seen)
		}
		for want, f := range map[int]Filter{
			1: {Administration: "commune", Assigned: studies.ID},
			4: {Administration: "commune", Nobody: true},
			0: {Administration: "nobody"},
			5: {Administration: "commune", State: clock.Running},
		} {
			if n, err := w.Count(t.Context(), f); err != nil || n != want {
				t.Errorf("%+v: %d, %v", f, n, err)
			}
		}
		if _, _, err := w.Inbox(t.Context(), Filter{Administration: "commune", Page: "x"}); !problem.Is(err, problem.Invalid) {
			t.Error(err)
		}
		mine, err := w.CasesOf(t.Context(), salma.ID)
		if err != nil || len(mine) != 6 {
			t.Error(len(mine), err)
		}
		if twins, err := w.Twins(t.Context(), filed[0]); err != nil || len(twins) != 4 {
			t.Error(len(twins), err)
		}
	})
}

func TestNumbers(t *testing.T) {
	n := NewNumber(2026)
	for _, typed := range []string{n, strings.ToLower(n), strings.ReplaceAll(n, "-", ""), " " + strings.ReplaceAll(n, "-", " ")} {
		if got, ok := ReadNumber(typed); !ok || got != n {
			t.Errorf("%q: %q, %v", typed, got, ok)
		}
	}
	wrong := 0
	for i := 5; i < len(n); i++ {
		b := []byte(n)
		if b[i] == '-' {
			continue
		}
		b[i] = numberLetters[(strings.IndexByte(numberLetters, b[i])+1)%len(numberLetters)]
		if _, ok := ReadNumber(string(b)); ok {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d wrong letters were not found", wrong)
	}
	for _, bad := range []string{"", "2026", "2026-AAAA-AAAA-AAAA-A", "20I6-AAAA-AAAA-AAAA", "'; DROP"} {
		if got, ok := ReadNumber(bad); ok && bad != got {
			t.Errorf("%q was read as %q", bad, got)
		}
	}
}

func FuzzReadNumber(f *testing.F) {
	f.Add(NewNumber(2026))
	f.Add("2026 aaaa bbbb cccc")
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := ReadNumber(s); ok {
			if again, ok := ReadNumber(n); !ok || again != n {
				t.Errorf("%q reads as %q and that as %q", s, n, again)
			}
		}
	})
}

// What somebody said in one case is filled in for them in the next, and for nobody
// else.
func TestKnownFromEarlier(t *testing.T) {
	body, err := os.ReadFile("../../country/ma/forms/birth-extract.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := form.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(w *world) {
		if err := w.DB.RunTx(t.Context(), func(tx *db.Tx) error {
			return w.putForm(t.Context(), tx, studies, f.Doc(), formPublished, body)
		}); err != nil {
			t.Fatal(err)
		}
		doc, err := f.Document(form.Answers{"contact": map[string]any{"phone": "+212612345678"}})
		if err != nil {
			t.Fatal(err)
		}
		w.file(func(x *Filing) { x.Terms.Procedure, x.Terms.Form, x.Answers = f.Doc().Procedure, f.Doc().Version, doc })
		facts, err := w.KnownOf(t.Context(), salma.ID)
		if err != nil || facts["phone"] != "+212612345678" {
			t.Error(facts, err)
		}
		if facts, err := w.KnownOf(t.Context(), idris.ID); err != nil || len(facts) != 0 {
			t.Error(facts, err)
		}
	})
}
