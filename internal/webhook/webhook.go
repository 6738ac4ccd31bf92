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
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Errors of Send and Check.
var (
	ErrAddress = errors.New("a webhook needs an address that begins with https:// and is public")
	ErrGone    = errors.New("the receiver wants no more messages") // it answered 410
	errPrivate = errors.New("the address is not public")
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
	d := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		if anywhere {
			return nil
		}
		// The address is looked at when it is known and just before it is used: a
		// name that changes its mind in between gains nothing.
		to, err := netip.ParseAddrPort(address)
		if err != nil || !reachable(to.Addr().Unmap(), allowed) {
			return errPrivate
		}
		return nil
	}}
	t := &http.Transport{DialContext: d.DialContext, MaxIdleConns: 4, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: 32 << 10}
	return &Client{anywhere: anywhere, http: &http.Client{Transport: t, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// special are networks that are neither private nor public (RFC 6890).
var special = func() (out []netip.Prefix) {
	for _, s := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "::/96", "3fff::/20", "5f00::/16", "fec0::/10"} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}()

func reachable(a netip.Addr, allowed []netip.Prefix) bool {
	for _, p := range allowed {
		if p.Contains(a) {
			return true
		}
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
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
	if errors.Is(err, errPrivate) {
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
