package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// ErrDropped: the record was removed by retention.
var ErrDropped = errors.New("journal: the record is older than what is kept")

// Reader reads records in order. At the end it returns io.EOF, and may be asked
// again when there is more. It is for one goroutine.
type Reader struct {
	dir   string
	bound func() uint64 // the last record that may be read
	next  uint64

	s   *scanner
	seg uint64
	off int64
}

// Reader begins at a number: 1, or the one after the last that was read. It
// reads durable records only.
func (j *Journal) Reader(from uint64) *Reader {
	return &Reader{dir: j.dir, next: max(from, 1), bound: func() uint64 { n, _ := j.Durable(); return n }}
}

// NewReader reads the journal of a folder that nobody writes.
func NewReader(dir string, from uint64) *Reader {
	return &Reader{dir: dir, next: max(from, 1), bound: func() uint64 { return math.MaxUint64 }}
}

// First returns the number of the oldest record that is kept; 0 when there is
// none.
func First(dir string) (uint64, error) {
	list, err := segments(dir)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	return list[0], nil
}

// Next returns the next record. What it returns is the caller's to keep. It does
// not verify chains or signatures: that is Verify's work.
func (r *Reader) Next() (Entry, error) {
	if r.next > r.bound() {
		return Entry{}, io.EOF
	}
	for fresh := false; ; fresh = true {
		if r.s == nil {
			if err := r.open(); err != nil {
				return Entry{}, err
			}
		}
		b, err := r.s.at(r.off)
		if err != nil {
			return Entry{}, fmt.Errorf("reading the journal: %w", err)
		}
		e, size, err := parse(b)
		switch {
		case err == nil && e.Seq < r.next:
			r.off += int64(size)
			fresh = false
			continue
		case err == nil && e.Seq == r.next:
			r.off += int64(size)
			r.next++
			return own(e), nil
		case err == nil:
			return Entry{}, fmt.Errorf("journal: record %d is missing; %d follows", r.next, e.Seq)
		case !fresh:
			r.s.forget() // it may have been read before it was written
			continue
		case !blankAt(b):
			return Entry{}, fmt.Errorf("journal: record %d in %s is damaged", r.next, segmentName(r.seg))
		}
		return r.turn()
	}
}

// turn goes to the segment that begins with the next record.
func (r *Reader) turn() (Entry, error) {
	if _, err := os.Lstat(filepath.Join(r.dir, segmentName(r.next))); errors.Is(err, fs.ErrNotExist) {
		list, err := segments(r.dir)
		if err != nil {
			return Entry{}, err
		}
		if len(list) > 0 && list[len(list)-1] > r.next {
			return Entry{}, fmt.Errorf("journal: record %d is missing", r.next)
		}
		return Entry{}, io.EOF
	} else if r.seg == r.next {
		return Entry{}, io.EOF // a segment without records yet
	}
	r.Close()
	return r.Next()
}

// open finds the segment that holds the next record.
func (r *Reader) open() error {
	list, err := segments(r.dir)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return io.EOF
	}
	i, found := slices.BinarySearch(list, r.next)
	if !found {
		i--
	}
	if i < 0 {
		return fmt.Errorf("%w: %d, the first is %d", ErrDropped, r.next, list[0])
	}
	if _, err := readHeader(r.dir, list[i]); err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(r.dir, segmentName(list[i])))
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	r.s, r.seg, r.off = newScanner(f), list[i], headerSize
	return nil
}

// Close releases the file. The reader may be used again.
func (r *Reader) Close() error {
	if r.s == nil {
		return nil
	}
	err := r.s.f.Close()
	r.s = nil
	return err
}

// own copies what lies in the window.
func own(e Entry) Entry {
	e.Payload = bytes.Clone(e.Payload)
	if e.Message != nil {
		m, _ := parseMessage(e.Payload)
		m.Sent = e.Message.Sent
		e.Message = m
	}
	return e
}
