package link

import (
	"context"
	"crypto/sha512"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// ClientConfig is what a consumer's side needs to reach one member.
type ClientConfig struct {
	Config
	// Member is who must answer: TLS and every signature must prove it.
	Member string
	// Addresses are the member's gateways, tried in turn.
	Addresses []string
	// TLS holds the certificate and says whom to trust.
	TLS *tls.Config
	// Dial opens a connection; a net.Dialer when nil.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// Client sends requests to one member over one connection, which it opens when
// it is needed and again when it was lost. It is for many goroutines.
type Client struct {
	cfg ClientConfig
	tls *tls.Config
	ctx context.Context
	end context.CancelCauseFunc

	mu      sync.Mutex
	cur     *clientConn
	old     map[*clientConn]struct{} // told to go away, with answers to come
	dialing chan struct{}            // closed when the dialling under way ends
	failed  error
	retryAt time.Time
	wait    time.Duration
	first   int // the address that worked last
}

// Waits between attempts to connect, doubled while they fail.
const (
	minWait = 50 * time.Millisecond
	maxWait = 5 * time.Second
)

// NewClient checks the configuration and returns a client. It does not connect.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.Signer == nil || cfg.Keys == nil || cfg.Journal == nil || cfg.Peer == nil || cfg.TLS == nil || len(cfg.Addresses) == 0 {
		return nil, errors.New("link: a client needs Signer, Keys, Journal, Peer, TLS and an address")
	}
	if cfg.Dial == nil {
		var d net.Dialer
		cfg.Dial = func(ctx context.Context, address string) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
	}
	cfg.prepare()
	c := &Client{cfg: cfg, tls: linkTLS(cfg.TLS), old: map[*clientConn]struct{}{}}
	c.ctx, c.end = context.WithCancelCause(context.Background())
	return c, nil
}

// Close ends the connection; requests under way fail.
func (c *Client) Close() error {
	c.end(ErrClosed)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cur != nil {
		c.cur.fail(ErrClosed)
	}
	for o := range c.old {
		o.fail(ErrClosed)
	}
	return nil
}

// Envelope is the envelope that Do signs for a call, for whoever needs its
// digests beforehand. It sets call.ID when that is zero.
func (c *Client) Envelope(call *Call) (*Envelope, error) {
	if len(call.Head) > MaxHead || len(call.Body) > MaxInline || call.Stream != nil && len(call.Body) > 0 {
		return nil, fmt.Errorf("link: a request out of bounds: head of %d bytes, body of %d", len(call.Head), len(call.Body))
	}
	if call.ID == (RequestID{}) {
		call.ID = NewRequestID()
	}
	valid := call.Valid
	if valid < time.Millisecond || valid > MaxValidity {
		valid = defaultValid
	}
	pub := c.cfg.Signer.pub
	f := Fields{Kind: KindRequest, Alg: pub.alg, Key: pub.id, Created: c.cfg.Now(), Valid: valid, ID: call.ID, Head: sha512.Sum512(call.Head)}
	if call.Stream != nil {
		f.Flags = FlagStream
	} else {
		f.Body = sha512.Sum512(call.Body)
	}
	return f.Make(), nil
}

// Do sends a request and waits for its answer. When it returns a response, the
// signature, the member, the binding to this request and the digests hold, and
// both records are durable here. Each call has exactly one outcome:
//
//   - an error that is ErrNotSent: the peer has nothing of it;
//   - an *Error with Remote set: the peer's gateway refused it;
//   - ErrLost or the context's error: the peer may have handled it;
//   - any other error: the answer could not be believed or recorded.
//
// When ctx ends, the peer is told to stop.
func (c *Client) Do(ctx context.Context, call *Call) (*Response, error) {
	env, err := c.Envelope(call)
	if err != nil {
		return nil, err
	}
	cc, err := c.connection(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	return cc.do(ctx, env, call)
}

// Connect opens the connection if there is none, as a test of the way to the
// peer.
func (c *Client) Connect(ctx context.Context) error {
	_, err := c.connection(ctx)
	return err
}

// connection returns the current connection or waits for a new one. Connecting
// goes on when the caller gives up: others wait for it.
func (c *Client) connection(ctx context.Context) (*clientConn, error) {
	for {
		c.mu.Lock()
		switch {
		case c.ctx.Err() != nil:
			c.mu.Unlock()
			return nil, ErrClosed
		case c.cur != nil:
			cc := c.cur
			c.mu.Unlock()
			return cc, nil
		case c.dialing == nil && time.Now().Before(c.retryAt):
			err := c.failed
			c.mu.Unlock()
			return nil, err
		case c.dialing == nil:
			c.dialing = make(chan struct{})
			go c.connect()
		}
		done := c.dialing
		c.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// connect tries each address once, beginning with the one that worked last.
func (c *Client) connect() {
	var cc *clientConn
	var errs []error
	n := len(c.cfg.Addresses)
	c.mu.Lock()
	first := c.first
	c.mu.Unlock()
	for i := range n {
		at := (first + i) % n
		var err error
		if cc, err = c.dial(c.cfg.Addresses[at]); err == nil {
			first = at
			break
		}
		errs = append(errs, fmt.Errorf("connecting to %s: %w", c.cfg.Addresses[at], err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.dialing)
	c.dialing = nil
	if cc == nil {
		c.wait = min(max(2*c.wait, minWait), maxWait)
		c.failed, c.retryAt = errors.Join(errs...), time.Now().Add(c.wait)
		c.first = (first + 1) % n
		if c.ctx.Err() == nil {
			c.cfg.Log.Warn("link: member not reached", "member", c.cfg.Member, "err", c.failed)
		}
		return
	}
	c.first, c.wait = first, 0
	if c.ctx.Err() != nil {
		cc.fail(ErrClosed)
	}
	c.cur = cc
	go cc.run()
}

func (c *Client) dial(address string) (*clientConn, error) {
	ctx, cancel := context.WithTimeout(c.ctx, c.cfg.Limits.HandshakeTime)
	defer cancel()
	nc, err := c.cfg.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	conf := c.tls
	if conf.ServerName == "" && !conf.InsecureSkipVerify {
		conf = conf.Clone()
		if conf.ServerName, _, err = net.SplitHostPort(address); err != nil {
			conf.ServerName = address
		}
	}
	tc := tls.Client(nc, conf)
	err = tc.HandshakeContext(ctx)
	if err == nil {
		err = c.admit(tc.ConnectionState())
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	cc := &clientConn{conn: newConn(c.ctx, tc, &c.cfg.Config, c.cfg.Member), c: c, calls: map[uint32]*pending{}}
	cc.sealer = newSealer(cc.conn, false, &cc.open)
	return cc, nil
}

// admit says whether the other end is the member that was to be reached.
func (c *Client) admit(state tls.ConnectionState) error {
	if state.NegotiatedProtocol != Protocol {
		return fmt.Errorf("%w: protocol %q", ErrProtocol, state.NegotiatedProtocol)
	}
	member, err := c.cfg.Peer(state)
	if err != nil {
		return err
	}
	if member != c.cfg.Member {
		return fmt.Errorf("%w: reached %q, not %q", ErrWrongMember, member, c.cfg.Member)
	}
	return nil
}

// retire takes a connection out of use; answers may still come on it.
func (c *Client) retire(cc *clientConn, gone bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cur == cc {
		c.cur = nil
	}
	if gone {
		delete(c.old, cc)
	} else {
		c.old[cc] = struct{}{}
	}
}
