package link

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// conn is one connection, of either side: reading groups, writing them, and a
// small queue of control frames that no reader ever waits for.
type conn struct {
	nc  net.Conn
	br  *bufio.Reader
	cfg *Config
	// peer is the member that TLS proved.
	peer string

	writeMu sync.Mutex

	ctlMu   sync.Mutex
	ctl     []byte
	ctlWake chan struct{}

	ctx    context.Context // ends with the connection
	cancel context.CancelCauseFunc
	once   sync.Once

	bodySlots chan struct{}
	bad       atomic.Int32

	crew *crew
}

// maxControl bounds the control frames that wait behind a stuck write. A peer
// that makes us answer more while it reads nothing loses the connection.
const maxControl = 64 << 10

const readBuffer = 64 << 10

func newConn(ctx context.Context, nc net.Conn, cfg *Config, peer string) *conn {
	c := &conn{nc: nc, br: bufio.NewReaderSize(nc, readBuffer), cfg: cfg, peer: peer,
		ctlWake: make(chan struct{}, 1), bodySlots: make(chan struct{}, cfg.Limits.BodyStreams)}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	c.crew = newCrew(c.ctx.Done())
	go c.control()
	return c
}

// fail ends the connection; the first reason stays, and one that the peer has to
// answer for is logged. It never blocks: closing a
// TLS connection may, so the socket's deadline is what frees the others.
func (c *conn) fail(err error) {
	c.once.Do(func() {
		if errors.Is(err, ErrProtocol) || errors.Is(err, os.ErrDeadlineExceeded) {
			c.cfg.Log.Warn("link: connection broken off", "peer", c.peer, "remote", c.nc.RemoteAddr().String(), "err", err)
		}
		c.cancel(err)
		c.nc.SetDeadline(time.Now())
		go c.nc.Close()
	})
}

func (c *conn) reason() error { return context.Cause(c.ctx) }

// write sends the buffers one after another, as one unit.
func (c *conn) write(bufs ...[]byte) error {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	if c.ctx.Err() != nil {
		return c.reason()
	}
	c.nc.SetWriteDeadline(time.Now().Add(c.cfg.Limits.FrameTime))
	for _, b := range bufs {
		if _, err := c.nc.Write(b); err != nil {
			err = fmt.Errorf("writing to the peer: %w", err)
			c.fail(err)
			return err
		}
	}
	return nil
}

// tell queues a control frame.
func (c *conn) tell(f Frame) {
	c.ctlMu.Lock()
	full := len(c.ctl) > maxControl
	if !full {
		c.ctl = AppendFrame(c.ctl, &f)
	}
	c.ctlMu.Unlock()
	if full {
		c.fail(fmt.Errorf("%w: reads nothing while it asks", ErrProtocol))
		return
	}
	select {
	case c.ctlWake <- struct{}{}:
	default:
	}
}

func (c *conn) tellError(stream uint32, err error) {
	c.tell(Frame{Type: FrameError, Stream: stream, Payload: []byte(typeOf(err))})
}

func (c *conn) grant(stream uint32, n int) {
	c.tell(Frame{Type: FrameWindow, Stream: stream, Payload: binary.BigEndian.AppendUint32(nil, uint32(n))})
}

func (c *conn) control() {
	var spare []byte
	for {
		select {
		case <-c.ctlWake:
		case <-c.ctx.Done():
			return
		}
		c.ctlMu.Lock()
		out := c.ctl
		c.ctl = spare[:0]
		c.ctlMu.Unlock()
		if len(out) > 0 && c.write(out) != nil {
			return
		}
		spare = out
	}
}

// chunkBuffers are the buffers of whole chunks, which would otherwise be most
// of what the collector has to collect.
var chunkBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 4+MaxFrame)
	return &b
}}

// pooledAt is the length from which a chunk's buffer is worth keeping.
const pooledAt = 128 << 10

// read reads one frame. The clock of the frame starts when its first byte is
// here; before that only idleness counts.
func (c *conn) read(deadline *time.Time) (Frame, *[]byte, error) {
	if c.br.Buffered() < 4 {
		if deadline.IsZero() {
			c.nc.SetReadDeadline(time.Now().Add(c.cfg.Limits.IdleTime))
		}
		if _, err := c.br.Peek(1); err != nil {
			return Frame{}, nil, err
		}
	}
	head, err := c.peek(5, deadline)
	if err != nil {
		return Frame{}, nil, err
	}
	n, kind := int(binary.BigEndian.Uint32(head)), head[4]
	if n < frameHeader || n > MaxFrame {
		return Frame{}, nil, fmt.Errorf("%w: length of a frame", ErrProtocol)
	}
	var pooled *[]byte
	var b []byte
	if kind == FrameChunk && n >= pooledAt {
		pooled = chunkBuffers.Get().(*[]byte)
		b = (*pooled)[:n]
	} else {
		b = make([]byte, n)
	}
	c.br.Discard(4)
	if c.br.Buffered() < n {
		c.frameClock(deadline)
	}
	if _, err := readFull(c.br, b); err != nil {
		return Frame{}, nil, err
	}
	f, err := ParseFrame(b)
	return f, pooled, err
}

func (c *conn) peek(n int, deadline *time.Time) ([]byte, error) {
	if c.br.Buffered() < n {
		c.frameClock(deadline)
	}
	return c.br.Peek(n)
}

// frameClock starts the time that the peer has to finish, once per group.
func (c *conn) frameClock(deadline *time.Time) {
	if deadline.IsZero() {
		*deadline = time.Now().Add(c.cfg.Limits.FrameTime)
		c.nc.SetReadDeadline(*deadline)
	}
}

func readFull(r *bufio.Reader, b []byte) (int, error) {
	n := 0
	for n < len(b) {
		m, err := r.Read(b[n:])
		n += m
		if err != nil && n < len(b) {
			return n, err
		}
	}
	return n, nil
}

// readLoop reads until the connection ends. Groups go to group, everything else
// to other; neither may block for longer than a look into a map.
func (c *conn) readLoop(group func([]Frame), other func(Frame, *[]byte) error) error {
	for {
		var frames []Frame
		var deadline time.Time
		size := 0
		for {
			f, pooled, err := c.read(&deadline)
			if err != nil {
				return err
			}
			if f.Type == 0 || f.Type >= FrameChunk {
				if len(frames) > 0 {
					return fmt.Errorf("%w: another frame inside a group", ErrProtocol)
				}
				if err := other(f, pooled); err != nil {
					return err
				}
				break
			}
			frames = append(frames, f)
			if size += f.size(); len(frames) > MaxGroup || size > MaxGroupBytes {
				return fmt.Errorf("%w: group too large", ErrProtocol)
			}
			if !f.More {
				group(frames)
				break
			}
		}
	}
}

// blame counts a message that an honest peer does not send, and ends the
// connection when there were too many: each costs us a verification. A key that
// is not known here is not among them: our directory may be the older one.
func (c *conn) blame(err error) {
	if !errors.Is(err, ErrSignature) && !errors.Is(err, ErrDigest) && !errors.Is(err, ErrEnvelope) {
		return
	}
	if int(c.bad.Add(1)) > c.cfg.Limits.BadMessages {
		c.fail(fmt.Errorf("%w: too many refused messages, last: %w", ErrProtocol, err))
	}
}

// sender returns the key that signed an envelope, if it is of the peer.
func (c *conn) sender(e *Envelope, now time.Time) (*PublicKey, error) {
	key, err := c.cfg.Keys.Key(e.Key(), now)
	if err != nil {
		return nil, err
	}
	if key.Member() != c.peer {
		return nil, ErrWrongMember
	}
	return key, nil
}
