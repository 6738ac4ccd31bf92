package search

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// search fills a result.
func (g *generation) search(ctx context.Context, q Query, r *Result) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := g.pool.Get().(*scratch)
	defer func() {
		s.reset()
		g.pool.Put(s)
	}()
	offset, limit := min(max(q.Offset, 0), maxOffset), min(max(q.Limit, 0), maxLimit)
	chosen := g.chosen(q.Filters)
	if blank(q.Text) {
		g.listAll(s.found, chosen, offset, limit, r)
		return nil
	}
	p := g.plan(clean(q.Text), q.Lang)
	matches, err := g.rank(ctx, p, s)
	if err != nil {
		return err
	}
	for _, m := range matches {
		s.found.add(m.ord)
	}
	r.Facets = g.count(s.found, chosen)
	matches = slices.DeleteFunc(matches, func(m match) bool {
		for _, set := range chosen {
			if !set.has(m.ord) {
				return true
			}
		}
		return false
	})
	r.Total = len(matches)
	for _, m := range page(matches, offset, limit) {
		row := &g.Rows[m.ord]
		r.Hits = append(r.Hits, Hit{row.Kind, row.ID, float64(m.score)})
	}
	if len(matches) > 0 {
		r.Corrected = p.corrected
	}
	r.Also = p.also(func(a *alternative) bool { return g.hasAll(ctx, a) })
	return nil
}

// hasAll reports whether every word of an alternative is in the catalogue.
func (g *generation) hasAll(ctx context.Context, a *alternative) bool {
	for _, u := range a.units {
		list, err := g.postings(ctx, u[0].kind, u[0].text)
		if err != nil || list == nil {
			return false
		}
	}
	return len(a.units) > 0
}

// blank reports whether a text has nothing in it at all, not even a mark.
func blank(s string) bool { return clean(s) == "" && len(s) <= maxQueryBytes }

// listAll lists everything that the filters let through, in the order of
// ordinals.
func (g *generation) listAll(found bitset, chosen map[string]bitset, offset, limit int, r *Result) {
	for i := range g.Rows {
		found.add(uint32(i))
	}
	r.Facets = g.count(found, chosen)
	for _, set := range chosen {
		found.and(set)
	}
	r.Total = found.count()
	at := 0
	found.each(func(i uint32) bool {
		if at++; at <= offset {
			return true
		}
		if len(r.Hits) == limit {
			return false
		}
		r.Hits = append(r.Hits, Hit{g.Rows[i].Kind, g.Rows[i].ID, 0})
		return true
	})
}

// page returns matches offset up to offset+limit in order of score, then of
// ordinal. Only as many are sorted as are needed.
func page(matches []match, offset, limit int) []match {
	end := min(offset+limit, len(matches))
	if offset >= end {
		return nil
	}
	if len(matches) > 4*end+64 {
		floor := nthScore(matches, end)
		matches = slices.DeleteFunc(slices.Clone(matches), func(m match) bool { return m.score < floor })
	}
	slices.SortFunc(matches, byScore)
	return matches[offset:end]
}

func byScore(a, b match) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.ord, b.ord))
}

// nthScore returns a score that at least n matches have, near to the highest
// such one.
func nthScore(matches []match, n int) float32 {
	low, high := float32(math.Inf(1)), float32(0)
	for _, m := range matches {
		low, high = min(low, m.score), max(high, m.score)
	}
	for range 12 {
		mid, above := (low+high)/2, 0
		for _, m := range matches {
			if m.score >= mid {
				above++
			}
		}
		if above >= n {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}
