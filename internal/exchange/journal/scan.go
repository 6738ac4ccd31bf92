package journal

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// scanner looks at a segment through a window that always holds the longest
// record, so that a journal of any size is read in a few hundred kilobytes.
type scanner struct {
	f    *os.File
	buf  []byte
	base int64
	n    int
	eof  bool
}

const scanWindow = 512 << 10

func newScanner(f *os.File) *scanner { return &scanner{f: f, buf: make([]byte, scanWindow)} }

// at returns the bytes from off: at least the longest record, or to the end.
func (s *scanner) at(off int64) ([]byte, error) {
	if from := off - s.base; from >= 0 && from <= int64(s.n) && (s.eof || int64(s.n)-from >= 4+maxRecord) {
		return s.buf[from:s.n], nil
	}
	n, err := s.f.ReadAt(s.buf, off)
	if err != nil && !errors.Is(err, io.EOF) {
		s.forget()
		return nil, err
	}
	s.base, s.n, s.eof = off, n, err != nil
	return s.buf[:n], nil
}

// forget drops what was read, because the file may hold more by now.
func (s *scanner) forget() { s.base, s.n, s.eof = 0, 0, false }

// blankAt says whether no record begins at the start of b.
func blankAt(b []byte) bool { return len(b) < 4 || binary.BigEndian.Uint32(b) == 0 }

// lastByte returns the offset after the last byte of a file that is not zero,
// not looking before from.
func lastByte(f *os.File, from int64) (int64, error) {
	i, err := f.Stat()
	if err != nil {
		return 0, err
	}
	buf := make([]byte, scanWindow)
	for end := i.Size(); end > from; {
		start := max(from, end-int64(len(buf)))
		b := buf[:end-start]
		if _, err := f.ReadAt(b, start); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		for n := len(b); n > 0; n-- {
			if b[n-1] != 0 {
				return start + int64(n), nil
			}
		}
		end = start
	}
	return from, nil
}

// laterRecord looks behind off for a record that holds by itself: its chain
// follows from the 32 bytes before it. It returns the first that wanted accepts.
func laterRecord(s *scanner, off, end int64, wanted func(Entry) bool) (Entry, int64, bool, error) {
	for p := off + 1; p+4+minRecord <= end; p++ {
		if p < int64(headerSize+len(Chain{})) {
			continue
		}
		w, err := s.at(p - int64(len(Chain{})))
		if err != nil {
			return Entry{}, 0, false, err
		}
		if len(w) < len(Chain{}) {
			break
		}
		b := w[len(Chain{}):]
		if blankAt(b) {
			continue
		}
		e, size, err := parse(b)
		if err != nil || !wanted(e) {
			continue
		}
		prev := Chain(w)
		if holds(b, size, &prev) {
			return e, p, true, nil
		}
	}
	return Entry{}, 0, false, nil
}
