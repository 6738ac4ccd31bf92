package search

import (
	"context"
	"slices"

	"diwan/lexis"
)

// scratch is the memory of one search, used again by the next. All cells are
// zero between searches.
type scratch struct {
	unit, alt, slot, total, gram layer
	found                        bitset
}

// cell is what a document has earned, and the share of the query for which.
type cell struct{ score, cover float32 }

// layer is an array of cells by ordinal and the places that are not zero.
type layer struct {
	at      []cell
	touched []uint32
}

func (l *layer) clear() {
	for _, i := range l.touched {
		l.at[i] = cell{}
	}
	l.touched = l.touched[:0]
}

func (l *layer) add(i uint32, score, cover float32) {
	c := &l.at[i]
	if c.score == 0 {
		l.touched = append(l.touched, i)
	}
	c.score += score
	c.cover += cover
}

func (l *layer) max(i uint32, score, cover float32) {
	c := &l.at[i]
	if c.score == 0 {
		l.touched = append(l.touched, i)
	}
	c.score, c.cover = max(c.score, score), max(c.cover, cover)
}

func newScratch(n int) *scratch {
	s := &scratch{found: newBitset(n)}
	for _, l := range s.layers() {
		l.at = make([]cell, n)
	}
	return s
}

func (s *scratch) layers() [5]*layer {
	return [...]*layer{&s.unit, &s.alt, &s.slot, &s.total, &s.gram}
}

func (s *scratch) reset() {
	for _, l := range s.layers() {
		l.clear()
	}
	clear(s.found)
}

// Parameters of the score, fitted on the development half of the evaluation.
const (
	unknownWeight = 1.5  // of a word that nothing has, when coverage is judged
	passing       = 0.3  // how much of a word is covered by the faintest mention
	gramShare     = 0.40 // of shared letters beside shared words
	minCover      = 0.33 // share of the query that a result must cover,
	minOfCover    = 0.8  // or, when none does, share of what the best covers,
	leastCover    = 0.2  // but no less than this
	minGramCover  = 0.65 // or the share of its letters
	minOfBest     = 0.33 // share of the best score that a result must have
	exactBonus    = 0.35
	popularBonus  = 0.10
	fullBonus     = 0.08
	otherKinds    = 0.85 // of life events and administrations
)

// slots scores all slots of a plan into total and returns the weight that full
// coverage has.
func (g *generation) slots(ctx context.Context, p *plan, s *scratch) (float32, error) {
	var all float32
	for i := range p.slots {
		sl := &p.slots[i]
		most := float32(0)
		for j := range sl.alts {
			w, err := g.alternative(ctx, &sl.alts[j], s)
			if err != nil {
				return 0, err
			}
			if j == 0 || sl.alts[0].known == 0 {
				most = max(most, w)
			}
			sl.alts[j].known = w
		}
		if most == 0 {
			all += unknownWeight * sl.weight
			continue
		}
		all += most * sl.weight
		for _, d := range s.slot.touched {
			c := s.slot.at[d]
			s.total.add(d, c.score*sl.weight, c.cover*most*sl.weight)
		}
		s.slot.clear()
	}
	return all, nil
}

// alternative scores one alternative into the slot layer. It returns what
// matching it wholly is worth.
func (g *generation) alternative(ctx context.Context, a *alternative, s *scratch) (float32, error) {
	if len(a.units) == 1 {
		return g.single(ctx, a, s)
	}
	var whole, known float32
	cover := min(1, a.weight+0.2)
	for _, u := range a.units {
		idf, err := g.unit(ctx, u, s)
		if err != nil {
			return 0, err
		}
		if idf == 0 {
			whole += unknownWeight
			continue
		}
		whole, known = whole+idf, known+idf
		for _, d := range s.unit.touched {
			u := s.unit.at[d]
			s.alt.add(d, u.score, idf*u.cover)
		}
		s.unit.clear()
	}
	for _, d := range s.alt.touched {
		c := s.alt.at[d]
		c.cover /= whole
		s.slot.max(d, a.weight*c.score*(0.5+0.5*c.cover), c.cover*cover)
	}
	s.alt.clear()
	if known == 0 {
		return 0, nil
	}
	return a.weight * whole, nil
}

// single is alternative for one word, which needs no sums.
func (g *generation) single(ctx context.Context, a *alternative, s *scratch) (float32, error) {
	var best float32
	cover := min(1, a.weight+0.2)
	for _, t := range a.units[0] {
		list, err := g.postings(ctx, t.kind, t.text)
		if err != nil {
			return 0, err
		}
		if list == nil {
			continue
		}
		w := a.weight * t.weight * list.idf
		best = max(best, w)
		for _, p := range list.docs {
			s.slot.max(p.ord, w*p.weight, cover*coverOf(p.weight))
		}
	}
	return best, nil
}

// coverOf is how much of a word is covered by a posting of some weight: all of
// it by a name, part of it by a word somewhere in a long text.
func coverOf(weight float32) float32 { return min(1, passing+(1-passing)*2*weight) }

// unit scores one word into the unit layer and returns its weight, 0 when
// nothing has it.
func (g *generation) unit(ctx context.Context, u unit, s *scratch) (float32, error) {
	var best float32
	for _, t := range u {
		list, err := g.postings(ctx, t.kind, t.text)
		if err != nil {
			return 0, err
		}
		if list == nil {
			continue
		}
		w := t.weight * list.idf
		best = max(best, w)
		for _, p := range list.docs {
			s.unit.max(p.ord, w*p.weight, coverOf(p.weight))
		}
	}
	return best, nil
}

// grams scores the runs of letters of the query that names share, and returns
// the weight of all of them.
func (g *generation) grams(ctx context.Context, p *plan, s *scratch) (float32, error) {
	var all float32
	rare := float32(len(g.Rows)) / 5
	for _, gram := range p.grams {
		list, err := g.postings(ctx, lexis.Gram, gram)
		if err != nil {
			return 0, err
		}
		if list == nil {
			all += unknownWeight
			continue
		}
		all += list.idf
		if float32(len(list.docs)) > rare && len(g.Rows) > 50 {
			continue
		}
		for _, d := range list.docs {
			s.gram.add(d.ord, list.idf*d.weight, 0)
		}
	}
	return all, nil
}

// match is a document found.
type match struct {
	ord   uint32
	score float32
}

// rank scores a plan and returns the matches, unordered, best score first to
// none in particular.
func (g *generation) rank(ctx context.Context, p *plan, s *scratch) ([]match, error) {
	whole, err := g.slots(ctx, p, s)
	if err != nil {
		return nil, err
	}
	allGrams, err := g.grams(ctx, p, s)
	if err != nil {
		return nil, err
	}
	if err := g.exact(ctx, p, s); err != nil {
		return nil, err
	}
	topTotal, topGram := peak(&s.total), peak(&s.gram)
	floor := max(leastCover*whole, min(minCover*whole, minOfCover*s.total.peakCover()))
	var out []match
	consider := func(d uint32) {
		c, letters := s.total.at[d], s.gram.at[d].score
		covered := whole > 0 && c.cover >= floor
		if !covered && !(allGrams > 0 && letters >= minGramCover*allGrams) {
			return
		}
		var score float32
		if topTotal > 0 {
			score = c.score / topTotal
		}
		if topGram > 0 {
			score += gramShare * letters / topGram
		}
		if whole > 0 {
			score *= 0.4 + 0.6*min(1, c.cover/whole)
		}
		out = append(out, match{d, g.prior(d, score+exactBonus*s.unit.at[d].score)})
	}
	for _, d := range s.total.touched {
		consider(d)
	}
	for _, d := range s.gram.touched {
		if s.total.at[d].score == 0 {
			consider(d)
		}
	}
	var best float32
	for _, m := range out {
		best = max(best, m.score)
	}
	return slices.DeleteFunc(out, func(m match) bool { return m.score < minOfBest*best }), nil
}

// exact marks in the unit layer the documents that are called exactly what the
// query, or a reading of all of it, says.
func (g *generation) exact(ctx context.Context, p *plan, s *scratch) error {
	mark := func(key string, weight float32) error {
		if key == "" {
			return nil
		}
		list, err := g.postings(ctx, kindExact, key)
		if err != nil || list == nil {
			return err
		}
		for _, d := range list.docs {
			s.unit.max(d.ord, weight*(0.5+0.5*d.weight), 0)
		}
		return nil
	}
	if err := mark(p.exact, 1); err != nil {
		return err
	}
	strong := -1
	for i := range p.slots {
		if p.slots[i].weight < 1 {
			continue
		}
		if strong >= 0 {
			return nil // no one reading stands for the whole query
		}
		strong = i
	}
	if strong < 0 {
		return nil
	}
	for _, a := range p.slots[strong].alts {
		if err := mark(a.exact, a.weight*0.8); err != nil {
			return err
		}
	}
	return nil
}

func peak(l *layer) float32 {
	var top float32
	for _, d := range l.touched {
		top = max(top, l.at[d].score)
	}
	return top
}

func (l *layer) peakCover() float32 {
	var top float32
	for _, d := range l.touched {
		top = max(top, l.at[d].cover)
	}
	return top
}

// prior raises what is much used and fully described.
func (g *generation) prior(d uint32, score float32) float32 {
	r := &g.Rows[d]
	factor := float32(1)
	if r.Rank > 0 {
		factor += popularBonus * 20 / float32(20+r.Rank)
	}
	if r.Full {
		factor += fullBonus
	}
	if r.Kind != KindProcedure {
		factor *= otherKinds
	}
	return score * factor
}
