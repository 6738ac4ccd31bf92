package decrees

import (
	"slices"
	"strings"
)

// part is a stretch of a line that belongs to a name.
type part struct {
	line   int
	text   string
	bullet bool
}

// unit is one name as far as it could be put together.
type unit struct {
	parts     []part
	deleted   bool
	owner     int      // office whose lines it shares, -1 none
	scattered bool     // its first line was, so its place in the stream means nothing
	soft      *unit    // the name it follows without a blank line, nil when apart
	fill      []string // words of a scattered line, put back
	gap       int      // the part they follow
}

func (u *unit) raw() string {
	var s []string
	for i, p := range u.parts {
		s = append(s, strings.TrimSpace(p.text))
		if i == u.gap {
			s = append(s, u.fill...)
		}
	}
	return strings.Join(s, " ")
}

// open reports a name that announces a list not yet met.
func (u *unit) open() bool {
	if u.deleted || len(u.parts) == 0 {
		return false
	}
	s := strings.TrimSpace(u.parts[len(u.parts)-1].text)
	return strings.HasSuffix(s, ":") || s == "-"
}

// entry is what stands in the stream between two row numbers.
type entry struct {
	unit     *unit
	cell     *cell
	word     string // a word of a scattered line
	line     int
	opener   bool  // the unit begins as names begin
	glued    bool  // no blank line before the next row number
	tailed   bool  // follows the end of an office cut by the page
	previous *unit // the unit a scattered word stood behind
}

// sheet is one page: rows in printed order, and the stream cut at each number.
// lead is what stands between the page mark and the first number: it may end
// the page before.
type sheet struct {
	rows    []*row
	lead    []entry
	segs    [][]entry
	offices []int
	bad     bool // the counts of the page do not agree
}

// row is a row being filled.
type row struct {
	num     number
	printed string
	line    int
	office  int
	unit    *unit
	cell    *cell
}

// cutter builds the pages from classified lines.
type cutter struct {
	lines   []line
	offices []office
	cells   map[int][]*cell
	openers map[string]bool
	joiners map[string]bool

	sheets []*sheet
	cur    *unit
	block  int
	waits  *unit // announces a list: the next block continues it
}

func (c *cutter) sheet() *sheet { return c.sheets[len(c.sheets)-1] }

func (c *cutter) add(e entry) {
	s := c.sheet()
	if n := len(s.segs); n > 0 {
		s.segs[n-1] = append(s.segs[n-1], e)
		return
	}
	s.lead = append(s.lead, e)
}

// last gives the entry added last in the current stretch.
func (c *cutter) last() *entry {
	s := c.sheet()
	list := s.lead
	if n := len(s.segs); n > 0 {
		list = s.segs[n-1]
	}
	if len(list) == 0 {
		return nil
	}
	return &list[len(list)-1]
}

func (c *cutter) cut() []*sheet {
	c.sheets = []*sheet{{}}
	for i := range c.lines {
		ln := &c.lines[i]
		switch ln.kind {
		case blankLine, ignoredLine:
			c.cur = nil
		case markLine:
			c.cur, c.waits = nil, nil
			c.sheets = append(c.sheets, &sheet{})
		case numberCell:
			c.number(i)
		case deletedCell:
			c.cur, c.waits = nil, nil
			c.add(entry{unit: &unit{parts: []part{{i, ln.raw, false}}, deleted: true, owner: c.ownerOf(i)}, line: i, opener: true})
		case deadlineCell:
			c.cur = nil
			for _, cl := range c.cells[i] {
				c.add(entry{cell: cl, line: i})
			}
		case textLine:
			c.text(i)
		}
	}
	return c.sheets
}

func (c *cutter) number(i int) {
	ln := &c.lines[i]
	if e := c.last(); e != nil && e.unit != nil && e.unit.parts[len(e.unit.parts)-1].line == i-1 {
		e.glued = true
	}
	c.cur, c.waits = nil, nil
	s := c.sheet()
	s.rows = append(s.rows, &row{num: ln.num, printed: strings.TrimSpace(ln.raw), line: i, office: -1})
	s.segs = append(s.segs, nil)
}

// ownerOf gives the office whose lines share the block of line i, -1 when none
// does or when line i stands outside them.
func (c *cutter) ownerOf(i int) int {
	b := c.lines[i].block
	before, after := -1, -1
	for j := i - 1; j >= 0 && c.lines[j].block == b && c.lines[j].kind != numberCell && c.lines[j].kind != markLine; j-- {
		if o := c.lines[j].office; o >= 0 {
			before = o
			break
		}
	}
	for j := i + 1; j < len(c.lines) && c.lines[j].block == b && c.lines[j].kind != numberCell && c.lines[j].kind != markLine; j++ {
		if o := c.lines[j].office; o >= 0 {
			after = o
			break
		}
	}
	switch {
	case c.lines[i].kind == deletedCell && before != after:
		return -1
	case before >= 0:
		return before
	case after >= 0 && c.offices[after].first > i:
		return after
	}
	return after
}

// text takes what a line holds besides an office.
func (c *cutter) text(i int) {
	ln := &c.lines[i]
	s := c.sheet()
	text, whole := ln.raw, true
	if ln.office >= 0 {
		o := c.offices[ln.office]
		if o.first == i {
			s.offices = append(s.offices, ln.office)
		}
		text, whole = ln.raw[ln.taken:], false
		if o.last != i {
			text = strings.TrimLeft(text, " -\u2013")
		}
		if key(text) == "" {
			if c.cur != nil && c.cur.owner != ln.office {
				c.cur = nil
			}
			return
		}
	} else if loneWord(c.lines, i) && c.scattered(i) {
		return
	} else if key(text) == "" && c.cur == nil {
		return
	}
	p := part{i, text, ln.bullet && whole}
	owner := ln.office
	if owner < 0 {
		owner = c.ownerOf(i)
		if c.cur != nil && c.cur.owner < 0 && c.block == ln.block {
			owner = -1
		}
	}
	opener := c.opens(text)
	if u := c.cur; u != nil && c.block == ln.block && !c.breaks(u, p, owner, opener) {
		u.parts = append(u.parts, p)
		c.remember(u)
		return
	}
	var soft *unit
	if u := c.cur; u != nil && c.block == ln.block && owner < 0 && u.owner < 0 && !u.parts[len(u.parts)-1].bullet {
		soft = u
	}
	if c.waits != nil && c.waits != c.cur && !p.bullet && owner < 0 {
		c.waits.parts = append(c.waits.parts, p)
		c.cur, c.block = c.waits, ln.block
		c.waits = nil
		return
	}
	if owner >= 0 && c.afterOffice(owner, i) && opener && c.ownedParts(owner) {
		owner = -1
	}
	u := &unit{parts: []part{p}, owner: owner, soft: soft}
	if owner >= 0 {
		if prev := c.unitOf(owner); prev != nil {
			prev.parts = append(prev.parts, p)
			c.cur, c.block = prev, ln.block
			c.remember(prev)
			return
		}
	}
	c.add(entry{unit: u, line: i, opener: opener || owner >= 0, tailed: c.afterTail(i)})
	c.cur, c.block = u, ln.block
	c.remember(u)
}

func (c *cutter) remember(u *unit) {
	c.waits = nil
	if u.open() {
		c.waits = u
	}
}

// opens reports a text that begins as names of decisions begin.
func (c *cutter) opens(text string) bool {
	ws := spans(text)
	return len(ws) > 0 && c.openers[ws[0].key]
}

// breaks reports that a line begins another name in the same block: it opens as
// names open, the name before it is not left in the middle of a bracket or on a
// word that needs another, and it is not between the lines of its office.
func (c *cutter) breaks(u *unit, p part, owner int, opener bool) bool {
	if owner != u.owner {
		return true
	}
	if p.bullet && !u.open() {
		return false
	}
	if !opener || u.open() || strings.HasPrefix(strings.TrimSpace(p.text), "(") {
		return false
	}
	if owner >= 0 && (!c.afterOffice(owner, p.line) || u.parts[0].line < c.offices[owner].first) {
		return false
	}
	raw := u.raw()
	if strings.Count(raw, "(") > strings.Count(raw, ")") {
		return false
	}
	ws := spans(raw)
	if len(ws) > 0 && c.joiners[ws[len(ws)-1].key] {
		return false
	}
	trimmed := strings.TrimSpace(raw)
	return !strings.HasSuffix(trimmed, "/") && !waits(trimmed)
}

// afterOffice reports a line after the last line of an office.
func (c *cutter) afterOffice(o, i int) bool { return i > c.offices[o].last }

// afterTail reports a line just after the end of an office that began on the
// page before.
func (c *cutter) afterTail(i int) bool {
	if len(c.sheet().segs) > 0 {
		return false
	}
	for j := i - 1; j >= 0; j-- {
		switch ln := c.lines[j]; {
		case ln.kind == markLine:
			return false
		case ln.kind == textLine && ln.office >= 0:
			return c.offices[ln.office].last == j
		case ln.kind == textLine && j < i:
			return false
		}
	}
	return false
}

// unitOf gives the unit an office owns in the current stretch.
func (c *cutter) unitOf(owner int) *unit {
	s := c.sheet()
	lists := append([][]entry{s.lead}, s.segs...)
	for i := len(lists) - 1; i >= 0; i-- {
		for j := len(lists[i]) - 1; j >= 0; j-- {
			if u := lists[i][j].unit; u != nil && u.owner == owner && !u.deleted {
				return u
			}
		}
	}
	return nil
}

func (c *cutter) ownedParts(owner int) bool {
	u := c.unitOf(owner)
	return u == nil || u.parts[0].line >= c.offices[owner].first
}

// scattered takes a block of one word as a word of a justified line, unless it
// is a name of its own or ends the row that the page cut.
func (c *cutter) scattered(i int) bool {
	ln := &c.lines[i]
	if c.openers[ln.words[0].key] || c.afterTail(i) {
		return false
	}
	e := entry{word: strings.TrimSpace(ln.raw), line: i}
	if prev := c.last(); prev != nil {
		e.previous = prev.unit
		if prev.word != "" {
			e.previous = prev.previous
		}
	}
	c.cur = nil
	c.add(e)
	return true
}

// units gives the units of a stretch in order.
func units(list []entry) []*unit {
	var out []*unit
	for _, e := range list {
		if e.unit != nil {
			out = append(out, e.unit)
		}
	}
	return out
}

// sorted gives the rows of a page in the order of the decree.
func (s *sheet) sorted() []*row {
	out := slices.Clone(s.rows)
	slices.SortStableFunc(out, func(a, b *row) int { return compareNumbers(a.num, b.num) })
	return out
}
