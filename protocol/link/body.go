package link

import (
	"crypto/sha512"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"
)

// Body is a body that arrives in chunks. Every byte that Read returns was
// verified. Read is for one goroutine at a time; Close may come from another, ends a Read
// that waits, and returns after it: no buffer goes to another body while it is read.
//
// Nothing travels before the first Read, and then no more than Window chunks
// ahead of the reader: a reader that stops makes the sender stop.
type Body struct {
	c      *conn
	stream uint32
	id     RequestID
	// ended is told once, when nothing more is to be expected on the stream;
	// err is io.EOF after a whole body.
	ended func(err error)

	mu     sync.Mutex
	queue  []arrived
	credit int
	closed error
	wake   chan struct{}

	reading sync.Mutex // held by who reads or closes
	// The rest belongs to them.
	untie  func() bool // from the caller's context; may be nil
	began  time.Time
	slot   bool
	next   uint32
	total  int64
	prev   Hash
	sum    hash.Hash
	digest Digest
	final  bool
	cur    []byte
	pooled *[]byte
	err    error
}

type arrived struct {
	f      Frame
	pooled *[]byte
}

func newBody(c *conn, stream uint32, opening *Envelope, ended func(error)) *Body {
	return &Body{c: c, stream: stream, id: opening.ID(), ended: ended, prev: opening.Hash(), sum: sha512.New(), wake: make(chan struct{}, 1)}
}

// offer takes a chunk that arrived. A chunk that was not granted ends the
// connection.
func (b *Body) offer(f Frame, pooled *[]byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed != nil {
		giveBack(pooled)
		return nil
	}
	if b.credit == 0 {
		return fmt.Errorf("%w: a chunk that was not granted", ErrProtocol)
	}
	b.credit--
	b.queue = append(b.queue, arrived{f, pooled})
	signal(b.wake)
	return nil
}

// shut ends the stream from the connection's side. Chunks that are here already
// can still be read.
func (b *Body) shut(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed == nil {
		b.closed = err
	}
	signal(b.wake)
}

func (b *Body) over() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

func giveBack(pooled *[]byte) {
	if pooled != nil {
		chunkBuffers.Put(pooled)
	}
}

// Read implements io.Reader. An error other than io.EOF means that the body is
// not whole and must not be taken for one.
func (b *Body) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	for len(b.cur) == 0 {
		b.release()
		if b.err == nil && b.final {
			b.finish(io.EOF)
		}
		if b.err != nil {
			return 0, b.err
		}
		if err := b.advance(); err != nil {
			b.finish(err)
		}
	}
	n := copy(p, b.cur)
	b.cur = b.cur[n:]
	return n, nil
}

// Close gives up what was not read. It may be called twice.
func (b *Body) Close() error {
	b.shut(ErrClosed)
	b.reading.Lock()
	defer b.reading.Unlock()
	b.cur = nil
	b.release()
	b.finish(ErrClosed)
	return nil
}

// Digest is the SHA-512 of the whole body, once Read has returned io.EOF.
func (b *Body) Digest() (Digest, bool) { return b.digest, b.err == io.EOF }

func (b *Body) finish(err error) {
	if b.err != nil {
		return
	}
	b.err = err
	if b.untie != nil {
		b.untie()
	}
	b.shut(err)
	b.mu.Lock()
	for _, a := range b.queue {
		giveBack(a.pooled)
	}
	b.queue = nil
	b.mu.Unlock()
	if b.slot {
		<-b.c.bodySlots
	}
	b.ended(err)
}

// release returns the chunk that was read and asks for another.
func (b *Body) release() {
	if b.pooled != nil {
		giveBack(b.pooled)
		b.pooled = nil
	}
}

// advance waits for the next chunk and verifies it.
func (b *Body) advance() error {
	if b.began.IsZero() {
		b.began = time.Now()
		if err := b.begin(); err != nil {
			return err
		}
	} else {
		b.more(1)
	}
	a, err := b.wait()
	if err != nil {
		return err
	}
	if err := b.check(&a.f); err != nil {
		giveBack(a.pooled)
		b.c.blame(err)
		return err
	}
	b.cur, b.pooled = a.f.Body, a.pooled
	return nil
}

// begin takes a place among the bodies being received and grants the first
// chunks.
func (b *Body) begin() error {
	t := time.NewTimer(b.c.cfg.Limits.BodyIdle)
	defer t.Stop()
	select {
	case b.c.bodySlots <- struct{}{}:
		b.slot = true
	case <-b.wake: // nothing was granted: only an end wakes
		return fmt.Errorf("%w: %w", ErrTruncated, b.over())
	case <-b.c.ctx.Done():
		return fmt.Errorf("%w: %w", ErrTruncated, b.c.reason())
	case <-t.C:
		return fmt.Errorf("%w: too many bodies at once", ErrOverloaded)
	}
	b.more(Window)
	return nil
}

func (b *Body) more(n int) {
	b.mu.Lock()
	b.credit += n
	open := b.closed == nil
	b.mu.Unlock()
	if open {
		b.c.grant(b.stream, n)
	}
}

func (b *Body) wait() (arrived, error) {
	left := min(b.c.cfg.Limits.BodyIdle, b.c.cfg.Limits.BodyTime-time.Since(b.began))
	t := time.NewTimer(left)
	defer t.Stop()
	for {
		b.mu.Lock()
		if len(b.queue) > 0 {
			a := b.queue[0]
			b.queue = append(b.queue[:0], b.queue[1:]...)
			b.mu.Unlock()
			return a, nil
		}
		closed := b.closed
		b.mu.Unlock()
		if closed != nil {
			return arrived{}, fmt.Errorf("%w: %w", ErrTruncated, closed)
		}
		select {
		case <-b.wake:
		case <-b.c.ctx.Done():
			b.shut(b.c.reason())
		case <-t.C:
			return arrived{}, fmt.Errorf("%w: the sender is too slow", ErrTruncated)
		}
	}
}

// check verifies that a chunk is the next one, whole and signed by the peer's
// member. The last one goes to the journal before its end is told to anyone.
func (b *Body) check(f *Frame) error {
	e := f.Envelope
	if err := e.Check(); err != nil {
		return err
	}
	if e.ID() != b.id || e.Status() != b.next || *e.Bind() != b.prev {
		return ErrBind
	}
	if len(f.Body) == 0 && !e.Final() {
		return fmt.Errorf("%w: empty chunk", ErrProtocol)
	}
	if b.total += int64(len(f.Body)); b.total > b.c.cfg.Limits.BodyBytes {
		return fmt.Errorf("%w: body too long", ErrOverloaded)
	}
	now := b.c.cfg.Now()
	if err := e.CheckTime(now); err != nil {
		return err
	}
	key, err := b.c.sender(e, now)
	if err != nil {
		return err
	}
	b.sum.Write(f.Body)
	if b.sum.Sum(b.digest[:0]); b.digest != *e.BodyDigest() {
		return ErrDigest
	}
	if err := b.c.cfg.Verifier.Verify(e, f.Signature, key); err != nil {
		return err
	}
	b.next++
	b.prev = e.Hash()
	if e.Final() {
		b.final = true
		return b.c.keep(Record{Envelope: e, Signature: f.Signature})
	}
	return nil
}

// keep makes one record durable.
func (c *conn) keep(r Record) error {
	seq, err := c.cfg.Journal.Append([]Record{r})
	if err == nil {
		err = c.cfg.Journal.Wait(c.ctx, seq)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	return nil
}
