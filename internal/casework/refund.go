package casework

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// AskRefund asks for money to be given back. Another officer grants it.
func (w *Casework) AskRefund(ctx context.Context, by gov.Actor, id, words string) error {
	words = strings.TrimSpace(words)
	if words == "" || len(words) > 2000 {
		return problem.New(problem.Invalid, "case.reasons_missing")
	}
	return w.refund(ctx, by, id, MayNote, func(tx *db.Tx, p *Payment) error {
		if p.State != PayPaid && p.State != PaySurplus {
			return problem.New(problem.Conflict, "pay.refund_state")
		}
		// The reason speaks of a person's case: it lies under their key.
		c, err := caseByID(ctx, tx, p.Administration, p.caseID)
		if err != nil {
			return err
		}
		sealed, err := w.sealer.Seal(ctx, c.Person, refundPlace(p.ID), []byte(words))
		if err != nil {
			return err
		}
		return w.refundIs(ctx, tx, p, PayRefundAsked, by.ID, "", hex.EncodeToString(sealed))
	})
}

func refundPlace(id string) string { return "refund " + id }

// GrantRefund lets money be given back: the provider is told until it has done so.
// Who asked for it does not grant it.
func (w *Casework) GrantRefund(ctx context.Context, by gov.Actor, id string) error {
	return w.refund(ctx, by, id, MayRefund, func(tx *db.Tx, p *Payment) error {
		switch {
		case p.State != PayRefundAsked:
			return problem.New(problem.Conflict, "pay.refund_state")
		case p.AskedBy == by.ID:
			return problem.New(problem.Forbidden, "pay.refund_own")
		}
		return w.refundIs(ctx, tx, p, PayRefundGranted, p.AskedBy, by.ID, p.reason)
	})
}

// RefuseRefund leaves the money where it is.
func (w *Casework) RefuseRefund(ctx context.Context, by gov.Actor, id string) error {
	return w.refund(ctx, by, id, MayRefund, func(tx *db.Tx, p *Payment) error {
		if p.State != PayRefundAsked {
			return problem.New(problem.Conflict, "pay.refund_state")
		}
		return w.refundIs(ctx, tx, p, PayPaid, "", "", "")
	})
}

func (w *Casework) refund(ctx context.Context, by gov.Actor, id, action string, fn func(tx *db.Tx, p *Payment) error) error {
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		p, err := payment(ctx, tx, id)
		if err != nil {
			return err
		}
		c, err := caseByID(ctx, tx, p.Administration, p.caseID)
		if err != nil {
			return err
		}
		c.Refunder = p.AskedBy
		if err := w.may(ctx, by, action, c); err != nil {
			return err
		}
		return fn(tx, p)
	})
}

// refundIs writes a new state. Of two who act at once the second finds another.
func (w *Casework) refundIs(ctx context.Context, tx *db.Tx, p *Payment, state, asked, granted, reason string) error {
	r, err := tx.ExecContext(ctx, `UPDATE casework_payment SET state = $3, refund_asked_by = $4, refund_granted_by = $5, refund_reason = $6 WHERE id = $1 AND state = $2`,
		p.ID, p.State, state, asked, granted, reason)
	if err != nil {
		return fmt.Errorf("writing a refund: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, problem.New(problem.Conflict, "pay.refund_state"))
	}
	return nil
}

// RefundReason opens why a refund was asked.
func (w *Casework) RefundReason(ctx context.Context, c *Case, p *Payment) (string, error) {
	sealed, err := hex.DecodeString(p.reason)
	if err != nil {
		return "", err
	}
	b, err := w.sealer.Open(ctx, c.Person, refundPlace(p.ID), sealed)
	if problem.Is(err, problem.NotFound) {
		return "", nil
	}
	return string(b), err
}

// SendRefunds tells the provider which refunds were granted, and writes those that
// it has done into their cases. A crash in between tells it again; it does it once.
func (w *Casework) SendRefunds(ctx context.Context) error {
	if w.Payments == nil {
		return nil
	}
	list, err := payments(ctx, w.DB.Reader(), `state = $1 AND provider = $2 AND tries < $3 ORDER BY made_at, id LIMIT 100`, PayRefundGranted, w.Payments.ID(), refundTries)
	if err != nil {
		return err
	}
	for _, p := range list {
		if err := w.Payments.Refund(ctx, p); err != nil {
			w.Log.WarnContext(ctx, "a refund could not be made", "payment", p.ID, "error", err)
			if err := w.triedRefund(ctx, p); err != nil {
				return err
			}
			continue
		}
		err := w.change(ctx, p.Number, func(tx *db.Tx, _ *Case, now standing) ([]Event, error) {
			r, err := tx.ExecContext(ctx, `UPDATE casework_payment SET state = $3, refunded_at = $4 WHERE id = $1 AND state = $2`, p.ID, PayRefundGranted, PayRefunded, db.Micros(w.Clock.Now()))
			if err != nil {
				return nil, err
			}
			if n, err := r.RowsAffected(); err != nil || n == 0 {
				return nil, err // another copy of the program was faster
			}
			return []Event{{Type: Refunded, On: w.dayIn(now.events), At: w.momentIn(now.events), Clear: Clear{Ref: p.ID, Role: AsProgram}}}, nil
		})
		if err != nil {
			return fmt.Errorf("writing a refund: %w", err)
		}
	}
	return nil
}

func (w *Casework) triedRefund(ctx context.Context, p *Payment) error {
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE casework_payment SET tries = tries + 1 WHERE id = $1`, p.ID)
		return err
	})
}
