package decrees

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A justified line may be printed one word to a block: its first word stays in
// the cell, the others stand alone elsewhere on the page. This file puts them
// back.

// run is consecutive words of one scattered line.
type run struct {
	words    []string
	line     int
	previous *unit
}

// words gives the runs of scattered words of page i: its own and those after
// its mark.
func (p *pairer) words(s *sheet, i int) []run {
	var out []run
	collect := func(list []entry) {
		joined := false
		for _, e := range list {
			if e.word == "" {
				joined = false
				continue
			}
			if joined {
				out[len(out)-1].words = append(out[len(out)-1].words, e.word)
			} else {
				out = append(out, run{[]string{e.word}, e.line, e.previous})
			}
			joined = true
		}
	}
	for _, seg := range s.segs {
		collect(seg)
	}
	if i+1 < len(p.sheets) {
		collect(p.sheets[i+1].lead)
	}
	return out
}

// scatter puts runs of words back at the widest gap: the line break where the
// next line's first word would have had room. A run just behind a cell with a
// gap belongs to it; the other runs go to the widest gap that is left, before
// words already put there, because extraction keeps the end of the line nearest
// to its cell. It returns the runs that fit nowhere.
func scatter(s *sheet, runs []run, pool []*unit) []run {
	var all []*unit
	for _, r := range s.sorted() {
		if r.unit != nil {
			all = append(all, r.unit)
		}
	}
	all = append(all, pool...)
	width := pageWidth(s)
	var later, lost []run
	for _, r := range runs {
		if u := r.previous; u != nil && len(u.fill) == 0 {
			if at, gap := widest(u, width); gap >= length(r.words) {
				u.gap, u.fill = at, r.words
				continue
			}
		}
		later = append(later, r)
	}
	for _, r := range later {
		var best *unit
		bestAt, bestGap := 0, 0
		for _, u := range all {
			if at, gap := widest(u, width); gap > bestGap {
				best, bestAt, bestGap = u, at, gap
			}
		}
		if best == nil || bestGap < length(r.words) {
			lost = append(lost, r)
			continue
		}
		best.scattered = len(best.fill) == 0
		best.gap = bestAt
		best.fill = append(slices.Clone(r.words), best.fill...)
	}
	return lost
}

func length(words []string) int { return utf8.RuneCountInString(strings.Join(words, " ")) }

// widest gives the part of a unit after which most room was left. A part that
// announces a list or is an item of one ends where it should, and a line with words put back already
// offers only what they left.
func widest(u *unit, width int) (int, int) {
	at, gap := 0, -1
	if u.deleted {
		return at, gap
	}
	for i := 0; i+1 < len(u.parts); i++ {
		text, next := strings.TrimSpace(u.parts[i].text), u.parts[i+1]
		first := spans(next.text)
		if len(first) == 0 || next.bullet || text == "-" || waits(text) {
			continue
		}
		if len(u.fill) > 0 && i != u.gap {
			continue
		}
		g := width - utf8.RuneCountInString(text) - 1 - utf8.RuneCountInString(next.text[first[0].start:first[0].end])
		if len(u.fill) > 0 {
			g -= length(u.fill) + 1
		}
		if g > gap {
			at, gap = i, g
		}
	}
	return at, gap
}

// place orders the names left over for the rows that wait. A name whose words
// were scattered has lost its place in the order: it goes where the other names
// then share most words with the rows beside them, since a table keeps one
// subject together. It reports false when two places are equally good.
func place(s *sheet, waiting []*row, pool []*unit) ([]*unit, bool) {
	at := slices.IndexFunc(pool, func(u *unit) bool { return u.scattered })
	if at < 0 || len(pool) < 2 {
		return pool, true
	}
	lost := pool[at]
	rest := slices.Delete(slices.Clone(pool), at, at+1)
	var best []*unit
	bestScore, ties := -1, 0
	for i := range waiting {
		order := slices.Insert(slices.Clone(rest), i, lost)
		if misplacesDeleted(pool, order) {
			continue
		}
		switch score := likeness(s, waiting, order); {
		case score > bestScore:
			best, bestScore, ties = order, score, 0
		case score == bestScore:
			ties++
		}
	}
	return best, best != nil && ties == 0
}

// misplacesDeleted reports an order that moves a deleted cell, whose place is
// known, to another row.
func misplacesDeleted(pool, order []*unit) bool {
	for i, u := range pool {
		if u.deleted && order[i] != u {
			return true
		}
	}
	return false
}

// likeness counts the words that rows of the page share with the row before.
func likeness(s *sheet, waiting []*row, order []*unit) int {
	given := map[*row]*unit{}
	for i, r := range waiting {
		given[r] = order[i]
	}
	score := 0
	var prev map[string]bool
	for _, r := range s.sorted() {
		u := r.unit
		if g := given[r]; g != nil {
			u = g
		}
		words := map[string]bool{}
		if u != nil && !u.deleted {
			for _, k := range keysOf(u.raw()) {
				if utf8.RuneCountInString(k) > 3 {
					words[k] = true
					if prev[k] {
						score++
					}
				}
			}
		}
		prev = words
	}
	return score
}
