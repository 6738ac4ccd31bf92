// Package webhook sends signed messages to addresses that strangers gave, as
// the specification Standard Webhooks 1.0 asks, and lets nobody use that to reach
// what is not public: only https, no address of a private network, no redirects.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"diwan/internal/outbound"
)

// Errors of Send and Check.
var (
	ErrAddress = errors.New("a webhook needs an address that begins with https:// and is public")
	ErrGone    = errors.New("the receiver wants no more messages") // it answered 410
)

// secretPrefix begins the secrets of the specification.
const secretPrefix = "whsec_"

// NewSecret returns a secret of 24 random bytes in the form of the specification.
func NewSecret() string {
	b := make([]byte, 24)
	rand.Read(b)
	return secretPrefix + base64.StdEncoding.EncodeToString(b)
}

// Sign returns the header webhook-signature of a message.
func Sign(secret, id string, at time.Time, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil {
		return "", fmt.Errorf("webhook secret: %w", err)
	}
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "%s.%d.", id, at.Unix())
	m.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil)), nil
}

// Client sends messages.
type Client struct {
	http *http.Client
	// anywhere allows plain http and this machine, for a demonstration.
	anywhere bool
}

const (
	timeout   = 15 * time.Second
	maxAnswer = 64 << 10
	maxURL    = 500
)

// New returns a client. Networks in allowed may be reached although they are
// private; anywhere lifts every bound, for a demonstration on one machine.
func New(allowed []netip.Prefix, anywhere bool) *Client {
	t := &http.Transport{DialContext: outbound.Dialer(5*time.Second, allowed, anywhere).DialContext, MaxIdleConns: 4, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: 32 << 10}
	return &Client{anywhere: anywhere, http: &http.Client{Transport: t, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Check looks at an address that somebody typed.
func (c *Client) Check(s string) error {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxURL || u.Host == "" || u.User != nil || u.Scheme != "https" && !(c.anywhere && u.Scheme == "http") {
		return ErrAddress
	}
	return nil
}

// Send posts a signed message. The receiver has it when it answers 2xx; any
// other end is an error, and worth another try unless it is ErrGone or
// ErrAddress.
func (c *Client) Send(ctx context.Context, to, secret, id string, at time.Time, body []byte) error {
	if err := c.Check(to); err != nil {
		return err
	}
	sig, err := Sign(secret, id, at, body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return ErrAddress
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Diwan-Webhooks/1")
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("webhook-signature", sig)
	res, err := c.http.Do(r)
	if errors.Is(err, outbound.ErrPrivate) {
		return fmt.Errorf("%w: %w", ErrAddress, err)
	}
	if err != nil {
		return fmt.Errorf("sending a webhook: %w", err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
	switch {
	case res.StatusCode == http.StatusGone:
		return ErrGone
	case res.StatusCode < 200 || res.StatusCode > 299:
		return fmt.Errorf("sending a webhook: the receiver answered %d", res.StatusCode)
	}
	return nil
}
