package casework

import (
	"context"
	"errors"
	"fmt"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
)

// bringAbove notes which administration has a case before it when time has brought
// it there.
func (w *Casework) bringAbove(c *Case, t *Terms, all []Event, s clock.State) {
	if w.Above == nil || c.Above != "" {
		return
	}
	a := w.authority(t)
	if s == clock.Escalated && a.EscalationAbove || s == clock.Referred && a.ReferralAbove && lodged(all) == "" {
		c.Above = w.Above(c.Administration)
	}
}

// belowBatch is how many cases from before are looked at in one round.
const belowBatch = 500

// FindAbove brings cases that have lain before the administration above since before
// anybody wrote down which it is to its desk.
func (w *Casework) FindAbove(ctx context.Context) error {
	if w.Above == nil {
		return nil
	}
	after := &Case{}
	for {
		list, err := cases(ctx, w.DB.Reader(), `SELECT `+caseColumns+` FROM casework_case
			WHERE above = '' AND state IN ('escalated', 'referred') AND (administration, id) > ($1, $2) ORDER BY administration, id LIMIT $3`, after.Administration, after.ID, belowBatch)
		if err != nil {
			return err
		}
		var failed error
		for _, c := range list {
			failed = errors.Join(failed, w.findAbove(ctx, c))
		}
		if failed != nil || len(list) < belowBatch {
			return failed
		}
		after = list[len(list)-1]
	}
}

func (w *Casework) findAbove(ctx context.Context, c *Case) error {
	t, err := w.TermsOf(ctx, c)
	if err != nil {
		return err
	}
	all, _, err := events(ctx, w.DB.Reader(), c)
	if err != nil {
		return err
	}
	if w.bringAbove(c, t, all, c.State); c.Above == "" {
		return nil
	}
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE casework_case SET above = $3 WHERE administration = $1 AND id = $2 AND above = ''`, c.Administration, c.ID, c.Above)
		if err != nil {
			return fmt.Errorf("writing which administration is above: %w", err)
		}
		return nil
	})
}
