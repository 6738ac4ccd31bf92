package casework

import (
	"fmt"
	"testing"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

func (w *world) has(number, account string) *Case {
	w.Helper()
	c, err := w.Find(w.Context(), signer, number)
	if err != nil {
		w.Fatal(err)
	}
	if c.Assigned != account {
		w.Errorf("%s is with %q, want %q", number, c.Assigned, account)
	}
	return c
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return problem.From(err).Code
}

func TestAbsence(t *testing.T) {
	eachDesk(t, func(w *world) {
		c := w.act(boss, w.file(), Action{Type: Assigned, To: studies.ID})
		today := w.today()
		away := Absence{Account: studies.ID, Delegate: helper.ID, From: today.AddDays(2), To: today.AddDays(5)}
		for want, change := range map[string]func(*Absence){
			"case.absence_self": func(a *Absence) { a.Delegate = a.Account },
			"case.colleague":    func(a *Absence) { a.Delegate = other.ID },
			"case.absence_days": func(a *Absence) { a.To = today },
		} {
			a := away
			change(&a)
			if _, err := w.SetAbsence(t.Context(), studies, a); code(err) != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
		set, err := w.SetAbsence(t.Context(), studies, away)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.SetAbsence(t.Context(), studies, away); code(err) != "case.absence_twice" {
			t.Error("two absences at once:", err)
		}
		w.has(c.Number, studies.ID)
		w.hand.days(2)
		for range 2 {
			if err := w.Chores(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.has(c.Number, helper.ID)
		// What is given to who is away goes to who is there.
		second := w.act(boss, w.file(), Action{Type: Assigned, To: studies.ID})
		w.has(second.Number, helper.ID)
		journal, err := w.Journal(t.Context(), second)
		last := journal[len(journal)-1]
		if err != nil || last.Clear.To != helper.ID || last.Clear.For != studies.ID || last.Actor != boss.ID {
			t.Errorf("%+v, %v", last, err)
		}
		// A decision keeps who took it and in whose place.
		second = w.act(helper, second, Action{Type: string(clock.Granted)})
		if journal, err = w.Journal(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		last = journal[len(journal)-1]
		if last.Actor != helper.ID || last.Clear.For != studies.ID {
			t.Errorf("the decision: %+v", last)
		}
		w.hand.days(4)
		if err := w.Chores(t.Context()); err != nil {
			t.Fatal(err)
		}
		c = w.has(c.Number, studies.ID)
		if journal, err = w.Journal(t.Context(), c); err != nil || len(journal) != 4 {
			t.Errorf("the case moved %d times, %v", len(journal)-1, err)
		}
		if err := w.EndAbsence(t.Context(), studies, set.ID); code(err) != "case.absence_none" {
			t.Error(err)
		}
		// Back, and for oneself again.
		c = w.act(studies, c, Action{Type: string(clock.Granted)})
		if journal, err = w.Journal(t.Context(), c); err != nil || journal[len(journal)-1].Clear.For != "" {
			t.Error(journal, err)
		}
	})
}

func TestTwoAwayInARow(t *testing.T) {
	eachDesk(t, func(w *world) {
		today := w.today()
		for _, a := range []Absence{{Account: studies.ID, Delegate: helper.ID}, {Account: helper.ID, Delegate: boss.ID}} {
			a.From, a.To = today, today.AddDays(3)
			if _, err := w.SetAbsence(t.Context(), boss, a); err != nil {
				t.Fatal(err)
			}
		}
		c := w.act(boss, w.file(), Action{Type: Assigned, To: studies.ID})
		w.has(c.Number, boss.ID)
		// Two who name one another keep what they have.
		if _, err := w.SetAbsence(t.Context(), boss, Absence{Account: boss.ID, Delegate: studies.ID, From: today, To: today}); err != nil {
			t.Fatal(err)
		}
		w.act(boss, w.file(), Action{Type: Assigned, To: studies.ID})
	})
}

func TestDistribute(t *testing.T) {
	eachDesk(t, func(w *world) {
		w.act(boss, w.file(), Action{Type: Assigned, To: studies.ID})
		var numbers []string
		for i := range 5 {
			c := w.file(func(f *Filing) { f.Answers = fmt.Appendf(nil, `{"floors":%d}`, i) })
			numbers = append(numbers, c.Number)
		}
		own := w.file(func(f *Filing) {
			f.Person, f.By = helper.ID, gov.Actor{ID: helper.ID, Roles: []gov.Role{gov.RolePerson}}
		})
		out, err := w.Distribute(t.Context(), boss, "")
		if err != nil || len(out) != 6 {
			t.Fatal(out, err)
		}
		loads, err := w.Loads(t.Context(), "commune", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range loads {
			if want := map[string]int{studies.ID: 4, helper.ID: 3}[l.ID]; l.Open < want-1 || l.Open > want+1 {
				t.Errorf("%s has %d", l.ID, l.Open)
			}
		}
		w.has(own.Number, studies.ID)
		if _, err := w.Distribute(t.Context(), salma, ""); err == nil {
			t.Error("a person distributed cases")
		}
		// A batch says of each case what became of it.
		list := append(numbers[:2], "2026-AAAA-AAAA-AAAA")
		res, err := w.Batch(t.Context(), boss, list, Action{Type: Noted, Text: "Call back"})
		if err != nil || len(res) != 3 || res[0].Err != nil || res[1].Err != nil || res[2].Err == nil {
			t.Error(res, err)
		}
		if _, err := w.Batch(t.Context(), boss, list, Action{Type: string(clock.Granted)}); code(err) != "case.action_unknown" {
			t.Error("a batch of decisions:", err)
		}
		if _, err := w.Batch(t.Context(), boss, list, Action{Type: Assigned, To: other.ID}); code(err) != "case.colleague" {
			t.Error("given to a stranger:", err)
		}
	})
}

func TestSavedViews(t *testing.T) {
	eachDesk(t, func(w *world) {
		if _, err := w.SaveView(t.Context(), "studies", "  ", SavedFilter{}); code(err) != "case.view_name" {
			t.Error(err)
		}
		id, err := w.SaveView(t.Context(), "studies", " My  late ones ", SavedFilter{Late: true, Who: "me"})
		if err != nil {
			t.Fatal(err)
		}
		list, err := w.SavedViews(t.Context(), "studies")
		if err != nil || len(list) != 1 || list[0].Name != "My late ones" || list[0].Of(studies).Assigned != studies.ID || !list[0].Late {
			t.Fatal(list, err)
		}
		if err := w.DropView(t.Context(), "somebody", id); err != nil {
			t.Fatal(err)
		}
		if list, _ = w.SavedViews(t.Context(), "studies"); len(list) != 1 {
			t.Error("somebody else forgot the view")
		}
		if err := w.DropView(t.Context(), "studies", id); err != nil {
			t.Fatal(err)
		}
		if list, _ = w.SavedViews(t.Context(), "studies"); len(list) != 0 {
			t.Error(list)
		}
	})
}
