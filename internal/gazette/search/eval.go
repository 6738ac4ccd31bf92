package search

import (
	"context"
	"fmt"
	"slices"
	"strings"

	index "github.com/blevesearch/bleve_index_api"

	"diwan/internal/retrieval"
)

// evaluation turns a query into the set of documents that fit it.
type evaluation struct {
	ctx    context.Context
	x      *Index
	g      *generation
	ranker *retrieval.Ranker
	lang   string
	// pieces says that the query asks for a place in a text, not for a text.
	pieces bool
}

// required returns the documents that a query requires, nil for all. The words
// of a question at its top are left to the ranking, which knows how many of them
// a document has.
func (e *evaluation) required(n *node) (bitset, error) {
	if n == nil || n.op == opSoft {
		return nil, nil
	}
	if n.op != opAnd {
		return e.eval(n)
	}
	var out bitset
	for _, k := range n.kids {
		if k.loose {
			continue
		}
		b, err := e.eval(k)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = b
		} else {
			out.and(b)
		}
	}
	return out, nil
}

func (e *evaluation) eval(n *node) (bitset, error) {
	switch n.op {
	case opSoft:
		return e.soft(n.words)
	case opPhrase:
		return e.phrase(n.words[0], fieldBody, fieldHeading, fieldTitle)
	case opNear:
		return e.near(n)
	case opField:
		return e.field(n)
	case opNot:
		b, err := e.eval(n.kids[0])
		if err != nil {
			return nil, err
		}
		return b.not(len(e.g.docs)), nil
	}
	var out bitset
	for _, k := range n.kids {
		b, err := e.eval(k)
		switch {
		case err != nil:
			return nil, err
		case out == nil:
			out = b
		case n.op == opOr:
			out.or(b)
		default:
			out.and(b)
		}
	}
	return out, nil
}

// enough is how many of n words a document must have: all of two, most of more.
func enough(n int) int {
	switch {
	case n <= 2:
		return n
	case n <= 4:
		return n - 1
	}
	return (3*n + 4) / 5
}

func (e *evaluation) soft(words []string) (bitset, error) {
	out := newBitset(len(e.g.docs))
	terms, err := termsOf(e.ctx, e.g, e.ranker, words, e.lang)
	if err != nil || len(terms) == 0 {
		return out, err
	}
	counts := make([]uint8, len(e.g.docs))
	for i := range terms {
		has, err := e.anyOf(&terms[i])
		if err != nil {
			return nil, err
		}
		has.each(func(d uint32) bool { counts[d]++; return true })
	}
	m := uint8(enough(len(terms)))
	for d, n := range counts {
		if n >= m {
			out.set(uint32(d))
		}
	}
	return out, nil
}

// anyOf returns the documents with a word or what stands for it.
func (e *evaluation) anyOf(t *term) (bitset, error) {
	out := newBitset(len(e.g.docs))
	for _, v := range t.variants {
		if v.boost < foreignBoost*foreignBoost {
			continue
		}
		for _, f := range []string{fieldBody, fieldHeading, fieldTitle} {
			if v.title && f != fieldTitle {
				continue
			}
			p, err := e.g.postings(e.ctx, f, v.term)
			if err != nil {
				return nil, err
			}
			for _, d := range p.docs {
				out.set(d)
			}
		}
	}
	return out, nil
}

// phrase returns the documents in one of whose fields the stems of a phrase
// stand in its order and at its distances.
func (e *evaluation) phrase(text string, fields ...string) (bitset, error) {
	out := newBitset(len(e.g.docs))
	p := phraseOf(text)
	if len(p.alts) == 0 {
		return out, nil
	}
	for _, f := range fields {
		if err := e.placed(f, []phrase{p}, 0, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// phrase is words in their order, each by the stems that may stand for it.
type phrase struct {
	alts   [][]string
	places []int
}

func phraseOf(text string) phrase {
	var p phrase
	for _, t := range analyzed.Analyze([]byte(text)) {
		if len(p.alts) == maxWords {
			break
		}
		alts := []string{string(t.Term)}
		for _, s := range joinedForms(text[t.Start:t.End]) {
			if !slices.Contains(alts, s) {
				alts = append(alts, s)
			}
		}
		p.alts, p.places = append(p.alts, alts), append(p.places, t.Position)
	}
	return p
}

func (e *evaluation) near(n *node) (bitset, error) {
	out := newBitset(len(e.g.docs))
	var both []phrase
	for _, k := range n.kids {
		p := phraseOf(strings.Join(k.words, " "))
		if len(p.alts) == 0 {
			return out, nil
		}
		both = append(both, p)
	}
	for _, f := range []string{fieldBody, fieldHeading, fieldTitle} {
		if err := e.placed(f, both, n.near, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// placed adds to out the documents in which every phrase stands in its order,
// two phrases at most near words apart.
func (e *evaluation) placed(field string, phrases []phrase, near int, out bitset) error {
	var both bitset
	readers := make([][]*placeReader, len(phrases))
	for i, p := range phrases {
		for _, alts := range p.alts {
			has := newBitset(len(e.g.docs))
			r := &placeReader{}
			defer r.close()
			readers[i] = append(readers[i], r)
			for _, s := range alts {
				p, err := e.g.postings(e.ctx, field, s)
				if err != nil {
					return err
				}
				if len(p.docs) == 0 {
					continue
				}
				for _, d := range p.docs {
					has.set(d)
				}
				t, err := e.g.reader.TermFieldReader(e.ctx, []byte(s), field, true, false, true)
				if err != nil {
					return fmt.Errorf("reading the search index: %w", err)
				}
				r.of = append(r.of, t)
			}
			if both == nil {
				both = has
			} else {
				both.and(has)
			}
		}
	}
	var err error
	starts := make([][]uint64, len(phrases))
	n := 0
	both.each(func(d uint32) bool {
		if n++; n%1024 == 0 && e.ctx.Err() != nil {
			err = e.ctx.Err()
			return false
		}
		for i, p := range phrases {
			if starts[i], err = occurrences(readers[i], p.places, d, starts[i][:0]); err != nil {
				return false
			}
		}
		if len(starts) == 1 && len(starts[0]) > 0 || len(starts) == 2 && within(starts[0], starts[1], uint64(near)) {
			out.set(d)
		}
		return true
	})
	return err
}

// placeReader reads the positions of one word in one document after another.
type placeReader struct {
	of  []index.TermFieldReader
	id  index.IndexInternalID
	doc index.TermFieldDoc
	pos []uint64
}

func (p *placeReader) close() {
	for _, r := range p.of {
		r.Close()
	}
}

func (p *placeReader) read(d uint32) error {
	p.id = index.NewIndexInternalID(p.id, uint64(d))
	p.pos = p.pos[:0]
	for _, r := range p.of {
		t, err := r.Advance(p.id, p.doc.Reset())
		if err != nil {
			return fmt.Errorf("reading the search index: %w", err)
		}
		if t == nil || t.ID.Value() != uint64(d) {
			continue
		}
		for _, v := range t.Vectors {
			p.pos = append(p.pos, v.Pos)
		}
	}
	slices.Sort(p.pos)
	return nil
}

// occurrences lists where a phrase begins in a document.
func occurrences(readers []*placeReader, places []int, d uint32, out []uint64) ([]uint64, error) {
	for _, r := range readers {
		if err := r.read(d); err != nil {
			return nil, err
		}
	}
	for _, at := range readers[0].pos {
		all := true
		for i := 1; i < len(readers) && all; i++ {
			all = slices.Contains(readers[i].pos, at+uint64(places[i]-places[0]))
		}
		if all {
			out = append(out, at)
		}
	}
	return out, nil
}

// within tells whether two sorted lists have members at most n apart.
func within(a, b []uint64, n uint64) bool {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		x, y := a[i], b[j]
		if x <= y && y-x <= n || y < x && x-y <= n {
			return true
		}
		if x < y {
			i++
		} else {
			j++
		}
	}
	return false
}
