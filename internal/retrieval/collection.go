package retrieval

import (
	"math"

	"diwan/lexis"
)

// Collection holds documents in memory as lists of words and scores all of
// them for a query. Documents are added by one goroutine before the first
// search; searches may run at the same time.
type Collection struct {
	stats   *Stats
	own     bool // the statistics are counted here
	ids     map[*word]uint32
	vocab   []*word
	last    []uint32 // the last document that had a word, plus one
	place   []uint32 // where it is counted
	docs    []document
	without map[string]bool // features left out, see Without
	words   []wordCount
	heads   []uint32
	texts   []string
	parsed  Parsed // of the document being added
}

type document struct {
	from, to         uint32 // in words
	headFrom, headTo uint32 // in heads
	length           [families]uint32
	script           lexis.Script
}

type wordCount struct {
	word uint32
	n    uint32
}

// NewCollection returns an empty collection.
func NewCollection() *Collection {
	return &Collection{stats: NewStats(), own: true, ids: map[*word]uint32{}}
}

// Without leaves features out of the scores, by the names of data/weights.txt
// and "cues", to see what each is worth.
func (c *Collection) Without(names ...string) {
	c.without = map[string]bool{}
	for _, n := range names {
		c.without[n] = true
	}
}

// Len is the number of documents.
func (c *Collection) Len() int { return len(c.docs) }

// Add adds a document; the title may be empty.
func (c *Collection) Add(title, text string) {
	c.parsed.read(title, text)
	c.add(&c.parsed, text)
}

func (c *Collection) add(p *Parsed, text string) {
	if c.own {
		c.stats.begin()
	}
	d := document{from: uint32(len(c.words)), headFrom: uint32(len(c.heads))}
	var letters [5]int
	for _, w := range p.words {
		if c.own {
			c.stats.count(w)
		}
		letters[w.script] += len(w.text)
		for f := range families {
			d.length[f] += uint32(len(w.of(f)))
		}
		c.count(w)
	}
	for _, w := range p.head {
		c.heads = append(c.heads, c.ids[w])
	}
	d.to, d.headTo = uint32(len(c.words)), uint32(len(c.heads))
	d.script = lexis.Latin
	if letters[lexis.Arabic] > letters[lexis.Latin] {
		d.script = lexis.Arabic
	}
	c.docs = append(c.docs, d)
	c.texts = append(c.texts, text)
}

// count counts one word of the document that is being added.
func (c *Collection) count(w *word) {
	id, ok := c.ids[w]
	if !ok {
		id = uint32(len(c.vocab))
		c.ids[w] = id
		c.vocab = append(c.vocab, w)
		c.last, c.place = append(c.last, 0), append(c.place, 0)
	}
	if doc := uint32(len(c.docs)) + 1; c.last[id] == doc {
		c.words[c.place[id]].n++
	} else {
		c.last[id], c.place[id] = doc, uint32(len(c.words))
		c.words = append(c.words, wordCount{id, 1})
	}
}

// matched are the hits of every word of a collection for one scorer.
type matched struct {
	from []uint32
	hits []hit
}

func (c *Collection) match(x *scorer) matched {
	m := matched{from: make([]uint32, len(c.vocab)+1)}
	for i, w := range c.vocab {
		m.hits = x.hits(w, m.hits)
		m.from[i+1] = uint32(len(m.hits))
	}
	return m
}

func (m *matched) of(word uint32) []hit { return m.hits[m.from[word]:m.from[word+1]] }

// rows holds the features of some documents, one after another.
type rows []float64

func (r rows) of(i int) []float64 { return r[i*features : (i+1)*features] }

// features computes the features of the documents of a mode, in the order of
// which, and brings the channels to one scale.
func (c *Collection) features(x *scorer, which []uint32) rows {
	m := c.match(x)
	out := make(rows, len(which)*features)
	counts, head := make([]float32, x.units), make([]float32, x.units)
	for i, d := range which {
		doc := &c.docs[d]
		touched := false
		for _, e := range c.words[doc.from:doc.to] {
			for _, h := range m.of(e.word) {
				counts[h.unit] += h.weight * float32(e.n)
				touched = true
			}
		}
		for _, w := range c.heads[doc.headFrom:doc.headTo] {
			for _, h := range m.of(w) {
				head[h.unit] += h.weight
			}
		}
		x.fill(out.of(i), doc, counts, head, c.stats, touched)
		if touched {
			clear(counts)
			clear(head)
		}
	}
	x.scale(out, len(which))
	return out
}

// fill computes the features of one document before they are scaled.
func (x *scorer) fill(r []float64, doc *document, counts, head []float32, s *Stats, touched bool) {
	length := float64(doc.length[famStem])
	r[fLength] = math.Log1p(length) - 4
	if x.mode == crossing {
		l := math.Log((length + 1) / (x.asked + 1))
		r[fRatio] = -min(l*l, 4) * alikeInLength(x.asked, s.mean(famStem))
	}
	at := 0
	for i := range x.channels {
		ch, feature := &x.channels[i], x.feature[i]
		n := at + len(ch.units)
		if touched || ch.model == language {
			r[feature] = ch.score(counts[at:n], float64(doc.length[ch.length]), s.mean(ch.length))
		}
		if touched {
			if f, ok := x.coverOf(feature); ok {
				r[f] = ch.cover(counts[at:n])
			}
			if f, ok := headOf(feature); ok {
				r[f] = ch.score(head[at:n], 1, 1)
			}
		}
		at = n
	}
}

// alikeInLength tells whether a query may be the translation of a whole
// document, from 0 to 1: only then the length of a document says anything. For
// a short question about long texts the ratio would favour the shortest text.
func alikeInLength(asked, mean float64) float64 {
	return min(1, max(0, 2*asked/mean-.5))
}

// topped are the features that are divided by their greatest value.
var topped = [...]int{fStem, fSkeleton, fGram3, fGram4, fGram5, fHeadStem, fHeadGram, fTranslated, fReverse}

// nameScale brings what is rare to the size of the other features: a name or
// a number found counts as it is, whatever else was found.
const nameScale = 10

// scale brings the channels to one scale over the documents of the query.
func (x *scorer) scale(out rows, n int) {
	for _, f := range topped {
		top := 0.0
		for i := range n {
			top = max(top, out[i*features+f])
		}
		if top > 0 {
			for i := range n {
				out[i*features+f] /= top
			}
		}
	}
	for _, f := range [...]int{fCalls, fGenerated} {
		top := math.Inf(-1)
		for i := range n {
			top = max(top, out[i*features+f])
		}
		for i := range n {
			out[i*features+f] -= top
		}
	}
	for i := range n {
		out[i*features+fSame] /= nameScale
		out[i*features+fNames] /= nameScale
	}
}
