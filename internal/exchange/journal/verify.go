package journal

import (
	"crypto/sha512"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"diwan/protocol/link"
)

// Anchor is a number and its chain as they were known elsewhere: given to a
// witness, or written in a checkpoint.
type Anchor struct {
	Seq   uint64
	Chain Chain
}

// Problem is something that Verify found. Last is the end of a range of missing
// records, else equal to Seq.
type Problem struct {
	Seq, Last uint64
	Kind      ProblemKind
	Detail    string
}

// ProblemKind says what is wrong.
type ProblemKind string

const (
	Missing    ProblemKind = "missing"    // records that are not there
	Altered    ProblemKind = "altered"    // a record that does not follow from the one before
	Unreadable ProblemKind = "unreadable" // bytes that are no record
	Forged     ProblemKind = "signature"  // a message whose signature or head does not hold
	Rewritten  ProblemKind = "rewritten"  // a record that differs from its anchor
	Unchecked  ProblemKind = "unchecked"  // a message whose key nobody knows any more
)

// ErrNoKey is what a KeyAt returns for a key that it does not know at all: the
// message then counts as unchecked, not as forged.
var ErrNoKey = errors.New("the signing key is not known")

// Report is the result of Verify.
type Report struct {
	First, Last uint64
	Chain       Chain // of the last record
	Records     uint64
	Messages    uint64
	Problems    []Problem
	// More counts problems beyond the ones listed.
	More int
}

// maxProblems bounds a report.
const maxProblems = 1000

// KeyAt returns the key of this name if it was valid at that time. What it says is
// ErrNoKey for a key that it does not know.
type KeyAt func(id link.KeyID, at time.Time) (*link.PublicKey, error)

// Verify reads a whole journal, checks every chain, every signature and every
// head against its digest, and names the records that are missing or altered.
// keys may be nil: signatures are then not looked at.
func Verify(dir string, keys KeyAt, anchors []Anchor) (*Report, error) {
	return VerifyEach(dir, keys, anchors, nil)
}

// VerifyEach is Verify, and shows each record that can be read, with its bytes, to
// a function that holds it against something else. An entry and its bytes are good
// until the function returns; an error of it ends the verification.
func VerifyEach(dir string, keys KeyAt, anchors []Anchor, each func(e Entry, record []byte) error) (*Report, error) {
	list, err := segments(dir)
	if err != nil {
		return nil, err
	}
	v := &verification{dir: dir, keys: keys, each: each, verifier: link.NewVerifier(), anchors: map[uint64]Chain{}}
	for _, a := range anchors {
		v.anchors[a.Seq] = a.Chain
	}
	for i, first := range list {
		if err := v.segment(first, i == 0); err != nil {
			return nil, err
		}
	}
	if v.r.First > 1 && !v.explained {
		v.add(Problem{Seq: 1, Last: v.r.First - 1, Kind: Missing, Detail: "no record says that they were dropped"})
	}
	for _, a := range anchors {
		if a.Seq > v.r.Last {
			v.add(Problem{Seq: v.r.Last + 1, Last: a.Seq, Kind: Missing, Detail: "known elsewhere, cut off here"})
		}
	}
	return &v.r, nil
}

type verification struct {
	dir       string
	keys      KeyAt
	each      func(Entry, []byte) error
	verifier  *link.Verifier
	anchors   map[uint64]Chain
	r         Report
	prev      Chain
	begin     Chain // before the first record that is kept
	explained bool
}

func (v *verification) add(p Problem) {
	if p.Last < p.Seq {
		p.Last = p.Seq
	}
	if len(v.r.Problems) >= maxProblems {
		v.r.More++
		return
	}
	v.r.Problems = append(v.r.Problems, p)
}

func (v *verification) segment(first uint64, start bool) error {
	f, err := os.Open(filepath.Join(v.dir, segmentName(first)))
	if err != nil {
		return fmt.Errorf("verifying the journal: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h, err := readHeader(v.dir, first)
	if err != nil {
		v.add(Problem{Seq: first, Kind: Unreadable, Detail: err.Error()})
		h = header{first: first, prev: v.prev}
	}
	if start {
		v.r.First, v.r.Last, v.prev, v.begin = first, first-1, h.prev, h.prev
	} else if v.gap(first); h.prev != v.prev {
		v.add(Problem{Seq: first, Kind: Altered, Detail: "the segment does not follow from the one before"})
		v.prev = h.prev
	}
	return v.records(newScanner(f), info.Size())
}

// gap notes what lies between the last record and seq.
func (v *verification) gap(seq uint64) {
	if seq > v.r.Last+1 {
		v.add(Problem{Seq: v.r.Last + 1, Last: seq - 1, Kind: Missing})
		v.r.Last = seq - 1
	}
}

func (v *verification) records(s *scanner, size int64) error {
	for off := int64(headerSize); ; {
		b, err := s.at(off)
		if err != nil {
			return fmt.Errorf("verifying the journal: %w", err)
		}
		e, n, err := parse(b)
		if err == nil && e.Seq > v.r.Last {
			if e.Seq != v.r.Last+1 {
				if b, e, err = v.number(s, off, n); err != nil {
					return fmt.Errorf("verifying the journal: %w", err)
				}
			}
			if err := v.record(b, n, e); err != nil {
				return err
			}
			off += int64(n)
			continue
		}
		// Either the end, or something that is no record: look for the next
		// that holds by itself.
		end, err2 := lastByte(s.f, off)
		if err2 != nil {
			return fmt.Errorf("verifying the journal: %w", err2)
		}
		if end == off {
			return nil
		}
		e, p, found, err2 := laterRecord(s, off, min(end+maxRecord, size), func(e Entry) bool { return e.Seq > v.r.Last })
		if err2 != nil {
			return fmt.Errorf("verifying the journal: %w", err2)
		}
		if !found {
			v.add(Problem{Seq: v.r.Last + 1, Kind: Unreadable, Detail: fmt.Sprintf("%d bytes at the end of a segment are no record", end-off)})
			return nil
		}
		if e.Seq > v.r.Last+1 {
			v.add(Problem{Seq: v.r.Last + 1, Last: e.Seq - 1, Kind: Unreadable, Detail: fmt.Sprintf("%d bytes are no record", p-off)})
			v.r.Last = e.Seq - 1
		} else {
			v.add(Problem{Seq: e.Seq, Kind: Altered, Detail: fmt.Sprintf("%d bytes before it are no record", p-off)})
		}
		w, err2 := s.at(p - int64(len(v.prev)))
		if err2 != nil {
			return fmt.Errorf("verifying the journal: %w", err2)
		}
		v.prev = Chain(w)
		off = p
	}
}

// number looks at a record whose number is not the next one: are those between
// missing, or was the number altered? The record after it tells.
func (v *verification) number(s *scanner, off int64, n int) ([]byte, Entry, error) {
	b, err := s.at(off + int64(n))
	if err != nil {
		return nil, Entry{}, err
	}
	after, _, errAfter := parse(b)
	if b, err = s.at(off); err != nil {
		return nil, Entry{}, err
	}
	e, _, err := parse(b)
	if err != nil {
		return nil, Entry{}, err
	}
	if errAfter != nil || after.Seq != e.Seq+1 {
		e.Seq = v.r.Last + 1 // its chain will not hold
	}
	return b, e, nil
}

// record checks one record; b begins with it.
func (v *verification) record(b []byte, n int, e Entry) error {
	gap := e.Seq > v.r.Last+1
	v.gap(e.Seq)
	if !gap && !holds(b, n, &v.prev) {
		v.add(Problem{Seq: e.Seq, Kind: Altered, Detail: "its chain does not follow"})
	}
	v.prev, v.r.Chain, v.r.Last = e.Chain, e.Chain, e.Seq
	v.r.Records++
	if want, ok := v.anchors[e.Seq]; ok && want != e.Chain {
		v.add(Problem{Seq: e.Seq, Kind: Rewritten, Detail: "its chain is not the one known elsewhere"})
	}
	switch {
	case e.Message != nil:
		v.r.Messages++
		if err := v.message(e); err != nil {
			kind := Forged
			if errors.Is(err, ErrNoKey) {
				kind = Unchecked
			}
			v.add(Problem{Seq: e.Seq, Kind: kind, Detail: err.Error()})
		}
	case e.Type == Dropped:
		// The newest one wins: it says where the journal begins now.
		if d, err := parseDropped(e.Payload); err == nil && d.last+1 >= v.r.First {
			v.explained = v.explained || d.last+1 > v.r.First || d.last+1 == v.r.First && d.chain == v.begin
		}
	}
	if v.each == nil {
		return nil
	}
	return v.each(e, b[:n])
}

// CheckHead says whether the head of a message is the one that its envelope, and so
// its signature, stands for.
func CheckHead(m *link.Record) error {
	if m.Envelope.Kind() != link.KindChunk && link.Digest(sha512.Sum512(m.Head)) != *m.Envelope.HeadDigest() {
		return fmt.Errorf("head: %w", link.ErrDigest)
	}
	return nil
}

func (v *verification) message(e Entry) error {
	env := e.Message.Envelope
	if err := env.Check(); err != nil {
		return err
	}
	if err := CheckHead(e.Message); err != nil {
		return err
	}
	if v.keys == nil {
		return nil
	}
	key, err := v.keys(env.Key(), env.Created())
	if err != nil {
		return err
	}
	return v.verifier.Verify(env, e.Message.Signature, key)
}
