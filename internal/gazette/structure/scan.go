package structure

import (
	"unicode"
	"unicode/utf8"

	"diwan/internal/gazette/grammar"
)

// candidate is a place where an article may begin.
type candidate struct {
	line  int
	at    int // first byte of its head
	end   int // byte after its number
	group int
	label grammar.Label
	other grammar.Label // read from the other end, where that is possible
	// weight is how much the place looks like the head of an article: 1 is a
	// line of its own after the end of a sentence.
	weight float64
	alone  bool // nothing else stands on the line
	sep    bool // a mark stands between number and text
	amends bool // it stands where an amending clause announced the text of others
	quoted bool
	inside bool // found in the middle of a line
	lost   bool // its number is missing in the text
	words  bool // the number is written in words
}

// scan looks at the beginning of every line once and notes what could begin
// there.
func (d *document) scan() {
	amending := false
	var own *candidate // the last article before an amending clause
	for i := 0; i < len(d.lines); i++ {
		l := &d.lines[i]
		if l.class != plain {
			continue
		}
		toks := d.tokens(l.start, l.end, headTokens)
		if len(toks) == 0 || d.ornament(toks) {
			l.class = stars
			continue
		}
		if d.formula(i, toks) {
			amending = false
			continue
		}
		c, ok := d.articleAt(i, toks)
		if ok {
			c.amends = amending
			if amending && own != nil && own.label.N > 1 && own.words != c.words {
				c.weight -= costStyle
			}
			if amending && own != nil && own.label.N > 1 && own.words == c.words && c.weight >= 0.9 && c.label.Follows(own.label) {
				amending, c.amends = false, false
			}
			if !amending && c.weight >= 0.8 {
				o := c
				own = &o
			}
			d.articls = append(d.articls, c)
		}
		d.unitCandidate(i, toks)
		d.titleCandidate(i)
		if ok && c.alone && c.weight >= 0.9 {
			l.class = article
		}
		if d.announces(i) {
			amending = true
		}
	}
}

func (d *document) ornament(toks []grammar.Token) bool {
	for _, t := range toks {
		if m := t.Mark(); m == 0 || unicode.IsPunct(m) && m != '*' && m != '_' && m != '-' && m != '–' && m != '—' {
			return false
		}
	}
	return true
}

// lineRoles are the formulas that a line may begin with, in order of
// precedence.
var lineRoles = []grammar.Role{grammar.Enacting, grammar.Closing, grammar.Countersign, grammar.Signature, grammar.SectionHead,
	grammar.SummaryHead, grammar.Opinion, grammar.AmendedBy, grammar.Consolidated, grammar.AnnexHead, grammar.Table, grammar.Praise, grammar.Visa}

// formula notes the formula a line begins with. It reports whether the line can
// be nothing else.
func (d *document) formula(i int, toks []grammar.Token) bool {
	l := &d.lines[i]
	for _, role := range lineRoles {
		n := d.l.Match(role, toks)
		if n == 0 {
			if role == grammar.Enacting && d.endsEnacting(toks) {
				l.role = role
				return false
			}
			continue
		}
		rest := toks[n:]
		switch role {
		case grammar.Enacting:
			if len(rest) > 0 && rest[0].ID >= 0 && !d.l.HasArticle(rest) {
				continue
			}
		case grammar.Closing:
			if _, _, dn := d.l.FindDate(d.text, rest); dn == 0 && !d.suspect && !(len(rest) < 4 && l.short) || !d.free(i) {
				continue
			}
		case grammar.Countersign, grammar.Signature, grammar.AmendedBy, grammar.Consolidated, grammar.Praise:
		case grammar.SectionHead:
			if !d.onlyWords(rest, 3) || !d.free(i) {
				continue
			}
			l.class = section
			return true
		case grammar.SummaryHead:
			if !d.onlyWords(rest, 1) || !d.free(i) {
				continue
			}
		case grammar.Opinion:
			if !d.free(i) || l.stop {
				continue
			}
		case grammar.AnnexHead, grammar.Table:
			if !d.free(i) || !d.annexHead(l, rest) {
				continue
			}
		case grammar.Visa:
			if !d.free(i) {
				continue
			}
			l.role = role
			return false
		}
		l.role = role
		return role != grammar.AmendedBy && role != grammar.Consolidated && role != grammar.Enacting
	}
	return false
}

// endsEnacting tells whether a line ends with an enacting formula: "… decrees
// as follows:" after the name of the authority.
func (d *document) endsEnacting(toks []grammar.Token) bool {
	if len(toks) > 12 {
		return false
	}
	at, n := d.l.Find(grammar.Enacting, toks)
	return at > 0 && d.onlyWords(toks[at+n:], 0) && (n > 1 || at+n < len(toks))
}

// onlyWords tells whether no more than n words stand in the tokens, and no
// number.
func (d *document) onlyWords(toks []grammar.Token, n int) bool {
	for _, t := range toks {
		if t.Num {
			return false
		}
		if t.ID >= 0 {
			n--
		}
	}
	return n >= 0
}

// annexHead tells whether a line that begins with the word for "annex" is its
// heading: a short line that ends no sentence, and no reference to one.
func (d *document) annexHead(l *line, rest []grammar.Token) bool {
	if len(rest) == 0 {
		return true
	}
	if len(rest) > 16 || l.end-l.start > 200 {
		return false
	}
	last := rest[len(rest)-1]
	if m := last.Mark(); m != 0 && m != ':' && m != ')' && m != '(' && !d.g.QuoteMark(m) && m != '-' {
		return false
	}
	if d.l.Match(grammar.CitedAfter, rest) > 0 {
		return false
	}
	return rest[0].Num || rest[0].ID != 0 || l.short || l.blank
}

// unitCandidate notes a line that may head a book, title, chapter or section.
func (d *document) unitCandidate(i int, toks []grammar.Token) {
	h, n := d.l.MatchUnit(d.text, toks)
	if n == 0 {
		return
	}
	l := &d.lines[i]
	rest := toks[n:]
	// The heading may follow after a mark; what follows without one must not be
	// the rest of a citation.
	marked := len(rest) > 0 && (rest[0].Mark() == ':' || rest[0].Mark() == '.' || rest[0].Mark() == '-' || rest[0].Mark() == '–' || rest[0].Mark() == '—')
	if len(rest) > 0 && !marked && (rest[0].ID < 0 && rest[0].Mark() != '(' || d.l.Match(grammar.CitedAfter, rest) > 0) {
		return
	}
	if len(rest) == 1 && rest[0].Mark() == '.' && !d.free(i) {
		return
	}
	alone := len(rest) == 0 && l.short && !d.citedBefore(i)
	if !marked && !alone && !d.free(i) || marked && !d.free(i) && d.citedBefore(i) {
		return
	}
	u := d.l.Units[h.Unit]
	group, _ := d.l.MatchArticleWord(toks)
	if _, n := d.l.MatchArticleWord(toks); n == 0 {
		group = -1
	}
	if !l.quoted {
		l.class = heading
	}
	d.units = append(d.units, unitAt{line: i, UnitHead: h, rank: u.Rank, kind: u.Kind, head: toks[n-1].End, group: group,
		strong: !l.quoted})
}

// citedBefore tells whether the line before i ends with a word after which a
// reference follows: "under", "of"…
func (d *document) citedBefore(i int) bool {
	p := d.before(i)
	if p < 0 || d.lines[p].stop || d.lines[p].class == heading {
		return false
	}
	l := d.lines[p]
	from := max(l.start, l.end-48)
	for from < l.end && !utf8.RuneStart(d.text[from]) {
		from++
	}
	toks := d.s.Tokens(nil, d.text[from:l.end], from, headTokens)
	for len(toks) > 0 && toks[len(toks)-1].Mark() == '\'' {
		toks = toks[:len(toks)-1]
	}
	if len(toks) == 0 {
		return false
	}
	return d.l.Match(grammar.CitedBefore, toks[len(toks)-1:]) > 0
}

// announces tells whether a line ends an amending clause: it has one of its
// verbs and ends in a colon.
func (d *document) announces(i int) bool {
	l := d.lines[i]
	if d.text[l.end-1] != ':' {
		return false
	}
	for k := 0; k < clauseLines; k++ {
		if l.end-l.start < 1024 {
			toks := d.s.Tokens(nil, d.text[l.start:l.end], l.start, 64)
			if at, _ := d.l.Find(grammar.Amend, toks); at >= 0 {
				return true
			}
		}
		i = d.before(i)
		if i < 0 || d.lines[i].stop || d.lines[i].class != plain {
			break
		}
		l = d.lines[i]
	}
	return false
}

// clauseLines is over how many lines an amending clause may stand.
const clauseLines = 6

// articleAt weighs whether an article begins with line i.
func (d *document) articleAt(i int, toks []grammar.Token) (candidate, bool) {
	h, n := d.l.MatchArticle(d.text, toks)
	if n == 0 {
		return d.lostLabel(i, toks)
	}
	l := d.lines[i]
	c := candidate{line: i, at: toks[0].Start, end: toks[n-1].End, group: h.Group, label: h.Label, quoted: h.Quoted, words: h.Words}
	if r, ok := h.Label.Reversed(); ok {
		c.other = r
	}
	free := d.free(i)
	c.weight, c.alone, c.sep = d.weigh(i, toks[n:], free)
	if h.Paren {
		c.weight = min(c.weight, 0.05)
	}
	if first, _ := utf8.DecodeRuneInString(d.text[toks[h.Name].Start:]); unicode.IsLower(first) {
		c.weight -= 0.6
	}
	if d.l.Articles[h.Group].Weak {
		c.weight -= 0.5
	}
	if h.Colon && !c.sep && len(toks) > n {
		c.weight, c.sep = max(c.weight, 0.3), true
		if free {
			c.weight = max(c.weight, 0.9)
		}
	}
	if h.Quoted {
		c.weight -= 0.9
	} else if l.quoted {
		// A stray mark may have opened the quotation.
		if c.weight -= 0.6; c.alone && free {
			c.weight = max(c.weight, 0.3)
		}
	}
	return c, c.weight > -0.5
}

// weigh weighs what follows the number of an article's head and what stands
// before its line.
func (d *document) weigh(i int, rest []grammar.Token, free bool) (w float64, alone, sep bool) {
	pick := func(a, b float64) float64 {
		if free {
			return a
		}
		if d.citedBefore(i) {
			return b - 0.4
		}
		return b
	}
	if len(rest) == 0 {
		return pick(1, 0.5), true, false
	}
	first := rest[0].Mark()
	if onlyMarks(rest) && len(rest) <= 3 {
		if first == '.' && len(rest) == 1 {
			return pick(0.9, 0.15), true, true
		}
		if first == ':' || first == '-' || first == '.' || first == '–' || first == '*' || first == ')' || first == '(' {
			return pick(0.95, 0.5), true, true
		}
		return pick(0.2, -0.2), true, false
	}
	switch first {
	case ':', '-', '.', '–', '—', '_', '°':
		k := 1
		for k < len(rest) && rest[k].ID < 0 {
			k++
		}
		if d.l.Match(grammar.CitedAfter, rest[k:]) > 0 && !free {
			return pick(0.6, 0), false, true
		}
		return pick(0.95, 0.35), false, true
	case '(', ')', '[':
		k := 1
		if d.l.Match(grammar.Repealed, rest[k:]) > 0 {
			return pick(1, 0.8), true, true
		}
		return pick(0.6, 0.05), false, false
	}
	if first != 0 {
		return pick(0, -0.5), false, false
	}
	if d.l.Match(grammar.CitedAfter, rest) > 0 {
		return pick(0.1, -0.6), false, false
	}
	// A footnote mark may stand behind the number.
	if rest[0].Num && len(rest) == 1 && rest[0].End-rest[0].Start <= 3 {
		return pick(0.9, 0.4), true, false
	}
	return pick(0.55, 0.02), false, false
}

func onlyMarks(toks []grammar.Token) bool {
	for _, t := range toks {
		if t.Mark() == 0 {
			return false
		}
	}
	return true
}

// lostLabel finds the head of an article whose number was lost: the word alone
// on a line, where the number may stand on the next.
func (d *document) lostLabel(i int, toks []grammar.Token) (candidate, bool) {
	g, n := d.l.MatchArticleWord(toks)
	if n == 0 || !onlyMarks(toks[n:]) || len(toks)-n > 3 || d.l.Articles[g].Weak {
		return candidate{}, false
	}
	c := candidate{line: i, at: toks[0].Start, end: toks[len(toks)-1].End, group: g, weight: 0.3, alone: true, lost: true}
	if k := d.after(i); k == i+1 && k < len(d.lines) {
		nl := d.lines[k]
		if nl.end-nl.start < 40 {
			more := d.s.Tokens(nil, d.text[nl.start:nl.end], nl.start, 8)
			if lab, m, _ := d.l.MatchLabel(d.text, more); m > 0 && onlyMarks(more[m:]) {
				c.label, c.end, c.weight, c.lost = lab, more[m-1].End, 0.7, false
			}
		}
	}
	if !d.free(i) {
		c.weight -= 0.3
	}
	return c, true
}
