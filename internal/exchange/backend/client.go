package backend

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"time"

	"diwan/protocol/xroad"
)

// Field is one line of a header.
type Field = xroad.Field

// Errors wrapped by those of Do and of a response's body. A cancelled context is
// reported as its own error.
var (
	ErrRequest  = errors.New("the request can't be written")
	ErrConnect  = errors.New("the service can't be reached")
	ErrResponse = errors.New("the service's answer is not HTTP")
	ErrTimeout  = errors.New("the service did not answer in time")
	ErrBody     = errors.New("the request's body ended in an error")
	ErrClosed   = errors.New("the client is closed")
)

// Options bound what a service can cost. A zero field takes the default.
type Options struct {
	TLS             *tls.Config   // for https; cloned
	MaxConns        int           // open at once; further calls wait (256)
	MaxIdle         int           // kept open between calls (64)
	IdleTimeout     time.Duration // how long an unused connection is kept (60 s)
	DialTimeout     time.Duration // until connected, TLS included (10 s)
	ResponseTimeout time.Duration // from the request's last byte to the end of the answer's head (60 s)
	BodyTimeout     time.Duration // without a byte of a body moving (60 s)
	MaxHeaderBytes  int           // of one answer (64 KiB)
	MaxHeaderLines  int           // of one answer (256)
	Dial            func(ctx context.Context, network, address string) (net.Conn, error)
}

func (o *Options) defaults() {
	for _, f := range []struct {
		to  *int
		def int
	}{{&o.MaxConns, 256}, {&o.MaxIdle, 64}, {&o.MaxHeaderBytes, 64 << 10}, {&o.MaxHeaderLines, 256}} {
		if *f.to <= 0 {
			*f.to = f.def
		}
	}
	for _, f := range []struct {
		to  *time.Duration
		def time.Duration
	}{{&o.IdleTimeout, time.Minute}, {&o.DialTimeout, 10 * time.Second}, {&o.ResponseTimeout, time.Minute}, {&o.BodyTimeout, time.Minute}} {
		if *f.to <= 0 {
			*f.to = f.def
		}
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
}

// Client calls one service. It is safe for concurrent use.
type Client struct {
	o       Options
	host    string // of the Host line
	address string
	path    string
	tls     *tls.Config // nil: plain
	places  chan struct{}

	mu     sync.Mutex
	idle   []*conn // the last is the one used last
	timer  *time.Timer
	armed  bool // the timer will run sweep
	closed bool
}

// New makes a client for the service at base, an http or https address without
// query. It connects when it is first used.
func New(base string, o Options) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("reading the service's address: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, fmt.Errorf("the service's address %q is not http(s)://host[:port][/path]", base)
	}
	if checkText(u.Host) != nil || checkTarget("/"+u.EscapedPath()) != nil {
		return nil, fmt.Errorf("the service's address %q holds a character that has no place there", base)
	}
	o.defaults()
	c := &Client{o: o, host: u.Host, path: u.EscapedPath(), places: make(chan struct{}, o.MaxConns)}
	port := u.Port()
	if u.Scheme == "https" {
		c.tls = &tls.Config{}
		if o.TLS != nil {
			c.tls = o.TLS.Clone()
		}
		if c.tls.ServerName == "" {
			c.tls.ServerName = u.Hostname()
		}
		c.tls.NextProtos = []string{"http/1.1"}
		c.tls.DynamicRecordSizingDisabled = true // small first records cost more than they save here
		if port == "" {
			port = "443"
		}
	} else if port == "" {
		port = "80"
	}
	c.address = net.JoinHostPort(u.Hostname(), port)
	return c, nil
}

// Path is the path of the service's address, to join a request's with; see
// xroad.Target.Upstream.
func (c *Client) Path() string { return c.path }

// Close closes the connections that are not in use; those in use close when
// their answer ends.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	idle := c.idle
	c.idle = nil
	if c.timer != nil {
		c.timer.Stop()
	}
	c.mu.Unlock()
	for _, cn := range idle {
		cn.close()
	}
}

// Response is an answer. Its Body must be closed; an answer read to its end
// needs no more than that. Body is used by one goroutine at a time: to interrupt
// a read, cancel the context.
type Response struct {
	Status int
	Header []Field // in the order and spelling of the answer
	Body   io.ReadCloser

	body body
}

// Get returns the first value of a header line, whatever the case of its name.
func (r *Response) Get(name string) string {
	for _, f := range r.Header {
		if equalFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Do sends a request and returns the answer once its head is read, whatever its
// status. target is written as it is; header lines too, except that those of the
// connection itself (Host, Content-Length and the like) are refused. length is the
// body's, -1 for one that is not known, which is sent in chunks; body may be nil.
//
// A body is sent while the answer is awaited, and may be read until Body.Close
// returned. If it ends in an error, or early, the connection is cut, never ended
// as if the request were whole.
func (c *Client) Do(ctx context.Context, method, target string, header []Field, body io.Reader, length int64) (*Response, error) {
	if body == nil || length == 0 {
		body, length = nil, 0
	}
	if err := checkRequest(method, target, header); err != nil {
		return nil, err
	}
	select {
	case c.places <- struct{}{}:
	default:
		select {
		case c.places <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if ctx.Err() != nil { // who asked has gone: the service must not hear of it
		<-c.places
		return nil, context.Cause(ctx)
	}
	resp, err := c.do(ctx, request{method, target, header, body, length})
	if err != nil {
		<-c.places
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	return resp, nil
}

// do holds one of the places; a response that it returns holds it on.
func (c *Client) do(ctx context.Context, r request) (*Response, error) {
	for fresh := false; ; fresh = true {
		var cn *conn
		if !fresh {
			cn = c.take()
		}
		reused := cn != nil
		if cn == nil {
			var err error
			if cn, err = c.dial(ctx); err != nil {
				return nil, err
			}
		}
		resp, err := cn.roundTrip(ctx, r)
		if err == nil {
			return resp, nil
		}
		cn.close()
		if !reused || !cn.silent || r.body != nil || !idempotent(r.method) || errors.Is(err, ErrTimeout) || ctx.Err() != nil {
			return nil, err
		}
	}
}

func idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

func (c *Client) dial(ctx context.Context) (*conn, error) {
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, c.o.DialTimeout)
	defer cancel()
	nc, err := c.o.Dial(ctx, "tcp", c.address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConnect, err)
	}
	plain := nc
	if c.tls != nil {
		t := tls.Client(nc, c.tls)
		if err := t.HandshakeContext(ctx); err != nil {
			nc.Close()
			return nil, fmt.Errorf("%w: %w", ErrConnect, err)
		}
		nc = t
	}
	return newConn(c, nc, plain), nil
}

// take returns a kept connection on which nothing has happened, or nil.
func (c *Client) take() *conn {
	for {
		c.mu.Lock()
		n := len(c.idle)
		if n == 0 {
			c.mu.Unlock()
			return nil
		}
		cn := c.idle[n-1]
		c.idle[n-1] = nil
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		if time.Since(cn.since) < c.o.IdleTimeout && cn.quiet() {
			return cn
		}
		cn.close()
	}
}

// put keeps a connection for the next call.
func (c *Client) put(cn *conn) {
	cn.since = time.Now()
	c.mu.Lock()
	if c.closed || len(c.idle) >= c.o.MaxIdle {
		c.mu.Unlock()
		cn.close()
		return
	}
	c.idle = append(c.idle, cn)
	if !c.armed {
		c.armed = true
		if c.timer == nil {
			c.timer = time.AfterFunc(c.o.IdleTimeout, c.sweep)
		} else {
			c.timer.Reset(c.o.IdleTimeout)
		}
	}
	c.mu.Unlock()
}

// sweep closes what was unused for too long.
func (c *Client) sweep() {
	var old []*conn
	c.mu.Lock()
	now := time.Now()
	for len(c.idle) > 0 && now.Sub(c.idle[0].since) >= c.o.IdleTimeout {
		old = append(old, c.idle[0])
		c.idle = c.idle[1:]
	}
	c.armed = len(c.idle) > 0
	if c.armed {
		c.timer.Reset(c.o.IdleTimeout - now.Sub(c.idle[0].since))
	}
	c.mu.Unlock()
	for _, cn := range old {
		cn.close()
	}
}
