package structure

import (
	"strings"
	"unicode"

	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

// node is a unit being built.
type node struct {
	model.Unit
	unit  int     // index of the grammar's unit, -1 for articles
	rank  float64 // articles have the highest
	kids  []*node
	lines []piece
	label grammar.Label
	open  bool // its heading may go on
	prose bool // text that stands before the first unit
}

// piece is one line, or the rest of one, of the text of a unit.
type piece struct {
	start, end int
	line       int
}

const articleRank = 100

// tree builds the units of a stretch of text from the lines lo to hi, whose
// first byte is from and last to. The articles are those of list that lie in it.
type tree struct {
	d     *document
	ids   map[string]int
	base  string // prefix of every eId
	group int
	ranks map[int]float64
	root  []*node
	stack []*node
	dup   []model.Problem
	paras int
}

func (t *tree) top() *node {
	if len(t.stack) == 0 {
		return nil
	}
	return t.stack[len(t.stack)-1]
}

func (t *tree) push(n *node) {
	if p := t.top(); p != nil {
		p.kids = append(p.kids, n)
	} else {
		t.root = append(t.root, n)
	}
	t.stack = append(t.stack, n)
}

// build reads the lines lo to hi between two bytes.
func (t *tree) build(lo, hi, from, to int, list []found) {
	d := t.d
	ui := d.unitFrom(lo)
	ai := 0
	for ai < len(list) && list[ai].at < from {
		ai++
	}
	for i := lo; i < hi && i < len(d.lines); i++ {
		l := d.lines[i]
		start, end := max(l.start, from), min(l.end, to)
		if start >= end || l.class == page || l.class == mark || l.class == note || l.class == section || l.class == stars {
			continue
		}
		for ui < len(d.units) && d.units[ui].line < i {
			ui++
		}
		if ui < len(d.units) && d.units[ui].line == i && t.isUnit(d.units[ui]) && start == l.start &&
			!(ai < len(list) && list[ai].at < l.end && list[ai].at == l.start) {
			start = t.unit(d.units[ui], end)
		}
		for ai < len(list) && list[ai].at < end {
			a := list[ai]
			ai++
			if a.at < start {
				continue
			}
			t.text(i, start, a.at)
			start = t.article(a, end)
		}
		// The number of an article may stand on the line after.
		if start < end {
			t.text(i, start, end)
		}
	}
}

func (t *tree) isUnit(u unitAt) bool { return u.strong && (u.group < 0 || u.group != t.group) }

// unit opens a book, title, chapter or section and returns where its line is
// read up to.
func (t *tree) unit(u unitAt, end int) int {
	rank, known := t.ranks[u.Unit]
	if !known {
		rank = float64(u.rank)
		// A word that ranks higher elsewhere stands below here when it begins to
		// count right under the heading of another.
		if p := t.top(); p != nil && p.unit >= 0 && len(p.kids) == 0 && rank <= p.rank && u.Label.N <= 1 {
			rank = p.rank + 0.5
		}
		t.ranks[u.Unit] = rank
	}
	for len(t.stack) > 0 && t.top().rank >= rank {
		t.stack = t.stack[:len(t.stack)-1]
	}
	d := t.d
	n := &node{unit: u.Unit, rank: rank, label: u.Label, open: true}
	n.Kind = u.kind
	n.Start = d.lines[u.line].start
	n.Num = strings.TrimRight(d.text[n.Start:u.head], " :.-–")
	n.Label = d.g.Format(u.Label)
	n.Head = model.Span{Start: n.Start, End: end}
	n.Heading = cleanHeading(d.text[u.head:end])
	t.push(n)
	return end
}

// article opens an article and returns where its text begins on the line.
func (t *tree) article(a found, end int) int {
	for len(t.stack) > 0 && t.top().rank >= articleRank {
		t.stack = t.stack[:len(t.stack)-1]
	}
	d := t.d
	n := &node{unit: -1, rank: articleRank, label: a.label}
	n.Kind = model.Article
	n.Start = a.at
	n.Label = d.g.Format(a.label)
	n.Num = strings.TrimSpace(d.text[a.at:min(a.end, len(d.text))])
	at := max(a.end, a.at)
	if at > end { // its number stands on the next line
		n.Num = strings.Join(strings.Fields(n.Num), " ")
		n.Head = model.Span{Start: a.at, End: at}
		t.push(n)
		return end
	}
	rest := d.text[at:end]
	skip := len(rest) - len(strings.TrimLeftFunc(rest, func(r rune) bool {
		return space(r) || r == '.' || r == ':' || r == '-' || r == '–' || r == '—' || r == '_' || r == '°' || r == ')'
	}))
	n.Head = model.Span{Start: a.at, End: trimEnd(d.text, a.at, at+skip)}
	at += skip
	if at < end && t.headingHere(a, at, end) {
		n.Heading = cleanHeading(d.text[at:end])
		n.Head.End = end
		at = end
	}
	t.push(n)
	return at
}

// headingHere tells whether what follows an article's number on its line is its
// heading: a few words, no sentence, on a line that is not full.
func (t *tree) headingHere(a found, at, end int) bool {
	d := t.d
	l := d.lines[a.line]
	if a.inside || l.stop && d.text[l.end-1] != ':' || end-at > 160 || !l.short && a.sep {
		return false
	}
	k := d.after(a.line)
	if k >= len(d.lines) || !l.short {
		return false
	}
	last := d.text[end-1]
	return last != ',' && last != ';' && last != ':'
}

func cleanHeading(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool {
		return space(r) || r == ':' || r == '-' || r == '–' || r == '—' || r == '.' || r == '_' || unicode.Is(unicode.Co, r)
	})
	return strings.Join(strings.Fields(s), " ")
}

// maxHeading bounds the heading of a unit that goes on over several lines.
const maxHeading = 300

// text adds a piece of a line to what is open.
func (t *tree) text(line, start, end int) {
	start += len(t.d.text[start:end]) - len(strings.TrimLeftFunc(t.d.text[start:end], space))
	end = trimEnd(t.d.text, start, end)
	if start >= end {
		return
	}
	p := t.top()
	if p != nil && p.unit >= 0 && p.open {
		l := t.d.lines[line]
		whole := t.d.text[start:end]
		if len(p.Heading)+len(whole) < maxHeading && !(l.blank && p.Heading != "") && !strings.HasSuffix(whole, ".") && !(p.Heading != "" && !l.short && t.d.lines[line-1].short) {
			p.Heading = strings.TrimSpace(p.Heading + " " + cleanHeading(whole))
			p.Head.End = end
			return
		}
		p.open = false
	}
	if p == nil || p.unit >= 0 {
		// Text between a heading and its first article, or before all of them.
		n := &node{unit: -1, rank: articleRank, prose: true}
		n.Kind = model.Paragraph
		n.Start = start
		n.Head = model.Span{Start: start, End: start}
		t.push(n)
		p = n
	}
	if last := len(p.lines) - 1; p.prose && last >= 0 && t.d.lines[p.lines[last].line].stop && t.d.text[p.lines[last].end-1] != ':' {
		t.stack = t.stack[:len(t.stack)-1]
		t.text(line, start, end)
		return
	}
	if p.Head.End > start { // the number on its own line
		start = min(p.Head.End, end)
		if start >= end {
			return
		}
	}
	p.lines = append(p.lines, piece{start, end, line})
}

func trimEnd(s string, start, end int) int {
	return start + len(strings.TrimRightFunc(s[start:end], space))
}
