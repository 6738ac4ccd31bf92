package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
)

// till is a provider with the seal of the real one, whose refunds a test counts.
type till struct {
	*HookProvider
	refunds map[string]int
	down    bool
}

func (k *till) Refund(_ context.Context, p *Payment) error {
	if k.down {
		return fmt.Errorf("down")
	}
	k.refunds[p.ID]++
	return nil
}

func (w *world) till() *till {
	k := &till{&HookProvider{Name: "till", Base: "http://till.example", Secret: []byte("secret"), Currency: w.Country.Currency.Code, Now: w.hand.Now}, map[string]int{}, false}
	w.Options.Payments = k
	return k
}

// tell sends a message of the provider, sealed at a time.
func (w *world) tell(k *till, at time.Time, n PaymentNotice) error {
	w.Helper()
	body, err := json.Marshal(n)
	if err != nil {
		w.Fatal(err)
	}
	ts := strconv.FormatInt(at.Unix(), 10)
	return w.Notified(w.Context(), "till", ts, "v1="+k.seal(ts, body), body)
}

func withFee(f *Filing) { f.Terms.Fee = 200_00 }

func (w *world) bought(p *Payment, id string) PaymentNotice {
	return PaymentNotice{ID: id, Order: p.ID, Case: p.Number, Amount: p.Amount, Currency: w.Country.Currency.Code, Status: PayPaid, Reference: "R" + id}
}

func (w *world) order(c *Case) *Payment {
	w.Helper()
	p, err := w.Order(w.Context(), salma, c.Number)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func (w *world) payState(id, want string) *Payment {
	w.Helper()
	p, err := payment(w.Context(), w.DB.Reader(), id)
	if err != nil {
		w.Fatal(err)
	}
	if p.State != want {
		w.Errorf("the payment is %s, want %s", p.State, want)
	}
	return p
}

func TestPayment(t *testing.T) {
	eachDesk(t, func(w *world) {
		c := w.file(withFee)
		if _, err := w.Order(t.Context(), salma, c.Number); code(err) != "pay.no_provider" {
			t.Fatal("paid without a provider:", err)
		}
		k := w.till()
		other := w.file(func(f *Filing) { withFee(f); f.Answers = []byte(`{"floors":9}`) })
		p := w.order(c)
		if again := w.order(c); again.ID != p.ID {
			t.Error("two open orders for one bill")
		}
		if _, err := w.Order(t.Context(), idris, c.Number); code(err) != "case.not_found" {
			t.Error("somebody else ordered:", err)
		}
		now := w.hand.Now()
		good := w.bought(p, "n1")
		body, _ := json.Marshal(good)
		ts := strconv.FormatInt(now.Unix(), 10)
		for name, c := range map[string]struct {
			err  error
			want string
		}{
			"forged":       {w.Notified(t.Context(), "till", ts, "v1=00ff", body), "pay.forged"},
			"without":      {w.Notified(t.Context(), "till", ts, "", body), "pay.forged"},
			"changed":      {w.Notified(t.Context(), "till", ts, "v1="+k.seal(ts, body), append(body, ' ')), "pay.forged"},
			"another time": {w.Notified(t.Context(), "till", strconv.FormatInt(now.Unix()+1, 10), "v1="+k.seal(ts, body), body), "pay.forged"},
			"provider":     {w.Notified(t.Context(), "other", ts, "v1="+k.seal(ts, body), body), "pay.no_provider"},
			"late":         {w.tell(k, now.Add(-payTolerance-time.Second), good), "pay.stale"},
			"early":        {w.tell(k, now.Add(payTolerance+time.Second), good), "pay.stale"},
			"large":        {w.Notified(t.Context(), "till", ts, "v1=", make([]byte, maxNoticeLen+1)), "pay.notice"},
		} {
			if code(c.err) != c.want {
				t.Errorf("%s: %v, want %s", name, c.err, c.want)
			}
		}
		for name, change := range map[string]func(*PaymentNotice){
			"wrong amount": func(n *PaymentNotice) { n.Amount = 1 },
			"other case":   func(n *PaymentNotice) { n.Case = other.Number },
			"other money":  func(n *PaymentNotice) { n.Currency = "XXX" },
			"no status":    func(n *PaymentNotice) { n.Status = "maybe" },
		} {
			n := good
			change(&n)
			if err := w.tell(k, now, n); code(err) != "pay.mismatch" {
				t.Errorf("%s: %v", name, err)
			}
		}
		n := good
		n.Order = gov.NewID()
		if err := w.tell(k, now, n); code(err) != "pay.not_found" {
			t.Error("an unknown order:", err)
		}
		w.payState(p.ID, PayOpen)
		// The same message many times, several at once: paid once.
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if err := w.tell(k, now, good); err != nil && code(err) != "case.changed" {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if err := w.tell(k, now, good); err != nil {
			t.Error("a repeated message:", err)
		}
		w.payState(p.ID, PayPaid)
		// A later word does not take it back.
		n = good
		n.ID, n.Status = "n2", PayRefused
		if err := w.tell(k, now, n); err != nil {
			t.Error(err)
		}
		w.payState(p.ID, PayPaid)
		c, _ = w.Find(t.Context(), salma, c.Number)
		journal, err := w.Journal(t.Context(), c)
		if err != nil || len(journal) != 2 || journal[1].Type != Paid || journal[1].Clear.Ref != p.ID {
			t.Error(journal, err)
		}
		b, err := w.BillOf(t.Context(), c)
		if err != nil || b != (Bill{200_00, 200_00, 0}) {
			t.Error(b, err)
		}
		if _, err := w.Order(t.Context(), salma, c.Number); code(err) != "pay.nothing_due" {
			t.Error(err)
		}
	})
}

func TestPaidTwice(t *testing.T) {
	eachDesk(t, func(w *world) {
		k := w.till()
		c := w.file(withFee)
		first := w.order(c)
		w.hand.now = w.hand.now.Add(2 * orderLife) // the first page was left open
		second := w.order(c)
		if second.ID == first.ID {
			t.Fatal("an old order was given again")
		}
		for i, p := range []*Payment{second, first} {
			if err := w.tell(k, w.hand.Now(), w.bought(p, fmt.Sprint("n", i))); err != nil {
				t.Fatal(err)
			}
		}
		w.payState(second.ID, PayPaid)
		w.payState(first.ID, PaySurplus)
	})
}

func TestDeliveredWhenPaid(t *testing.T) {
	eachDesk(t, func(w *world) {
		k := w.till()
		c := w.file()
		if err := w.SetFee(t.Context(), studies, c.Number, -1, "?"); code(err) != "pay.amount" {
			t.Error(err)
		}
		if err := w.SetFee(t.Context(), salma, c.Number, 1, "?"); err != nil {
			// The policy of the tests lets the applicant do all; that of the program is
			// tested with the program.
			t.Log(err)
		}
		if err := w.SetFee(t.Context(), studies, c.Number, 999_99, "20 by square metre"); err != nil {
			t.Fatal(err)
		}
		c = w.act(signer, w.stands(c.Number, clock.Running, "2026-04-02"), Action{Type: string(clock.Granted)})
		w.refused(signer, c, Action{Type: string(clock.Delivered)}, "pay.due")
		p := w.order(c)
		if err := w.tell(k, w.hand.Now(), w.bought(p, "n1")); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Act(t.Context(), signer, c.Number, Action{Type: string(clock.Delivered)}); code(err) == "pay.due" {
			t.Error("a paid decision is not delivered:", err)
		}
	})
}

func TestRefund(t *testing.T) {
	eachDesk(t, func(w *world) {
		k := w.till()
		c := w.file(withFee)
		p := w.order(c)
		if err := w.AskRefund(t.Context(), studies, p.ID, "Nothing was paid"); code(err) != "pay.refund_state" {
			t.Error(err)
		}
		if err := w.tell(k, w.hand.Now(), w.bought(p, "n1")); err != nil {
			t.Fatal(err)
		}
		if err := w.AskRefund(t.Context(), other, p.ID, "Mine"); code(err) != "case.not_found" {
			t.Error("another administration asked:", err)
		}
		if err := w.GrantRefund(t.Context(), signer, p.ID); code(err) != "pay.refund_state" {
			t.Error(err)
		}
		if err := w.AskRefund(t.Context(), studies, p.ID, "Paid by mistake"); err != nil {
			t.Fatal(err)
		}
		if err := w.GrantRefund(t.Context(), studies, p.ID); code(err) != "pay.refund_own" {
			t.Error("granted by who asked:", err)
		}
		if err := w.RefuseRefund(t.Context(), signer, p.ID); err != nil {
			t.Fatal(err)
		}
		w.payState(p.ID, PayPaid)
		if err := w.AskRefund(t.Context(), studies, p.ID, "Paid by mistake"); err != nil {
			t.Fatal(err)
		}
		got := w.payState(p.ID, PayRefundAsked)
		c, _ = w.Find(t.Context(), studies, c.Number)
		if why, err := w.RefundReason(t.Context(), c, got); err != nil || why != "Paid by mistake" {
			t.Error(why, err)
		}
		if err := w.GrantRefund(t.Context(), signer, p.ID); err != nil {
			t.Fatal(err)
		}
		k.down = true
		if err := w.SendRefunds(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.payState(p.ID, PayRefundGranted)
		k.down = false
		for range 2 {
			if err := w.SendRefunds(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.payState(p.ID, PayRefunded)
		if k.refunds[p.ID] != 1 {
			t.Error("given back", k.refunds[p.ID], "times")
		}
		if b, err := w.BillOf(t.Context(), c); err != nil || b.Due != 200_00 {
			t.Error(b, err)
		}
	})
}

func TestRefundIsAskedWithASeal(t *testing.T) {
	h := &HookProvider{Name: "till", Secret: []byte("secret"), Currency: "XXX", Now: time.Now}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/refunds" || r.Header.Get(PaymentSealHeader) == "" || r.Header.Get(PaymentTimeHeader) == "" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	h.Base, h.Client = server.URL, server.Client()
	if err := h.Refund(t.Context(), &Payment{ID: gov.NewID(), Amount: 1}); err != nil {
		t.Error(err)
	}
	server.Config.Handler = http.NotFoundHandler()
	if err := h.Refund(t.Context(), &Payment{ID: gov.NewID(), Amount: 1}); err == nil {
		t.Error("a refusal passed for a refund")
	}
}

func FuzzPaymentNotice(f *testing.F) {
	f.Add("1700000000", "v1=00", []byte(`{"id":"1"}`))
	h := &HookProvider{Secret: []byte("s"), Now: func() time.Time { return time.Unix(1700000000, 0) }}
	f.Fuzz(func(t *testing.T, ts, sig string, body []byte) {
		if _, err := h.Read(ts, sig, body); err == nil && sig != "v1="+h.seal(ts, body) {
			t.Error("a forged message was read")
		}
		h.Read(ts, "v1="+h.seal(ts, body), body)
	})
}
