package search

import "strings"

// list groups the results and fills the page that was asked for.
func (s *searching) list(best []scored) error {
	if s.q.Sort == ByDate {
		best = s.once(best)
	}
	listed, more := s.group(best)
	s.res.Listed = len(listed)
	from := min(max(s.q.Offset, 0), len(listed))
	page := listed[from:min(from+s.q.Limit, len(listed))]
	refs := make([]Ref, 0, len(page))
	for _, b := range page {
		d := &s.g.docs[b.doc]
		sl := &s.g.slots[d.slot]
		h := Hit{Work: s.g.works[sl.work].ID, Lang: s.g.values[langFacet][sl.value[langFacet]], Kind: kindOfLetter[d.letter], Score: float64(b.score), More: more[b.doc]}
		if d.letter != 0 {
			h.Ref, h.Until = s.g.ref(d), dayText(d.until)
			refs = append(refs, h.Ref)
		}
		s.res.Hits = append(s.res.Hits, h)
	}
	bodies, err := s.x.source.Bodies(s.ctx, refs, maxSnippetSource)
	if err != nil {
		return err
	}
	marks := s.marks()
	for i, k := 0, 0; i < len(s.res.Hits); i++ {
		h := &s.res.Hits[i]
		if h.Kind == "" && h.EID == "" {
			continue
		}
		b := bodies[k]
		k++
		h.Num, h.Heading = b.Num, b.Heading
		h.Snippet = Snippet(strings.Join(strings.Fields(b.Text), " "), marks, snippetRunes)
	}
	return nil
}

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
