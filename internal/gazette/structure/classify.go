package structure

import (
	"strings"

	"diwan/internal/gazette/grammar"
)

// furniture tells page numbers, running headers, footnotes and their marks from
// the text, in one pass.
func (d *document) furniture() {
	lastMark, lastPage, inNote := 0, 0, 0
	var cuts []cutAt
	for i := 0; i < len(d.lines); i++ {
		l := &d.lines[i]
		if inNote == 0 && !d.mayBeFurniture(l) {
			continue
		}
		toks := d.tokens(l.start, l.end, headTokens)
		if len(toks) == 0 {
			l.class = stars
			continue
		}
		if n, dashed, ok := d.numberAlone(toks); ok && l.end-l.start < 16 {
			inNote = 0
			switch {
			case dashed || n == lastPage+1 && n != lastMark+1:
				l.class, lastPage = page, n
			case n == lastMark+1 || n == lastMark+2 && lastMark > 0:
				l.class, lastMark = mark, n
			case n > lastPage && n <= lastPage+3 || d.besideHeader(i):
				l.class, lastPage = page, n
			}
			continue
		}
		if d.running(i, toks) {
			l.class, inNote = page, 0
			continue
		}
		if n, ok := d.noteHead(toks); ok {
			l.class, inNote, lastMark = note, 40, max(lastMark, n)
			continue
		}
		if at := d.noteInside(i, toks); at > 0 {
			cuts = append(cuts, cutAt{i, at})
			inNote = 40
			continue
		}
		if inNote > 0 {
			if l.blank || d.headLike(toks) {
				inNote = 0
				continue
			}
			l.class = note
			inNote--
		}
	}
	d.cut(cuts)
}

// mayBeFurniture tells quickly whether a line is worth a closer look: it begins
// with a mark, a number or a word of the gazette, or has a dash in it.
func (d *document) mayBeFurniture(l *line) bool {
	s := d.text[l.start:l.end]
	if strings.IndexByte(s, '-') >= 0 {
		return true
	}
	toks := d.tokens(l.start, min(l.end, l.start+96), 3)
	if len(toks) == 0 || toks[0].ID < 0 || toks[0].Num {
		return true
	}
	if toks[0].ID == 0 {
		return false
	}
	return d.l.Match(grammar.Running, toks) > 0 || d.l.Match(grammar.IssueWord, toks) > 0 || d.l.MatchNumberWord(toks) > 0 ||
		d.l.Match(grammar.NoteAlone, d.tokens(l.start, min(l.end, l.start+200), 8)) > 0
}

// numberAlone reads a line that is only a number: dashed is "-3-".
func (d *document) numberAlone(toks []grammar.Token) (n int, dashed, ok bool) {
	if len(toks) > 5 {
		return 0, false, false
	}
	marks := 0
	for _, t := range toks {
		switch {
		case t.Num && !ok:
			v := 0
			for _, r := range d.text[t.Start:t.End] {
				if r < '0' || r > '9' || v > 99999 {
					return 0, false, false
				}
				v = v*10 + int(r-'0')
			}
			n, ok = v, true
		case t.Mark() == '-' || t.Mark() == '–' || t.Mark() == '—':
			marks++
		case t.Mark() == '.':
		default:
			return 0, false, false
		}
	}
	return n, marks == 2, ok
}

// besideHeader tells whether a running header stands on the line before or
// after.
func (d *document) besideHeader(i int) bool {
	if i > 0 && d.lines[i-1].class == page {
		return true
	}
	if i+1 < len(d.lines) {
		n := d.lines[i+1]
		return d.running(i+1, d.s.Tokens(nil, d.text[n.start:n.end], n.start, headTokens))
	}
	return false
}

// running tells whether a line is the running header of a page: the gazette's
// name, an issue's number and date, a page number, and nothing else. The first
// one that names an issue is kept as the issue of the document.
func (d *document) running(i int, toks []grammar.Token) bool {
	name, number, dated := false, 0, false
	var found grammar.Dates
	for k := 0; k < len(toks); {
		t := toks[k]
		if n := d.l.Match(grammar.Running, toks[k:]); n > 0 {
			name = true
			k += n
			continue
		}
		w := max(d.l.Match(grammar.IssueWord, toks[k:]), d.l.MatchNumberWord(toks[k:]))
		if w > 0 && k+w < len(toks) && toks[k+w].Num {
			if num, n := d.l.MatchNumber(d.text, "", toks[k:]); n > 0 {
				v := 0
				for _, r := range num {
					if r < '0' || r > '9' {
						return false
					}
					v = v*10 + int(r-'0')
				}
				number = v
				k += n
				if b := d.l.Match(grammar.BisWord, toks[k:]); b > 0 {
					d.issue.Bis = d.issue.Number == 0 || d.issue.Number == v
					k += b
				}
				continue
			}
		}
		if dt, n := d.l.MatchDate(d.text, toks[k:]); n > 0 {
			dated, found = true, dt
			k += n
			continue
		}
		if t.Num || t.ID < 0 && t.Mark() != ':' {
			k++
			continue
		}
		return d.brokenHeader(i, toks, number)
	}
	if !name && !(number > 0 && dated) {
		return false
	}
	if number > 99 && dated && d.issue.Number == 0 {
		d.issue.Number, d.issue.Date, d.issue.Hijri = number, found.Civil, found.Lunar
	}
	return true
}

// brokenHeader tells whether a line that begins with an issue's number is the
// unreadable second line of a running header, whose first one stands beside it.
func (d *document) brokenHeader(i int, toks []grammar.Token, number int) bool {
	if number < 100 || d.l.Match(grammar.IssueWord, toks) == 0 {
		return false
	}
	for _, k := range []int{i - 1, i + 1} {
		if k < 0 || k >= len(d.lines) {
			continue
		}
		l := d.lines[k]
		t := d.s.Tokens(nil, d.text[l.start:l.end], l.start, 8)
		if n := d.l.Match(grammar.Running, t); n > 0 && n == len(t) {
			return true
		}
	}
	return false
}

// noteHead tells whether a line opens a footnote, and its mark.
func (d *document) noteHead(toks []grammar.Token) (n int, ok bool) {
	if d.l.Match(grammar.NoteAlone, toks) > 0 {
		return 0, true
	}
	k := 0
	for k < len(toks) && k < 2 && (toks[k].Mark() == '-' || toks[k].Mark() == '(' || toks[k].Mark() == '–') {
		k++
	}
	if k >= len(toks) || !toks[k].Num || toks[k].End-toks[k].Start > 3 {
		return 0, false
	}
	for _, r := range d.text[toks[k].Start:toks[k].End] {
		if r < '0' || r > '9' {
			return 0, false
		}
		n = n*10 + int(r-'0')
	}
	k++
	for s := k; k < len(toks) && k < s+3 && toks[k].ID < 0 && toks[k].Mark() != '/'; k++ {
	}
	return n, k < len(toks) && d.l.Match(grammar.NoteHead, toks[k:]) > 0
}

// noteInside finds a footnote that was joined to the end of a line: a mark, a
// dash and the gazette's reference. It returns where it begins, 0 for none.
func (d *document) noteInside(i int, toks []grammar.Token) int {
	for k := 2; k+2 < len(toks); k++ {
		if !toks[k].Num || toks[k].End-toks[k].Start > 3 {
			continue
		}
		dash := toks[k+1].Mark() == '-' || toks[k-1].Mark() == '-'
		if !dash {
			continue
		}
		r := k + 1
		if toks[r].Mark() == '-' {
			r++
		}
		if r < len(toks) && d.l.Match(grammar.Gazette, toks[r:]) > 0 {
			if toks[k-1].Mark() == '-' {
				return toks[k-1].Start
			}
			return toks[k].Start
		}
	}
	return 0
}

// cutAt is a line that goes on as a footnote from a byte on.
type cutAt struct{ line, at int }

// cut makes two lines of each of these.
func (d *document) cut(cuts []cutAt) {
	if len(cuts) == 0 {
		return
	}
	out := make([]line, 0, len(d.lines)+len(cuts))
	next := 0
	for _, c := range cuts {
		l := d.lines[c.line]
		out = append(out, d.lines[next:c.line+1]...)
		end := c.at
		for end > l.start && (d.text[end-1] == ' ' || d.text[end-1] == '\t') {
			end--
		}
		out[len(out)-1].end = end
		out = append(out, line{start: c.at, end: l.end, stop: l.stop, class: note})
		next = c.line + 1
	}
	d.lines = append(out, d.lines[next:]...)
}

// headLike tells whether a line opens a unit, so that no footnote goes on there.
func (d *document) headLike(toks []grammar.Token) bool {
	if h, n := d.l.MatchArticle(d.text, toks); n > 0 && !h.Quoted {
		return n == len(toks) || len(toks)-n <= 2 && toks[n].ID < 0
	}
	if _, n := d.l.MatchUnit(d.text, toks); n > 0 {
		return n == len(toks) || toks[n].Mark() == ':'
	}
	return d.l.Match(grammar.Closing, toks) > 0
}
