package casework

import (
	"context"
	"fmt"
	"slices"

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
	var after dueCase
	for {
		due, err := w.duePage(ctx, today, after)
		if err != nil || len(due) == 0 {
			return moved, err
		}
		for some := range slices.Chunk(due, passBatch) {
			n, err := w.passAll(ctx, some)
			moved += n
			if err != nil {
				return moved, err
			}
		}
		after = due[len(due)-1]
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
