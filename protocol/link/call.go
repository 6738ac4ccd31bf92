package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// clientConn is a connection at the consumer.
type clientConn struct {
	*conn
	c      *Client
	sealer *sealer
	open   atomic.Int64 // calls without an outcome

	handling sync.WaitGroup // groups of answers that are being verified

	mu    sync.Mutex
	calls map[uint32]*pending
	next  uint32
	gone  bool
}

// pending is a call, and after its response the stream that may follow.
type pending struct {
	cc     *clientConn
	stream uint32
	env    *Envelope
	done   chan outcome

	// The rest is under the connection's mutex.
	answered bool // a response has arrived
	told     bool // the caller has an outcome
	body     *Body
	up       *upload
	stop     context.CancelCauseFunc // of the upload
}

type outcome struct {
	resp *Response
	err  error
}

// do sends one request.
func (cc *clientConn) do(ctx context.Context, env *Envelope, call *Call) (*Response, error) {
	p, err := cc.register(env, call.Stream)
	if err != nil {
		return nil, err
	}
	f := Frame{Type: FrameRequest, Stream: p.stream, Envelope: env, Head: call.Head, Body: call.Body}
	cc.sealer.put(f, func(err error) {
		if err != nil {
			p.settle(outcome{err: err}, false)
		} else if call.Stream != nil {
			p.startUpload()
		}
	})
	select {
	case o := <-p.done:
		return o.until(ctx)
	case <-ctx.Done():
	}
	if p.settle(outcome{err: ctx.Err()}, false) {
		cc.tell(Frame{Type: FrameCancel, Stream: p.stream})
	}
	o := <-p.done // ours, or one that came at the same moment
	return o.until(ctx)
}

// until ties a body that follows to the caller's context.
func (o outcome) until(ctx context.Context) (*Response, error) {
	if o.err == nil && o.resp.Stream != nil {
		b := o.resp.Stream
		b.untie = context.AfterFunc(ctx, func() { b.shut(context.Cause(ctx)) })
	}
	return o.resp, o.err
}

// maxStream is where a connection has used enough of its stream numbers to be
// replaced; calls that hold it already may still take some.
const maxStream = 1 << 31

func (cc *clientConn) register(env *Envelope, src Source) (*pending, error) {
	cc.mu.Lock()
	defer cc.mu.Unlock()
	if cc.gone {
		return nil, fmt.Errorf("%w: %w", ErrNotSent, cc.reason())
	}
	if len(cc.calls) >= cc.cfg.Limits.Streams {
		return nil, fmt.Errorf("%w: %w", ErrNotSent, ErrOverloaded)
	}
	if cc.next++; cc.next == maxStream {
		go cc.c.retire(cc, false)
	}
	p := &pending{cc: cc, stream: cc.next, env: env, done: make(chan outcome, 1)}
	if src != nil {
		p.up = newUpload(cc.conn, p.stream, env, src, false)
	}
	cc.calls[p.stream] = p
	cc.open.Add(1)
	return p, nil
}

// settle gives a call its outcome, once. With keep the stream goes on: a body
// follows.
func (p *pending) settle(o outcome, keep bool) bool {
	cc := p.cc
	cc.mu.Lock()
	if p.told {
		cc.mu.Unlock()
		return false
	}
	p.told = true
	stop := p.stop
	if keep {
		p.body = o.resp.Stream
	} else {
		delete(cc.calls, p.stream)
	}
	cc.mu.Unlock()
	cc.open.Add(-1)
	if stop != nil {
		stop(errAnswered)
	}
	p.done <- o
	return true
}

var errAnswered = errors.New("the answer is here already")

// startUpload sends the body of a request, once its opening was written.
func (p *pending) startUpload() {
	ctx, stop := context.WithCancelCause(p.cc.ctx)
	p.cc.mu.Lock()
	if p.told {
		p.cc.mu.Unlock()
		stop(nil)
		return
	}
	p.stop = stop
	p.cc.mu.Unlock()
	go func() {
		defer stop(nil)
		err := p.up.run(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		if p.settle(outcome{err: err}, false) {
			p.cc.tell(Frame{Type: FrameCancel, Stream: p.stream})
		}
	}()
}

// run reads until the connection ends, and gives every call an outcome.
func (cc *clientConn) run() {
	go cc.keepAlive()
	err := cc.readLoop(cc.group, cc.other)
	cc.fail(err)
	cc.c.retire(cc, true)
	cc.mu.Lock()
	cc.gone = true
	left := make([]*pending, 0, len(cc.calls))
	for _, p := range cc.calls {
		left = append(left, p)
	}
	cc.mu.Unlock()
	// What the sealer still holds was not sent; it says so first. An answer that
	// came before the end is an answer: it is not lost while it is being verified.
	<-cc.sealer.stopped
	cc.handling.Wait()
	lost := fmt.Errorf("%w: %w", ErrLost, cc.reason())
	for _, p := range left {
		if !p.settle(outcome{err: lost}, false) {
			p.shut(lost)
		}
	}
}

func (p *pending) shut(err error) {
	p.cc.mu.Lock()
	b := p.body
	p.cc.mu.Unlock()
	if b != nil {
		b.shut(err)
	}
}

// keepAlive pings, so that both sides hear something while nothing is asked. An
// answer that does not come is the read deadline's matter.
func (cc *clientConn) keepAlive() {
	t := time.NewTicker(cc.cfg.Limits.IdleTime / 3)
	defer t.Stop()
	for {
		select {
		case <-cc.ctx.Done():
			return
		case <-t.C:
			if cc.idle() {
				cc.fail(ErrClosed)
			}
			cc.tell(Frame{Type: FramePing, Payload: make([]byte, 8)})
		}
	}
}

// idle says that the connection was taken out of use and has given all its
// answers.
func (cc *clientConn) idle() bool {
	cc.mu.Lock()
	n := len(cc.calls)
	cc.mu.Unlock()
	cc.c.mu.Lock()
	defer cc.c.mu.Unlock()
	_, retired := cc.c.old[cc]
	return retired && n == 0
}

// group takes the responses of a group, in the reader's goroutine.
func (cc *clientConn) group(frames []Frame) {
	for i := range frames {
		if frames[i].Type != FrameResponse {
			cc.fail(fmt.Errorf("%w: a request from a provider", ErrProtocol))
			return
		}
	}
	if answers := cc.expect(frames); len(answers) > 0 {
		cc.handling.Add(1)
		cc.crew.run(func() {
			defer cc.handling.Done()
			cc.handle(answers)
		})
	}
}

// answer is a response and the call that it is for.
type answer struct {
	p    *pending
	f    *Frame
	resp *Response
}

// expect finds the calls of a group. Each has one answer: a peer cannot make us
// hold more of them than we asked for.
func (cc *clientConn) expect(frames []Frame) []answer {
	answers := make([]answer, 0, len(frames))
	cc.mu.Lock()
	defer cc.mu.Unlock()
	for i := range frames {
		p := cc.calls[frames[i].Stream]
		if p == nil {
			continue // cancelled
		}
		if p.answered {
			cc.fail(fmt.Errorf("%w: a second response", ErrProtocol))
			return nil
		}
		p.answered = true
		answers = append(answers, answer{p: p, f: &frames[i]})
	}
	return answers
}

func (cc *clientConn) find(stream uint32) *pending {
	cc.mu.Lock()
	defer cc.mu.Unlock()
	return cc.calls[stream]
}

// handle verifies a group, makes it durable with one wait, and gives each
// answer to its caller.
func (cc *clientConn) handle(answers []answer) {
	now := cc.cfg.Now()
	good := answers[:0]
	records := make([]Record, 0, len(answers))
	for _, a := range answers {
		resp, err := cc.answer(a.f, a.p, now)
		if err != nil {
			if a.p.settle(outcome{err: err}, false) {
				cc.tell(Frame{Type: FrameCancel, Stream: a.p.stream})
			}
			cc.cfg.Log.Warn("link: response refused", "peer", cc.peer, "request", a.p.env.ID().String(), "err", err)
			cc.blame(err)
			continue
		}
		a.resp = resp
		good = append(good, a)
		records = append(records, Record{Envelope: a.f.Envelope, Signature: a.f.Signature, Head: a.f.Head})
	}
	if len(good) == 0 {
		return
	}
	seq, err := cc.cfg.Journal.Append(records)
	if err == nil {
		err = cc.cfg.Journal.Wait(context.WithoutCancel(cc.ctx), seq)
	}
	for _, a := range good {
		if err != nil {
			a.p.settle(outcome{err: fmt.Errorf("%w: %w", ErrJournal, err)}, false)
			continue
		}
		a.resp.Seq = seq
		if a.resp.Envelope.Streamed() {
			a.resp.Stream = newBody(cc.conn, a.p.stream, a.resp.Envelope, a.p.bodyEnded)
		}
		a.p.settle(outcome{resp: a.resp}, a.resp.Stream != nil)
	}
}

// answer verifies one response against its request.
func (cc *clientConn) answer(f *Frame, p *pending, now time.Time) (*Response, error) {
	key, err := cc.verify(f, now)
	if err != nil {
		return nil, err
	}
	if f.Envelope.ID() != p.env.ID() || *f.Envelope.Bind() != p.env.Hash() {
		return nil, ErrBind
	}
	return &Response{Envelope: f.Envelope, Signature: f.Signature, Key: key, Status: int(f.Envelope.Status()),
		Head: f.Head, Body: f.Body, Request: p.env}, nil
}

// bodyEnded forgets a stream whose body was read or given up.
func (p *pending) bodyEnded(err error) {
	p.cc.mu.Lock()
	delete(p.cc.calls, p.stream)
	p.cc.mu.Unlock()
	if err != io.EOF {
		p.cc.tell(Frame{Type: FrameCancel, Stream: p.stream})
	}
}

// other takes everything but responses.
func (cc *clientConn) other(f Frame, pooled *[]byte) error {
	switch f.Type {
	case FramePing:
		cc.tell(Frame{Type: FramePong, Payload: f.Payload})
		return nil
	case FramePong:
		return nil
	case FrameGoAway:
		cc.c.retire(cc, false)
		return nil
	case FrameCancel:
		return fmt.Errorf("%w: a provider cancels", ErrProtocol)
	}
	p := cc.find(f.Stream)
	if p == nil {
		giveBack(pooled)
		return nil
	}
	cc.mu.Lock()
	b, up := p.body, p.up
	cc.mu.Unlock()
	switch f.Type {
	case FrameChunk:
		if b == nil {
			return fmt.Errorf("%w: a chunk that was not granted", ErrProtocol)
		}
		return b.offer(f, pooled)
	case FrameWindow:
		if up == nil {
			return fmt.Errorf("%w: chunks granted of a body that is not sent", ErrProtocol)
		}
		return up.granted(windowOf(&f))
	case FrameError:
		err := &Error{Type: string(f.Payload), Remote: true}
		if !p.settle(outcome{err: err}, false) && b != nil {
			b.shut(err)
		}
	}
	return nil
}
