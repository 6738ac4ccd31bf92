package casework

import (
	"context"
	"errors"
	"io"
	"net/http"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// payPanel is what the page of a case shows of money.
type payPanel struct {
	Bill     Bill
	Total    *gov.Centimes
	Due      *gov.Centimes
	List     []payRow
	CanPay   bool
	MaySet   bool
	Number   string
	Anything bool
}

// payRow is a payment as pages show it.
type payRow struct {
	*Payment
	Sum    *gov.Centimes
	Day    gov.Date // it was paid, or ordered
	Tone   string
	Who    gov.Text // who asked for the refund
	Reason string
	May    payMay
}

type payMay struct{ Ask, Grant bool }

var payTones = map[string]string{PayOpen: "is-wait", PayPaid: "is-good", PayRefused: "is-bad", PaySurplus: "is-turn", PayRefundAsked: "is-turn", PayRefundGranted: "is-turn"}

func (w *Casework) payRow(p *Payment) payRow {
	row := payRow{Payment: p, Sum: &p.Amount, Tone: payTones[p.State], Day: gov.DateOf(p.Made, w.Country.Zone())}
	if !p.Settled.IsZero() {
		row.Day = gov.DateOf(p.Settled, w.Country.Zone())
	}
	return row
}

// payPanel gathers it for whoever looks.
func (w *Casework) payPanel(ctx context.Context, who gov.Actor, c *Case) (p payPanel, err error) {
	if p.Bill, err = w.BillOf(ctx, c); err != nil {
		return p, err
	}
	all, err := w.PaymentsOf(ctx, c)
	if err != nil {
		return p, err
	}
	for _, x := range all {
		if x.State != PayOpen || w.Clock.Now().Before(x.Until) {
			p.List = append(p.List, w.payRow(x))
		}
	}
	p.Total, p.Due, p.Number = &p.Bill.Total, &p.Bill.Due, c.Number
	p.CanPay = w.Payments != nil && p.Bill.Due > 0 && w.May(ctx, who, MayPay, c) == nil
	p.MaySet = roleOf(who) == AsOfficer && w.May(ctx, who, MayRequest, c) == nil
	p.Anything = p.Bill.Total > 0 || len(p.List) > 0 || p.MaySet
	return p, nil
}

// registerPay adds the pages of payment to the mux of the person's space.
func (m *Mine) registerPay(mux *http.ServeMux) {
	mux.HandleFunc("POST /me/cases/{number}/pay", m.pay)
	mux.HandleFunc("GET /me/payments/{id}", m.payment)
}

// pay makes an order for what is due.
func (m *Mine) pay(w http.ResponseWriter, r *http.Request) {
	p, err := m.Order(r.Context(), m.Actor(r), r.PathValue("number"))
	if wrong, ok := readers(m.Site, r, err); ok {
		m.showCase(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/me/payments/"+p.ID)
}

type paymentData struct {
	Who     gov.Actor
	Row     payRow
	Name    gov.Text
	Office  gov.Text
	Payer   gov.Text
	Address string // of the provider's page; empty when there is nothing to pay
	Old     bool   // nobody touched the order in time
	Demo    bool
}

// payment shows an order: the way to the provider while it is open, and the receipt
// once it is paid. What the provider's page sent the payer back with is not looked
// at: the provider tells by itself.
func (m *Mine) payment(w http.ResponseWriter, r *http.Request) {
	p, c, err := m.Casework.Payment(r.Context(), m.Actor(r), r.PathValue("id"))
	var t *Terms
	if err == nil {
		t, err = m.TermsOf(r.Context(), c)
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	d := paymentData{Who: m.Actor(r), Row: m.payRow(p), Name: t.Name, Office: m.OfficeName(c.Administration), Payer: m.AccountName(r.Context(), p.Payer), Demo: m.Site.Demo}
	d.Old = p.State == PayOpen && !m.Clock.Now().Before(p.Until)
	if (p.State == PayOpen || p.State == PayRefused) && !d.Old && m.Payments != nil && m.Payments.ID() == p.Provider && p.Payer == d.Who.ID {
		d.Address = m.Payments.Address(p, m.Base(r)+"/"+string(web.LangOf(r))+"/me/payments/"+p.ID, web.LangOf(r))
	}
	m.show(w, r, http.StatusOK, "payment", m.Site.Printer(r).T("pay.title"), "/me/payments/"+p.ID, d)
}

// paymentQuery names the payment in the address of a receipt's page. Its identifier is
// on the receipt alone: who knows but the number of the case learns of no payment.
const paymentQuery = "payment"

// paidFor returns a payment of a case for which money came.
func (x *Receipts) paidFor(ctx context.Context, c *Case, id string) (*Payment, error) {
	p, err := payment(ctx, x.DB.Reader(), id)
	if err == nil && (p.caseID != c.ID || p.Administration != c.Administration || !p.WasPaid()) {
		err = problem.New(problem.NotFound, "receipt.not_found")
	}
	return p, err
}

// VerifyPath is where whoever holds a receipt finds out whether it is one: of an
// application, or of a payment for it.
func (f ReceiptFacts) VerifyPath() string {
	if f.Payment == nil {
		return "/receipts/" + f.Case.Number
	}
	return asked("/receipts/"+f.Case.Number, paymentQuery, f.Payment.ID)
}

// payment answers with the sealed receipt of what was paid.
func (x *Receipts) payment(w http.ResponseWriter, r *http.Request) {
	p, c, err := x.Payment(r.Context(), x.Actor(r), r.PathValue("id"))
	var f PaperFacts
	if err == nil && !p.WasPaid() {
		err = problem.New(problem.Conflict, "pay.unpaid")
	}
	if err == nil {
		f.ReceiptFacts, err = x.facts(r, c)
		f.Payment, f.On, f.At, f.Payer = p, gov.DateOf(p.Settled, x.Country.Zone()), p.Settled, x.AccountName(r.Context(), p.Payer)
	}
	x.hand(w, r, PaperPayment, f, err)
}

// PaymentNotices answers the messages of providers. They come from programs, without
// a session: the seal is all that they are known by. What is wrong is said as
// elsewhere in the interfaces for programs, with a stable code.
func (w *Casework) PaymentNotices(site *web.Site) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		err := w.takeNotice(rw, r)
		if err != nil {
			site.Fail(rw, r, err)
			return
		}
		rw.WriteHeader(http.StatusNoContent)
	}
}

func (w *Casework) takeNotice(rw http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxNoticeLen))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problem.New(problem.TooLarge, "pay.notice")
	}
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "pay.notice")
	}
	return w.Notified(r.Context(), r.PathValue("provider"), r.Header.Get(PaymentTimeHeader), r.Header.Get(PaymentSealHeader), body)
}
