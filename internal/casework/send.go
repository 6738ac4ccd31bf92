package casework

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"diwan/internal/db"
)

// Notice tells somebody that something happened in a case. It says nothing of the
// case beside its number: who reads a mailbox or a telephone is not always the one
// it is for.
type Notice struct {
	ID   string
	To   string // account
	Kind string // the message "casework.notice." + Kind
	Case *Case  // nil when it speaks of an appointment without a case
	// Booking is that appointment; nil otherwise.
	Booking *Booking
	Made    time.Time
	Urgent  bool // it begins or ends a period for whoever reads it
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
	noticeTries = 30
	noticePause = time.Minute // after the first failure; it grows with the square of the tries
)

// urgent kinds go at once even to those who want one message a day.
var urgent = map[string]bool{"information_requested": true, "doubt_raised": true, "defect_notified": true, "refused": true, "granted": true,
	BookingSoon: true, "time_passed.returned": true, "time_passed.approved_by_silence": true, "time_passed.lapsed_appealable": true}

// onceADay is how long what is not urgent waits for those who want one message a
// day.
const onceADay = 24 * time.Hour

// SendNotices hands the notices that wait to send, all of one person together, and
// marks those that went. daily tells who wants one message a day: theirs wait until
// the oldest is a day old, unless one of them is urgent. What fails is tried again
// with the next call, up to a bound; a crash between sending and marking sends the
// same again under the same id.
func (w *Casework) SendNotices(ctx context.Context, daily func(ctx context.Context, account string) (bool, error), send func(context.Context, []Notice) error) error {
	after := noticeCursor{}
	for {
		list, next, err := w.waitingNotices(ctx, after)
		if err != nil || len(list) == 0 {
			return err
		}
		for len(list) > 0 {
			to := list[0].To
			n := slices.IndexFunc(list, func(x Notice) bool { return x.To != to })
			if n < 0 {
				n = len(list)
			}
			if err := w.sendTo(ctx, list[:n], daily, send); err != nil {
				return err
			}
			list = list[n:]
		}
		after = next
	}
}

// sendTo sends one person's notices.
func (w *Casework) sendTo(ctx context.Context, list []Notice, daily func(ctx context.Context, account string) (bool, error), send func(context.Context, []Notice) error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	waits, err := daily(ctx, list[0].To)
	if err == nil && waits && !slices.ContainsFunc(list, func(n Notice) bool { return n.Urgent || w.Clock.Now().Sub(n.Made) >= onceADay }) {
		return nil
	}
	if err == nil {
		err = send(ctx, list)
	}
	sent := int64(0)
	if err != nil {
		w.Log.WarnContext(ctx, "notices could not be sent", "first", list[0].ID, "notices", len(list), "error", err)
	} else {
		sent = db.Micros(w.Clock.Now())
	}
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		for _, n := range list {
			if _, err := tx.ExecContext(ctx, `UPDATE casework_notice SET sent_at = $2, tries = tries + 1 WHERE id = $1 AND sent_at = 0`, n.ID, sent); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("marking notices: %w", err)
	}
	return nil
}

// noticeCursor is where a walk over the waiting notices stands.
type noticeCursor struct{ to, id string }

func (w *Casework) waitingNotices(ctx context.Context, after noticeCursor) ([]Notice, noticeCursor, error) {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT id, administration, case_id, booking, to_account, kind, made_at FROM casework_notice
		WHERE sent_at = 0 AND tries < $1 AND made_at + tries * tries * $5 <= $6 AND (to_account, id) > ($2, $3) ORDER BY to_account, id LIMIT $4`,
		noticeTries, after.to, after.id, noticeBatch, noticePause.Microseconds(), db.Micros(w.Clock.Now()))
	if err != nil {
		return nil, after, fmt.Errorf("reading notices: %w", err)
	}
	defer rows.Close()
	type row struct {
		n                           Notice
		administration, id, booking string
	}
	var found []row
	for rows.Next() {
		var r row
		var made int64
		if err := rows.Scan(&r.n.ID, &r.administration, &r.id, &r.booking, &r.n.To, &r.n.Kind, &made); err != nil {
			return nil, after, err
		}
		r.n.Made, r.n.Urgent = db.Time(made), urgent[r.n.Kind]
		found = append(found, r)
	}
	if err := rows.Err(); err != nil {
		return nil, after, err
	}
	var out []Notice
	for _, r := range found {
		after = noticeCursor{r.n.To, r.n.ID}
		if r.booking != "" {
			r.n.Booking, err = w.stillBooked(ctx, r.booking)
		} else {
			r.n.Case, err = caseByID(ctx, w.DB.Reader(), r.administration, r.id)
		}
		if err != nil {
			return nil, after, err
		}
		if r.n.Booking == nil && r.n.Case == nil {
			if err := w.dropNotice(ctx, r.n.ID); err != nil {
				return nil, after, err
			}
			continue
		}
		out = append(out, r.n)
	}
	if len(out) == 0 && len(found) == noticeBatch {
		return w.waitingNotices(ctx, after) // nothing of this page is left to be told
	}
	return out, after, nil
}

// stillBooked is an appointment that was not given up since somebody was to be
// reminded of it, nil otherwise.
func (w *Casework) stillBooked(ctx context.Context, id string) (*Booking, error) {
	list, err := w.bookings(ctx, `id = $1 AND state = $2`, id, Booked)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// dropNotice takes back what nobody needs to be told any more.
func (w *Casework) dropNotice(ctx context.Context, id string) error {
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM casework_notice WHERE id = $1 AND sent_at = 0`, id)
		return err
	})
}
