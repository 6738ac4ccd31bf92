// Package compare tells what differs between two readings of a text: which
// pieces came, went or changed, and within a changed piece which words.
package compare

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"diwan/internal/gazette/model"
)

// Op says what became of a run of words.
type Op byte

// The operations.
const (
	Same Op = iota
	Added
	Removed
)

// Run is a run of text that was kept, added or removed.
type Run struct {
	Op   Op
	Text string
}

// Is reports the operation by its name, for templates.
func (r Run) Is(name string) bool {
	return r.Op == Added && name == "added" || r.Op == Removed && name == "removed" || r.Op == Same && name == "same"
}

// Change is what became of one piece.
type Change struct {
	Kind     string // same, changed, added, removed
	Old, New *model.Piece
	Runs     []Run // of a changed piece: its text, word by word
}

// Pieces compares two readings piece by piece; pieces are the same by their eId.
// The order is that of the new reading, with what was removed where it stood.
func Pieces(before, after []model.Piece) []Change {
	old := make(map[string]*model.Piece, len(before))
	for i := range before {
		old[before[i].EID] = &before[i]
	}
	kept := make(map[string]bool, len(after))
	for i := range after {
		kept[after[i].EID] = true
	}
	var out []Change
	next := 0 // of the old reading: what was removed before the piece at hand
	removed := func(upTo string) {
		for next < len(before) {
			p := &before[next]
			if p.EID == upTo {
				next++
				return
			}
			if kept[p.EID] {
				return // it comes later: the order changed
			}
			out = append(out, Change{Kind: "removed", Old: p})
			next++
		}
	}
	for i := range after {
		p := &after[i]
		removed(p.EID)
		o := old[p.EID]
		switch {
		case o == nil:
			out = append(out, Change{Kind: "added", New: p})
		case textOf(o) == textOf(p):
			out = append(out, Change{Kind: "same", Old: o, New: p})
		default:
			out = append(out, Change{Kind: "changed", Old: o, New: p, Runs: Words(textOf(o), textOf(p))})
		}
	}
	removed("")
	for ; next < len(before); next++ {
		if !kept[before[next].EID] {
			out = append(out, Change{Kind: "removed", Old: &before[next]})
		}
	}
	return out
}

func textOf(p *model.Piece) string {
	if t := p.Title(); t != "" {
		return t + "\n" + p.Text
	}
	return p.Text
}

// maxWork bounds the comparison of two texts: beyond it they count as
// altogether different, which is what a reader would say too.
const maxWork = 1500

// Words compares two texts word by word (Myers, "An O(ND) difference algorithm
// and its variations", 1986).
func Words(before, after string) []Run {
	a, b := split(before), split(after)
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	var runs []Run
	add := func(op Op, words []string) {
		text := strings.Join(words, "")
		switch {
		case text == "":
		case len(runs) > 0 && runs[len(runs)-1].Op == op:
			runs[len(runs)-1].Text += text
		default:
			runs = append(runs, Run{op, text})
		}
	}
	add(Same, a[:start])
	x, y := a[start:len(a)-end], b[start:len(b)-end]
	if trace, ok := shortest(x, y); ok {
		walk(trace, x, y, add)
	} else {
		add(Removed, x)
		add(Added, y)
	}
	add(Same, a[len(a)-end:])
	return runs
}

// split cuts a text into words, each with the white space behind it.
func split(s string) []string {
	var out []string
	from, space := 0, false
	for i, r := range s {
		isSpace := unicode.IsSpace(r)
		if space && !isSpace {
			out = append(out, s[from:i])
			from = i
		}
		space = isSpace
	}
	if from < len(s) {
		out = append(out, s[from:])
	}
	// The last word has no space behind it in one text and may have in the other:
	// compare words, not their spaces.
	if n := len(out); n > 0 {
		if r, _ := utf8.DecodeLastRuneInString(out[n-1]); !unicode.IsSpace(r) {
			out[n-1] += " "
		}
	}
	return out
}

// shortest finds the shortest way from x to y and returns the furthest points of
// each round.
func shortest(x, y []string) (trace [][]int, ok bool) {
	n, m := len(x), len(y)
	if n+m == 0 {
		return nil, true
	}
	most := min(n+m, maxWork)
	v := make([]int, 2*most+3)
	mid := most + 1
	for d := 0; d <= most; d++ {
		trace = append(trace, append([]int(nil), v[mid-d-1:mid+d+2]...))
		for k := -d; k <= d; k += 2 {
			var i int
			if k == -d || k != d && v[mid+k-1] < v[mid+k+1] {
				i = v[mid+k+1]
			} else {
				i = v[mid+k-1] + 1
			}
			j := i - k
			for i < n && j < m && x[i] == y[j] {
				i++
				j++
			}
			v[mid+k] = i
			if i >= n && j >= m {
				return trace, true
			}
		}
	}
	return nil, false
}

// walk follows the trace back and reports the runs in reading order.
func walk(trace [][]int, x, y []string, add func(Op, []string)) {
	type step struct {
		op    Op
		words []string
	}
	var steps []step
	i, j := len(x), len(y)
	for d := len(trace) - 1; d >= 0 && (i > 0 || j > 0); d-- {
		v := trace[d]
		at := func(k int) int { return v[k+d+1] }
		k := i - j
		prev := k - 1
		if k == -d || k != d && at(k-1) < at(k+1) {
			prev = k + 1
		}
		pi := 0
		if d > 0 {
			pi = at(prev)
		}
		pj := pi - prev
		if d == 0 {
			pi, pj = 0, 0
		}
		for i > pi && j > pj {
			i--
			j--
			steps = append(steps, step{Same, x[i : i+1]})
		}
		switch {
		case d == 0:
		case i > pi:
			i--
			steps = append(steps, step{Removed, x[i : i+1]})
		case j > pj:
			j--
			steps = append(steps, step{Added, y[j : j+1]})
		}
	}
	for s := len(steps) - 1; s >= 0; s-- {
		add(steps[s].op, steps[s].words)
	}
}
