package casework

import (
	"context"
	"errors"
	"fmt"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// sweepBatch is how many cases a sweep looks at between two looks at ctx.
const sweepBatch = 500

// Sweep makes the transitions that time alone makes, of every case for which a day
// has come, and returns how many cases it moved. It may run on several copies of
// the program at once, end in the middle and run again: each transition is written
// once, because it is written with the case's new version. Days that passed while
// nothing ran are made up for, each with its own date.
func (w *Casework) Sweep(ctx context.Context) (moved int, err error) {
	today := w.today().String()
	after := [2]string{}
	for {
		var due []*Case
		due, err = cases(ctx, w.DB.Reader(), `SELECT `+caseColumns+` FROM casework_case
			WHERE next_on <> '' AND next_on <= $1 AND (administration, id) > ($2, $3) ORDER BY administration, id LIMIT $4`, today, after[0], after[1], sweepBatch)
		if err != nil || len(due) == 0 {
			return moved, err
		}
		for _, c := range due {
			switch err := w.pass(ctx, c.Number); {
			case err == nil:
				moved++
			case ctx.Err() != nil:
				return moved, ctx.Err()
			case problem.Is(err, problem.Conflict) || errors.Is(err, db.ErrBusy):
				// Another copy of the program was faster.
			default:
				w.Log.ErrorContext(ctx, "a case could not be brought to today", "case", c.ID, "error", err)
			}
			after = [2]string{c.Administration, c.ID}
		}
	}
}

// Tidy forgets what nobody needs any more: drafts left alone.
func (w *Casework) Tidy(ctx context.Context) error { return w.sweepDrafts(ctx) }

// pass lets time pass for one case.
func (w *Casework) pass(ctx context.Context, number string) error {
	return w.change(ctx, number, func(*db.Tx, *Case, standing) ([]Event, error) { return nil, nil })
}

// Foreseen is what would happen on a day if nobody acted.
type Foreseen struct {
	On    gov.Date
	State clock.State
}

// maxForesight bounds a simulation, in days.
const maxForesight = 2 * 366

// Foresee tells what happens to a case until a day if nobody acts.
func (w *Casework) Foresee(ctx context.Context, c *Case, until gov.Date) ([]Foreseen, error) {
	if w.today().AddDays(maxForesight).Before(until) {
		return nil, problem.New(problem.Invalid, "case.foresight", "days", fmt.Sprint(maxForesight))
	}
	out, err := w.Stand(ctx, c, until)
	if err != nil {
		return nil, err
	}
	var list []Foreseen
	for _, t := range out.Transitions {
		if w.today().Before(t.On) {
			list = append(list, Foreseen{t.On, t.State})
		}
	}
	return list, nil
}
