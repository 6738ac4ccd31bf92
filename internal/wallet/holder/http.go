package holder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"diwan/internal/outbound"
	"diwan/protocol/oauth"
)

// Bounds on what is fetched.
const (
	maxAnswer = 8 << 20
	maxWait   = 30 * time.Second
	maxDial   = 10 * time.Second
)

// NewClient returns a client for addresses that strangers name: it reaches this machine
// only by its own name or address, and no private network. No proxy is used: it would resolve
// names in our place.
func NewClient() *http.Client {
	outside := outbound.Dialer(maxDial, nil, false)
	inside := &net.Dialer{Timeout: maxDial, Control: outbound.Control(netip.Addr.IsLoopback)}
	return &http.Client{Timeout: maxWait, Transport: &http.Transport{MaxIdleConns: 8, IdleConnTimeout: maxWait, TLSHandshakeTimeout: maxDial, ResponseHeaderTimeout: maxWait, MaxResponseHeaderBytes: 64 << 10,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, _, err := net.SplitHostPort(address); err == nil && oauth.Loopback("http://"+net.JoinHostPort(host, "1")) {
				return inside.DialContext(ctx, network, address)
			}
			return outside.DialContext(ctx, network, address)
		}}}
}

// answer is what came back, whatever its status.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// kind is the media type without parameters.
func (a *answer) kind() string {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// refused makes an error of an answer whose status is not the one that was wanted.
func (a *answer) refused(doing string) error {
	if strings.Contains(a.kind(), "json") {
		if e := oauth.ParseError(a.body); e.Code != "" && e.Code != oauth.ServerError {
			return fmt.Errorf("%s: %w", doing, e)
		}
	}
	if a.status >= 300 && a.status < 400 {
		return fmt.Errorf("%s: %w: it leads elsewhere, where this wallet does not follow", doing, ErrAnswer)
	}
	return fmt.Errorf("%s: %w: status %d", doing, ErrAnswer, a.status)
}

// call is one request.
type call struct {
	method, address string
	kind            string // media type of the body
	accept          string
	header          http.Header
	body            []byte
}

// do sends a request to an address that a stranger may have named.
func (w *Wallet) do(ctx context.Context, c call) (*answer, error) {
	if err := oauth.CheckURL(c.address); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	r, err := http.NewRequestWithContext(ctx, c.method, c.address, bytes.NewReader(c.body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	for n, v := range c.header {
		r.Header[n] = v
	}
	if c.kind != "" {
		r.Header.Set("Content-Type", c.kind)
	}
	if c.accept != "" {
		r.Header.Set("Accept", c.accept)
	}
	res, err := w.client().Do(r)
	if errors.Is(err, outbound.ErrPrivate) {
		return nil, fmt.Errorf("asking %s: %w: it lies in a private network", r.URL.Host, ErrAddress)
	}
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", r.URL.Host, cause(err))
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer of %s: %w", r.URL.Host, err)
	case len(b) > maxAnswer:
		return nil, fmt.Errorf("%w: %s sends more than %d bytes", ErrAnswer, r.URL.Host, maxAnswer)
	}
	return &answer{res.StatusCode, res.Header, b}, nil
}

// cause is an error of the client without the address, in which a code may stand.
func cause(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// client is the client of the wallet as it may be used.
func (w *Wallet) client() *http.Client {
	c := http.Client{}
	if w.HTTP != nil {
		c = *w.HTTP
	} else {
		c = *shared()
	}
	if c.Timeout == 0 || c.Timeout > maxWait {
		c.Timeout = maxWait
	}
	c.Jar = nil
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// shared keeps connections between the calls of wallets that bring no client.
var shared = sync.OnceValue(NewClient)

// get fetches a document that must be there.
func (w *Wallet) get(ctx context.Context, doing, address, accept string) (*answer, error) {
	a, err := w.do(ctx, call{method: http.MethodGet, address: address, accept: accept})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if a.status != http.StatusOK {
		return nil, a.refused(doing)
	}
	return a, nil
}
