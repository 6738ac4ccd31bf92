package casework

import (
	"testing"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// A day that becomes a holiday moves the last day of the periods that end on it, of
// cases filed before as well.
func TestHolidayMovesTheDay(t *testing.T) {
	each(t, func(w *world) {
		if changed, err := w.LoadHolidays(t.Context()); err != nil || changed {
			t.Fatal(changed, err)
		}
		c := w.file()
		w.stands(c.Number, clock.Running, "2026-04-02")
		last, _ := gov.ParseDate("2026-04-02")
		if err := w.SetHoliday(t.Context(), signer, last, "Feast", true); err != nil {
			t.Fatal(err)
		}
		w.stands(c.Number, clock.Running, "2026-04-03")
		// Another copy of the program takes it over when it next looks.
		other := New(w.Options)
		if _, err := other.LoadHolidays(t.Context()); err != nil {
			t.Fatal(err)
		}
		if out, err := other.Stand(t.Context(), c, w.today()); err != nil || out.Due.String() != "2026-04-03" {
			t.Error(out.Due, err)
		}
		if err := w.SetHoliday(t.Context(), signer, last, "", false); err != nil {
			t.Fatal(err)
		}
		w.stands(c.Number, clock.Running, "2026-04-02")
		if err := w.SetHoliday(t.Context(), signer, last, " ", true); !problem.Is(err, problem.Invalid) {
			t.Error(err)
		}
		rows, err := w.Holidays(t.Context(), 2026)
		if err != nil || len(rows) < 10 {
			t.Error(len(rows), err)
		}
	})
}
