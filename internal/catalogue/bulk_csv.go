package catalogue

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
)

const byteOrderMark = "\ufeff" // tells spreadsheets that the file is UTF-8

// guarded matches where a spreadsheet could take what follows for a formula: at
// the beginning of a cell, and behind whatever some spreadsheet takes for the
// end of one, since which that is depends on its settings and not on the file.
// Apostrophes that stand there already are counted.
var guarded = regexp.MustCompile("(^|[;,\t\r\n])('*)([=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])")

// guard keeps a spreadsheet from taking a text, or a part of it, for a formula:
// an apostrophe goes before what would be one. Where apostrophes stand already
// there is one more, so that unguard gives back exactly what was there.
func guard(s string) string { return guarded.ReplaceAllString(s, "$1'$2$3") }

// unguard takes the apostrophes of guard away, and leaves every other.
func unguard(s string) string {
	return guarded.ReplaceAllStringFunc(s, func(m string) string { return strings.Replace(m, "'", "", 1) })
}

// newlines writes line breaks in one way: a table can't tell them apart.
func newlines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

func (c *Catalogue) columns() []column { return columnsOf(c.country.Order()) }

// ExportCSV writes all procedures that the public sees as a table: UTF-8 with a
// byte order mark, commas, one line of names; CSVTemplate explains the columns.
// No cell is a formula for a spreadsheet. What has no column (sources, rows of
// official lists, notes) is not lost when the table is imported again.
func (c *Catalogue) ExportCSV(_ context.Context, w io.Writer) error {
	cols := c.columns()
	out, err := startCSV(w, cols)
	if err != nil {
		return err
	}
	row := make([]string, len(cols))
	for _, e := range c.Snapshot().Procedures {
		for i, col := range cols {
			row[i] = guard(newlines(col.get(e.Procedure)))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func startCSV(w io.Writer, cols []column) (*csv.Writer, error) {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return nil, err
	}
	out := csv.NewWriter(w)
	names := make([]string, len(cols))
	for i, col := range cols {
		names[i] = col.name
	}
	return out, out.Write(names)
}

// comment begins the id of a row that is not a procedure.
const comment = "#"

// CSVTemplate writes an empty table with rows that explain the columns, one for
// each language of the country in which they are explained. An import passes
// over those rows.
func (c *Catalogue) CSVTemplate(w io.Writer) error {
	cols := c.columns()
	out, err := startCSV(w, cols)
	if err != nil {
		return err
	}
	docs := columnDocs()
	for _, l := range c.country.Order() {
		row := make([]string, len(cols))
		for i, col := range cols {
			name := col.name
			for _, x := range c.country.Order() {
				name = strings.TrimSuffix(name, "_"+string(x))
			}
			row[i] = docs[name][l]
			if name != col.name && docs[name+"_"] != nil {
				row[i] = docs[name+"_"][l]
			}
		}
		if row[0] == "" {
			continue
		}
		row[0] = comment + " " + row[0]
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// ImportCSV imports a table as ExportCSV and CSVTemplate write it, with commas or
// semicolons. Columns may be left out and stand in any order; only id is needed,
// and what has no column stays as it is. name is the file's, for the reports.
func (c *Catalogue) ImportCSV(ctx context.Context, actor gov.Actor, name string, r io.Reader) (Report, error) {
	if err := mayImport(actor); err != nil {
		return Report{}, err
	}
	f, b, err := openImport(name, r)
	if err != nil {
		return f.outcome(Report{}, err)
	}
	all := readTable(f, b, c.columns())
	if err := f.refused(); err != nil {
		return f.outcome(Report{}, err)
	}
	return c.importer(actor, f).run(ctx, all, nil)
}

// separator returns what stands between the cells of a table: the first comma or
// semicolon of its first line.
func separator(b []byte) rune {
	line, _, _ := bytes.Cut(b, []byte{'\n'})
	if i := bytes.IndexAny(line, ",;"); i >= 0 && line[i] == ';' {
		return ';'
	}
	return ','
}

// tableRow is one row of a table: the cells of the columns that it has.
type tableRow struct {
	f     *file
	at    []string // the place of each cell
	cols  []*column
	order []int // of the cells, as their columns stand in columnsOf
	cells []string
	start string
}

// maxImportLines bounds the lines of a table, cells with several lines included,
// because the place of a fault is looked up in a list of them.
const maxImportLines = 1_000_000

func readTable(f *file, b []byte, cols []column) []incoming {
	if bytes.Count(b, []byte{'\n'}) > maxImportLines {
		f.fault(f.place(1, 1), "import.rows", "limit", strconv.Itoa(maxImportRows))
		return nil
	}
	lines := bytes.SplitAfter(b, []byte{'\n'})
	d := csv.NewReader(bytes.NewReader(b))
	d.Comma, d.FieldsPerRecord = separator(b), -1
	// place turns the reader's line and byte into the report's line and character.
	place := func(line, col int) string {
		if line >= 1 && line <= len(lines) {
			text := lines[line-1]
			col = utf8.RuneCount(text[:min(max(col-1, 0), len(text))]) + 1
		}
		return f.place(line, col)
	}
	header, err := d.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			f.fault(f.place(1, 1), "import.empty")
		} else {
			csvFault(f, err, place)
		}
		return nil
	}
	used := readHeader(f, d, header, cols, place)
	if used == nil {
		return nil
	}
	order := orderOf(used, cols)
	var all []incoming
	for {
		record, err := d.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			csvFault(f, err, place)
			return all
		}
		row := &tableRow{f: f, cols: used, order: order, cells: record}
		row.start = place(d.FieldPos(0))
		// Finding a place costs a walk along the line: only rows that can be
		// read are worth one for each cell.
		for i := 0; i < len(record) && len(record) == len(header); i++ {
			row.at = append(row.at, place(d.FieldPos(i)))
		}
		if len(all) >= maxImportRows {
			f.fault(row.start, "import.rows", "limit", strconv.Itoa(maxImportRows))
			return nil
		}
		if in, ok := row.incoming(len(header)); ok {
			all = append(all, in)
		}
	}
}

func csvFault(f *file, err error, place func(line, col int) string) {
	at, what := f.name, err.Error()
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		at, what = place(e.Line, e.Column), e.Err.Error()
	}
	f.fault(at, "import.csv", "value", what)
}

// readHeader returns the columns in the order of the file, or nil when the first
// line names something else.
func readHeader(f *file, d *csv.Reader, header []string, cols []column, place func(line, col int) string) []*column {
	byName := map[string]*column{}
	for i := range cols {
		byName[cols[i].name] = &cols[i]
	}
	before := len(f.problems)
	if len(header) > len(cols) {
		f.fault(f.place(1, 1), "import.column", "name", clip(strings.TrimSpace(header[len(cols)])))
		return nil
	}
	used, seen := make([]*column, len(header)), map[string]bool{}
	for i, h := range header {
		h = strings.ToLower(strings.TrimSpace(h))
		at := place(d.FieldPos(i))
		switch {
		case byName[h] == nil:
			f.fault(at, "import.column", "name", clip(h))
		case seen[h]:
			f.fault(at, "import.column_double", "name", h)
		}
		used[i], seen[h] = byName[h], true
	}
	if !seen["id"] {
		f.fault(f.place(1, 1), "import.missing", "name", "id")
	}
	if len(f.problems) > before {
		return nil
	}
	return used
}

// orderOf returns in which order cells are set: how many things a list has comes
// before what each of them says, however the file sorts its columns.
func orderOf(used []*column, cols []column) []int {
	var order []int
	for i := range cols {
		if at := slices.IndexFunc(used, func(c *column) bool { return c.name == cols[i].name }); at >= 0 {
			order = append(order, at)
		}
	}
	return order
}

// incoming returns the procedure of a row; ok is false for rows that hold none.
func (r *tableRow) incoming(want int) (in incoming, ok bool) {
	if len(r.cells) != want {
		r.f.fault(r.start, "import.cells", "got", strconv.Itoa(len(r.cells)), "want", strconv.Itoa(want))
		return in, false
	}
	empty := true
	for i := range r.cells {
		empty = empty && strings.TrimSpace(r.cells[i]) == ""
	}
	id := ""
	for i, col := range r.cols {
		if col.name == "id" {
			id = strings.TrimSpace(unguard(r.cells[i]))
		}
	}
	if empty || strings.HasPrefix(id, comment) {
		return in, false
	}
	return incoming{id: id, at: r.start, where: r.where, build: func(base *model.Procedure) *model.Procedure {
		if base == nil {
			base = &model.Procedure{ID: id}
		}
		r.apply(base)
		return base
	}}, true
}

// where returns the cell that shows a field of the model, the longest path first.
func (r *tableRow) where(path string) string {
	best, at := -1, r.start
	for i, col := range r.cols {
		if n := len(col.path); n > best && (path == col.path || strings.HasPrefix(path, col.path+".")) {
			best, at = n, r.at[i]
		}
	}
	return at
}

// apply sets what the row says otherwise than the procedure. A cell that shows
// what the procedure has changes nothing, so that a table that comes back
// unchanged leaves everything as it was, also what a cell can't show.
func (r *tableRow) apply(p *model.Procedure) {
	for _, i := range r.order {
		col := r.cols[i]
		cell := newlines(unguard(r.cells[i]))
		if newlines(col.get(p)) == cell {
			continue
		}
		if want, ok := col.set(p, cell); !ok {
			r.f.fault(r.at[i], "import.cell", "value", clip(cell), "name", col.name, "want", want)
		}
	}
}
