package link

import (
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// serverConn is a connection at the provider.
type serverConn struct {
	*conn
	s      *Server
	sealer *sealer
	// open counts the exchanges whose answer has not been written.
	open  atomic.Int64
	bytes atomic.Int64 // held by their requests

	mu      sync.Mutex
	streams map[uint32]*exchange
}

// exchange is one request at the provider, from its frame to the last byte of
// its answer.
type exchange struct {
	c      *serverConn
	stream uint32
	req    Request
	frame  Frame
	size   int64
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   atomic.Pointer[Body]
	up     atomic.Pointer[upload]
	once   sync.Once
}

var errCancelled = errors.New("cancelled by the consumer")

// group takes the requests of a group in, in the reader's goroutine.
func (c *serverConn) group(frames []Frame) {
	taken := make([]*exchange, 0, len(frames))
	for i := range frames {
		f := &frames[i]
		if f.Type != FrameRequest {
			c.fail(fmt.Errorf("%w: a response from a consumer", ErrProtocol))
			return
		}
		x, err := c.take(f)
		if err != nil {
			if errors.Is(err, ErrProtocol) {
				c.fail(err)
				return
			}
			c.tellError(f.Stream, err)
			continue
		}
		taken = append(taken, x)
	}
	if len(taken) > 0 {
		c.crew.run(func() { c.handle(taken) })
	}
}

// take registers a request, within what one peer may hold of us.
func (c *serverConn) take(f *Frame) (*exchange, error) {
	x := &exchange{c: c, stream: f.Stream, frame: *f, size: int64(f.size())}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, used := c.streams[f.Stream]; used {
		return nil, fmt.Errorf("%w: stream is in use", ErrProtocol)
	}
	if len(c.streams) >= c.cfg.Limits.Streams || c.bytes.Load()+x.size > c.cfg.Limits.InlineBytes {
		return nil, ErrOverloaded
	}
	x.ctx, x.cancel = context.WithCancelCause(c.ctx)
	c.streams[f.Stream] = x
	c.bytes.Add(x.size)
	c.open.Add(1)
	return x, nil
}

// handle verifies a group, makes it durable with one wait, and hands each
// request over.
func (c *serverConn) handle(group []*exchange) {
	now := c.cfg.Now()
	records := make([]Record, 0, len(group))
	good := group[:0]
	for _, x := range group {
		key, err := c.verify(&x.frame, now)
		if err == nil {
			err = c.s.cfg.Replay.Admit(x.frame.Envelope, now)
		}
		if err != nil {
			x.refuse(err)
			continue
		}
		x.req = Request{Envelope: x.frame.Envelope, Signature: x.frame.Signature, Key: key, Head: x.frame.Head, Body: x.frame.Body}
		records = append(records, Record{Envelope: x.frame.Envelope, Signature: x.frame.Signature, Head: x.frame.Head})
		good = append(good, x)
	}
	if len(good) == 0 {
		return
	}
	seq, err := c.cfg.Journal.Append(records)
	if err == nil {
		err = c.cfg.Journal.Wait(c.ctx, seq)
	}
	if err != nil {
		for _, x := range good {
			x.refuse(fmt.Errorf("%w: %w", ErrJournal, err))
		}
		return
	}
	for i, x := range good {
		x.req.Seq = seq
		if i+1 < len(good) {
			c.crew.run(x.serve)
		} else {
			x.serve()
		}
	}
}

// refuse ends an exchange with an error frame.
func (x *exchange) refuse(err error) {
	x.c.tellError(x.stream, err)
	x.answered()
	x.end()
	x.c.blame(err)
	x.c.cfg.Log.Warn("link: request refused", "peer", x.c.peer, "request", x.frame.Envelope.ID().String(), "err", err)
}

// answered counts the exchange as no longer expected by the sealer.
func (x *exchange) answered() { x.once.Do(func() { x.c.open.Add(-1) }) }

// end forgets the exchange.
func (x *exchange) end() {
	x.cancel(nil)
	x.c.mu.Lock()
	delete(x.c.streams, x.stream)
	x.c.mu.Unlock()
	x.c.bytes.Add(-x.size)
}

// serve runs the handler and sends what it answers.
func (x *exchange) serve() {
	c := x.c
	if x.req.Envelope.Streamed() {
		x.req.Stream = newBody(c.conn, x.stream, x.req.Envelope, func(error) {})
		x.body.Store(x.req.Stream)
	}
	reply, err := x.call()
	if x.req.Stream != nil {
		x.req.Stream.Close()
	}
	if reply != nil && reply.Stream != nil && (err != nil || x.ctx.Err() != nil) {
		closeSource(reply.Stream)
	}
	if x.ctx.Err() != nil {
		x.answered()
		x.end()
		return
	}
	var f Frame
	if err == nil {
		f, err = c.frame(x, reply)
	}
	if err != nil {
		x.refuse(err)
		return
	}
	if reply.Stream == nil {
		c.sealer.put(f, func(err error) {
			if err != nil {
				c.tellError(x.stream, err)
			}
			x.answered()
			x.end()
		})
		return
	}
	x.send(f, reply.Stream)
}

// call runs the handler. A handler that panics fails its own request only.
func (x *exchange) call() (reply *Reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			x.c.cfg.Log.Error("link: handler panicked", "panic", fmt.Sprint(p))
			reply, err = nil, &Error{Type: TypeInternal}
		}
	}()
	reply, err = x.c.s.cfg.Handler.ServeLink(x.ctx, &x.req)
	if err == nil && reply == nil {
		err = &Error{Type: TypeInternal}
	}
	return reply, err
}

// send writes the opening of an answer and then its body in chunks.
func (x *exchange) send(f Frame, src Source) {
	defer x.end()
	defer closeSource(src)
	up := newUpload(x.c.conn, x.stream, f.Envelope, src, true)
	x.up.Store(up)
	written := make(chan error, 1)
	x.c.sealer.put(f, func(err error) { written <- err })
	err := <-written
	x.answered()
	if err == nil {
		err = up.run(x.ctx)
	}
	if err != nil && x.ctx.Err() == nil {
		x.c.cfg.Log.Warn("link: body not sent", "peer", x.c.peer, "request", x.req.Envelope.ID().String(), "err", err)
		x.c.tellError(x.stream, &Error{Type: TypeIO})
	}
}

// frame makes the answer's frame, bound to its request.
func (c *serverConn) frame(x *exchange, r *Reply) (Frame, error) {
	if r.Status < 100 || r.Status > 999 || len(r.Head) > MaxHead || len(r.Body) > MaxInline || r.Stream != nil && len(r.Body) > 0 {
		return Frame{}, fmt.Errorf("link: a reply out of bounds: status %d, head of %d bytes, body of %d", r.Status, len(r.Head), len(r.Body))
	}
	signer := c.cfg.Signer
	f := Fields{Kind: KindResponse, Alg: signer.pub.alg, Key: signer.pub.id, Created: c.cfg.Now(), Valid: c.cfg.Valid,
		Status: uint32(r.Status), ID: x.req.Envelope.ID(), Head: sha512.Sum512(r.Head), Bind: x.req.Envelope.Hash()}
	if r.Stream != nil {
		f.Flags = FlagStream
	} else {
		f.Body = sha512.Sum512(r.Body)
	}
	return Frame{Type: FrameResponse, Stream: x.stream, Envelope: f.Make(), Head: r.Head, Body: r.Body}, nil
}

// other takes everything but requests.
func (c *serverConn) other(f Frame, pooled *[]byte) error {
	switch f.Type {
	case FramePing:
		c.tell(Frame{Type: FramePong, Payload: f.Payload})
		return nil
	case FramePong, FrameGoAway:
		return nil
	case FrameError:
		return fmt.Errorf("%w: an error from a consumer", ErrProtocol)
	}
	c.mu.Lock()
	x := c.streams[f.Stream]
	c.mu.Unlock()
	if x == nil { // answered in the meantime
		giveBack(pooled)
		return nil
	}
	switch f.Type {
	case FrameChunk:
		b := x.body.Load()
		if b == nil {
			return fmt.Errorf("%w: a chunk that was not granted", ErrProtocol)
		}
		return b.offer(f, pooled)
	case FrameCancel:
		if b := x.body.Load(); b != nil {
			b.shut(errCancelled)
		}
		x.cancel(errCancelled)
	case FrameWindow:
		if up := x.up.Load(); up != nil {
			return up.granted(windowOf(&f))
		}
		return fmt.Errorf("%w: chunks granted of a body that is not sent", ErrProtocol)
	}
	return nil
}

// ended frees what waits on a connection that is gone.
func (c *serverConn) ended() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.streams {
		if b := x.body.Load(); b != nil {
			b.shut(c.reason())
		}
	}
}
