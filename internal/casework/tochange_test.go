package casework

import (
	"os"
	"strings"
	"testing"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
)

// A decision that is to be changed has no day due, and is the most urgent of all.
func TestToChangeComesFirst(t *testing.T) {
	each(t, func(w *world) {
		appealWorld(w)
		c := w.refusedCase()
		soon := w.file(func(f *Filing) { f.Answers = []byte(`{"floors":2}`) })
		_, appeal := w.lodge(c)
		if n := w.counted(Filter{ToChange: true}); n != 0 {
			t.Error("an appeal that nobody has heard counts:", n)
		}
		w.hand.days(1)
		w.act(hearer, appeal, Action{Type: string(clock.Granted), Text: "The map holds."})
		first := func(why string, want ...string) {
			t.Helper()
			var got []string
			for page := ""; ; {
				list, next, err := w.Inbox(t.Context(), Filter{Administration: "commune", Size: 1, Page: page})
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range list {
					got = append(got, x.Number)
					if x.ToChange != (x.Number == c.Number && len(want) == 2) || x.ToChange && !x.Due.IsZero() {
						t.Errorf("%s: %s to change: %v, due %s", why, x.Number, x.ToChange, x.Due)
					}
				}
				if page = next; page == "" {
					break
				}
			}
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("%s: the inbox lists %v, want %v", why, got, want)
			}
		}
		first("granted", c.Number, soon.Number)
		for name, tt := range map[string]struct {
			f    Filter
			want int
		}{"its own filter": {Filter{ToChange: true}, 1}, "at risk": {Filter{Soon: riskDays}, 1}, "late": {Filter{Late: true}, 0}} {
			if n := w.counted(tt.f); n != tt.want {
				t.Errorf("%s: %d, want %d", name, n, tt.want)
			}
		}
		if _, changed, err := w.Recount(t.Context()); err != nil || changed != 0 {
			t.Error("counted again it stands otherwise:", changed, err)
		}
		// One from before this order was kept is brought there by the tables, and by a
		// recount.
		old := func() {
			t.Helper()
			if _, err := w.DB.Writer().ExecContext(t.Context(), `UPDATE casework_case SET due = $1`, never); err != nil {
				t.Fatal(err)
			}
		}
		old()
		migration, err := os.ReadFile("migrations/0011_to_change.sql")
		if err == nil {
			_, err = w.DB.Writer().ExecContext(t.Context(), string(migration))
		}
		if err != nil {
			t.Fatal(err)
		}
		first("migrated", c.Number, soon.Number)
		old()
		if _, _, err := w.Recount(t.Context()); err != nil {
			t.Fatal(err)
		}
		first("recounted", c.Number, soon.Number)
		w.act(signer, c, Action{Type: string(clock.Granted)})
		first("decided anew", soon.Number)
	})
}

// Who takes the application back needs no other decision.
func TestNothingToChangeWhenWithdrawn(t *testing.T) {
	each(t, func(w *world) {
		appealWorld(w)
		c := w.refusedCase()
		_, appeal := w.lodge(c)
		w.act(hearer, appeal, Action{Type: string(clock.Granted), Text: "The map holds."})
		if _, err := w.Act(t.Context(), salma, c.Number, Action{Type: string(clock.Withdrawn)}); err == nil {
			if got := w.stands(c.Number, clock.WithdrawnState, ""); got.ToChange {
				t.Error("it waits for a decision that nobody wants")
			}
		}
	})
}

func (w *world) counted(f Filter) int {
	w.Helper()
	f.Administration = "commune"
	n, err := w.Count(w.Context(), f)
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// Every view of an inbox reads its page from an index, in the order of the index:
// with a million cases it costs what the page costs.
func TestInboxPlans(t *testing.T) {
	each(t, func(w *world) {
		for name, f := range map[string]Filter{
			"all": {}, "to change": {ToChange: true}, "at risk": {Soon: riskDays}, "late": {Late: true}, "unit": {Unit: "u", ToChange: true},
			"mine": {Assigned: "x", ToChange: true}, "state": {State: clock.Suspended}, "next page": {Page: "next"},
		} {
			f.Administration, f.Size = "commune", 50
			if f.Page != "" {
				f.Page = token(foremost, w.file().ID)
			}
			query, args, err := f.query(w.today())
			if err != nil {
				t.Fatal(name, err)
			}
			plan := w.plan(query, args)
			if !strings.Contains(plan, "casework_case_") || strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "Sort") || strings.Contains(plan, "Seq Scan") {
				t.Errorf("%s:\n%s", name, plan)
			}
		}
	})
}

// plan is how the engine would answer a query if its tables were large.
func (w *world) plan(query string, args []any) string {
	w.Helper()
	var out strings.Builder
	err := w.DB.RunTx(w.Context(), func(tx *db.Tx) error {
		explain := "EXPLAIN QUERY PLAN "
		if w.DB.Engine() == db.Postgres {
			explain = "EXPLAIN "
			for _, s := range []string{"enable_seqscan", "enable_sort", "enable_bitmapscan"} {
				if _, err := tx.ExecContext(w.Context(), "SET LOCAL "+s+" = off"); err != nil {
					return err
				}
			}
		}
		rows, err := tx.QueryContext(w.Context(), explain+query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var line string
			into := []any{&line}
			if w.DB.Engine() != db.Postgres {
				var id, parent, unused int64
				into = []any{&id, &parent, &unused, &line}
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			out.WriteString(line + "\n")
		}
		return rows.Err()
	})
	if err != nil {
		w.Fatal(err)
	}
	return out.String()
}
