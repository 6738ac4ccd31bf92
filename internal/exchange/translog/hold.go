package translog

import (
	"cmp"
	"slices"
)

// hold compares entries of a log, the first at index from, with records that are
// held. Findings come in the order of the log, then those without a place in it.
func hold(from int64, entries []Entry, held []Held) []Finding {
	place := make(map[Entry]int, len(entries)) // entry → position in entries
	claimed := make([]bool, len(entries))
	for i, e := range entries {
		if _, twice := place[e]; !twice {
			place[e] = i
		}
	}
	var found []Finding
	journals := map[string][]*Held{}
	for i := range held {
		h := &held[i]
		if at, ok := place[h.Entry]; ok {
			claimed[at] = true
		}
		journals[h.Source] = append(journals[h.Source], h)
	}
	// In the order of their names, so that two looks say the same.
	names := make([]string, 0, len(journals))
	for name, list := range journals {
		slices.SortStableFunc(list, func(a, b *Held) int { return cmp.Compare(a.Seq, b.Seq) })
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		found = append(found, along(from, entries, journals[name], place, claimed)...)
	}
	for i, e := range entries {
		if !claimed[i] {
			found = append(found, Finding{Kind: Added, Index: from + int64(i), Entry: e})
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		if (a.Index < 0) != (b.Index < 0) {
			return cmp.Compare(b.Index, a.Index)
		}
		return cmp.Compare(a.Index, b.Index)
	})
	return found
}

// along goes through one journal. A record that the log lacks was altered when an
// entry that nobody holds stands between the places of its neighbours, and removed
// otherwise; that entry is then claimed.
func along(from int64, entries []Entry, list []*Held, place map[Entry]int, claimed []bool) []Finding {
	// after[i] is where the first record behind i that the log has stands.
	after := make([]int, len(list)+1)
	after[len(list)] = len(entries)
	for i := len(list) - 1; i >= 0; i-- {
		after[i] = after[i+1]
		if at, ok := place[list[i].Entry]; ok {
			after[i] = at
		}
	}
	var found []Finding
	last := -1
	for i, h := range list {
		if at, ok := place[h.Entry]; ok {
			if at < last {
				found = append(found, Finding{Kind: Reordered, Index: from + int64(at), Held: h, Entry: h.Entry})
			}
			last = max(last, at)
			continue
		}
		f := Finding{Kind: Removed, Index: -1, Held: h}
		for at := last + 1; at < after[i+1]; at++ {
			if !claimed[at] {
				claimed[at], last = true, at
				f.Kind, f.Index, f.Entry = Altered, from+int64(at), entries[at]
				break
			}
		}
		found = append(found, f)
	}
	return found
}
