package casework

import (
	"context"
	"slices"
	"testing"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// eachDesk runs a test on both engines with the tables of the desk.
func eachDesk(t *testing.T, test func(w *world)) {
	dbtest.Each(t, []db.Migrations{Migrations(), DeskMigrations()}, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.Options.May = askedPolicy
		w.Options.Workers = func(_ context.Context, administration string) ([]gov.Actor, error) {
			return slices.DeleteFunc(slices.Clone(everybody), func(a gov.Actor) bool { return a.Administration != administration }), nil
		}
		test(w)
	})
}

var (
	boss      = gov.Actor{ID: "boss", Administration: "commune", Roles: []gov.Role{gov.RoleSupervise}}
	helper    = gov.Actor{ID: "helper", Administration: "commune", Roles: []gov.Role{gov.RoleStudy}}
	everybody = []gov.Actor{studies, signer, other, boss, helper}
)

// askedPolicy is that of the tests, and lets those in whose opinion is open.
func askedPolicy(ctx context.Context, a gov.Actor, action string, c *Case) error {
	if a.Administration != "" && slices.Contains(c.AskedOf, a.Administration) && a.Has(gov.RoleStudy) && (action == MayRead || action == MayOpinion) {
		return nil
	}
	if action == MayOpinion {
		return problem.New(problem.Forbidden, "forbidden")
	}
	return tenantPolicy(ctx, a, action, c)
}

func TestOpinion(t *testing.T) {
	eachDesk(t, func(w *world) {
		c := w.file()
		due := c.Due
		ask := Action{Type: OpinionAsked, To: "elsewhere", Days: 10, Text: "Is the road wide enough?"}
		for code, change := range map[string]func(*Action){
			"case.opinion_self":    func(a *Action) { a.To = "commune" },
			"case.opinion_whom":    func(a *Action) { a.To = "two words" },
			"case.opinion_days":    func(a *Action) { a.Days = 0 },
			"case.reasons_missing": func(a *Action) { a.Text = " " },
		} {
			a := ask
			change(&a)
			w.refused(studies, c, a, code)
		}
		w.refused(salma, c, ask, "forbidden")
		c = w.act(studies, c, ask)
		if !slices.Equal(c.AskedOf, []string{"elsewhere"}) || c.Due != due {
			t.Fatalf("asked of %v, due %s", c.AskedOf, c.Due)
		}
		w.refused(studies, c, ask, "case.opinion_open")
		inbox, err := w.AskedOpinions(t.Context(), other, false)
		if err != nil || len(inbox) != 1 || inbox[0].Case.Number != c.Number || inbox[0].Due.String() != "2026-03-12" {
			t.Fatal(inbox, err)
		}
		if mine, err := w.AskedOpinions(t.Context(), studies, false); err != nil || len(mine) != 0 {
			t.Error("the asking administration has it in its own inbox", mine, err)
		}
		o, err := w.AskedOpinion(t.Context(), other, inbox[0].ID)
		if err != nil || o.Question != ask.Text {
			t.Fatal(o, err)
		}
		if _, err := w.AskedOpinion(t.Context(), studies, o.ID); !problem.Is(err, problem.NotFound) {
			t.Error("somebody else opened the opinion:", err)
		}
		answer := Action{Type: OpinionGiven, Ref: o.ID, Ground: Conditional, Text: "If the trees stay."}
		w.refused(other, c, Action{Type: OpinionGiven, Ref: o.ID, Ground: "perhaps", Text: "?"}, "case.opinion_result")
		w.refused(other, c, Action{Type: OpinionGiven, Ref: gov.NewID(), Ground: Favourable, Text: "Yes"}, "case.opinion_not_found")
		w.refused(studies, c, answer, "forbidden")
		w.refused(other, c, Action{Type: string(clock.Granted)}, "forbidden")
		c = w.act(other, c, answer)
		if len(c.AskedOf) != 0 || c.Due != due {
			t.Error("after the answer:", c.AskedOf, c.Due)
		}
		if _, err := w.Find(t.Context(), other, c.Number); !problem.Is(err, problem.NotFound) {
			t.Error("the case stays open to who has answered:", err)
		}
		all, err := w.OpinionsOf(t.Context(), c)
		if err != nil || len(all) != 1 || all[0].Result != Conditional || all[0].Reasons != answer.Text || all[0].GivenBy != other.ID {
			t.Fatal(all, err)
		}
		journal, err := w.Journal(t.Context(), c)
		if err != nil || journal[len(journal)-1].Text != answer.Text || journal[len(journal)-1].Clear.Ground != Conditional {
			t.Error(journal, err)
		}
	})
}

func (w *world) notices(kind string) (to []string) {
	w.Helper()
	rows, err := w.DB.Reader().QueryContext(w.Context(), `SELECT to_account FROM casework_notice WHERE kind = $1 ORDER BY to_account`, kind)
	if err != nil {
		w.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			w.Fatal(err)
		}
		to = append(to, s)
	}
	return to
}

func TestOpinionIsRemindedOf(t *testing.T) {
	eachDesk(t, func(w *world) {
		c := w.act(boss, w.file(), Action{Type: Assigned, To: studies.ID})
		w.act(studies, c, Action{Type: OpinionAsked, To: "elsewhere", Days: 10, Text: "?"})
		remind := func(days int, want ...string) {
			t.Helper()
			w.hand.days(days)
			for range 2 {
				if err := w.RemindOpinions(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.notices(OpinionDue); !slices.Equal(got, want) {
				t.Errorf("reminded %v, want %v", got, want)
			}
		}
		if got := w.notices(OpinionAsked); !slices.Equal(got, []string{other.ID}) {
			t.Error("told", got)
		}
		remind(7)
		remind(1, other.ID)
		remind(3, other.ID, other.ID, studies.ID)
		remind(1, other.ID, other.ID, studies.ID)
		// The case ends before the answer: nobody reads it for that any longer.
		c = w.act(signer, c, Action{Type: string(clock.Granted)})
		if len(c.AskedOf) != 0 {
			t.Error(c.AskedOf)
		}
		all, err := w.OpinionsOf(t.Context(), c)
		if err != nil || all[0].State != opinionDropped {
			t.Error(all, err)
		}
		if list, err := w.AskedOpinions(t.Context(), other, false); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
	})
}
