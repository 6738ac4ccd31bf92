package journal

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"diwan/protocol/link"
)

// Errors that callers may ask for with errors.Is.
var (
	// ErrFull: the disk has less room than the watermark. Appending is refused,
	// reading goes on, and appending again when there is room.
	ErrFull = errors.New("journal: the disk is nearly full")
	// ErrBusy: the disk does not keep up, and more is waiting than may wait.
	ErrBusy = errors.New("journal: too much is waiting for the disk")
	// ErrFailed: a write or a flush failed. Nothing can be appended until the
	// journal is opened again.
	ErrFailed = errors.New("journal: writing has failed")
	// ErrClosed: the journal was closed.
	ErrClosed = errors.New("journal: closed")
)

// Options change how a journal is kept. The zero value of a field means its
// default.
type Options struct {
	// SegmentBytes is the length of a segment. 64 MiB, at least 1 MiB.
	SegmentBytes int64
	// MinFree is the watermark of the disk in bytes. 256 MiB.
	MinFree uint64
	// Free says how much room the disk has; the system's answer when nil.
	Free func(dir string) (uint64, error)
	// CheckEvery is the time between looks at the disk. 1 s.
	CheckEvery time.Duration
	Now        func() time.Time
	Log        *slog.Logger

	// flush is replaced by tests of failing disks.
	flush func(*os.File) error
}

// maxWaiting bounds the bytes that wait for a commit.
const maxWaiting = 16 << 20

// Journal is a journal open for writing. It is for many goroutines; one process
// at a time has it.
type Journal struct {
	dir  string
	opt  Options
	lock *os.File

	mu      sync.Mutex
	seq     uint64 // of the last record appended
	chain   Chain  // of that record
	durable uint64
	anchor  Chain   // of the last durable record
	pend    *commit // taking records
	fly     *commit // being written
	low     bool
	failed  error
	changed chan struct{} // closed at each commit
	soon    bool          // a commit that nobody asked for is on its way
	wanted  bool          // somebody waits for what came after the one being written
	ending  bool          // closing: only the committer still begins a commit
	spare   []byte        // the buffer of a later commit
	sum     hash.Hash

	kick chan struct{}
	stop chan struct{}
	done sync.WaitGroup

	// The rest belongs to who writes the commit in fly, or to nobody.
	file  *os.File
	off   int64
	limit int64      // length of the file
	ready chan error // result of preparing the next segment
	prep  sync.WaitGroup

	cut *Recovery
}

// commit is a group of records that are written and flushed together.
type commit struct {
	buf   []byte
	first uint64
	last  uint64
	prev  Chain // before the first
	chain Chain // of the last
	ch    chan struct{}
}

// Open opens the journal of a folder, makes it when there is none, and repairs
// the tear that a crash may have left. See Recovered.
func Open(dir string, opt Options) (*Journal, error) {
	if opt.SegmentBytes == 0 {
		opt.SegmentBytes = 64 << 20
	}
	opt.SegmentBytes = max(opt.SegmentBytes, 1<<20)
	if opt.MinFree == 0 {
		opt.MinFree = 256 << 20
	}
	if opt.Free == nil {
		opt.Free = freeBytes
	}
	if opt.CheckEvery <= 0 {
		opt.CheckEvery = time.Second
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.flush == nil {
		opt.flush = dataSync
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	lf, err := os.OpenFile(filepath.Join(dir, lockFor), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	if err := lock(lf); err != nil {
		lf.Close()
		return nil, fmt.Errorf("another process writes the journal %s: %w", dir, err)
	}
	j := &Journal{dir: dir, opt: opt, lock: lf, sum: sha256.New(), changed: make(chan struct{}),
		kick: make(chan struct{}, 1), stop: make(chan struct{}), pend: newCommit(nil)}
	if err := j.recover(); err != nil {
		lf.Close()
		return nil, err
	}
	j.look()
	j.prepare()
	j.done.Add(2)
	go j.run()
	go j.watch()
	if j.cut != nil {
		if err := j.sayCut(); err != nil {
			j.Close()
			return nil, err
		}
	}
	return j, nil
}

func newCommit(buf []byte) *commit { return &commit{buf: buf[:0], ch: make(chan struct{})} }

var _ link.Journal = (*Journal)(nil)

// Append implements link.Journal.
func (j *Journal) Append(records []link.Record) (uint64, error) {
	now := j.opt.Now().UnixMilli()
	j.mu.Lock()
	defer j.mu.Unlock()
	size := 0
	for i := range records {
		r := &records[i]
		if len(r.Signature) > link.MaxSignature || len(r.Head) > link.MaxHead {
			return 0, fmt.Errorf("journal: a record with a signature of %d bytes and a head of %d", len(r.Signature), len(r.Head))
		}
		size += 4 + minRecord + link.EnvelopeSize + 6 + len(r.Signature) + len(r.Head)
	}
	if err := j.admit(size); err != nil {
		return 0, err
	}
	for i := range records {
		t := Received
		if records[i].Sent {
			t = Sent
		}
		at := j.begin(t, now)
		j.pend.buf = appendMessage(j.pend.buf, &records[i])
		j.end(at)
	}
	j.commitSoon()
	return j.seq, nil
}

// AppendNote appends a record of the caller's own: a type from FirstNote to
// LastNote and up to MaxNote bytes.
func (j *Journal) AppendNote(t Type, payload []byte) (uint64, error) {
	if t < FirstNote || t > LastNote || len(payload) > MaxNote {
		return 0, fmt.Errorf("journal: a note of type %d and %d bytes", t, len(payload))
	}
	return j.append(t, payload)
}

func (j *Journal) append(t Type, payload []byte) (uint64, error) {
	now := j.opt.Now().UnixMilli()
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.admit(4 + minRecord + len(payload)); err != nil {
		return 0, err
	}
	at := j.begin(t, now)
	j.pend.buf = append(j.pend.buf, payload...)
	j.end(at)
	j.commit()
	return j.seq, nil
}

// admit says whether size more bytes may wait for the disk.
func (j *Journal) admit(size int) error {
	switch {
	case j.failed != nil:
		return j.failed
	case j.low:
		return ErrFull
	case len(j.pend.buf)+size > int(min(maxWaiting, j.opt.SegmentBytes-headerSize)):
		return ErrBusy
	}
	return nil
}

func (j *Journal) begin(t Type, now int64) (at int) {
	c := j.pend
	at = len(c.buf)
	j.seq++
	kind := byte(t)
	if at == 0 {
		kind |= firstOfCommit
		c.first, c.prev = j.seq, j.chain
	}
	c.buf = append(c.buf, 0, 0, 0, 0, kind)
	c.buf = binary.BigEndian.AppendUint64(c.buf, j.seq)
	c.buf = binary.BigEndian.AppendUint64(c.buf, uint64(max(now, 0)))
	return at
}

func (j *Journal) end(at int) {
	c := j.pend
	binary.BigEndian.PutUint32(c.buf[at:], uint32(len(c.buf)-at-4+sha256.Size))
	j.sum.Reset()
	j.sum.Write(j.chain[:])
	j.sum.Write(c.buf[at:])
	c.buf = j.sum.Sum(c.buf)
	j.chain = Chain(c.buf[len(c.buf)-sha256.Size:])
	c.last, c.chain = j.seq, j.chain
}

func (j *Journal) commit() {
	select {
	case j.kick <- struct{}{}:
	default:
	}
}

// Records of messages wait for somebody who waits for them: a request shares the
// flush of its answer. What nobody waits for reaches the disk a little later.
const (
	lazyTime  = 20 * time.Millisecond
	lazyBytes = 256 << 10
)

// commitSoon lets the records that were appended reach the disk before long. The
// caller holds the lock.
func (j *Journal) commitSoon() {
	if len(j.pend.buf) >= lazyBytes {
		j.commit()
		return
	}
	if !j.soon {
		j.soon = true
		time.AfterFunc(lazyTime, func() {
			j.mu.Lock()
			j.soon = false
			j.mu.Unlock()
			j.commit()
		})
	}
}

// Wait implements link.Journal. Who waits without a deadline while nothing is being
// written writes it himself, which saves two changes of goroutine, and is not called away
// while the disk works.
func (j *Journal) Wait(ctx context.Context, seq uint64) error {
	for {
		j.mu.Lock()
		var ch chan struct{}
		switch {
		case seq <= j.durable:
			j.mu.Unlock()
			return nil
		case j.failed != nil:
			err := j.failed
			j.mu.Unlock()
			return err
		case seq > j.seq:
			j.mu.Unlock()
			return fmt.Errorf("journal: nothing was appended as %d", seq)
		case j.fly != nil && seq <= j.fly.last:
			ch = j.fly.ch
		case j.fly == nil && !j.ending && unhurried(ctx):
			c := j.begun()
			j.mu.Unlock()
			j.finish(c)
			continue
		default:
			ch = j.pend.ch
			if j.fly != nil {
				j.wanted = true
			} else {
				j.commit()
			}
		}
		j.mu.Unlock()
		select {
		case <-ch:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func unhurried(ctx context.Context) bool {
	_, limited := ctx.Deadline()
	return !limited && ctx.Err() == nil
}

// Durable returns the number and the chain of the last durable record, which
// together are an anchor to give to others; 0 when there is none.
func (j *Journal) Durable() (uint64, Chain) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.durable, j.anchor
}

// Err says why nothing can be appended, now or any more; nil when all is well.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil && j.low {
		return ErrFull
	}
	return j.failed
}

// WaitBeyond returns when a record after seq is durable.
func (j *Journal) WaitBeyond(ctx context.Context, seq uint64) error {
	for {
		j.mu.Lock()
		if j.durable > seq {
			j.mu.Unlock()
			return nil
		}
		if err := j.failed; err != nil {
			j.mu.Unlock()
			return err
		}
		ch := j.changed
		j.mu.Unlock()
		select {
		case <-ch:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close writes what waits and closes. Records appended afterwards are refused.
func (j *Journal) Close() error {
	j.mu.Lock()
	select {
	case <-j.stop:
		j.mu.Unlock()
		return nil
	default:
		close(j.stop)
	}
	j.mu.Unlock()
	j.done.Wait()
	j.prep.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.failed
	if errors.Is(err, ErrClosed) {
		err = nil
	}
	if j.file != nil {
		j.file.Close()
	}
	j.lock.Close()
	return err
}
