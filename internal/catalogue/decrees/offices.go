package decrees

import "strings"

// office is one administration found in the table, perhaps over several lines
// with a name, deadlines or a page mark between its words.
type office struct {
	id     string
	raw    string
	first  int // index of its first line
	last   int // index of its last line
	pieces []piece
	words  []int // single-word lines taken from a scattered line
}

// piece is the start of a line that belongs to an office.
type piece struct {
	line, end int
}

// spelling is a printed form as words.
type spelling struct {
	id   string
	keys []string
}

func spellings(list []Administration) []spelling {
	var out []spelling
	seen := map[string]bool{}
	for _, a := range list {
		for _, p := range a.Printed {
			keys := keysOf(p)
			k := strings.Join(keys, " ")
			if len(keys) == 0 || seen[k] {
				continue
			}
			seen[k] = true
			out = append(out, spelling{a.ID, keys})
		}
	}
	return out
}

// officeFinder recognises offices. The table of spellings is what tells the
// administration column from the name column when both share lines.
type officeFinder struct {
	lines []line
	forms []spelling
	dead  map[[2]int]bool // line and words left that lead nowhere, for one form
}

// reach is how many lines after its first an office may end: a page and a half.
const reach = 240

// find marks every line that carries words of an office and returns the offices
// in the order they begin.
func (f *officeFinder) find() []office {
	var out []office
	for i := range f.lines {
		if f.lines[i].kind != textLine || f.lines[i].office >= 0 {
			continue
		}
		o, ok := f.match(i)
		if !ok {
			continue
		}
		for _, p := range o.pieces {
			f.lines[p.line].office, f.lines[p.line].taken = len(out), p.end
		}
		for _, w := range o.words {
			f.lines[w].kind = ignoredLine
		}
		out = append(out, o)
	}
	return out
}

// match reads the longest office that begins on line i.
func (f *officeFinder) match(i int) (office, bool) {
	var best office
	bestLen := 0
	for _, form := range f.forms {
		if len(form.keys) <= bestLen || !f.begins(i, form.keys) {
			continue
		}
		var found []piece
		var scattered []int
		f.dead = map[[2]int]bool{}
		if f.step(i, form.keys, &found, &scattered, i) {
			best = office{id: form.id, first: i, last: found[len(found)-1].line, pieces: found, words: scattered}
			bestLen = len(form.keys)
		}
	}
	if bestLen == 0 {
		return office{}, false
	}
	best.raw = f.rawOf(best)
	return best, true
}

// begins reports whether line i can open an office: two of its words, or the
// whole line when it holds one.
func (f *officeFinder) begins(i int, keys []string) bool {
	ws := f.lines[i].words
	if len(ws) == 0 || ws[0].key != keys[0] {
		return false
	}
	return len(ws) == 1 || len(keys) > 1 && ws[1].key == keys[1]
}

// opensAny reports whether line i opens some office with two words at least.
func (f *officeFinder) opensAny(i int) bool {
	ws := f.lines[i].words
	if len(ws) < 2 {
		return false
	}
	for _, form := range f.forms {
		if len(form.keys) > 1 && ws[0].key == form.keys[0] && ws[1].key == form.keys[1] {
			return true
		}
	}
	return false
}

// step matches the rest of an office from line i on. A line may carry the next
// words at its start, or none and be skipped; a row number ends the search, and
// so does a line that opens another office.
func (f *officeFinder) step(i int, rest []string, found *[]piece, scattered *[]int, first int) bool {
	if len(rest) == 0 {
		return true
	}
	state := [2]int{i, len(rest)}
	if f.dead[state] {
		return false
	}
	f.dead[state] = true
	for ; i < len(f.lines) && i <= first+reach; i++ {
		ln := &f.lines[i]
		if ln.kind == numberCell {
			return false
		}
		if ln.kind != textLine || ln.office >= 0 {
			continue
		}
		n := 0
		for n < len(ln.words) && n < len(rest) && ln.words[n].key == rest[n] {
			n++
		}
		if n > 0 {
			*found = append(*found, piece{i, ln.words[n-1].end})
			if f.step(i+1, rest[n:], found, scattered, first) {
				return true
			}
			if n == len(ln.words) && i+1 < len(f.lines) {
				if words, ok := f.scatteredBefore(first, rest[n:]); ok {
					*scattered = words
					if f.step(i+1, rest[n+len(words):], found, scattered, first) {
						return true
					}
					*scattered = nil
				}
			}
			*found = (*found)[:len(*found)-1]
		}
		if i == first || f.opensAny(i) {
			return false
		}
	}
	return false
}

// scatteredBefore finds the words of a justified line that were printed alone,
// one to a block, before the office they belong to.
func (f *officeFinder) scatteredBefore(first int, rest []string) ([]int, bool) {
	var run []int
	for i := first - 1; i >= 0; i-- {
		ln := f.lines[i]
		if ln.kind == blankLine || ln.kind == numberCell {
			continue
		}
		if ln.kind != textLine || ln.office >= 0 || !loneWord(f.lines, i) {
			break
		}
		run = append([]int{i}, run...)
	}
	if len(run) == 0 || len(run) >= len(rest) {
		return nil, false
	}
	for n, i := range run {
		if f.lines[i].words[0].key != rest[n] {
			return nil, false
		}
	}
	return run, true
}

// loneWord reports whether line i is a block of one word.
func loneWord(lines []line, i int) bool {
	if len(lines[i].words) != 1 {
		return false
	}
	b := lines[i].block
	before := i == 0 || lines[i-1].kind != textLine || lines[i-1].block != b
	after := i+1 >= len(lines) || lines[i+1].block != b || lines[i+1].kind == blankLine || lines[i+1].kind == markLine
	return before && after
}

// rawOf joins the words of an office as printed.
func (f *officeFinder) rawOf(o office) string {
	var parts []string
	for n, p := range o.pieces {
		ln := f.lines[p.line]
		s := ln.raw[:p.end]
		if n+1 < len(o.pieces) {
			s += dashAfter(ln.raw[p.end:])
		}
		parts = append(parts, strings.TrimSpace(s))
		if n == 0 {
			for _, w := range o.words {
				parts = append(parts, strings.TrimSpace(f.lines[w].raw))
			}
		}
	}
	return strings.Join(parts, " ")
}

// dashAfter gives the dash that follows a piece, if that is what follows.
func dashAfter(s string) string {
	t := strings.TrimSpace(s)
	if strings.HasPrefix(t, "-") || strings.HasPrefix(t, "\u2013") {
		return " -"
	}
	return ""
}
