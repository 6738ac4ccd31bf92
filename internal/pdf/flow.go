package pdf

// atom is what no column divides: a line, a picture, a rule.
type atom struct {
	before, height, after float64
	keep                  bool // stays in one column with the next
	mark                  *bookmark
	draw                  func(s *sheet, x, y float64) // y is its top
}

// bottom is where text ends on a sheet.
func (d *Doc) bottom() float64 { return d.size.Height - d.size.Bottom }

func (d *Doc) newSheet() {
	d.sheets = append(d.sheets, &sheet{width: d.size.Width, height: d.size.Height})
	d.y = d.size.Top
}

// flush puts everything that waits onto sheets.
func (d *Doc) flush() {
	if len(d.pending) > 0 && len(d.sheets) == 0 {
		d.newSheet()
	}
	for len(d.pending) > 0 {
		top := d.y
		if top > d.size.Top {
			top += d.pending[0].before
		}
		room := d.bottom() - top
		cuts := d.fill(d.pending, room)
		if cuts[len(cuts)-1] == len(d.pending) && d.cols > 1 {
			cuts = d.balance(d.pending, room)
		}
		if cuts[len(cuts)-1] == 0 { // not even one atom: too little room is left
			if top > d.size.Top {
				d.newSheet()
				continue
			}
			cuts = d.force(cuts)
		}
		d.place(cuts, top)
		d.pending = d.pending[cuts[len(cuts)-1]:]
		if len(d.pending) > 0 {
			d.newSheet()
		}
	}
}

// force puts one atom that is higher than a whole page into the first column:
// it runs over the edge rather than stop the document.
func (d *Doc) force(cuts []int) []int {
	for i := range cuts {
		cuts[i] = 1
	}
	return cuts
}

// fill says where each column ends when none may be higher than room.
func (d *Doc) fill(atoms []atom, room float64) []int {
	cuts := make([]int, d.cols)
	at := 0
	for c := range cuts {
		start, used := at, 0.0
		for at < len(atoms) {
			a := atoms[at]
			h := a.height
			if at > start {
				h += max(a.before, atoms[at-1].after)
			}
			if used+h > room+0.01 {
				break
			}
			used += h
			at++
		}
		if at < len(atoms) {
			at = keepTogether(atoms, start, at)
		}
		cuts[c] = at
	}
	return cuts
}

// keepTogether moves a cut back to before what must stay with the next column,
// unless nothing would be left.
func keepTogether(atoms []atom, start, cut int) int {
	k := cut
	for k > start && atoms[k-1].keep {
		k--
	}
	if k == start {
		return cut
	}
	return k
}

// balance finds the least height at which all of it fits.
func (d *Doc) balance(atoms []atom, room float64) []int {
	low, high := 0.0, room
	for range 24 {
		mid := (low + high) / 2
		if c := d.fill(atoms, mid); c[len(c)-1] == len(atoms) {
			high = mid
		} else {
			low = mid
		}
	}
	return d.fill(atoms, high)
}

func (d *Doc) place(cuts []int, top float64) {
	s := d.sheets[len(d.sheets)-1]
	width, right := d.columnWidth(), rtl(d.meta.Lang)
	start, deepest := 0, top
	for c, end := range cuts {
		x := d.size.Side + float64(c)*(width+d.gap)
		if right {
			x = d.size.Width - d.size.Side - width - float64(c)*(width+d.gap)
		}
		y := top
		for i := start; i < end; i++ {
			a := d.pending[i]
			if i > start {
				y += max(a.before, d.pending[i-1].after)
			}
			if a.mark != nil {
				m := *a.mark
				m.sheet, m.y = len(d.sheets)-1, y
				d.outline = append(d.outline, m)
			}
			a.draw(s, x, y)
			y += a.height
		}
		if end > start {
			deepest = max(deepest, y+d.pending[end-1].after)
		}
		start = end
	}
	d.columnRules(s, top, min(deepest, d.bottom()), width)
	d.y = deepest
}

// columnRules draws the thin line between columns that printers use.
func (d *Doc) columnRules(s *sheet, top, bottom, width float64) {
	if d.gap < 12 || bottom-top < 12 {
		return
	}
	for c := 1; c < d.cols; c++ {
		x := d.size.Side + float64(c)*(width+d.gap) - d.gap/2
		s.stroke(x, top+2, x, bottom-2, 0.3)
	}
}
