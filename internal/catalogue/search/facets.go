package search

import (
	"cmp"
	"math/bits"
	"slices"
)

// bitset is a set of documents by ordinal.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) add(i uint32) { b[i>>6] |= 1 << (i & 63) }

func (b bitset) has(i uint32) bool { return b[i>>6]&(1<<(i&63)) != 0 }

func (b bitset) and(o bitset) {
	for i := range b {
		b[i] &= o[i]
	}
}

func (b bitset) or(o bitset) {
	for i := range b {
		b[i] |= o[i]
	}
}

func (b bitset) count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

func (b bitset) countAnd(o bitset) int {
	n := 0
	for i, w := range b {
		n += bits.OnesCount64(w & o[i])
	}
	return n
}

// each calls fn for every member in ascending order until it returns false.
func (b bitset) each(fn func(i uint32) bool) {
	for w, word := range b {
		for ; word != 0; word &= word - 1 {
			if !fn(uint32(w<<6 + bits.TrailingZeros64(word))) {
				return
			}
		}
	}
}

// facetSet is the documents that have one value of a facet.
type facetSet struct {
	value string
	docs  bitset
}

func newFacets(in map[string]map[string][]uint32, n int) map[string][]facetSet {
	out := make(map[string][]facetSet, len(in))
	for name, values := range in {
		for _, v := range sortedKeys(values) {
			s := facetSet{v, newBitset(n)}
			for _, ord := range values[v] {
				if int(ord) < n {
					s.docs.add(ord)
				}
			}
			out[name] = append(out[name], s)
		}
	}
	return out
}

// chosen returns for each filtered facet the documents that have one of the
// chosen values.
func (g *generation) chosen(filters map[string][]string) map[string]bitset {
	out := map[string]bitset{}
	for name, values := range filters {
		if len(values) == 0 {
			continue
		}
		set := newBitset(len(g.Rows))
		for _, f := range g.facets[name] {
			if slices.Contains(values, f.value) {
				set.or(f.docs)
			}
		}
		out[name] = set
	}
	return out
}

// count counts the values of every facet among the documents found. The counts
// of one facet heed the filters on the others but not its own, so that they say
// how many results a further value would bring.
func (g *generation) count(found bitset, chosen map[string]bitset) map[string][]Count {
	out := make(map[string][]Count, len(g.facets))
	base := newBitset(len(g.Rows))
	for name, values := range g.facets {
		copy(base, found)
		for other, set := range chosen {
			if other != name {
				base.and(set)
			}
		}
		var counts []Count
		for _, f := range values {
			if n := base.countAnd(f.docs); n > 0 {
				counts = append(counts, Count{f.value, n})
			}
		}
		slices.SortFunc(counts, func(a, b Count) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
		})
		if counts != nil {
			out[name] = counts
		}
	}
	return out
}
