package casework

import (
	"context"
	"fmt"
	"strings"
	"time"

	"diwan/internal/db"
)

// Notice tells somebody that something happened in a case. It says nothing of the
// case beside its number: who reads a mailbox or a telephone is not always the one
// it is for.
type Notice struct {
	ID     string
	To     string // account
	Kind   string // the message "casework.notice." + Kind
	Case   *Case
	Made   time.Time
	Urgent bool // it begins or ends a period for whoever reads it
}

// StepOf is the message of what happened: that of the story of the case.
func StepOf(kind string) string {
	if state, ok := strings.CutPrefix(kind, TimePassed+"."); ok {
		return "time." + state
	}
	return kind
}

// Bounds of sending.
const (
	noticeBatch = 200
	noticeTries = 12
)

// urgent kinds go at once even to those who want one message a day.
var urgent = map[string]bool{"information_requested": true, "doubt_raised": true, "defect_notified": true, "refused": true, "granted": true,
	"time_passed.returned": true, "time_passed.approved_by_silence": true, "time_passed.lapsed_appealable": true}

// SendNotices hands every notice that waits to send, and marks those that went. One
// that fails is tried again with the next call, up to a bound; a crash between
// sending and marking sends it again under the same id.
func (w *Casework) SendNotices(ctx context.Context, send func(context.Context, Notice) error) error {
	list, err := w.waitingNotices(ctx)
	if err != nil {
		return err
	}
	for _, n := range list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		sent := int64(0)
		if err := send(ctx, n); err != nil {
			w.Log.WarnContext(ctx, "a notice could not be sent", "notice", n.ID, "error", err)
		} else {
			sent = db.Micros(w.Clock.Now())
		}
		err := w.DB.RunTx(ctx, func(tx *db.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE casework_notice SET sent_at = $2, tries = tries + 1 WHERE id = $1 AND sent_at = 0`, n.ID, sent)
			return err
		})
		if err != nil {
			return fmt.Errorf("marking a notice: %w", err)
		}
	}
	return nil
}

func (w *Casework) waitingNotices(ctx context.Context) ([]Notice, error) {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT id, administration, case_id, to_account, kind, made_at FROM casework_notice
		WHERE sent_at = 0 AND tries < $1 ORDER BY made_at LIMIT $2`, noticeTries, noticeBatch)
	if err != nil {
		return nil, fmt.Errorf("reading notices: %w", err)
	}
	defer rows.Close()
	type row struct {
		n                  Notice
		administration, id string
	}
	var found []row
	for rows.Next() {
		var r row
		var made int64
		if err := rows.Scan(&r.n.ID, &r.administration, &r.id, &r.n.To, &r.n.Kind, &made); err != nil {
			return nil, err
		}
		r.n.Made, r.n.Urgent = db.Time(made), urgent[r.n.Kind]
		found = append(found, r)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var out []Notice
	for _, r := range found {
		if r.n.Case, err = caseByID(ctx, w.DB.Reader(), r.administration, r.id); err != nil {
			return nil, err
		}
		out = append(out, r.n)
	}
	return out, nil
}
