package search

import (
	"errors"
	"slices"
	"strings"
)

// list groups the results and fills the page that was asked for.
func (s *searching) list(best []scored) error {
	if s.q.Sort == ByDate {
		best = s.once(best)
	}
	listed, more := s.group(best)
	s.res.Listed = len(listed)
	from := min(max(s.q.Offset, 0), len(listed))
	page := listed[from:min(from+s.q.Limit, len(listed))]
	ready, err := s.x.ready(s.ctx, s.g, page)
	if err != nil {
		return err
	}
	marks, words := s.marks(), s.tree.positive()
	s.res.Hits = make([]Hit, len(page))
	failures := make([]error, len(page))
	spread(len(page), func(i int) {
		b := page[i]
		d := &s.g.docs[b.doc]
		sl := &s.g.slots[d.slot]
		h := Hit{Work: s.g.works[sl.work].ID, Lang: s.g.values[langFacet][sl.value[langFacet]], Kind: kindOfLetter[d.letter], Score: float64(b.score), More: more[b.doc]}
		if d.letter != 0 {
			p := &ready[i]
			h.Ref, h.Until, h.Num, h.Heading = s.g.ref(d), dayText(d.until), p.num, p.heading
			h.Snippet, failures[i] = s.snippet(p, h.Ref, words, marks)
		}
		s.res.Hits[i] = h
	})
	return errors.Join(failures...)
}

// snippet looks in what is at hand of a text first, and in more of it where
// nothing of the question stands there.
func (s *searching) snippet(p *prepared, ref Ref, words []string, marks map[string]float64) ([]Run, error) {
	out := Snippet(oneLine(p.text), words, marks, snippetRunes)
	if !p.cut || slices.ContainsFunc(out, func(r Run) bool { return r.Mark }) {
		return out, nil
	}
	more, err := s.x.source.Bodies(s.ctx, []Ref{ref}, maxSnippetSource)
	if err != nil {
		return nil, err
	}
	return Snippet(oneLine(more[0].Text), words, marks, snippetRunes), nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// group leaves the first results of every work and says how many more it has.
func (s *searching) group(best []scored) (listed []scored, more map[uint32]int) {
	limit := perWork
	if s.q.Work != "" {
		limit = maxListed
	}
	shown := map[uint32]int{}
	lastOf := map[uint32]uint32{}
	for _, b := range best {
		w := s.g.slots[s.g.docs[b.doc].slot].work
		if shown[w] >= limit {
			continue
		}
		shown[w]++
		if len(listed) < maxListed {
			listed = append(listed, b)
			lastOf[w] = b.doc
		}
	}
	more = map[uint32]int{}
	found := map[uint32]int{}
	for i, n := range s.per {
		if n > 0 && s.fails[i] == 0 {
			found[s.g.slots[i].work] += int(n)
		}
	}
	for w, doc := range lastOf {
		if n := found[w] - shown[w]; n > 0 && shown[w] >= limit {
			more[doc] = n
		}
	}
	return listed, more
}

// marks are the stems to mark with their weights.
func (s *searching) marks() map[string]float64 {
	out := map[string]float64{}
	for _, t := range s.terms {
		for _, v := range t.variants {
			if v.boost >= leastMask {
				out[v.term] = max(out[v.term], v.boost*t.idf)
			}
		}
	}
	return out
}
