package link

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// sealing is a message on its way to the peer.
type sealing struct {
	frame  Frame
	notify func(error) // told when it is written, or why not
}

// sealer signs what one side sends on one connection. A message that is alone
// is signed at once; otherwise the sealer waits up to MaxSealDelay for others, signs
// them together, gives them to the journal, and writes them in one piece.
type sealer struct {
	c *conn
	// durable: wait for the journal before writing, as a provider does. A
	// consumer waits for request and response together.
	durable bool
	// open is the number of exchanges under way; when all of them are in the
	// queue, nobody is left to wait for.
	open *atomic.Int64

	mu      sync.Mutex
	queue   []sealing
	dead    error
	waiting bool
	busy    bool // somebody seals; what follows below is theirs

	wake chan struct{}
	tick chan struct{}
	// stopped is closed when everything that waited was answered.
	stopped chan struct{}
	// alones are the senders that seal by themselves; none begins once dead is set.
	alones sync.WaitGroup

	one   [1]sealing
	batch Batch
	envs  []*Envelope
	recs  []Record
	buf   []byte
	sigs  []byte
}

func newSealer(c *conn, durable bool, open *atomic.Int64) *sealer {
	s := &sealer{c: c, durable: durable, open: open, wake: make(chan struct{}, 1), tick: make(chan struct{}, 1), stopped: make(chan struct{})}
	go s.run()
	return s
}

// sealAt is the number of messages that are not held back any longer: more
// would save little of the signature's cost.
const sealAt = 64

// put queues a message whose envelope is complete. In per-message mode it is
// signed here, in its sender's goroutine, so that signatures are made on all
// processors.
func (s *sealer) put(f Frame, notify func(error)) {
	if s.c.cfg.PerMessage {
		sig, err := AppendSingle(make([]byte, 0, 1+rawSignature), s.c.cfg.Signer, f.Envelope)
		if err != nil {
			notify(err)
			return
		}
		f.Signature = sig
	}
	s.mu.Lock()
	if s.dead != nil {
		err := s.dead
		s.mu.Unlock()
		notify(err)
		return
	}
	if s.alone(&f) {
		s.busy = true
		s.alones.Add(1)
		s.mu.Unlock()
		s.sendOne(sealing{f, notify})
		return
	}
	s.queue = append(s.queue, sealing{f, notify})
	n := len(s.queue)
	ready := n == 1 && !s.waiting || n == sealAt || s.waiting && s.complete(n)
	s.mu.Unlock()
	if ready {
		signal(s.wake)
	}
}

// maxAlone is the length of the longest frame that its sender writes himself: it fits
// into the system's buffer, so that nobody is kept by a peer that does not read.
const maxAlone = 32 << 10

// alone says that a message has nobody to wait for and nobody before it, so that its
// sender may seal it himself, which saves a change of goroutine. The caller holds the lock.
func (s *sealer) alone(f *Frame) bool {
	return !s.busy && !s.waiting && len(s.queue) == 0 && s.open.Load() <= 1 && f.size() <= maxAlone
}

// sendOne sends a message in its sender's goroutine, which has marked the sealer busy.
func (s *sealer) sendOne(it sealing) {
	defer s.alones.Done()
	s.one[0] = it
	if err := s.send(s.one[:]); err != nil {
		s.c.fail(err)
	}
	s.one[0] = sealing{}
	s.free()
}

// free gives the sealer to whoever comes next.
func (s *sealer) free() {
	s.mu.Lock()
	s.busy = false
	more := len(s.queue) > 0
	s.mu.Unlock()
	if more {
		signal(s.wake)
	}
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// complete says that no other message can be expected soon.
func (s *sealer) complete(n int) bool {
	return n >= sealAt || int64(n) >= s.open.Load()
}

func (s *sealer) run() {
	defer close(s.stopped)
	var spare []sealing
	for {
		select {
		case <-s.wake:
		case <-s.c.ctx.Done():
			s.stop(s.c.reason())
			return
		}
		s.hold()
		s.mu.Lock()
		if s.busy { // who is gives it back
			s.mu.Unlock()
			continue
		}
		items := s.queue
		s.queue, s.busy = spare[:0], true
		s.mu.Unlock()
		for rest := items; len(rest) > 0; {
			n := portion(rest)
			if err := s.send(rest[:n]); err != nil {
				s.c.fail(err)
			}
			rest = rest[n:]
		}
		clear(items)
		spare = items
		s.free()
	}
}

// fullWindow is with how many exchanges under way a message waits as long as it may:
// the wait then is little beside their own, and each message that joins saves both
// sides a signature.
const fullWindow = 16

// delay is how long to wait for others now.
func (s *sealer) delay() time.Duration {
	n := min(max(s.open.Load(), fullWindow/4), fullWindow)
	return MaxSealDelay * time.Duration(n) / fullWindow
}

// hold waits while others may join.
func (s *sealer) hold() {
	s.mu.Lock()
	n := len(s.queue)
	if n == 0 || s.complete(n) {
		s.mu.Unlock()
		return
	}
	s.waiting = true
	s.mu.Unlock()
	delay := s.delay()
	end := time.Now().Add(delay)
	pacing.after(delay, s.tick)
	for {
		select {
		case <-s.tick:
			if time.Now().Before(end) {
				continue // left over from an earlier wait
			}
		case <-s.wake:
			s.mu.Lock()
			more := !s.complete(len(s.queue))
			s.mu.Unlock()
			if more && time.Now().Before(end) {
				continue
			}
		case <-s.c.ctx.Done():
		}
		break
	}
	s.mu.Lock()
	s.waiting = false
	s.mu.Unlock()
}

// stop answers everything that waits, and whatever comes later, with err.
func (s *sealer) stop(err error) {
	s.mu.Lock()
	s.dead = err
	items := s.queue
	s.queue = nil
	s.mu.Unlock()
	s.alones.Wait()
	for _, it := range items {
		it.notify(fmt.Errorf("%w: %w", ErrNotSent, err))
	}
}

// portion is how many messages may go as one group.
func portion(items []sealing) int {
	size := 0
	for i := range items {
		size += items[i].frame.size() + MaxSignature
		if i == MaxGroup || i > 0 && size > MaxGroupBytes {
			return i
		}
	}
	return len(items)
}

// send signs, records and writes one group. An error that concerns the messages
// only is told to them; the one returned ends the connection.
func (s *sealer) send(items []sealing) error {
	if err := s.sign(items); err != nil {
		s.tell(items, fmt.Errorf("%w: %w", ErrNotSent, err))
		return nil
	}
	s.recs = s.recs[:0]
	for i := range items {
		f := &items[i].frame
		s.recs = append(s.recs, Record{Envelope: f.Envelope, Signature: f.Signature, Head: f.Head, Sent: true})
	}
	seq, err := s.c.cfg.Journal.Append(s.recs)
	clear(s.recs)
	clear(s.envs)
	if err == nil && s.durable && len(items) == 1 && s.open.Load() <= 1 {
		err = s.c.cfg.Journal.Wait(s.c.ctx, seq)
	} else if err == nil && s.durable {
		var late bool
		if late, err = s.flushed(seq); late {
			// The messages that come now must not wait for this flush to be
			// signed. Groups may overtake each other: nothing depends on their
			// order.
			later := slices.Clone(items)
			s.sigs = nil
			go func() {
				if err := s.deliver(later, s.c.cfg.Journal.Wait(s.c.ctx, seq), new([]byte)); err != nil {
					s.c.fail(err)
				}
			}()
			return nil
		}
	}
	return s.deliver(items, err, &s.buf)
}

// maxFlush is how long the sealer stands still for a flush. Up to it, waiting is
// good: the batch after it is larger.
const maxFlush = 3 * time.Millisecond

// flushed waits for the journal, not too long.
func (s *sealer) flushed(seq uint64) (late bool, err error) {
	ctx, cancel := context.WithTimeout(s.c.ctx, maxFlush)
	defer cancel()
	err = s.c.cfg.Journal.Wait(ctx, seq)
	return err != nil && ctx.Err() != nil && s.c.ctx.Err() == nil, err
}

// deliver writes one group that the journal has taken, or has not.
func (s *sealer) deliver(items []sealing, err error, buf *[]byte) error {
	if err != nil {
		s.tell(items, fmt.Errorf("%w: %w: %w", ErrNotSent, ErrJournal, err))
		return nil
	}
	b := (*buf)[:0]
	for i := range items {
		f := &items[i].frame
		f.More = i+1 < len(items)
		b = AppendFrame(b, f)
	}
	err = s.c.write(b)
	if *buf = b; cap(b) > 1<<20 {
		*buf = nil
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrLost, err)
	}
	s.tell(items, err)
	return err
}

func (s *sealer) tell(items []sealing, err error) {
	for i := range items {
		items[i].notify(err)
	}
}

func (s *sealer) sign(items []sealing) error {
	if s.c.cfg.PerMessage {
		return nil
	}
	signer := s.c.cfg.Signer
	if len(items) == 1 {
		var err error
		s.sigs, err = AppendSingle(s.sigs[:0], signer, items[0].frame.Envelope)
		items[0].frame.Signature = s.sigs
		return err
	}
	s.envs = s.envs[:0]
	for i := range items {
		s.envs = append(s.envs, items[i].frame.Envelope)
	}
	if err := s.batch.Sign(signer, s.c.cfg.Now().UnixMilli(), s.envs); err != nil {
		return err
	}
	s.sigs = s.sigs[:0]
	if need := len(items) * MaxSignature; cap(s.sigs) < need {
		s.sigs = make([]byte, 0, need)
	}
	for i := range items {
		at := len(s.sigs)
		s.sigs = s.batch.Append(s.sigs, i)
		items[i].frame.Signature = s.sigs[at:len(s.sigs):len(s.sigs)]
	}
	return nil
}
