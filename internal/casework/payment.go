package casework

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// FeeSet is the event by which an officer reckons what a case costs beside the fee
// of its procedure. Its text says how.
const FeeSet = "fee_set"

// States of a payment.
const (
	PayOpen          = "open"
	PayPaid          = "paid"
	PayRefused       = "refused" // by the payer or their bank
	PaySurplus       = "surplus" // paid although nothing was due any more: it is given back
	PayRefundAsked   = "refund_asked"
	PayRefundGranted = "refund_granted" // the provider is told until it has done it
	PayRefunded      = "refunded"
)

// What the policy decides on payments.
const (
	MayPay    = "case.pay"
	MayRefund = "payment.refund"
)

// Payment is an order to pay for a case.
type Payment struct {
	ID             string
	Administration string
	Number         string // of the case
	Payer          string // account
	Amount         gov.Centimes
	Provider       string
	Reference      string // the provider's own
	State          string
	Made           time.Time
	Until          time.Time // an order that nobody touched is replaced after it
	Settled        time.Time // when it was paid or refused
	AskedBy        string    // who asked for the refund
	GrantedBy      string
	Refunded       time.Time

	caseID string
	reason string
}

// WasPaid tells whether money came, whatever became of it later.
func (p *Payment) WasPaid() bool { return p.State != PayOpen && p.State != PayRefused }

// PaymentProvider takes payments. It shows its own page to the payer; what they paid
// it tells in a message of its own, from server to server. What the payer's
// browser brings back is believed of nobody.
type PaymentProvider interface {
	ID() string
	// Address is where the payer pays an order; back is where they return to.
	Address(p *Payment, back string, lang gov.Lang) string
	// Read checks a message of the provider: its seal, and its age.
	Read(timestamp, signature string, body []byte) (PaymentNotice, error)
	// Refund gives money back. It may be told the same refund twice and does it once.
	Refund(ctx context.Context, p *Payment) error
}

// PaymentNotice is what a provider tells of an order.
type PaymentNotice struct {
	ID        string       `json:"id"` // of the message: a repeated one counts once
	Order     string       `json:"order"`
	Case      string       `json:"case"`
	Amount    gov.Centimes `json:"amount"`
	Currency  string       `json:"currency"`
	Status    string       `json:"status"` // "paid" or "refused"
	Reference string       `json:"reference"`
}

// Bounds of payments.
const (
	orderLife    = time.Hour
	maxFee       = gov.Centimes(100_000_000_00)
	maxPayments  = 100 // orders of one case
	maxNoticeLen = 16 << 10
	refundTries  = 50
)

const paymentColumns = `id, administration, case_id, number, payer, amount, provider, reference, state, made_at, until_at, settled_at, refund_asked_by, refund_granted_by, refund_reason, refunded_at`

func payments(ctx context.Context, q querier, where string, args ...any) ([]*Payment, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+paymentColumns+` FROM casework_payment WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("listing payments: %w", err)
	}
	defer rows.Close()
	var out []*Payment
	for rows.Next() {
		var p Payment
		var made, until, settled, refunded, amount int64
		if err := rows.Scan(&p.ID, &p.Administration, &p.caseID, &p.Number, &p.Payer, &amount, &p.Provider, &p.Reference, &p.State, &made, &until, &settled,
			&p.AskedBy, &p.GrantedBy, &p.reason, &refunded); err != nil {
			return nil, err
		}
		p.Amount, p.Made, p.Until, p.Settled, p.Refunded = gov.Centimes(amount), db.Time(made), db.Time(until), momentOf(settled), momentOf(refunded)
		out = append(out, &p)
	}
	return out, rows.Err()
}

func payment(ctx context.Context, q querier, id string) (*Payment, error) {
	none := problem.New(problem.NotFound, "pay.not_found")
	if !isID(id) {
		return nil, none
	}
	all, err := payments(ctx, q, `id = $1`, id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, none
	}
	return all[0], nil
}

// Bill is what a case costs and what of it is paid.
type Bill struct {
	Total gov.Centimes
	Paid  gov.Centimes
	Due   gov.Centimes
}

// BillOf reckons it: the fee in the terms that the case began with, and what
// officers added.
func (w *Casework) BillOf(ctx context.Context, c *Case) (Bill, error) {
	return w.bill(ctx, w.DB.Reader(), c)
}

func (w *Casework) bill(ctx context.Context, q querier, c *Case) (b Bill, err error) {
	t, err := w.termsBy(ctx, q, c.Terms)
	if err != nil {
		return b, err
	}
	var set, paid sql.NullInt64
	if err := q.QueryRowContext(ctx, `SELECT SUM(amount) FROM casework_fee WHERE administration = $1 AND case_id = $2`, c.Administration, c.ID).Scan(&set); err != nil {
		return b, fmt.Errorf("reckoning what a case costs: %w", err)
	}
	err = q.QueryRowContext(ctx, `SELECT SUM(amount) FROM casework_payment WHERE administration = $1 AND case_id = $2 AND state IN ('paid', 'refund_asked')`,
		c.Administration, c.ID).Scan(&paid)
	if err != nil {
		return b, fmt.Errorf("reckoning what was paid: %w", err)
	}
	b.Total, b.Paid = t.Fee+gov.Centimes(set.Int64), gov.Centimes(paid.Int64)
	b.Due = max(0, b.Total-b.Paid)
	return b, nil
}

// SetFee writes what a case costs where its procedure names a rule and no amount.
// words say how it was reckoned; the person reads them.
func (w *Casework) SetFee(ctx context.Context, by gov.Actor, number string, amount gov.Centimes, words string) error {
	if amount <= 0 || amount > maxFee {
		return problem.New(problem.Invalid, "pay.amount")
	}
	a := Action{Type: FeeSet, Text: words}
	if err := a.check(rule{reason: true}); err != nil {
		return err
	}
	return w.change(ctx, number, func(tx *db.Tx, c *Case, now standing) ([]Event, error) {
		if err := w.may(ctx, by, MayRequest, c); err != nil {
			return nil, err
		}
		if c.State == clock.WithdrawnState || c.State == clock.Returned || c.State == clock.RefusedState {
			return nil, problem.New(problem.Conflict, "pay.closed")
		}
		id := gov.NewID()
		e := Event{Type: FeeSet, On: w.dayIn(now.events), At: w.momentIn(now.events), Actor: by.ID, Text: a.Text, Clear: Clear{Ref: id, Role: AsOfficer}}
		_, err := tx.ExecContext(ctx, `INSERT INTO casework_fee (id, administration, case_id, amount, seq, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			id, c.Administration, c.ID, int64(amount), c.Events+1, by.ID, db.Micros(e.At))
		return []Event{e}, err
	})
}

// Order makes an order to pay what is due, or returns the one that is open.
func (w *Casework) Order(ctx context.Context, by gov.Actor, number string) (*Payment, error) {
	if w.Payments == nil {
		return nil, problem.New(problem.Unavailable, "pay.no_provider")
	}
	c, err := w.Find(ctx, by, number)
	if err != nil {
		return nil, err
	}
	if err := w.may(ctx, by, MayPay, c); err != nil {
		return nil, err
	}
	var out *Payment
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		b, err := w.bill(ctx, tx, c)
		if err != nil {
			return err
		}
		all, err := payments(ctx, tx, `administration = $1 AND case_id = $2 ORDER BY made_at, id`, c.Administration, c.ID)
		if err != nil {
			return err
		}
		if b.Due == 0 {
			return problem.New(problem.Conflict, "pay.nothing_due")
		}
		if len(all) >= maxPayments {
			return problem.New(problem.Invalid, "pay.many")
		}
		now := w.Clock.Now()
		for _, p := range all {
			if p.State == PayOpen && p.Amount == b.Due && now.Before(p.Until) && p.Payer == by.ID {
				out = p
				return nil
			}
		}
		out = &Payment{ID: gov.NewID(), Administration: c.Administration, caseID: c.ID, Number: c.Number, Payer: by.ID, Amount: b.Due, Provider: w.Payments.ID(),
			State: PayOpen, Made: now, Until: now.Add(orderLife)}
		_, err = tx.ExecContext(ctx, `INSERT INTO casework_payment (`+paymentColumns+`, tries) VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, $9, $10, 0, '', '', '', 0, 0)`,
			out.ID, out.Administration, out.caseID, out.Number, out.Payer, int64(out.Amount), out.Provider, out.State, db.Micros(out.Made), db.Micros(out.Until))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ordering a payment: %w", err)
	}
	return out, nil
}

// Payment returns an order to who may read its case.
func (w *Casework) Payment(ctx context.Context, by gov.Actor, id string) (*Payment, *Case, error) {
	p, err := payment(ctx, w.DB.Reader(), id)
	if err != nil {
		return nil, nil, err
	}
	c, err := w.Find(ctx, by, p.Number)
	if problem.Is(err, problem.NotFound) {
		err = problem.New(problem.NotFound, "pay.not_found")
	}
	return p, c, err
}

// PaymentsOf lists the orders of a case, the first first.
func (w *Casework) PaymentsOf(ctx context.Context, c *Case) ([]*Payment, error) {
	return payments(ctx, w.DB.Reader(), `administration = $1 AND case_id = $2 ORDER BY made_at, id`, c.Administration, c.ID)
}

// OfficePayments lists the latest orders of an administration, those of one state
// when it is given.
func (w *Casework) OfficePayments(ctx context.Context, administration, state string) ([]*Payment, error) {
	return payments(ctx, w.DB.Reader(), `administration = $1 AND (state = $2 OR $2 = '') ORDER BY made_at DESC, id LIMIT 200`, administration, state)
}

// Notified takes a message of a provider. Its seal and its age are checked before
// anything is read; a message that came before changes nothing and is no error. The
// order, the case and the amount must be those that were ordered: otherwise
// nothing is written but the refusal in the log.
func (w *Casework) Notified(ctx context.Context, provider, timestamp, signature string, body []byte) error {
	if w.Payments == nil || provider != w.Payments.ID() {
		return problem.New(problem.NotFound, "pay.no_provider")
	}
	if len(body) > maxNoticeLen {
		return problem.New(problem.TooLarge, "pay.notice")
	}
	n, err := w.Payments.Read(timestamp, signature, body)
	if err != nil {
		w.Log.WarnContext(ctx, "a payment message was refused", "provider", provider, "error", err)
		return err
	}
	p, err := payment(ctx, w.DB.Reader(), n.Order)
	if err == nil && (p.Provider != provider || p.Number != n.Case || p.Amount != n.Amount || n.Currency != w.Country.Currency.Code || n.Status != PayPaid && n.Status != PayRefused) {
		err = problem.New(problem.Invalid, "pay.mismatch")
	}
	if err != nil {
		w.Log.WarnContext(ctx, "a payment message does not fit its order", "provider", provider, "order", n.Order, "error", err)
		return err
	}
	return w.change(ctx, p.Number, func(tx *db.Tx, c *Case, now standing) ([]Event, error) { return w.settlePayment(ctx, tx, c, now, n) })
}

// settlePayment writes what a message says, once.
func (w *Casework) settlePayment(ctx context.Context, tx *db.Tx, c *Case, now standing, n PaymentNotice) ([]Event, error) {
	at := w.Clock.Now()
	r, err := tx.ExecContext(ctx, `INSERT INTO casework_payment_notice (provider, id, payment, at) VALUES ($1, $2, $3, $4) ON CONFLICT (provider, id) DO NOTHING`,
		w.Payments.ID(), n.ID, n.Order, db.Micros(at))
	if err != nil {
		return nil, err
	}
	if k, err := r.RowsAffected(); err != nil || k == 0 {
		return nil, err // it was dealt with
	}
	p, err := payment(ctx, tx, n.Order)
	if err != nil {
		return nil, err
	}
	// What was paid stays paid, whatever a later message says; a refused order may
	// still be paid by another card.
	if p.State != PayOpen && (p.State != PayRefused || n.Status != PayPaid) {
		return nil, nil
	}
	state := n.Status
	if state == PayPaid {
		b, err := w.bill(ctx, tx, c)
		if err != nil {
			return nil, err
		}
		if b.Due < p.Amount {
			state = PaySurplus
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE casework_payment SET state = $2, reference = $3, settled_at = $4 WHERE id = $1`, p.ID, state, n.Reference, db.Micros(at))
	if err != nil || state == PayRefused {
		return nil, err
	}
	return []Event{{Type: Paid, On: w.dayIn(now.events), At: w.momentIn(now.events), Clear: Clear{Ref: p.ID, Role: AsProgram, State: state}}}, nil
}

// paidUp refuses to deliver a decision that is not paid for. It says so only where
// one can pay here.
func (w *Casework) paidUp(ctx context.Context, q querier, c *Case) error {
	if w.Payments == nil {
		return nil
	}
	b, err := w.bill(ctx, q, c)
	if err == nil && b.Due > 0 {
		err = problem.New(problem.Conflict, "pay.due")
	}
	return err
}
