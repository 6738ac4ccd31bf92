package translog

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrServed says that a log serves tiles or entries that are not those under its
// own signed checkpoint.
var ErrServed = errors.New("the log serves other data than it signed")

// Monitor watches one log from outside: for its member, whether the log holds what
// the member's journals hold; for others, whether it only ever grows.
type Monitor struct {
	// Key is the log's (LogKey).
	Key    string
	Source Source
}

// Held is a record that somebody holds, in the order of its journal.
type Held struct {
	// Source is the journal, Seq the record's number in it.
	Source string
	Seq    uint64
	Entry  Entry
}

// Kind says what is wrong.
type Kind string

const (
	// Removed: a record is held and the log does not have it.
	Removed Kind = "removed"
	// Altered: between the neighbours of a record that the log does not have,
	// the log has an entry that nobody holds.
	Altered Kind = "altered"
	// Added: the log has an entry that nobody holds, or one twice.
	Added Kind = "added"
	// Reordered: a record stands before one that its journal has earlier.
	Reordered Kind = "reordered"
	// Forked: the log does not continue a checkpoint that it signed.
	Forked Kind = "forked"
	// SetBack: the log is smaller than a checkpoint that it signed.
	SetBack Kind = "set_back"
)

// Finding is one thing that is wrong. Index is the place in the log, -1 where
// there is none; Held is set for what is held.
type Finding struct {
	Kind  Kind
	Index int64
	Held  *Held
	// Entry is what the log has at Index.
	Entry Entry
}

// Report is what a look at a log found.
type Report struct {
	// Checkpoint is what the log shows now; keep Signed for the next look.
	Checkpoint Checkpoint
	Signed     []byte
	Findings   []Finding
}

// MaxHeld is how many records one look may hold against the log, and how many
// entries of the log it reads.
const MaxHeld = 1 << 22

// Latest fetches the log's checkpoint and checks that it continues the one seen
// before: seen is the signed checkpoint of an earlier look, or nil. A log that was
// set back or forked shows in the findings, and both checkpoints are the proof.
func (m *Monitor) Latest(ctx context.Context, seen []byte) (*Report, error) {
	now, err := m.Source.Fetch(ctx, "/checkpoint", MaxCheckpoint)
	if err != nil {
		return nil, fmt.Errorf("fetching the log's checkpoint: %w", err)
	}
	return m.compare(ctx, seen, now)
}

// Compare checks two signed checkpoints of the log against each other, whichever
// way they came here, for example one from each of two parties. What is served
// under the larger one decides.
func (m *Monitor) Compare(ctx context.Context, a, b []byte) (*Report, error) {
	ca, err := m.open(a)
	if err != nil {
		return nil, err
	}
	cb, err := m.open(b)
	if err != nil {
		return nil, err
	}
	if ca.Size > cb.Size {
		a, b = b, a
	}
	return m.compare(ctx, a, b)
}

func (m *Monitor) open(signed []byte) (Checkpoint, error) {
	key, err := ParseLogKey(m.Key)
	if err != nil {
		return Checkpoint{}, err
	}
	c, _, err := OpenCheckpoint(signed, key)
	if err == nil && c.Origin != key.Name() {
		err = fmt.Errorf("%w: of another log", ErrCheckpoint)
	}
	return c, err
}

func (m *Monitor) compare(ctx context.Context, seen, now []byte) (*Report, error) {
	next, err := m.open(now)
	if err != nil {
		return nil, err
	}
	r := &Report{Checkpoint: next, Signed: now}
	if seen == nil {
		return r, nil
	}
	old, err := m.open(seen)
	if err != nil {
		return nil, fmt.Errorf("the checkpoint seen before: %w", err)
	}
	switch {
	case old.Size > next.Size:
		r.Findings = append(r.Findings, Finding{Kind: SetBack, Index: next.Size})
	case old.Size == next.Size:
		if old.Root != next.Root {
			r.Findings = append(r.Findings, Finding{Kind: Forked, Index: old.Size})
		}
	case old.Size > 0:
		tiles := newReader(ctx, m.Source)
		root, err := tlog.TreeHash(old.Size, tlog.TileHashReader(tlog.Tree{N: next.Size, Hash: next.Root}, tiles))
		if err != nil {
			return nil, tiles.blame(err)
		}
		if root != old.Root {
			r.Findings = append(r.Findings, Finding{Kind: Forked, Index: old.Size})
		}
	}
	return r, nil
}

// Check compares the log with what is held: every record that was fed to the log
// at [from, size of the checkpoint) and no other, each journal's in its order. It
// finds each record that the log lacks, each entry that nobody holds, and whether
// the log continues the checkpoint seen before.
func (m *Monitor) Check(ctx context.Context, seen []byte, from int64, held []Held) (*Report, error) {
	r, err := m.Latest(ctx, seen)
	if err != nil {
		return nil, err
	}
	size := r.Checkpoint.Size
	if from < 0 || from > size || size-from > MaxHeld || len(held) > MaxHeld {
		return nil, ErrRange
	}
	entries, err := m.read(ctx, r.Checkpoint, from)
	if err != nil {
		return nil, err
	}
	r.Findings = append(r.Findings, hold(from, entries, held)...)
	return r, nil
}

// read returns the entries of the log from an index on, each checked against the
// checkpoint.
func (m *Monitor) read(ctx context.Context, c Checkpoint, from int64) ([]Entry, error) {
	if from == c.Size {
		return nil, nil
	}
	tiles := newReader(ctx, m.Source)
	h := tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: c.Root}, tiles)
	list := make([]Entry, 0, c.Size-from)
	for n := from / tileWidth; n*tileWidth < c.Size; n++ {
		part, err := tiles.entries(h, n, int(min(tileWidth, c.Size-n*tileWidth)))
		if err != nil {
			return nil, err
		}
		list = append(list, part[max(0, from-n*tileWidth):]...)
	}
	return list, nil
}
