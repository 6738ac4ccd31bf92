package search

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"slices"

	"diwan/internal/retrieval"
)

// Bounds of what is paged through.
const (
	maxListed  = 300  // results, grouped
	candidates = 1200 // of the first ranking
	// MaxLimit bounds the results of one answer.
	MaxLimit   = 100
	fewResults = 5 // fewer than this, and texts with fewer of the words are shown
)

// Search answers a query. An error of type *Error is the reader's.
func (x *Index) Search(ctx context.Context, q Query) (*Result, error) {
	tree, err := parse(q.Text)
	if err != nil {
		return nil, err
	}
	g, err := x.enter()
	if err != nil {
		return nil, err
	}
	defer g.leave()
	ranker := *x.ranker.Load()
	ranker.First = x.Weights.First
	s := &searching{x: x, g: g, q: q, tree: tree, ranker: &ranker, ctx: ctx}
	return s.run()
}

// searching is one search.
type searching struct {
	ctx    context.Context
	x      *Index
	g      *generation
	q      Query
	tree   *node
	ranker *retrieval.Ranker
	day    int32

	terms    []term
	asked    int // terms of the question, the first ones, of which most must be there
	required bitset
	scores   *scratch
	open     []bool  // slots that may be shown, but for the facets
	fails    []uint8 // facets that a slot does not fit
	found    []foundDoc
	per      []uint32 // documents found by slot
	res      Result
}

// foundDoc is a document with the number of words of the question that it has.
type foundDoc struct {
	doc  uint32
	mask uint32
}

// scored is a document with its score of the first ranking.
type scored struct {
	doc   uint32
	score float32
}

func (s *searching) run() (*Result, error) {
	s.q.Limit = min(max(s.q.Limit, 0), MaxLimit)
	s.day = dayNumber(s.q.AsAt)
	e := &evaluation{ctx: s.ctx, x: s.x, g: s.g, ranker: s.ranker, lang: s.q.Lang}
	var err error
	if s.required, err = e.required(s.tree); err != nil {
		return nil, err
	}
	if err := s.words(); err != nil {
		return nil, err
	}
	s.slots()
	if s.scores, err = s.score(); err != nil {
		return nil, err
	}
	defer s.x.scratch.Put(s.scores)
	s.find(e.pieces)
	s.choose()
	s.count()
	best := s.best()
	if s.q.Sort != ByDate {
		if best, err = s.rank(best); err != nil {
			return nil, err
		}
	}
	err = s.list(best)
	return &s.res, err
}

// words analyses the question first, then what else is wanted.
func (s *searching) words() error {
	asked, err := termsOf(s.ctx, s.g, s.ranker, s.tree.question(), s.q.Lang)
	if err != nil {
		return err
	}
	s.terms, s.asked = asked, len(asked)
	if s.required == nil {
		return nil
	}
	all, err := termsOf(s.ctx, s.g, s.ranker, s.tree.positive(), s.q.Lang)
	for _, t := range all {
		if len(s.terms) < maxWords && !slices.ContainsFunc(s.terms, func(o term) bool { return o.stem == t.stem }) {
			s.terms = append(s.terms, t)
		}
	}
	return err
}

// slots decides which texts and works may be shown.
func (s *searching) slots() {
	g := s.g
	s.open = g.shownTexts(s.day)
	if s.q.Work != "" {
		w, ok := g.byWork[s.q.Work]
		for i := range s.open {
			s.open[i] = s.open[i] && ok && g.slots[i].work == w && i < g.texts
		}
	}
	s.fails = make([]uint8, len(g.slots))
	for f, name := range facetByNumber {
		want := s.q.Filters[name]
		if len(want) == 0 {
			continue
		}
		ok := make([]bool, len(g.values[f]))
		for i, v := range g.values[f] {
			ok[i] = slices.Contains(want, v)
		}
		for i := range g.slots {
			if !ok[g.slots[i].value[f]] {
				s.fails[i] |= 1 << f
			}
		}
	}
}

// find collects the documents that have something of the question and fit
// everything else.
func (s *searching) find(pieces bool) {
	g := s.g
	wordless := s.asked == 0
	none := wordless && s.required == nil && len(s.q.Filters) == 0 && s.q.Work == ""
	if none || wordless && len(s.terms) == 0 && s.required == nil && len(s.tree.question()) > 0 {
		return // no question, or one of words that say nothing
	}
	// Where only fields are asked for, texts are the answer and not each of their
	// provisions.
	titles := wordless && len(s.terms) == 0 && !pieces && s.q.Work == ""
	s.found = s.scores.found[:0]
	for n := range g.docs {
		d := &g.docs[n]
		if d.letter == gone || !s.open[d.slot] || s.required != nil && !s.required.has(uint32(n)) || titles && d.letter != 0 {
			continue
		}
		work := g.slots[d.slot].work
		mask := s.scores.mask[n]
		if d.letter == 0 {
			mask |= s.scores.titleMask[work]
		} else {
			if s.day == 0 && d.until != 0 || s.day != 0 && (d.from > s.day || d.until != 0 && d.until <= s.day) {
				continue
			}
			if mask != 0 {
				mask |= s.scores.titleMask[work]
			}
		}
		if !wordless && mask&(1<<s.asked-1) == 0 {
			continue
		}
		s.found = append(s.found, foundDoc{uint32(n), mask})
	}
	s.scores.found = s.found
}

// choose drops documents that have too few of the question's words. Where that
// leaves nearly nothing, the demand is lowered.
func (s *searching) choose() {
	if s.asked == 0 {
		return
	}
	asked := uint32(1)<<s.asked - 1
	var have [maxWords + 1]int
	for _, f := range s.found {
		if s.fails[s.g.docs[f.doc].slot] == 0 {
			have[bits.OnesCount32(f.mask&asked)]++
		}
	}
	m, n := s.asked, 0
	for ; m > 1; m-- {
		if n += have[m]; m <= enough(s.asked) && n >= fewResults {
			break
		}
	}
	s.res.Loose = m < enough(s.asked)
	kept := s.found[:0]
	for _, f := range s.found {
		if bits.OnesCount32(f.mask&asked) >= m {
			kept = append(kept, f)
		}
	}
	s.found = kept
}

// count counts the facets. A facet is counted as if nothing of it were chosen,
// so that a reader sees what another choice would give.
func (s *searching) count() {
	g := s.g
	per := make([]uint32, len(g.slots))
	for _, f := range s.found {
		per[g.docs[f.doc].slot]++
	}
	s.per = per
	var counts [facets][]int
	for f := range counts {
		counts[f] = make([]int, len(g.values[f]))
	}
	works := map[uint32]bool{}
	for i, n := range per {
		if n == 0 {
			continue
		}
		sl := &g.slots[i]
		if s.fails[i] == 0 {
			s.res.Total += int(n)
			works[sl.work] = true
		}
		for f := range counts {
			if s.fails[i]&^(1<<f) == 0 {
				counts[f][sl.value[f]] += int(n)
			}
		}
	}
	s.res.Works = len(works)
	s.res.Facets = map[string][]Count{}
	for f, name := range facetByNumber {
		var list []Count
		for v, n := range counts[f] {
			on := slices.Contains(s.q.Filters[name], g.values[f][v])
			if n > 0 || on {
				list = append(list, Count{g.values[f][v], n, on})
			}
		}
		slices.SortFunc(list, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Value, b.Value)) })
		s.res.Facets[name] = list
	}
}

// best returns the best documents by the first ranking, or the newest.
func (s *searching) best() []scored {
	g := s.g
	shares, wt := s.shares(), &s.x.Weights
	h := make(heap, 0, candidates)
	for _, f := range s.found {
		d := &g.docs[f.doc]
		if s.fails[d.slot] != 0 {
			continue
		}
		w := &g.works[g.slots[d.slot].work]
		var score float64
		if s.q.Sort == ByDate {
			score = float64(dayNumber(w.Signed))
			if score == 0 {
				score = float64(w.Year) * 10000
			}
			if d.letter != 0 {
				score += .25
			}
		} else {
			score = s.first(d, f, w) * (1 - wt.Coverage + wt.Coverage*shares.of(f.mask))
		}
		h.push(scored{f.doc, float32(score)}, candidates)
	}
	out := []scored(h)
	slices.SortFunc(out, func(a, b scored) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.doc, b.doc)) })
	return out
}

// first is the score of a document but for the coverage of the question.
func (s *searching) first(d *doc, f foundDoc, w *Work) float64 {
	title := float64(s.scores.title[s.g.slots[d.slot].work])
	wt := &s.x.Weights
	score := wt.TitleAlone * title
	if d.letter == 0 && s.whole(f.mask) {
		score *= 1 + wt.WholeTitle
	}
	if d.letter != 0 {
		score = float64(s.scores.text[f.doc]) + wt.Title*title
	}
	if len(s.terms) == 0 {
		score = 1
	}
	return score * wt.prior(d, w)
}

// whole tells whether all words of a question of several are there.
func (s *searching) whole(mask uint32) bool {
	asked := uint32(1)<<s.asked - 1
	return s.asked > 1 && mask&asked == asked
}

// prior says how likely a text is to be looked for, whatever the question.
func (wt *Weights) prior(d *doc, w *Work) float64 {
	p := 1 + wt.Cited*min(citedMost, math.Log2(1+float64(w.Cited)))
	switch w.State {
	case "repealed":
		p *= 1 - wt.Repealed
	case "not_yet":
		p *= 1 - wt.NotYet
	}
	switch d.letter {
	case 0, 'a', 'x', 'p', 'c':
		return p
	case 'i':
		return p * (1 - wt.Preface)
	}
	return p * (1 - wt.Other)
}

// shares gives the share of the question's weight that a set of its words has.
type shares struct {
	weights []float64
	total   float64
}

func (s *searching) shares() shares {
	out := shares{}
	for _, t := range s.terms {
		out.weights = append(out.weights, t.idf)
		out.total += t.idf
	}
	return out
}

func (s shares) of(mask uint32) float64 {
	if s.total == 0 {
		return 1
	}
	sum := 0.0
	for ; mask != 0; mask &= mask - 1 {
		if i := bits.TrailingZeros32(mask); i < len(s.weights) {
			sum += s.weights[i]
		}
	}
	return sum / s.total
}

// heap keeps the n greatest of what is pushed, the least on top.
type heap []scored

func (h *heap) push(x scored, n int) {
	a := *h
	if len(a) < n {
		a = append(a, x)
		for i := len(a) - 1; i > 0; {
			p := (i - 1) / 2
			if !a.less(i, p) {
				break
			}
			a[i], a[p] = a[p], a[i]
			i = p
		}
		*h = a
		return
	}
	if x.score <= a[0].score {
		return
	}
	a[0] = x
	for i := 0; ; {
		c := 2*i + 1
		if c >= len(a) {
			return
		}
		if c+1 < len(a) && a.less(c+1, c) {
			c++
		}
		if !a.less(c, i) {
			return
		}
		a[i], a[c] = a[c], a[i]
		i = c
	}
}

func (h heap) less(i, j int) bool {
	return h[i].score < h[j].score || h[i].score == h[j].score && h[i].doc > h[j].doc
}
