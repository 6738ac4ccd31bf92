package search

import (
	"cmp"
	"container/list"
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"diwan/internal/retrieval"
)

// maxCandidate bounds what of a text is ranked again, in bytes.
const maxCandidate = 6 << 10

// bodyCacheBytes bounds the texts that are kept ready for ranking.
const bodyCacheBytes = 48 << 20

// rank ranks the best documents again from their text. Those below keep their
// order.
func (s *searching) rank(best []scored) ([]scored, error) {
	best = s.once(best)
	n := min(s.x.Weights.Second, len(best))
	if n < 2 || len(s.terms) == 0 {
		return best, nil
	}
	ready, err := s.x.ready(s.ctx, s.g, best[:n])
	if err != nil {
		return nil, err
	}
	list := make([]retrieval.Candidate, n)
	for i, b := range best[:n] {
		list[i] = retrieval.Candidate{Text: ready[i].text, Parsed: ready[i].parsed, First: float64(b.score)}
	}
	pairs := pairsOf(s.plain())
	order := s.ranker.Score(s.ranker.Prepare(s.plain(), s.q.Lang), list)
	out := make([]scored, 0, len(best))
	top := max(0, order[0].Score)
	for _, o := range order {
		b := best[o.Candidate]
		d := &s.g.docs[b.doc]
		w := &s.g.works[s.g.slots[d.slot].work]
		score := o.Score + s.x.Weights.Close*ready[o.Candidate].closeness(pairs)
		if d.letter == 0 {
			share := s.named(w)
			score += s.x.Weights.TitleBonus * share * share * top
			if s.whole(s.scores.titleMask[s.g.slots[d.slot].work]) {
				score += s.x.Weights.WholeTitle * top
			}
		}
		if p := s.x.Weights.prior(d, w); score > 0 {
			score *= p
		} else {
			score /= p
		}
		out = append(out, scored{b.doc, float32(score)})
	}
	slices.SortStableFunc(out, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	return append(out, best[n:]...), nil
}

// plain is the question without its signs.
func (s *searching) plain() string {
	out := ""
	for _, w := range s.tree.positive() {
		out += w + " "
	}
	return out
}

// named is the share of a work's title that the question names, in the language
// of which it names most.
func (s *searching) named(w *Work) float64 {
	most := 0.0
	for _, title := range w.Titles {
		stems, _ := stemsOf(title)
		n := 0
		for _, x := range stems {
			if slices.ContainsFunc(s.terms, func(t term) bool { return t.stem == x }) {
				n++
			}
		}
		if len(stems) > 0 {
			most = max(most, float64(n)/float64(len(stems)))
		}
	}
	return most
}

// once keeps the best of the languages in which one provision was found.
func (s *searching) once(best []scored) []scored {
	type place struct{ work, eid uint32 }
	seen := make(map[place]bool, len(best))
	out := best[:0]
	for _, b := range best {
		d := &s.g.docs[b.doc]
		p := place{s.g.slots[d.slot].work, d.eid}
		if !seen[p] {
			seen[p] = true
			out = append(out, b)
		}
	}
	return out
}

// prepared is a document ready to be ranked.
type prepared struct {
	num, heading string
	text         string
	cut          bool // there is more of it
	parsed       *retrieval.Parsed
	places       []uint32 // hashes of its stems in order, 0 for words that say nothing
}

// bodyCache keeps documents ready, those used last.
type bodyCache struct {
	mu    sync.Mutex
	all   map[uint32]*list.Element
	order list.List
	bytes int
	max   int
	of    *generation
}

type cachedBody struct {
	doc uint32
	prepared
}

func newBodyCache(max int) *bodyCache { return &bodyCache{all: map[uint32]*list.Element{}, max: max} }

func (c *bodyCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.all)
	c.order.Init()
	c.bytes, c.of = 0, nil
}

func (c *bodyCache) get(g *generation, doc uint32) (prepared, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.all[doc]
	if e == nil || c.of != g {
		return prepared{}, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cachedBody).prepared, true
}

// put keeps a document; the numbers of documents mean something only within
// their generation.
func (c *bodyCache) put(g *generation, doc uint32, p prepared) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of != g {
		clear(c.all)
		c.order.Init()
		c.bytes, c.of = 0, g
	}
	if c.all[doc] != nil {
		return
	}
	c.all[doc] = c.order.PushFront(&cachedBody{doc, p})
	c.bytes += sizeOf(p)
	for c.bytes > c.max {
		last := c.order.Back()
		old := last.Value.(*cachedBody)
		c.order.Remove(last)
		delete(c.all, old.doc)
		c.bytes -= sizeOf(old.prepared)
	}
}

// sizeOf is about what a document takes: its text, and eight bytes a word.
func sizeOf(p prepared) int { return 2*len(p.text) + 4*len(p.places) + 300 }

// ready returns documents ready to be ranked, reading those that are not at
// hand.
func (x *Index) ready(ctx context.Context, g *generation, docs []scored) ([]prepared, error) {
	out := make([]prepared, len(docs))
	var missing []int
	var refs []Ref
	for i, b := range docs {
		p, ok := x.bodies.get(g, b.doc)
		if ok {
			out[i] = p
			continue
		}
		d := &g.docs[b.doc]
		if d.letter == 0 {
			w := &g.works[g.slots[d.slot].work]
			out[i] = prepared{parsed: retrieval.Parse(titles(w), ""), places: placesOf(titles(w))}
			x.bodies.put(g, b.doc, out[i])
			continue
		}
		missing, refs = append(missing, i), append(refs, g.ref(d))
	}
	if len(refs) == 0 {
		return out, nil
	}
	bodies, err := x.source.Bodies(ctx, refs, maxCandidate)
	if err != nil {
		return nil, err
	}
	spread(len(missing), func(k int) {
		i, b := missing[k], bodies[k]
		text := b.Text[:cutAt(b.Text, maxCandidate)]
		out[i] = prepared{b.Num, b.Heading, text, len(b.Text) >= maxCandidate, retrieval.Parse(b.Heading, text), placesOf(b.Heading + "\n" + text)}
		x.bodies.put(g, docs[i].doc, out[i])
	})
	return out, nil
}

// spread calls fn with 0 to n-1 on all cores: a reader waits for the slowest of
// many small parts and not for their sum.
func spread(n int, fn func(int)) {
	var next atomic.Int32
	work := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			fn(i)
		}
	}
	var others sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}
