package casework

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// passBatch is how many cases one transaction brings to today. What it waits for
// at the disk it waits for once; an officer who decides in the meantime waits no
// longer than this takes.
const passBatch = 100

// dueCase is a case for which a day has come.
type dueCase struct{ next, administration, id, number string }

// duePage lists cases whose day has come, after another in the order of days.
func (w *Casework) duePage(ctx context.Context, today string, after dueCase) (list []dueCase, err error) {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT next_on, administration, id, number FROM casework_case
		WHERE next_on <> '' AND next_on <= $1 AND (next_on, administration, id) > ($2, $3, $4) ORDER BY next_on, administration, id LIMIT $5`,
		today, after.next, after.administration, after.id, sweepBatch)
	if err != nil {
		return nil, fmt.Errorf("reading the cases whose day has come: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d dueCase
		if err := rows.Scan(&d.next, &d.administration, &d.id, &d.number); err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// passAll lets time pass for some cases in one transaction, and one by one when
// one of them stands in the way of the others.
func (w *Casework) passAll(ctx context.Context, list []dueCase) (moved int, err error) {
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		moved = 0
		for _, d := range list {
			did, err := w.passIn(ctx, tx, d)
			if err != nil {
				return err
			}
			if did {
				moved++
			}
		}
		return nil
	})
	if err == nil || ctx.Err() != nil || len(list) == 1 {
		return moved, w.passed(ctx, list[0], err)
	}
	moved = 0
	for one := range slices.Chunk(list, 1) {
		n, err := w.passAll(ctx, one)
		if err != nil {
			return moved, err
		}
		moved += n
	}
	return moved, nil
}

// passed says what a failure to bring one case to today means for the others:
// nothing, unless the program is to end.
func (w *Casework) passed(ctx context.Context, d dueCase, err error) error {
	switch {
	case err == nil || ctx.Err() != nil:
		return ctx.Err()
	case problem.Is(err, problem.Conflict) || errors.Is(err, db.ErrBusy):
		return nil // another copy of the program was faster, or will be
	}
	w.Log.ErrorContext(ctx, "a case could not be brought to today", "case", d.id, "error", err)
	return nil
}

// passIn brings one case to today, unless another copy of the program did.
func (w *Casework) passIn(ctx context.Context, tx *db.Tx, d dueCase) (bool, error) {
	c, err := caseByID(ctx, tx, d.administration, d.id)
	if err != nil || c.Next.IsZero() || w.today().Before(c.Next) {
		return false, err
	}
	t, err := w.termsBy(ctx, tx, c.Terms)
	if err != nil {
		return false, err
	}
	all, _, err := events(ctx, tx, c)
	if err != nil {
		return false, err
	}
	if _, err := w.settle(ctx, tx, c, t, all); err != nil {
		return false, err
	}
	c.Updated = w.Clock.Now()
	return true, updateCase(ctx, tx, c)
}

// dayIn is the day on which something can happen in a case: today, and the day of
// its last event when the machine's clock was set back since. Nothing that time
// has brought about is undone by a clock, and no event stands before another.
func (w *Casework) dayIn(all []Event) gov.Date {
	day := w.today()
	for i := range all {
		if day.Before(all[i].On) {
			day = all[i].On
		}
	}
	return day
}

// momentIn is the moment that an event of today gets, by the same rule.
func (w *Casework) momentIn(all []Event) time.Time {
	now := w.Clock.Now()
	if n := len(all); n > 0 && now.Before(all[n-1].At) {
		return all[n-1].At
	}
	return now
}
