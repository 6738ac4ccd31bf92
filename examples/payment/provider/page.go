package provider

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// shown is what the page says.
type shown struct {
	Lang, Dir string
	Order     *order
	Action    string // the sealed address, which the form posts back
	Amount    string
	Wrong     bool
}

func (p *Provider) show(w http.ResponseWriter, status int, s shown) {
	s.Dir = "ltr"
	switch s.Lang {
	case "ar":
		s.Dir = "rtl"
	case "fr":
	default:
		s.Lang = "fr"
	}
	if s.Order != nil {
		s.Amount = fmt.Sprintf("%d,%02d %s", s.Order.Amount/100, s.Order.Amount%100, s.Order.Currency)
	}
	var b bytes.Buffer
	if err := p.page.Execute(&b, s); err != nil {
		http.Error(w, "the page can't be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// open shows the page of an order.
func (p *Provider) open(w http.ResponseWriter, r *http.Request) {
	o, err := p.read(r.URL.Query())
	if err != nil {
		p.show(w, http.StatusForbidden, shown{Lang: r.URL.Query().Get("lang"), Wrong: true})
		return
	}
	p.show(w, http.StatusOK, shown{Lang: o.Lang, Order: p.seen(o), Action: "/pay?" + r.URL.RawQuery})
}

// seen is the order as it stands now.
func (p *Provider) seen(o *order) *order {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := *o
	return &c
}

// choose takes what the payer chose, tells the site, and leads back to it.
func (p *Provider) choose(w http.ResponseWriter, r *http.Request) {
	o, err := p.read(r.URL.Query())
	if err != nil {
		p.show(w, http.StatusForbidden, shown{Lang: r.URL.Query().Get("lang"), Wrong: true})
		return
	}
	state := map[string]string{"pay": "paid", "refuse": "refused"}[r.PostFormValue("do")]
	p.mu.Lock()
	if changed := state != "" && o.State != "paid" && o.State != "refunded"; changed {
		o.State = state
	}
	told := *o
	p.mu.Unlock()
	if told.State == "paid" || told.State == "refused" {
		p.tell(told)
	}
	http.Redirect(w, r, told.Back, http.StatusSeeOther)
}

// notice is a message to the site.
type notice struct {
	ID        string `json:"id"`
	Order     string `json:"order"`
	Case      string `json:"case"`
	Amount    int64  `json:"amount"`
	Currency  string `json:"currency"`
	Status    string `json:"status"`
	Reference string `json:"reference"`
}

// tell sends what became of an order. The first try is made before the payer goes
// back; those that follow go on behind them, up to a bound.
func (p *Provider) tell(o order) {
	body, err := json.Marshal(notice{rand.Text(), o.ID, o.Case, o.Amount, o.Currency, o.State, "TEST-" + rand.Text()[:10]})
	if err != nil || p.send(body) {
		return
	}
	p.sent.Go(func() {
		wait := p.o.Wait
		for range maxTries - 1 {
			select {
			case <-p.ctx.Done():
				return
			case <-time.After(wait):
			}
			if p.send(body) {
				return
			}
			wait *= 2
		}
	})
}

// send tries once, sealed at this moment.
func (p *Provider) send(body []byte) bool {
	req, err := http.NewRequestWithContext(p.ctx, http.MethodPost, p.o.Notify, bytes.NewReader(body))
	if err != nil {
		return false
	}
	at := strconv.FormatInt(p.o.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Payment-Timestamp", at)
	req.Header.Set("Payment-Signature", "v1="+p.seal(at, body))
	res, err := p.client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	return res.StatusCode/100 == 2
}

// refund gives back what was paid, once, however often it is told to. An order that
// it no longer knows was paid before it was started anew: there was no money.
func (p *Provider) refund(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	at := r.Header.Get("Payment-Timestamp")
	if err != nil || !hmac.Equal([]byte(r.Header.Get("Payment-Signature")), []byte("v1="+p.seal(at, body))) || !p.recent(at, tolerance) {
		http.Error(w, "the seal is not the site's", http.StatusForbidden)
		return
	}
	var ask struct {
		Order    string `json:"order"`
		Amount   int64  `json:"amount"`
		Currency string `json:"currency"`
	}
	if err := json.Unmarshal(body, &ask); err != nil {
		http.Error(w, "the message can't be read", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if o := p.orders[ask.Order]; o != nil {
		if o.Amount != ask.Amount || o.State != "paid" && o.State != "refunded" {
			http.Error(w, "this was not paid", http.StatusConflict)
			return
		}
		o.State = "refunded"
	}
	w.WriteHeader(http.StatusNoContent)
}
