// Package sms sends short messages through an operator's gateway over HTTP.
//
// The gateway is asked with a POST of {"id","to","text"} and a bearer token. Any
// answer of 200 to 299 means that it took the message; the same id again is the
// same message. Operators whose gateway speaks otherwise put a small program
// between (see examples/sms).
package sms

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Message is one short message to one telephone.
type Message struct {
	ID   string `json:"id"` // the same for every attempt
	To   string `json:"to"` // E.164
	Text string `json:"text"`
}

// Sender sends messages. An error means that it is worth trying again later.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Bounds of one message and of waiting for the gateway.
const (
	MaxText = 1000 // bytes
	timeout = 10 * time.Second
)

// Gateway is where messages are handed over.
type Gateway struct {
	url    string
	token  string
	client *http.Client
}

// NewGateway returns the gateway at an address, which must be http or https.
func NewGateway(address, token string) (*Gateway, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("sms_gateway must be an address such as https://sms.example/messages, not %q", address)
	}
	return &Gateway{address, token, &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// Send implements Sender.
func (g *Gateway) Send(ctx context.Context, m Message) error {
	if m.ID == "" || m.To == "" || m.Text == "" || len(m.Text) > MaxText {
		return errors.New("a short message needs an id, a number and a text of at most 1000 bytes")
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(b))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+g.token)
	resp, err := g.client.Do(r)
	if err != nil {
		return fmt.Errorf("handing over a short message: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("the gateway of short messages answered %s", resp.Status)
	}
	return nil
}
