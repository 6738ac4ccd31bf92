package search

import (
	"slices"
	"strings"

	"diwan/lexis"
)

// field returns the documents of which a field says what the query asks.
func (e *evaluation) field(n *node) (bitset, error) {
	g := e.g
	switch n.field {
	case "title":
		return e.titled(n.value)
	case "article":
		e.pieces = true
		return e.article(n.value), nil
	case "number":
		key := numberKey(n.value)
		return e.ofSlots(func(s *slot) bool { return numberKey(g.works[s.work].Number) == key && key != "" }), nil
	case "date":
		from, to, _ := dateRange(n.value)
		return e.ofSlots(func(s *slot) bool {
			d := g.works[s.work].Signed
			return d != "" && d >= from && d <= to
		}), nil
	case FacetAuthority:
		stems, _ := stemsOf(n.value)
		return e.ofValue(authorityFacet, func(v string) bool {
			has, _ := stemsOf(v)
			return len(stems) > 0 && !slices.ContainsFunc(stems, func(s string) bool { return !slices.Contains(has, s) })
		}), nil
	}
	f := slices.Index(facetByNumber[:], n.field)
	want := []string{fold(n.value)}
	if e.x.Resolve != nil {
		for _, v := range e.x.Resolve(n.field, n.value) {
			want = append(want, fold(v))
		}
	}
	return e.ofValue(f, func(v string) bool { return slices.Contains(want, fold(v)) }), nil
}

var facetByNumber = [facets]string{kindFacet: FacetKind, stateFacet: FacetState, decadeFacet: FacetDecade, langFacet: FacetLang, subjectFacet: FacetSubject, authorityFacet: FacetAuthority}

// fold makes two spellings of a value one.
func fold(s string) string { return strings.ReplaceAll(lexis.FoldFrench(s), "_", "-") }

// ofSlots returns the documents of the texts and works that fit.
func (e *evaluation) ofSlots(fits func(*slot) bool) bitset {
	g := e.g
	ok := make([]bool, len(g.slots))
	for i := range g.slots {
		ok[i] = fits(&g.slots[i])
	}
	out := newBitset(len(g.docs))
	for n := range g.docs {
		if d := &g.docs[n]; d.letter != gone && ok[d.slot] {
			out.set(uint32(n))
		}
	}
	return out
}

func (e *evaluation) ofValue(f int, fits func(string) bool) bitset {
	ok := make([]bool, len(e.g.values[f]))
	for i, v := range e.g.values[f] {
		ok[i] = fits(v)
	}
	return e.ofSlots(func(s *slot) bool { return int(s.value[f]) < len(ok) && ok[s.value[f]] })
}

// titled returns the documents of works whose title has all words of a value, in
// this order if there are several.
func (e *evaluation) titled(value string) (bitset, error) {
	found, err := e.phrase(value, fieldTitle)
	if err != nil {
		return nil, err
	}
	ok := make([]bool, len(e.g.works))
	found.each(func(d uint32) bool {
		if x := &e.g.docs[d]; x.letter == 0 {
			ok[e.g.slots[x.slot].work] = true
		}
		return true
	})
	return e.ofSlots(func(s *slot) bool { return ok[s.work] }), nil
}

// article returns the documents of an article by its label.
func (e *evaluation) article(label string) bitset {
	g := e.g
	eid := "art_" + strings.ToLower(strings.TrimSpace(label))
	ok := make([]bool, len(g.eids))
	for i, x := range g.eids {
		ok[i] = x == eid || strings.HasSuffix(x, "__"+eid)
	}
	out := newBitset(len(g.docs))
	for n := range g.docs {
		if d := &g.docs[n]; d.letter != gone && d.letter != 0 && ok[d.eid] {
			out.set(uint32(n))
		}
	}
	return out
}

// numberKey brings the spellings of a number together: "1.20.06", "1-20-6".
func numberKey(s string) string {
	parts := strings.FieldsFunc(lexis.NormalizeArabic(s), func(r rune) bool { return r == '-' || r == '.' || r == '/' })
	for i, p := range parts {
		if t := strings.TrimLeft(p, "0"); t != "" {
			parts[i] = t
		} else {
			parts[i] = "0"
		}
	}
	return strings.Join(parts, "-")
}
