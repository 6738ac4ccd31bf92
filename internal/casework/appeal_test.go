package casework

import (
	"context"
	"slices"
	"testing"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/gov"
)

var (
	hearer   = gov.Actor{ID: "hearer", Administration: "commune", Roles: []gov.Role{gov.RoleSign}}
	governor = gov.Actor{ID: "governor", Administration: "prefecture", Roles: []gov.Role{gov.RoleStudy, gov.RoleSign}}
)

// appealWorld has an administration above the commune, whose officers read what lies
// before it, and hears every document that a decision makes.
func appealWorld(w *world) *[]Verdict {
	var made []Verdict
	w.Above = func(id string) string { return map[string]string{"commune": "prefecture"}[id] }
	w.May = func(ctx context.Context, a gov.Actor, action string, c *Case) error {
		if a.Administration != "" && a.Administration == c.Above && slices.Contains([]string{MayRead, MaySupervise, MayCertify}, action) {
			return nil
		}
		return tenantPolicy(ctx, a, action, c)
	}
	w.OfficeName = func(id string) gov.Text { return gov.Text{"": id} }
	w.Decided = func(_ context.Context, _ *db.Tx, _ *Case, _ *Terms, v Verdict) error {
		made = append(made, v)
		return nil
	}
	return &made
}

func (w *world) refusedCase(change ...func(*Filing)) *Case {
	w.Helper()
	c := w.file(change...)
	w.hand.days(3)
	return w.act(signer, c, Action{Type: string(clock.Refused), Text: "The plans leave the zone."})
}

func (w *world) lodge(c *Case) (*Case, *Case) {
	w.Helper()
	first, appeal, err := w.Appeal(w.Context(), salma, c.Number, Action{Text: "The zone was changed in January."})
	if err != nil {
		w.Fatal(err)
	}
	return first, appeal
}

func (w *world) last(c *Case) Event {
	w.Helper()
	found, err := caseByNumber(w.Context(), w.DB.Reader(), c.Number)
	if err != nil {
		w.Fatal(err)
	}
	journal, err := w.Journal(w.Context(), found)
	if err != nil {
		w.Fatal(err)
	}
	return journal[len(journal)-1]
}

// An appeal is a case of its own. When it is granted the administration changes its
// decision, and that makes the document as a first decision would.
func TestAppealIsGranted(t *testing.T) {
	each(t, func(w *world) {
		made := appealWorld(w)
		c := w.refusedCase()
		w.hand.days(10)
		first, appeal := w.lodge(c)
		if appeal.Number == c.Number || appeal.Earlier != c.Number || appeal.State != clock.AppealedState || !appeal.Open || appeal.Due.String() != "2026-03-31" || appeal.Administration != "commune" {
			t.Fatalf("the appeal: %+v", appeal)
		}
		if first.State != clock.AppealedState || w.last(first).Clear.Ref != appeal.Number {
			t.Fatalf("the contested case: %s, %+v", first.State, w.last(first))
		}
		journal, err := w.Journal(t.Context(), appeal)
		if err != nil || len(journal) != 1 || journal[0].Text != "The zone was changed in January." {
			t.Fatal(journal, err)
		}
		terms, err := w.TermsOf(t.Context(), appeal)
		if err != nil || !terms.Appeal || len(terms.Documents) != 0 || terms.DeadlineDays != 15 {
			t.Fatalf("%+v, %v", terms, err)
		}
		w.refused(signer, appeal, Action{Type: string(clock.Granted)}, "case.decided_by_you")
		w.refused(hearer, appeal, Action{Type: string(clock.Refused)}, "case.reasons_missing")
		w.refused(hearer, appeal, Action{Type: string(clock.InformationRequested), Text: "?"}, "clock.appeal.only_answer")
		w.refused(hearer, c, Action{Type: string(clock.AppealAnswered), Text: "No."}, "case.appeal_elsewhere")
		w.refused(hearer, c, Action{Type: string(clock.Refused), Text: "No."}, "clock.decision.appealed")
		w.hand.days(2)
		w.act(hearer, appeal, Action{Type: string(clock.Granted), Text: "The map of January holds."})
		if len(*made) != 0 {
			t.Error("the answer to an appeal made a document")
		}
		e := w.last(c)
		if e.Type != string(clock.AppealAnswered) || e.Clear.Ground != clock.AppealGranted || e.Clear.Ref != appeal.Number || e.Text != "The map of January holds." || e.Actor != hearer.ID {
			t.Errorf("the contested case tells %+v", e)
		}
		w.stands(c.Number, clock.AppealedState, "")
		w.refused(signer, c, Action{Type: string(clock.Refused), Text: "All the same."}, "clock.decision.appealed")
		w.act(signer, c, Action{Type: string(clock.Granted)})
		w.stands(c.Number, clock.GrantedState, "")
		if len(*made) != 1 || (*made)[0].By != signer.ID {
			t.Errorf("documents of %+v", *made)
		}
		w.refused(salma, appeal, Action{Type: string(clock.Withdrawn)}, "clock.withdrawal.decided")
	})
}

func TestAppealIsRefusedOrTakenBack(t *testing.T) {
	for name, tt := range map[string]struct {
		by     gov.Actor
		do     Action
		ground string
	}{
		"refused":    {hearer, Action{Type: string(clock.Refused), Text: "The map did not change."}, clock.AppealRefused},
		"taken back": {salma, Action{Type: string(clock.Withdrawn)}, clock.AppealWithdrawn},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				made := appealWorld(w)
				c := w.refusedCase()
				_, appeal := w.lodge(c)
				w.hand.days(1)
				w.act(tt.by, appeal, tt.do)
				if e := w.last(c); e.Clear.Ground != tt.ground || e.Text != tt.do.Text {
					t.Errorf("%+v", e)
				}
				got := w.stands(c.Number, clock.RefusedState, "")
				if got.Open || len(*made) != 0 {
					t.Error("open:", got.Open, *made)
				}
				w.refused(salma, c, Action{Type: string(clock.Appealed), Text: "Again."}, "clock.appeal.second")
				if _, _, err := w.Appeal(t.Context(), salma, appeal.Number, Action{Text: "Higher."}); err == nil {
					t.Error("an appeal was appealed")
				}
			})
		})
	}
}

func TestAppealMisuse(t *testing.T) {
	each(t, func(w *world) {
		appealWorld(w)
		c := w.refusedCase()
		w.refused(idris, c, Action{Type: string(clock.Appealed), Text: "Mine?"}, "case.not_found")
		w.refused(studies, c, Action{Type: string(clock.Appealed), Text: "For her."}, "forbidden")
		w.refused(salma, c, Action{Type: string(clock.Appealed)}, "case.reasons_missing")
		_, appeal := w.lodge(c)
		w.refused(salma, c, Action{Type: string(clock.Appealed), Text: "Twice."}, "clock.appeal.second")
		w.refused(idris, appeal, Action{Type: string(clock.Withdrawn)}, "case.not_found")
		w.refused(other, appeal, Action{Type: string(clock.Granted)}, "case.not_found")
		late := w.refusedCase()
		w.hand.days(33)
		w.refused(salma, late, Action{Type: string(clock.Appealed), Text: "I was away."}, "clock.appeal.late")
		running := w.file()
		w.refused(salma, running, Action{Type: string(clock.Appealed), Text: "Faster."}, "clock.appeal.nothing")
		var n int
		if err := w.DB.Reader().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM casework_case WHERE earlier <> ''`).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d appeals, %v: a refused one left a case behind", n, err)
		}
	})
}

// Nobody decided when an administration kept silent; an appeal without answer goes
// to the administration above, once, in both journals.
func TestAppealAgainstSilence(t *testing.T) {
	each(t, func(w *world) {
		appealWorld(w)
		c := w.file(func(f *Filing) { f.Terms.Lists = nil })
		w.hand.days(40)
		if _, err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.stands(c.Number, clock.LapsedAppealable, "2026-05-04")
		_, appeal := w.lodge(c)
		w.refused(governor, appeal, Action{Type: string(clock.Granted)}, "case.not_found")
		w.hand.days(20)
		for range 2 {
			if _, err := w.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		got := w.stands(appeal.Number, clock.Referred, "2026-05-11")
		if got.Above != "prefecture" {
			t.Error("it lies before", got.Above)
		}
		if _, err := w.Find(t.Context(), governor, appeal.Number); err != nil {
			t.Error("the administration above:", err)
		}
		w.act(signer, appeal, Action{Type: string(clock.Granted), Text: "Late, and yes."})
		w.stands(c.Number, clock.Referred, "")
		w.act(signer, c, Action{Type: string(clock.Granted)})
		w.stands(c.Number, clock.GrantedState, "")
	})
}

// An administration that changes its decision by itself leaves no appeal to be heard.
func TestDecisionChangedBeforeTheAppealIsHeard(t *testing.T) {
	each(t, func(w *world) {
		made := appealWorld(w)
		c := w.refusedCase()
		_, appeal := w.lodge(c)
		w.act(signer, c, Action{Type: string(clock.Granted)})
		w.stands(c.Number, clock.GrantedState, "")
		got := w.stands(appeal.Number, clock.GrantedState, "")
		if e := w.last(appeal); got.Open || e.Clear.Ground != groundOvertaken || e.Clear.Ref != c.Number {
			t.Errorf("the appeal: open %v, %+v", got.Open, e)
		}
		if len(*made) != 1 {
			t.Errorf("documents of %+v", *made)
		}
	})
}

// Where the law has the administration above hear appeals, it reads what it hears
// about, and nobody of the first administration answers.
func TestAppealHeardAbove(t *testing.T) {
	each(t, func(w *world) {
		appealWorld(w)
		c := w.refusedCase(func(f *Filing) { f.Terms.Authority = "deconcentrated" })
		if _, err := w.Find(t.Context(), governor, c.Number); err == nil {
			t.Error("read before there was an appeal")
		}
		_, appeal := w.lodge(c)
		if appeal.Administration != "prefecture" {
			t.Fatal("heard by", appeal.Administration)
		}
		if _, err := w.Find(t.Context(), governor, c.Number); err != nil {
			t.Error(err)
		}
		w.refused(signer, appeal, Action{Type: string(clock.Refused), Text: "No."}, "case.not_found")
		w.refused(governor, c, Action{Type: string(clock.Granted)}, "forbidden")
		w.act(governor, appeal, Action{Type: string(clock.Granted), Text: "Give it."})
		w.act(signer, c, Action{Type: string(clock.Granted)})
		w.stands(c.Number, clock.GrantedState, "")
	})
}

// An appeal from before appeals were cases stands in its case alone, and is answered
// there.
func TestAppealFromBefore(t *testing.T) {
	each(t, func(w *world) {
		appealWorld(w)
		c := w.refusedCase()
		err := w.change(t.Context(), c.Number, func(_ *db.Tx, _ *Case, now standing) ([]Event, error) {
			return []Event{{Type: string(clock.Appealed), On: w.dayIn(now.events), At: w.momentIn(now.events), Actor: salma.ID, Text: "Why?", Clear: Clear{Ground: "stated", Role: AsPerson}}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.hand.days(30)
		if _, err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := w.stands(c.Number, clock.Referred, "2026-04-06")
		err = w.DB.RunTx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE casework_case SET above = ''`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.FindAbove(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if again := w.stands(c.Number, clock.Referred, "2026-04-06"); again.Above != "prefecture" || again.Version != got.Version {
			t.Errorf("above %q, version %d, had %d", again.Above, again.Version, got.Version)
		}
		w.refused(signer, c, Action{Type: string(clock.AppealAnswered), Text: "I said no."}, "case.decided_by_you")
		w.act(hearer, c, Action{Type: string(clock.AppealAnswered), Text: "No."})
		w.act(signer, c, Action{Type: string(clock.Granted)})
		w.stands(c.Number, clock.GrantedState, "")
	})
}
