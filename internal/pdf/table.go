package pdf

// Table is rows of cells.
type Table struct {
	Lang   string
	Widths []float64 // shares of the column's width, one for each cell of a row
	Header bool      // the first row is a heading
	Grid   bool      // lines between the cells
	Style  Style     // of the cells
}

const cellPad = 4

// Rows sets a table. A row higher than a page goes on over the next one. Cells
// past the last width are left out.
func (d *Doc) Rows(t Table, rows [][]string) {
	total := 0.0
	for _, w := range t.Widths {
		total += w
	}
	if total <= 0 {
		return
	}
	for i, row := range rows {
		st := t.Style
		if t.Header && i == 0 {
			st.Weight = Bold
		}
		d.row(t, row, st, total, i == 0)
	}
}

func (d *Doc) row(t Table, row []string, st Style, total float64, first bool) {
	width, right := d.columnWidth(), rtl(t.Lang)
	n := min(len(row), len(t.Widths))
	cells, high, deep := make([][]set, n), 0.0, 1
	for i := range n {
		w := t.Widths[i] / total * width
		cells[i] = d.layout(t.Lang, []Span{{Text: row[i], Weight: st.Weight}}, st, w-2*cellPad)
		for _, l := range cells[i] {
			high = max(high, l.height)
		}
		deep = max(deep, len(cells[i]))
	}
	if high == 0 {
		high = st.size() * 1.3
	}
	for k := range deep {
		a := atom{height: high, keep: k == 0 && deep > 1}
		if k == 0 {
			a.height += cellPad / 2
		}
		if k == deep-1 {
			a.height += cellPad / 2
		}
		height, top, end := a.height, k == 0, k == deep-1
		a.draw = func(s *sheet, x, y float64) {
			at := x
			if right {
				at = x + width
			}
			for i := range t.Widths {
				w := t.Widths[i] / total * width
				if right {
					at -= w
				}
				if i < n && k < len(cells[i]) {
					inside := y
					if top {
						inside += cellPad / 2
					}
					s.line(cells[i][k], at+cellPad, inside, w-2*cellPad, st, right)
				}
				if t.Grid {
					s.stroke(at, y, at, y+height, 0.4)
					s.stroke(at+w, y, at+w, y+height, 0.4)
				}
				if !right {
					at += w
				}
			}
			if t.Grid && top && first {
				s.stroke(x, y, x+width, y, 0.4)
			}
			if t.Grid && end {
				s.stroke(x, y+height, x+width, y+height, 0.4)
			}
		}
		d.pending = append(d.pending, a)
	}
}
