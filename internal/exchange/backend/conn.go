package backend

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var buffers = sync.Pool{New: func() any { return new([small]byte) }}

// conn is one connection to the service. One call uses it at a time.
type conn struct {
	c     *Client
	nc    net.Conn
	raw   syscall.RawConn // of the socket below TLS; nil: not known
	br    *bufio.Reader
	bw    *bufio.Writer
	head  []byte    // lines of the head being read, reused
	since time.Time // when it was put aside

	// of the call under way
	ctx       context.Context
	stop      func() bool // ends the watch of ctx; nil: none
	cancelled atomic.Bool
	silent    bool // no byte of an answer came
	refresh   bool // a body is being read: it must move
	deadline  time.Time
	upload    *upload

	peek struct { // state of quiet, kept here to save allocation
		f     func(fd uintptr)
		quiet bool
	}
}

// upload is a body being sent while the answer is read.
type upload struct {
	done         chan struct{}
	bodyErr, err error // after done
}

func newConn(c *Client, nc, plain net.Conn) *conn {
	cn := &conn{c: c, nc: nc}
	cn.br = bufio.NewReaderSize(cn, 8<<10)
	cn.bw = bufio.NewWriterSize(nc, 8<<10)
	if s, ok := plain.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			cn.raw = raw
		}
	}
	cn.peek.f = func(fd uintptr) { cn.peek.quiet = nothingArrived(fd) }
	return cn
}

// quiet tells whether the idle connection is still open and nothing came in. An
// answer that nobody asked for would be taken for that of the next request.
func (cn *conn) quiet() bool {
	if cn.br.Buffered() > 0 {
		return false
	}
	if cn.raw == nil {
		return true
	}
	cn.peek.quiet = false
	return cn.raw.Control(cn.peek.f) == nil && cn.peek.quiet
}

func (cn *conn) close() { _ = cn.nc.Close() }

// Read fills the buffer from the connection; while a body is read, it gives each
// read its own time.
func (cn *conn) Read(p []byte) (int, error) {
	if cn.refresh {
		if now := time.Now(); cn.deadline.Sub(now) < cn.c.o.BodyTimeout/2 {
			cn.readBy(now.Add(cn.c.o.BodyTimeout))
		}
	}
	n, err := cn.nc.Read(p)
	if n > 0 {
		cn.silent = false
	}
	return n, err
}

func (cn *conn) readBy(t time.Time) {
	cn.deadline = t
	_ = cn.nc.SetReadDeadline(t)
	cn.keepCancelled()
}

func (cn *conn) writeBy(t time.Time) {
	_ = cn.nc.SetWriteDeadline(t)
	cn.keepCancelled()
}

// keepCancelled undoes a new deadline when the context ended meanwhile.
func (cn *conn) keepCancelled() {
	if cn.cancelled.Load() {
		_ = cn.nc.SetDeadline(time.Unix(1, 0))
	}
}

// roundTrip sends the request and reads the answer's head. After an error the
// connection must be closed.
func (cn *conn) roundTrip(ctx context.Context, r request) (*Response, error) {
	cn.silent, cn.refresh, cn.ctx, cn.upload, cn.stop = true, false, ctx, nil, nil
	cn.cancelled.Store(false)
	if ctx.Done() != nil {
		cn.stop = context.AfterFunc(ctx, func() {
			cn.cancelled.Store(true)
			_ = cn.nc.SetDeadline(time.Unix(1, 0))
		})
	}
	resp, err := cn.exchange(r)
	if err != nil && cn.stop != nil {
		cn.stop()
	}
	return resp, err
}

func (cn *conn) exchange(r request) (*Response, error) {
	cn.writeHead(r)
	var err error
	switch {
	case r.length < 0 || r.length > small:
		cn.readBy(time.Time{}) // the answer is due after the body
		cn.upload = &upload{done: make(chan struct{})}
		go cn.send(cn.upload, r)
	case r.body != nil:
		var bodyErr error
		if bodyErr, err = cn.sendBody(r); bodyErr != nil {
			return nil, bodyErr
		}
		cn.readBy(time.Now().Add(cn.c.o.ResponseTimeout))
	default:
		t := time.Now().Add(cn.c.o.ResponseTimeout)
		cn.deadline = t
		_ = cn.nc.SetDeadline(t)
		cn.keepCancelled()
		err = cn.bw.Flush()
	}
	// A service may refuse a request before it has read all of it, and close: what
	// it said counts, not that writing failed.
	resp, readErr := cn.readResponse(r.method)
	if readErr == nil {
		return resp, nil
	}
	if up := cn.upload; up != nil {
		cn.close() // ends the sending, unless the body itself hangs
		select {
		case <-up.done:
			if up.bodyErr != nil {
				return nil, up.bodyErr
			}
			err = up.err
		default:
		}
	}
	if err != nil && !errors.Is(readErr, ErrResponse) && !errors.Is(readErr, ErrTimeout) {
		return nil, fmt.Errorf("sending the request: %w", cn.explain(err))
	}
	return nil, readErr
}

// send sends a long body beside the reading of the answer. What it found is told
// before the connection is cut, so that the reader can say why it was.
func (cn *conn) send(up *upload, r request) {
	up.bodyErr, up.err = cn.sendBody(r)
	if up.bodyErr == nil && up.err == nil {
		_ = cn.nc.SetReadDeadline(time.Now().Add(cn.c.o.ResponseTimeout))
		cn.keepCancelled()
	}
	// After a broken body the service must see a broken connection, not the end of
	// a request; one that takes nothing any more is not waited for.
	cut := up.bodyErr != nil || errors.Is(up.err, os.ErrDeadlineExceeded)
	close(up.done)
	if cut {
		cn.close()
	}
}

// explain maps an error of the connection to ours.
func (cn *conn) explain(err error) error {
	switch {
	case cn.ctx.Err() != nil:
		return context.Cause(cn.ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}

// finish ends the call: the connection is kept if it is in a known state.
func (cn *conn) finish(keep bool) {
	if cn.stop != nil && !cn.stop() {
		keep = false // its deadlines are spoilt
	}
	if cn.upload != nil {
		select {
		case <-cn.upload.done:
			keep = keep && cn.upload.err == nil && cn.upload.bodyErr == nil
		default:
			keep = false
		}
	}
	cn.ctx, cn.stop, cn.upload = nil, nil, nil
	if keep && cn.br.Buffered() == 0 {
		cn.c.put(cn)
	} else {
		cn.close()
	}
	<-cn.c.places
}
