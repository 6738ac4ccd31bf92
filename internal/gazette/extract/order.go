package extract

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// arrange puts the lines of a page of the given width and height in reading
// order and says which column each is in and what it is for. Right-to-left
// pages begin with the right column. A line that spans the columns parts the
// page into bands, each read to its end before the next.
func arrange(lines []Line, width, height int, lang string) []Line {
	if len(lines) == 0 {
		return nil
	}
	head, body, foot := running(lines, height)
	a := arranger{width: width, rtl: lang == "ar"}
	sorted := a.region(body, 0)
	footnotes(sorted)
	for i := range head {
		head[i].Role, head[i].Column = Header, 0
	}
	for i := range foot {
		foot[i].Role, foot[i].Column = Footer, 0
	}
	a.byRow(head)
	a.byRow(foot)
	return slices.Concat(head, sorted, foot)
}

type arranger struct {
	width int
	rtl   bool
}

// minColumn is the least share of the page's width that counts as a column:
// narrower ones are cells of a table, which are read row by row.
const minColumn = 0.22

// region orders a part of the page. column is the column it lies in, 0 for all.
func (a arranger) region(lines []Line, column int) []Line {
	if len(lines) < 4 {
		a.byRow(lines)
		return numbered(lines, column)
	}
	cut, crossing := a.gutter(lines)
	if cut < 0 {
		a.byRow(lines)
		return numbered(lines, column)
	}
	if crossing == 0 {
		return a.split(lines, cut, column)
	}
	// Bands: what crosses the gutter, and what stands between.
	slices.SortStableFunc(lines, func(p, q Line) int { return cmp.Compare(p.Box.Y, q.Box.Y) })
	var out, band []Line
	// What stands beside other lines is no heading over both columns, even when
	// dirt has made it wide.
	alone := func(l Line) bool {
		return !slices.ContainsFunc(lines, func(o Line) bool { return o.Box != l.Box && rowOverlap(l.Box, o.Box)*2 > min(l.Box.H, o.Box.H) })
	}
	least := a.width / 25 // on both sides: less is a line that took the rule for a letter
	crosses := func(l Line) bool { return l.Box.X < cut-least && l.Box.right() > cut+least && alone(l) }
	for i, l := range lines {
		if len(band) > 0 && crosses(l) != crosses(lines[i-1]) {
			out = append(out, a.band(band, cut, column, crosses(band[0]))...)
			band = nil
		}
		band = append(band, l)
	}
	return append(out, a.band(band, cut, column, crosses(band[0]))...)
}

func (a arranger) band(lines []Line, cut, column int, whole bool) []Line {
	if whole {
		a.byRow(lines)
		return numbered(lines, column)
	}
	return a.split(lines, cut, column)
}

func (a arranger) split(lines []Line, cut, column int) []Line {
	var left, right []Line
	for _, l := range lines {
		if l.Box.X+l.Box.W/2 < cut {
			left = append(left, l)
		} else {
			right = append(right, l)
		}
	}
	if a.rtl {
		left, right = right, left
	}
	if column == 0 {
		column = 1
	}
	first := a.region(left, column)
	next := column
	for _, l := range first {
		next = max(next, l.Column)
	}
	return append(first, a.region(right, next+1)...)
}

func numbered(lines []Line, column int) []Line {
	for i := range lines {
		lines[i].Column = column
	}
	return lines
}

// gutter looks for the upright strip of white that parts two columns: crossed
// by few lines, with enough on both sides. It returns -1 when there is none.
func (a arranger) gutter(lines []Line) (at, crossing int) {
	low, high := lines[0].Box.X, 0
	for _, l := range lines {
		low, high = min(low, l.Box.X), max(high, l.Box.right())
	}
	room := int(minColumn * float64(a.width))
	const step = 4
	best, bestAt, run := len(lines), -1, 0
	for x := low + room; x <= high-room; x += step {
		n, left, right := 0, 0, 0
		for _, l := range lines {
			switch {
			case l.Box.X < x && l.Box.right() > x:
				n++
			case l.Box.right() <= x:
				left++
			default:
				right++
			}
		}
		if n*4 > len(lines) || left < 2 || right < 2 || (left+right)*2 < len(lines) {
			run = 0
			continue
		}
		if n < best {
			best, bestAt, run = n, x, 0
		} else if n == best && x-bestAt == run+step {
			run += step
		}
	}
	if bestAt < 0 || !a.beside(lines, bestAt) {
		return -1, 0
	}
	return bestAt + run/2, best
}

// beside says whether the two sides of a cut stand side by side rather than
// one under the other, and both are wide enough to be columns of text.
func (a arranger) beside(lines []Line, cut int) bool {
	var left, right Box
	for _, l := range lines {
		switch {
		case l.Box.right() <= cut:
			left = left.union(l.Box)
		case l.Box.X >= cut:
			right = right.union(l.Box)
		}
	}
	overlap := min(left.bottom(), right.bottom()) - max(left.Y, right.Y)
	least := int(minColumn * float64(a.width))
	return overlap*3 > min(left.H, right.H) && left.W >= least && right.W >= least
}

// byRow orders lines from top to bottom; those on one row follow the direction.
func (a arranger) byRow(lines []Line) {
	slices.SortStableFunc(lines, func(p, q Line) int { return cmp.Compare(p.Box.Y+p.Box.H/2, q.Box.Y+q.Box.H/2) })
	for i := 0; i < len(lines); {
		k, row := i+1, lines[i].Box
		for k < len(lines) && sameRow(row, lines[k].Box) {
			k++
		}
		slices.SortStableFunc(lines[i:k], func(p, q Line) int {
			if a.rtl {
				return cmp.Compare(q.Box.right(), p.Box.right())
			}
			return cmp.Compare(p.Box.X, q.Box.X)
		})
		i = k
	}
}

func rowOverlap(a, b Box) int { return min(a.bottom(), b.bottom()) - max(a.Y, b.Y) }

func sameRow(a, b Box) bool {
	return rowOverlap(a, b)*2 > min(a.H, b.H) && (a.right() <= b.X || b.right() <= a.X)
}

// running takes the running head and foot off the lines of a page: what stands
// alone at its edge.
func running(lines []Line, height int) (head, body, foot []Line) {
	sorted := slices.Clone(lines)
	slices.SortStableFunc(sorted, func(p, q Line) int { return cmp.Compare(p.Box.Y, q.Box.Y) })
	typical := medianHeight(sorted)
	from, to := 0, len(sorted)
	end := 0
	for i, l := range sorted {
		end = max(end, l.Box.bottom())
		if l.Box.Y+l.Box.H/2 > height*9/100 || i > 5 {
			break
		}
		if i+1 < len(sorted) && sorted[i+1].Box.Y-end > typical*4/5 && shortText(sorted[:i+1]) {
			from = i + 1
			break
		}
	}
	start := height
	for i := len(sorted) - 1; i >= from; i-- {
		l := sorted[i]
		start = min(start, l.Box.Y)
		if l.Box.Y+l.Box.H/2 < height*91/100 || len(sorted)-i > 4 {
			break
		}
		if i > from && start-lowest(sorted[from:i]) > typical*3/5 && shortText(sorted[i:]) && hasDigit(sorted[i:]) {
			to = i
			break
		}
	}
	return slices.Clone(sorted[:from]), slices.Clone(sorted[from:to]), slices.Clone(sorted[to:])
}

func lowest(lines []Line) int {
	y := 0
	for _, l := range lines {
		y = max(y, l.Box.bottom())
	}
	return y
}

func shortText(lines []Line) bool {
	n := 0
	for _, l := range lines {
		n += len([]rune(l.Text))
	}
	return n < 140
}

func hasDigit(lines []Line) bool {
	return slices.ContainsFunc(lines, func(l Line) bool { return strings.ContainsFunc(l.Text, unicode.IsDigit) })
}

func medianHeight(lines []Line) int {
	h := make([]int, len(lines))
	for i, l := range lines {
		h[i] = l.Box.H
	}
	slices.Sort(h)
	if len(h) == 0 {
		return 0
	}
	return max(h[len(h)/2], 1)
}

// footnotes marks the small print at the end of each column, from the line that
// begins with a number on.
func footnotes(lines []Line) {
	typical := medianHeight(lines)
	for end := len(lines); end > 0; {
		start := end
		for start > 0 && lines[start-1].Column == lines[end-1].Column {
			start--
		}
		first := end
		for i := end - 1; i > start && lines[i].Box.H*100 < typical*86; i-- {
			if startsWithMark(lines[i].Text) {
				first = i
			}
		}
		for i := first; i < end; i++ {
			lines[i].Role = Footnote
		}
		end = start
	}
}

func startsWithMark(s string) bool {
	s = strings.TrimLeft(s, "([ ")
	return s != "" && (s[0] == '*' || s[0] >= '0' && s[0] <= '9')
}

// MarkRunning marks as head and foot the lines at the edges of pages that come
// back on others with nothing but their numbers changed. Call it when all
// pages of a document are there; it changes only roles.
func MarkRunning(pages []Page) {
	const edge = 2 // lines looked at, at each end
	seen := map[string]int{}
	visit := func(fn func(p *Page, i int, role Role)) {
		for n := range pages {
			p := &pages[n]
			for i := range min(edge, len(p.Lines)) {
				fn(p, i, Header)
				if k := len(p.Lines) - 1 - i; k >= edge {
					fn(p, k, Footer)
				}
			}
		}
	}
	visit(func(p *Page, i int, role Role) {
		if k := withoutNumbers(p.Lines[i].Text); k != "" {
			seen[string(role)+k]++
		}
	})
	visit(func(p *Page, i int, role Role) {
		if k := withoutNumbers(p.Lines[i].Text); k != "" && seen[string(role)+k] >= max(3, len(pages)/4) {
			p.Lines[i].Role = role
		}
	})
}

func withoutNumbers(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
