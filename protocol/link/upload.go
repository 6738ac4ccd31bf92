package link

import (
	"context"
	"crypto/sha512"
	"fmt"
	"io"
	"time"
)

// upload sends a body in chunks, as many as the receiver grants.
type upload struct {
	c       *conn
	stream  uint32
	id      RequestID
	opening Hash
	src     Source
	credit  chan struct{}
	// durable: the last chunk waits for the journal before it leaves.
	durable bool
}

func newUpload(c *conn, stream uint32, opening *Envelope, src Source, durable bool) *upload {
	return &upload{c: c, stream: stream, id: opening.ID(), opening: opening.Hash(), src: src, credit: make(chan struct{}, Window), durable: durable}
}

// granted adds credit. More than a window is not ours to send.
func (u *upload) granted(n int) error {
	for range n {
		select {
		case u.credit <- struct{}{}:
		default:
			return fmt.Errorf("%w: more chunks granted than a window holds", ErrProtocol)
		}
	}
	return nil
}

// run sends the body. It returns nil when the last chunk was written. One chunk
// of memory is used, whatever the length of the body.
func (u *upload) run(ctx context.Context) error {
	pooled := chunkBuffers.Get().(*[]byte)
	defer giveBack(pooled)
	buf := (*pooled)[:MaxChunk]
	sum := sha512.New()
	prev := u.opening
	idle := time.NewTimer(u.c.cfg.Limits.BodyIdle)
	defer idle.Stop()
	for index := uint32(0); index < MaxChunks; index++ {
		idle.Reset(u.c.cfg.Limits.BodyIdle)
		select {
		case <-u.credit:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-u.c.ctx.Done():
			return u.c.reason()
		case <-idle.C:
			return fmt.Errorf("%w: the peer does not read the body", ErrTruncated)
		}
		n, final, err := fill(buf, u.src)
		if err != nil {
			return fmt.Errorf("reading a body to send: %w", err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		sum.Write(buf[:n])
		f, err := u.chunk(index, prev, sum.Sum(nil), final)
		if err != nil {
			return err
		}
		if err := u.c.write(appendFrameHead(nil, f, n), buf[:n]); err != nil {
			return err
		}
		if final {
			return nil
		}
		prev = f.Envelope.Hash()
	}
	return fmt.Errorf("link: a body of more than %d chunks", MaxChunks)
}

// fill reads until buf is full or the source ends. It is not io.ReadFull, which
// says the same of a source that ended and of one that broke off.
func fill(buf []byte, src Source) (n int, final bool, err error) {
	for idle := 0; n < len(buf) && idle < 100; idle++ {
		m, err := src.Read(buf[n:])
		if m > 0 {
			n, idle = n+m, 0
		}
		if err == io.EOF {
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
	}
	if n < len(buf) {
		return n, false, io.ErrNoProgress
	}
	return n, false, nil
}

// chunk makes the signed frame of one chunk, without its bytes.
func (u *upload) chunk(index uint32, prev Hash, digest []byte, final bool) (*Frame, error) {
	cfg := u.c.cfg
	f := Fields{Kind: KindChunk, Alg: cfg.Signer.pub.alg, Key: cfg.Signer.pub.id, Created: cfg.Now(), Valid: cfg.Valid,
		Status: index, ID: u.id, Body: Digest(digest), Bind: prev}
	if final {
		f.Flags = FlagFinal
	}
	e := f.Make()
	sig, err := AppendSingle(make([]byte, 0, 1+rawSignature), cfg.Signer, e)
	if err != nil {
		return nil, err
	}
	if final {
		seq, err := cfg.Journal.Append([]Record{{Envelope: e, Signature: sig, Sent: true}})
		if err == nil && u.durable {
			err = cfg.Journal.Wait(u.c.ctx, seq)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrJournal, err)
		}
	}
	return &Frame{Type: FrameChunk, Stream: u.stream, Envelope: e, Signature: sig}, nil
}

// closeSource ends a source that can be ended.
func closeSource(s Source) {
	if c, ok := s.(io.Closer); ok {
		c.Close()
	}
}

// ReadBody reads a body as the link wants it: whole when it is at most
// MaxInline, else as a source that begins with what was read.
func ReadBody(r io.Reader) (body []byte, stream Source, err error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxInline+1))
	if err != nil {
		return nil, nil, err
	}
	if len(b) <= MaxInline {
		return b, nil, nil
	}
	return nil, &joined{first: b, rest: r}, nil
}

type joined struct {
	first []byte
	rest  io.Reader
}

func (j *joined) Read(p []byte) (int, error) {
	if len(j.first) > 0 {
		n := copy(p, j.first)
		j.first = j.first[n:]
		return n, nil
	}
	j.first = nil
	return j.rest.Read(p)
}

func (j *joined) Close() error {
	if c, ok := j.rest.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
