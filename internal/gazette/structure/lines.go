package structure

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

// maxLines bounds the lines that are told apart; what follows them is one line.
const maxLines = 1 << 20

// headTokens is how much of a line is read to tell what it is.
const headTokens = 24

type class uint8

const (
	plain   class = iota
	page          // page number or running header
	mark          // mark of a footnote
	note          // footnote
	section       // heading of a part of the issue
	stars         // ornament
	heading       // book, title, chapter, section
	article       // head of an article, taken for one
	formula       // enacting formula, closing, and others with a role
)

// line is a line with something on it. Blank lines are not kept.
type line struct {
	start, end int // without white space around
	class      class
	role       grammar.Role // of the formula it begins with
	blank      bool         // a blank line stands before it
	stop       bool         // it ends a sentence or a clause
	quoted     bool         // it begins inside a quotation
	short      bool         // it ends well before the right edge
	edge       bool         // a page ends before it
}

// document is the text being read.
type document struct {
	text    string
	g       *grammar.Grammar
	l       *grammar.Lang
	s       *grammar.Scanner
	lines   []line
	toks    []grammar.Token // scratch
	titles  []titleAt
	articls []candidate
	units   []unitAt
	issue   model.Issue
	suspect bool         // no number can be trusted
	dotted  bool         // some digits came out as dots
	rest    []model.Span // of no act
}

type titleAt struct {
	line int
	grammar.Title
	strong bool
	words  string // its first words, to know it again
}

type unitAt struct {
	line int
	grammar.UnitHead
	rank int
	kind model.UnitKind
	head int // byte where its number ends
	// group is the group of articles that uses the same word, -1 when none does.
	group  int
	strong bool
}

// tokens reads up to limit tokens of a span into the scratch space.
func (d *document) tokens(start, end, limit int) []grammar.Token {
	d.toks = d.s.Tokens(d.toks[:0], d.text[start:end], start, limit)
	return d.toks
}

// split cuts the text into lines.
func (d *document) split(t *model.Text) {
	add := func(start, end int, blank *bool) {
		s := d.text[start:end]
		left := strings.TrimLeftFunc(s, space)
		start = end - len(left)
		end = start + len(strings.TrimRightFunc(left, space))
		if start == end {
			*blank = true
			return
		}
		r, _ := utf8.DecodeLastRuneInString(d.text[start:end])
		d.lines = append(d.lines, line{start: start, end: end, blank: *blank, stop: d.g.Stop(r) || d.g.QuoteMark(r)})
		*blank = false
	}
	blank := true
	if len(t.Lines) > 0 && sound(t) {
		at := 0
		for i, ln := range t.Lines {
			if gap := d.text[at:max(at, ln.Start)]; strings.TrimSpace(gap) != "" || strings.Count(gap, "\n") > 1 {
				add(at, ln.Start, &blank) // more than the feed that ends a line
			}
			n := len(d.lines)
			add(ln.Start, ln.End, &blank)
			if i > 0 && ln.Page != t.Lines[i-1].Page && len(d.lines) > n {
				d.lines[n].edge = true
			}
			at = ln.End
		}
		add(at, len(d.text), &blank)
		return
	}
	for i := 0; i < len(d.text); {
		end := strings.IndexAny(d.text[i:], "\n\f")
		if end < 0 || len(d.lines) >= maxLines {
			add(i, len(d.text), &blank)
			break
		}
		n := len(d.lines)
		add(i, i+end, &blank)
		if i > 0 && d.text[i-1] == '\f' && len(d.lines) > n {
			d.lines[n].edge = true
		}
		i += end + 1
	}
}

// sound tells whether the lines of a text are in order and few enough.
func sound(t *model.Text) bool {
	at := 0
	for _, l := range t.Lines {
		if l.Start < at || l.End < l.Start || l.End > len(t.Body) {
			return false
		}
		at = l.End
	}
	return len(t.Lines) <= maxLines
}

func space(r rune) bool {
	return unicode.IsSpace(r) || r == 0xFEFF || r == 0x200B || r == 0x200E || r == 0x200F
}

// edges marks the lines that end well before the right edge: they end a
// paragraph even where no stop stands.
func (d *document) edges() {
	var counts [256]int
	total := 0
	for _, l := range d.lines {
		if n := l.end - l.start; n > 20 && n < 1024 {
			counts[n/4]++
			total++
		}
	}
	seen, wide := 0, 0
	for i, c := range counts {
		if seen += c; seen*10 >= total*8 {
			wide = i * 4
			break
		}
	}
	for i := range d.lines {
		d.lines[i].short = (d.lines[i].end-d.lines[i].start)*100 < wide*55
	}
}

// maxQuote bounds a quotation, in lines: a mark that is not closed within it is
// no quotation.
const maxQuote = 40

// quotations marks the lines that begin inside quotation marks. Damaged text
// turns the marks round, so only their number on a line counts.
func (d *document) quotations() {
	opened := -1
	for i := range d.lines {
		l := &d.lines[i]
		n := 0
		for _, r := range d.text[l.start:l.end] {
			if r != '"' && r < 0x80 {
				continue
			}
			if d.g.QuoteMark(r) {
				n++
			}
		}
		if n%2 == 0 {
			continue
		}
		first, _ := utf8.DecodeRuneInString(d.text[l.start:])
		_, starts := d.g.OpensQuote(first)
		switch {
		case opened >= 0 && starts && n == 1:
			// Each line of a long quotation opens with a mark of its own.
		case opened >= 0:
			for k := opened + 1; k <= i && i-opened <= maxQuote; k++ {
				d.lines[k].quoted = true
			}
			if opened = -1; i-opened > maxQuote {
				opened = i
			}
		default:
			opened = i
		}
	}
}

// content returns the last line before i that is neither page furniture nor a
// footnote, -1 when there is none.
func (d *document) before(i int) int {
	for i--; i >= 0; i-- {
		switch d.lines[i].class {
		case page, mark, note:
			continue
		}
		return i
	}
	return -1
}

// after is the same for the lines that follow, len(lines) when there is none.
func (d *document) after(i int) int {
	for i++; i < len(d.lines); i++ {
		switch d.lines[i].class {
		case page, mark, note:
			continue
		}
		return i
	}
	return i
}

// free tells whether a sentence can begin at line i: the one before ended, is a
// heading, or left the line half empty.
func (d *document) free(i int) bool {
	p := d.before(i)
	if p < 0 {
		return true
	}
	l := d.lines[p]
	if l.stop || l.short || l.class == heading || l.class == article || l.class == section || l.class == stars || l.role == grammar.Enacting {
		return true
	}
	for p++; p <= i; p++ {
		if d.lines[p].blank && !d.lines[p-1].isPage() && !d.lines[p].isPage() {
			return true
		}
	}
	return false
}

// isPage tells whether a line is a page number: blank lines around it end no
// sentence, for one may go on over the page.
func (l line) isPage() bool { return l.class == page }
