package decrees

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Names of a column are printed without blank lines between them, so a line that
// begins as names begin may be the next name or only the next line. This file
// decides: where the line before had room for the word, the break was meant;
// where it was full, only the number of rows can tell.

// joinSoft joins back the breaks of a page that were not meant. carried names
// came from the page before and belong here; after is how many names stand
// behind the page mark and may belong here.
func joinSoft(s *sheet, carried, after int) {
	width := pageWidth(s)
	var soft, doubtful []*unit
	apart := carried
	for _, seg := range s.segs {
		for _, u := range units(seg) {
			switch {
			case u.soft == nil:
				apart++
			case room(u, width) <= 0:
				doubtful = append(doubtful, u)
				soft = append(soft, u)
			default:
				soft = append(soft, u)
			}
		}
	}
	if apart >= len(s.rows) {
		// The rows are served already: no break of the page was meant.
		joinUnits(s, soft)
		return
	}
	short := len(s.rows) - (apart + after + len(soft) - len(doubtful))
	if short >= len(doubtful) {
		return
	}
	if short > 0 {
		slices.SortStableFunc(doubtful, func(a, b *unit) int { return room(b, width) - room(a, width) })
		// A tie at the limit is not decided: all are joined and the count of
		// the page then reports the missing names.
		if room(doubtful[short-1], width) > room(doubtful[short], width) {
			doubtful = doubtful[short:]
		}
	}
	joinUnits(s, doubtful)
}

// joinUnits joins each unit of a page to the one it follows.
func joinUnits(s *sheet, list []*unit) {
	into := map[*unit]*unit{}
	for _, u := range list {
		into[u] = u.soft
	}
	for i, seg := range s.segs {
		s.segs[i] = slices.DeleteFunc(seg, func(e entry) bool {
			target := into[e.unit]
			if e.unit == nil || target == nil {
				return false
			}
			if t := into[target]; t != nil {
				target = t // joined itself, before this one
			}
			into[e.unit] = target
			target.parts = append(target.parts, e.unit.parts...)
			return true
		})
	}
}

// room is how many characters the line before a unit had left after its first
// word.
func room(u *unit, width int) int {
	before := u.soft.parts[len(u.soft.parts)-1].text
	first := spans(u.parts[0].text)
	if len(first) == 0 {
		return 0
	}
	w := utf8.RuneCountInString(u.parts[0].text[first[0].start:first[0].end])
	return width - utf8.RuneCountInString(strings.TrimSpace(before)) - 1 - w
}

// pageWidth is the longest line of the names of a page.
func pageWidth(s *sheet) int {
	width := 0
	for _, seg := range s.segs {
		for _, u := range units(seg) {
			for _, p := range u.parts {
				if !p.bullet {
					width = max(width, utf8.RuneCountInString(strings.TrimSpace(p.text)))
				}
			}
		}
	}
	return width
}
