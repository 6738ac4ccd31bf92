package apptest

import (
	"encoding/json"
	"testing"
	"time"

	"diwan/internal/app"
	"diwan/internal/casework"
	"diwan/internal/gov"
)

// Till is a provider of payments of which no test needs more than its messages.
func Till(a *app.App) *casework.HookProvider {
	return &casework.HookProvider{Name: "till", Base: "http://till.example", Secret: []byte("secret"), Currency: a.Country.Currency.Code, Now: time.Now}
}

// paymentPages orders payments and has them paid, refused and asked back, and returns
// the pages of it.
func paymentPages(t testing.TB, a *app.App, c Cases) []Page {
	t.Helper()
	ctx, w := t.Context(), a.Casework
	till := Till(a)
	w.Payments = till
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	person, studies := actor(t, a, Person), actor(t, a, Studies)
	order := func(number string) *casework.Payment {
		t.Helper()
		must(w.SetFee(ctx, studies, number, 120050, "850 m², 1.41 a square metre"))
		p, err := w.Order(ctx, person, number)
		must(err)
		return p
	}
	told := func(p *casework.Payment, state string) *casework.Payment {
		t.Helper()
		body, err := json.Marshal(casework.PaymentNotice{ID: gov.NewID(), Order: p.ID, Case: p.Number, Amount: p.Amount, Currency: till.Currency, Status: state, Reference: "T-1"})
		must(err)
		at, seal := till.Seal(body)
		must(w.Notified(ctx, till.Name, at, seal, body))
		return p
	}
	open, refused := order(c.Running), told(order(c.Incomplete), casework.PayRefused)
	paid, back := told(order(c.Asked), casework.PayPaid), told(order(c.Silent), casework.PayPaid)
	must(w.AskRefund(ctx, studies, back.ID, "The wall was not built."))
	return []Page{
		{Kind: "payment to make", Path: "/me/payments/" + open.ID, As: Person},
		{Kind: "payment refused", Path: "/me/payments/" + refused.ID, As: Person},
		{Kind: "payment made", Path: "/me/payments/" + paid.ID, As: Person},
		{Kind: "payment asked back", Path: "/me/payments/" + back.ID, As: Person},
		{Kind: "receipt of a payment", Path: "/receipts/" + paid.Number + "?payment=" + paid.ID},
		{Kind: "receipt of no payment", Path: "/receipts/" + paid.Number + "?payment=" + open.ID, Status: 404},
		{Kind: "no payment", Path: "/me/payments/none", As: Person, Status: 404},
		{Kind: "my case that is paid", Path: "/me/cases/" + c.Asked, As: Person},
		{Kind: "payments at the desk", Path: "/office/payments", As: Supervises},
		{Kind: "no payments at the desk", Path: "/office/payments?state=refunded", As: Supervises},
		{Kind: "case that is paid at the desk", Path: "/office/cases/" + c.Asked, As: Supervises},
	}
}
