package structure

import (
	"diwan/internal/gazette/grammar"
)

// titleLines is over how many lines the number and date of a title may stand.
const titleLines = 4

// titleTokens bounds the tokens of a title that are read.
const titleTokens = 90

// titleCandidate notes a line with which the title of an act may begin.
func (d *document) titleCandidate(i int) {
	toks := d.toks
	kind, n := d.l.MatchKind(toks)
	if n == 0 || d.lines[i].quoted || toks[0].Start != d.lines[i].start {
		return // a bullet stands before it
	}
	free := d.free(i)
	k, _ := d.g.Kind(kind)
	if !free && !(d.lines[i].blank || i > 0 && d.lines[i-1].class == page) {
		return
	}
	joined := d.titleTokens(i)
	t, m := d.l.MatchTitle(d.text, joined)
	if m == 0 {
		return
	}
	at := titleAt{line: i, Title: t, strong: free && !t.Cited && !t.Lower && !k.Unnumbered}
	// A citation goes on after number and date with a verb or a mark; a title
	// goes on with its subject, or ends.
	if joined[m-1].End <= d.lines[i].end && d.lines[i].stop && !k.Unnumbered && t.Subject < len(joined) && d.text[d.lines[i].end-1] != '.' && d.text[d.lines[i].end-1] != ':' {
		at.strong = false
	}
	d.titles = append(d.titles, at)
}

// titleTokens reads the tokens of line i and of those that may go on with a
// title.
func (d *document) titleTokens(i int) []grammar.Token {
	var toks []grammar.Token
	for k, used := i, 0; k < len(d.lines) && used < titleLines && len(toks) < titleTokens; k++ {
		l := d.lines[k]
		if l.class == mark {
			continue
		}
		if l.class == page || l.class == note || k > i && l.blank && used > 1 {
			break
		}
		toks = d.s.Tokens(toks, d.text[l.start:l.end], l.start, titleTokens-len(toks))
		used++
	}
	return toks
}

// titleEnd returns the line after the last one of the title that begins at line
// i: a title goes on until a blank line, a formula, a unit, or its end.
func (d *document) titleEnd(i int) int {
	k := i + 1
	for ; k < len(d.lines) && k < i+14; k++ {
		l := d.lines[k]
		switch {
		case l.class == mark:
			continue
		case l.class != plain || l.role != "" || l.blank && k > i+1 || d.lines[k-1].stop && d.lines[k-1].class == plain && k > i+1:
			return k
		}
		if d.opens(k) {
			return k
		}
		toks := d.tokens(l.start, l.end, 8)
		if d.l.MatchAuthority(toks) > 0 {
			return k
		}
		if d.l.Match(grammar.Visa, toks) > 1 {
			d.lines[k].role = grammar.Visa
			return k
		}
	}
	return k
}

// opens tells whether an article or a unit begins on line k.
func (d *document) opens(k int) bool {
	for _, a := range d.at(k) {
		if a.weight >= 0.5 {
			return true
		}
	}
	for i := d.unitFrom(k); i < len(d.units) && d.units[i].line == k; i++ {
		return true
	}
	return false
}

// at returns the article candidates of a line.
func (d *document) at(k int) []candidate {
	lo := d.articleFrom(k)
	hi := lo
	for hi < len(d.articls) && d.articls[hi].line == k {
		hi++
	}
	return d.articls[lo:hi]
}

func (d *document) articleFrom(line int) int {
	return searchLine(len(d.articls), func(i int) int { return d.articls[i].line }, line)
}

func (d *document) unitFrom(line int) int {
	return searchLine(len(d.units), func(i int) int { return d.units[i].line }, line)
}

func (d *document) titleFrom(line int) int {
	return searchLine(len(d.titles), func(i int) int { return d.titles[i].line }, line)
}

// searchLine returns the first of n sorted things whose line is not before one.
func searchLine(n int, at func(int) int, line int) int {
	lo, hi := 0, n
	for lo < hi {
		if m := (lo + hi) / 2; at(m) < line {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}
