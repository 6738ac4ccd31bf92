package decrees

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Table is one annex table.
type Table struct {
	Decree string
	List   string
	Rows   []Row   // in printed order
	Faults []Fault // every place that could not be read
}

// Row is one decision of the list.
type Row struct {
	Number           string // canonical, main number first: "57-1"
	Printed          string // as the text prints it: "1-57"
	Administration   string // repaired, as printed
	AdministrationID string // "" when unknown
	Domain           string
	Name             string // repaired; "" when deleted or unread
	RawName          string
	Deleted          bool
	Deadlines        []Deadline
	Line             int // first line of the row, 1-based
}

// Deadline is a period in days, as the decree gives it.
type Deadline struct {
	Days      int
	AtOnce    bool   // on the spot; Days is 0
	Condition string // the kind of request it is for, "" for all
	Printed   string
}

// Fault names a place that could not be read. Column counts characters from 1.
type Fault struct {
	Line   int
	Column int
	Row    string
	Code   string
	Text   string
}

// Parse reads one decree and returns its rows in printed order, with every place
// it could not read. It fails only on a text it cannot read at all: too large,
// not text, or of a decree no layout knows (ErrTooLarge, ErrNotText,
// ErrUnknownDecree).
func Parse(name string, r io.Reader, layouts []Layout) (*Table, error) {
	all, err := readLines(name, r)
	if err != nil {
		return nil, err
	}
	l := choose(all, layouts)
	if l == nil {
		return nil, fmt.Errorf("%s:1:1: %w", name, ErrUnknownDecree)
	}
	t := &Table{Decree: l.Decree, List: l.List}
	lines, ok := tableLines(all, l)
	if !ok {
		t.Faults = append(t.Faults, Fault{Line: len(all), Column: 1, Code: FaultTableMissing, Text: l.Annex})
		return t, nil
	}
	openers := keySet(l.Openers)
	lines = restoreBreaks(lines, openers)
	fix := repairer{l.Corrections}
	p := &pairer{lines: lines, layout: l}
	cells := map[int][]*cell{}
	if l.Deadline != nil {
		got, stray := newTimeReader(l, openers, fix).read(lines)
		for i := range got {
			cells[got[i].line] = append(cells[got[i].line], &got[i])
		}
		for _, i := range stray {
			p.fault(i, "", FaultDeadlineUnread, lines[i].raw)
		}
	}
	if l.Administration == "" {
		finder := officeFinder{lines: lines, forms: spellings(l.Administrations)}
		p.offices = finder.find()
	}
	c := &cutter{lines: lines, offices: p.offices, cells: cells, openers: openers, joiners: keySet(l.Joiners)}
	p.sheets = c.cut()
	p.numbers()
	p.pairOffices()
	p.names()
	p.deadlines()
	p.fill(t, fix)
	slices.SortStableFunc(p.faults, func(a, b Fault) int { return a.Line - b.Line })
	t.Faults = append(t.Faults, p.faults...)
	return t, nil
}

// choose gives the layout whose mark stands first in the text: a decree names
// itself before the texts it builds on.
func choose(all []string, layouts []Layout) *Layout {
	for _, s := range all {
		best, at := -1, 0
		for i := range layouts {
			if n := markAt(s, layouts[i].Mark); n >= 0 && (best < 0 || n < at) {
				best, at = i, n
			}
		}
		if best >= 0 {
			return &layouts[best]
		}
	}
	return nil
}

// markAt finds a decree number that is not part of a longer one.
func markAt(s, mark string) int {
	n := strings.Index(s, mark)
	if n < 0 || mark == "" {
		return -1
	}
	digit := func(i int) bool { return i >= 0 && i < len(s) && (s[i] >= '0' && s[i] <= '9') }
	if digit(n-1) || digit(n+len(mark)) {
		return -1
	}
	return n
}

// fill turns the rows into the table.
func (p *pairer) fill(t *Table, fix repairer) {
	ids := map[string]string{}
	for _, a := range p.layout.Administrations {
		ids[a.ID] = a.Name["ar"]
	}
	for _, s := range p.sheets {
		for _, r := range s.rows {
			out := Row{Number: r.num.String(), Printed: r.printed, Line: p.lines[r.line].no}
			if r.office >= 0 {
				o := p.offices[r.office]
				out.Administration, out.AdministrationID = fix.text(o.raw), o.id
			} else if id := p.layout.Administration; id != "" {
				out.Administration, out.AdministrationID = ids[id], id
			}
			out.Domain = domain(p.layout.Groups, r.num)
			if u := r.unit; u != nil {
				out.RawName, out.Deleted = u.raw(), u.deleted
				out.Line = min(out.Line, p.lines[u.parts[0].line].no)
				if !u.deleted {
					out.Name = fix.text(strings.Join(partTexts(u), " "))
				}
			}
			if r.cell != nil {
				out.Deadlines = r.cell.values
			}
			t.Rows = append(t.Rows, out)
		}
	}
}

// partTexts gives the pieces of a name without the stops and list marks that
// extraction leaves at their edges.
func partTexts(u *unit) []string {
	var out []string
	for i, q := range u.parts {
		s := strings.TrimSpace(q.text)
		if i > 0 || strings.HasPrefix(s, ".") {
			s = strings.TrimLeft(s, ". ")
		}
		if s == "-" {
			continue
		}
		out = append(out, s)
		if i == u.gap {
			out = append(out, u.fill...)
		}
	}
	return out
}

// domain gives the merged cell a row stands in.
func domain(groups []Group, n number) string {
	for _, g := range groups {
		from, ok := parseNumber(g.From)
		to, ok2 := parseNumber(g.To)
		if ok && ok2 && compareNumbers(n, from) >= 0 && compareNumbers(n, to) <= 0 {
			return g.Name
		}
	}
	return ""
}
