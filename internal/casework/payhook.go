package casework

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Headers of a provider's message.
const (
	PaymentTimeHeader = "Payment-Timestamp" // seconds of Unix time
	PaymentSealHeader = "Payment-Signature" // "v1=" and the hexadecimal HMAC-SHA256
)

// payTolerance is how old a provider's message may be. The provider seals each try
// anew, so that a message caught on its way is soon worth nothing.
const payTolerance = 5 * time.Minute

// HookProvider is a provider that is reached by a sealed address and tells what was
// paid in a sealed message. The seal is an HMAC-SHA256 over the time, a dot and
// the bytes of the message, with a secret that both know.
type HookProvider struct {
	Name     string // its id in addresses
	Base     string // "https://pay.example", without a final slash
	Secret   []byte
	Currency string
	Client   *http.Client
	// Now is the time that both sides share: the machine's, also where a
	// demonstration has turned its own clock.
	Now func() time.Time
}

// ID returns its id.
func (h *HookProvider) ID() string { return h.Name }

// seal is the HMAC of a message at a time.
func (h *HookProvider) seal(timestamp string, body []byte) string {
	m := hmac.New(sha256.New, h.Secret)
	m.Write([]byte(timestamp + "."))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// Seal returns the time and the seal with which a message goes now.
func (h *HookProvider) Seal(body []byte) (timestamp, signature string) {
	timestamp = strconv.FormatInt(h.Now().Unix(), 10)
	return timestamp, "v1=" + h.seal(timestamp, body)
}

// Address is the provider's page for an order. The seal covers all of it.
func (h *HookProvider) Address(p *Payment, back string, lang gov.Lang) string {
	q := url.Values{"order": {p.ID}, "case": {p.Number}, "amount": {strconv.FormatInt(int64(p.Amount), 10)}, "currency": {h.Currency}, "back": {back}, "lang": {string(lang)},
		"time": {strconv.FormatInt(h.Now().Unix(), 10)}}
	q.Set("seal", h.seal(q.Get("time"), []byte(q.Encode())))
	return h.Base + "/pay?" + q.Encode()
}

// Read implements PaymentProvider. What can't be checked was never said.
func (h *HookProvider) Read(timestamp, signature string, body []byte) (PaymentNotice, error) {
	var n PaymentNotice
	forged := problem.New(problem.Forbidden, "pay.forged")
	got, ok := strings.CutPrefix(signature, "v1=")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if !ok || err != nil || !hmac.Equal([]byte(got), []byte(h.seal(timestamp, body))) {
		return n, forged
	}
	if d := h.Now().Sub(time.Unix(seconds, 0)); d > payTolerance || d < -payTolerance {
		return n, problem.New(problem.Forbidden, "pay.stale")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&n); err != nil {
		return PaymentNotice{}, problem.Wrap(err, problem.Invalid, "pay.notice")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || n.ID == "" || len(n.ID) > 100 || len(n.Reference) > 200 || !plain(n.ID, n.Order, n.Case, n.Currency, n.Status, n.Reference) {
		return PaymentNotice{}, problem.New(problem.Invalid, "pay.notice")
	}
	return n, nil
}

// Refund implements PaymentProvider. The order's id makes a repeated call the same.
func (h *HookProvider) Refund(ctx context.Context, p *Payment) error {
	body, err := json.Marshal(map[string]any{"order": p.ID, "amount": p.Amount, "currency": h.Currency})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.Base+"/refunds", bytes.NewReader(body))
	if err != nil {
		return err
	}
	at, seal := h.Seal(body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(PaymentTimeHeader, at)
	req.Header.Set(PaymentSealHeader, seal)
	res, err := h.Client.Do(req)
	if err != nil {
		return fmt.Errorf("asking for a refund: %w", err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, maxNoticeLen))
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("asking for a refund: the provider answers %s", res.Status)
	}
	return nil
}
