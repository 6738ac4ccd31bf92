package decrees

import "slices"

// Codes of faults. They are stable: an importer may count them.
const (
	FaultTableMissing    = "table-missing"    // no annex with the expected head
	FaultNumberMissing   = "number-missing"   // a main number is not there
	FaultNumberRepeated  = "number-repeated"  // a number stands twice
	FaultNumberAmbiguous = "number-ambiguous" // an inserted number reads both ways
	FaultOfficeMissing   = "administration-missing"
	FaultOfficeExtra     = "administration-extra"
	FaultNameMissing     = "name-missing"
	FaultNameExtra       = "name-extra"
	FaultNameOrder       = "name-order" // a scattered name fits two rows equally well
	FaultDeadlineMissing = "deadline-missing"
	FaultDeadlineExtra   = "deadline-extra"
	FaultDeadlineUnread  = "deadline-unread"
	FaultTextStray       = "text-stray"
)

// pairer fills the rows of the pages.
type pairer struct {
	lines   []line
	layout  *Layout
	sheets  []*sheet
	offices []office
	faults  []Fault
}

func (p *pairer) fault(lineIndex int, row, code, text string) {
	no, col := 0, 1
	if lineIndex >= 0 && lineIndex < len(p.lines) {
		no = p.lines[lineIndex].no
	}
	p.faults = append(p.faults, Fault{Line: no, Column: col, Row: row, Code: code, Text: clip(text)})
}

// clip bounds the text a fault carries.
func clip(s string) string {
	const limit = 200
	if r := []rune(s); len(r) > limit {
		return string(r[:limit])
	}
	return s
}

// numbers orients inserted numbers and checks the series.
func (p *pairer) numbers() {
	main := 0
	seen := map[string]bool{}
	mains := map[int]bool{}
	last := -1
	for _, s := range p.sheets {
		for _, r := range s.rows {
			n, ok := orient(r.num, main)
			if !ok {
				p.fault(r.line, r.printed, FaultNumberAmbiguous, r.printed)
			}
			r.num = n
			if seen[n.String()] {
				p.fault(r.line, n.String(), FaultNumberRepeated, r.printed)
			}
			seen[n.String()] = true
			mains[n[0]] = true
			if len(n) == 1 {
				main = n[0]
			}
			last = r.line
		}
	}
	top := 0
	for m := range mains {
		top = max(top, m)
	}
	missing := 0
	for m := 1; m <= top; m++ {
		if !seen[number{m}.String()] && missing < 100 {
			missing++
			p.fault(last, number{m}.String(), FaultNumberMissing, "")
		}
	}
}

// pairOffices gives the offices that begin on a page to its rows, in the order
// of the decree. Unequal counts leave the whole page without, and without names:
// the text of an office no spelling covers would pass for one.
func (p *pairer) pairOffices() {
	if p.layout.Administration != "" {
		return
	}
	for _, s := range p.sheets {
		rows := s.sorted()
		if len(rows) == len(s.offices) {
			for i, r := range rows {
				r.office = s.offices[i]
			}
			continue
		}
		s.bad = true
		for _, r := range rows {
			p.fault(r.line, r.num.String(), FaultOfficeMissing, "")
		}
		for _, o := range s.offices {
			p.fault(p.offices[o].first, "", FaultOfficeExtra, p.offices[o].raw)
		}
	}
}

// names pairs names with rows, page by page.
func (p *pairer) names() {
	var carried []*unit
	for i, s := range p.sheets {
		after := 0
		if i+1 < len(p.sheets) {
			after = len(units(p.sheets[i+1].lead))
		}
		joinSoft(s, len(carried), after)
		waiting, pool := p.pageNames(s, carried)
		carried = nil
		if i+1 < len(p.sheets) {
			carried = p.tail(s, p.sheets[i+1], len(waiting)-len(pool), &pool)
		}
		for _, r := range scatter(s, p.words(s, i), pool) {
			p.fault(r.line, "", FaultTextStray, r.words[0])
		}
		s.bad = !p.settle(s, waiting, pool) || s.bad
		if i+1 < len(p.sheets) {
			p.bullets(s, p.sheets[i+1])
		}
	}
	for _, u := range carried {
		p.fault(u.parts[0].line, "", FaultNameExtra, u.raw())
	}
	p.spread(func(e entry) bool { return e.unit != nil })
	p.withdrawNames()
}

// spread marks the neighbours of a page whose counts do not agree, as far as
// something stands between their page marks that either could have taken.
func (p *pairer) spread(shared func(entry) bool) {
	linked := func(i int) bool {
		return slices.ContainsFunc(p.sheets[i].lead, shared)
	}
	for i := 1; i < len(p.sheets); i++ {
		if p.sheets[i-1].bad && linked(i) {
			p.sheets[i].bad = true
		}
	}
	for i := len(p.sheets) - 1; i > 0; i-- {
		if p.sheets[i].bad && linked(i) {
			p.sheets[i-1].bad = true
		}
	}
}

// withdrawNames takes back the names of pages whose counts do not agree, except
// those printed on the lines of their office.
func (p *pairer) withdrawNames() {
	for _, s := range p.sheets {
		if !s.bad {
			continue
		}
		for _, r := range s.rows {
			if u := r.unit; u != nil && (u.owner < 0 || u.owner != r.office) {
				r.unit = nil
				p.fault(r.line, r.num.String(), FaultNameMissing, "")
			}
		}
	}
}

// pageNames gives each row the name that stands with it and returns the rows
// still without one and the names still without a row.
//
// A name on the lines of an office is its row's. Otherwise, after a row number:
// the first name is that row's own when the row before has one; when rows before
// wait and the names suffice for all of them, the page goes by columns here and
// they are served in order; what remains goes to the rows that wait, in order.
func (p *pairer) pageNames(s *sheet, pool []*unit) (waiting []*row, left []*unit) {
	byOffice := map[int]*row{}
	for _, r := range s.rows {
		if r.office >= 0 {
			byOffice[r.office] = r
		}
	}
	owned := func(u *unit) bool {
		r := byOffice[u.owner]
		if u.owner < 0 || r == nil || r.unit != nil {
			return false
		}
		r.unit = u
		return true
	}
	for _, seg := range s.segs {
		for _, u := range units(seg) {
			owned(u)
		}
	}
	isOwned := func(u *unit) bool { r := byOffice[u.owner]; return u.owner >= 0 && r != nil && r.unit == u }
	for i, r := range s.rows {
		var free []*unit
		for _, u := range units(s.segs[i]) {
			if !isOwned(u) {
				free = append(free, u)
			}
		}
		if r.unit != nil {
			pool = append(pool, free...)
			continue
		}
		waiting = append(waiting, r)
		if len(free) == 0 {
			continue
		}
		open := len(waiting) - len(pool)
		switch {
		case i == 0 || s.rows[i-1].unit != nil || len(free) < open:
			r.unit, free = free[0], free[1:]
			waiting = waiting[:len(waiting)-1]
		case open > 0:
			// Rows before wait too: serve them all in the order of the decree.
			sortRows(waiting)
		}
		pool = append(pool, free...)
		if len(pool) >= len(waiting) && len(waiting) > 0 && r.unit == nil {
			sortRows(waiting)
			for _, w := range waiting {
				w.unit, pool = pool[0], pool[1:]
			}
			waiting = nil
		}
	}
	sortRows(waiting)
	return waiting, pool
}

func sortRows(rows []*row) {
	slices.SortStableFunc(rows, func(a, b *row) int { return compareNumbers(a.num, b.num) })
}

// tail deals with what stands after a page mark and before the next row: the end
// of the row the page cut, names this page still waits for, and names of the
// next page, which are returned.
func (p *pairer) tail(s, next *sheet, need int, pool *[]*unit) []*unit {
	var carried []*unit
	for _, e := range next.lead {
		u := e.unit
		if u == nil {
			continue
		}
		if u.parts[0].bullet && !u.deleted {
			continue
		}
		if cut := lastRow(s); cut != nil && (e.glued && !u.deleted || !e.opener || e.tailed && !e.opener) {
			if cut.unit == nil {
				p.fault(u.parts[0].line, cut.num.String(), FaultTextStray, u.raw())
				continue
			}
			cut.unit.parts = append(cut.unit.parts, u.parts...)
			continue
		}
		if need > 0 {
			*pool = append(*pool, u)
			need--
			continue
		}
		carried = append(carried, u)
	}
	return carried
}

func lastRow(s *sheet) *row {
	if len(s.rows) == 0 {
		return nil
	}
	return s.rows[len(s.rows)-1]
}

// settle pairs the rows that wait with the names left over, in order, and reports
// whether the counts agree.
func (p *pairer) settle(s *sheet, waiting []*row, pool []*unit) bool {
	if len(waiting) != len(pool) {
		for _, r := range waiting {
			p.fault(r.line, r.num.String(), FaultNameMissing, "")
		}
		for _, u := range pool {
			p.fault(u.parts[0].line, "", FaultNameExtra, u.raw())
		}
		return false
	}
	order, ok := place(s, waiting, pool)
	if !ok {
		for _, r := range waiting {
			p.fault(r.line, r.num.String(), FaultNameOrder, "")
		}
		return false
	}
	for i, r := range waiting {
		r.unit = order[i]
	}
	return true
}

// bullets joins list items printed after the page mark to the names of the page
// that announce a list, in the order of the rows.
func (p *pairer) bullets(s, next *sheet) {
	var open []*row
	for _, r := range s.sorted() {
		if r.unit != nil && r.unit.open() {
			open = append(open, r)
		}
	}
	for _, e := range next.lead {
		u := e.unit
		if u == nil || u.deleted || !u.parts[0].bullet {
			continue
		}
		if len(open) == 0 {
			p.fault(u.parts[0].line, "", FaultTextStray, u.raw())
			continue
		}
		open[0].unit.parts = append(open[0].unit.parts, u.parts...)
		open = open[1:]
	}
	for _, r := range open {
		p.fault(r.line, r.num.String(), FaultTextStray, r.unit.raw())
	}
}

// deadlines pairs deadline cells with live rows, page by page. Cells after the
// page mark close the page as far as it needs them. One cell after one row is its
// own while rows follow; otherwise cells serve the rows that wait, in the order
// of the decree. A page whose counts do not agree keeps none.
func (p *pairer) deadlines() {
	if p.layout.Deadline == nil {
		return
	}
	var carried []*cell
	for i, s := range p.sheets {
		waiting, pool := s.pageDeadlines(carried)
		carried = nil
		if i+1 < len(p.sheets) {
			lead := cellsOf(p.sheets[i+1].lead)
			take := min(max(len(waiting)-len(pool), 0), len(lead))
			pool, carried = append(pool, lead[:take]...), lead[take:]
		}
		sortRows(waiting)
		if len(waiting) != len(pool) {
			s.bad = true
			for _, c := range pool[min(len(waiting), len(pool)):] {
				p.fault(c.line, "", FaultDeadlineExtra, c.values[0].Printed)
			}
			continue
		}
		for n, r := range waiting {
			r.cell = pool[n]
		}
	}
	for _, c := range carried {
		p.fault(c.line, "", FaultDeadlineExtra, c.values[0].Printed)
	}
	p.spread(func(e entry) bool { return e.cell != nil })
	for _, s := range p.sheets {
		if !s.bad {
			continue
		}
		for _, r := range s.rows {
			r.cell = nil
			if r.unit == nil || !r.unit.deleted {
				p.fault(r.line, r.num.String(), FaultDeadlineMissing, "")
			}
		}
	}
}

// pageDeadlines gives the cells that stand with their rows, and returns the rows
// and cells left. The cells after the last row wait for those after the mark.
func (s *sheet) pageDeadlines(pool []*cell) (waiting []*row, left []*cell) {
	for n, r := range s.rows {
		cells := cellsOf(s.segs[n])
		live := r.unit != nil && !r.unit.deleted
		if live {
			waiting = append(waiting, r)
		}
		open := len(waiting) - len(pool)
		switch {
		case n == len(s.rows)-1:
		case live && len(cells) == 1 && open > 1:
			r.cell, cells = cells[0], nil
			waiting = waiting[:len(waiting)-1]
		case open > 0 && len(cells) >= open:
			pool, cells = append(pool, cells...), nil
			sortRows(waiting)
			for _, w := range waiting {
				w.cell, pool = pool[0], pool[1:]
			}
			waiting = nil
		}
		pool = append(pool, cells...)
	}
	return waiting, pool
}

func cellsOf(list []entry) []*cell {
	var out []*cell
	for _, e := range list {
		if e.cell != nil {
			out = append(out, e.cell)
		}
	}
	return out
}
