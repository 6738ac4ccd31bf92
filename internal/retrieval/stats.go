package retrieval

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Stats says how common each key is in a collection, and how long its
// documents are. A table of counts by hashed key is enough: it has a fixed
// size whatever the collection. A sample of a large collection gives the same
// weights as the whole. Adding is for one goroutine; reading is for many.
type Stats struct {
	docs   float64
	length [families]float64 // sum over documents
	df     []uint32          // documents by key
	last   []uint32          // the last document that counted a key
}

// NewStats returns the statistics of an empty collection.
func NewStats() *Stats {
	return &Stats{df: make([]uint32, keySpace)}
}

// Docs is the number of documents counted.
func (s *Stats) Docs() int { return int(s.docs) }

// Add counts one document.
func (s *Stats) Add(title, text string) {
	s.AddParsed(Parse(title, text))
}

// AddParsed counts one document.
func (s *Stats) AddParsed(p *Parsed) {
	s.begin()
	for _, w := range p.words {
		s.count(w)
	}
}

func (s *Stats) begin() {
	if s.last == nil {
		s.last = make([]uint32, keySpace)
	}
	s.docs++
}

func (s *Stats) count(w *word) {
	n := uint32(s.docs)
	for f := range families {
		s.length[f] += float64(len(w.of(f)))
	}
	for _, k := range w.keys {
		if s.last[k] != n {
			s.last[k] = n
			s.df[k]++
		}
	}
}

// documents is how many documents have a key.
func (s *Stats) documents(k key) float64 { return float64(s.df[k]) }

// idf is the weight of a key that so many documents have.
func (s *Stats) idf(df float64) float64 {
	return math.Log(1 + max(0, s.docs-df+.5)/(df+.5))
}

// share is about how probable a stem is in the collection.
func (s *Stats) share(k key) float64 {
	return (float64(s.df[k]) + .5) / (s.length[famStem] + 1)
}

// mean is the mean length of documents in keys of a family; at least one.
func (s *Stats) mean(f family) float64 {
	if s.docs == 0 {
		return 1
	}
	return max(1, s.length[f]/s.docs)
}

const statsVersion = 1

// MarshalBinary writes the statistics; counting can't go on from them.
func (s *Stats) MarshalBinary() ([]byte, error) {
	out := []byte{statsVersion}
	out = binary.AppendUvarint(out, uint64(s.docs))
	for _, n := range s.length {
		out = binary.AppendUvarint(out, uint64(n))
	}
	for _, n := range s.df {
		out = binary.AppendUvarint(out, uint64(n))
	}
	return deflate(out, 4)
}

// UnmarshalBinary reads what MarshalBinary wrote. Those of another version, or
// damaged, are an error: count again.
func (s *Stats) UnmarshalBinary(data []byte) error {
	buf, err := inflate(data)
	if err != nil {
		return err
	}
	if len(buf) == 0 || buf[0] != statsVersion {
		return fmt.Errorf("the statistics are of another version")
	}
	buf = buf[1:]
	next := func() uint64 {
		n, w := binary.Uvarint(buf)
		if w <= 0 {
			err = fmt.Errorf("the statistics are cut")
			return 0
		}
		buf = buf[w:]
		return n
	}
	n := &Stats{df: make([]uint32, keySpace)}
	n.docs = float64(next())
	for f := range n.length {
		n.length[f] = float64(next())
	}
	for k := range n.df {
		n.df[k] = uint32(next())
	}
	if err == nil && len(buf) > 0 {
		err = fmt.Errorf("the statistics have more than belongs to them")
	}
	if err == nil {
		*s = *n
	}
	return err
}
