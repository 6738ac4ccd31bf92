package pdf

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// sheet is the drawing of one page. Places are points from its top left.
type sheet struct {
	width, height float64
	body          bytes.Buffer
	images        []*picture
	whole         bool // a picture of a page: no head and no foot
}

func itoa(n int) string { return strconv.Itoa(n) }

// num writes a number as short as a hundredth of a point allows.
func num(v float64) string {
	v = math.Round(v*100) / 100
	if v == 0 {
		return "0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func (s *sheet) stroke(x1, y1, x2, y2, width float64) {
	fmt.Fprintf(&s.body, "q %s w %s %s m %s %s l S Q\n", num(width), num(x1), num(s.height-y1), num(x2), num(s.height-y2))
}

// line draws a set line whose column starts at x and whose top is at y.
func (s *sheet) line(l set, x, y, width float64, st Style, right bool) {
	if len(l.pieces) == 0 {
		return
	}
	rest, grow := l.room-l.width, 0.0
	if st.Align == Justify && l.spaces > 0 && (!l.last || rest < 0) {
		grow = rest / float64(l.spaces)
		rest = 0
	}
	x += l.indent
	if right {
		x -= l.indent
		x += width - l.indent - l.room
	}
	switch {
	case st.Align == Center:
		x += rest / 2
	case (st.Align == End) != right:
		x += rest
	}
	at := make([]float64, len(l.pieces))
	for _, i := range visual(l.pieces) {
		at[i] = x
		x += l.pieces[i].width
		if l.pieces[i].space {
			x += grow
		}
	}
	s.text(l.pieces, at, s.height-y-l.base, st.Color)
}

// text draws pieces in reading order, so that the order of the file is the
// order in which the text is read.
func (s *sheet) text(pieces []piece, at []float64, base float64, c Color) {
	b := &s.body
	b.WriteString("BT\n")
	if c != (Color{}) {
		fmt.Fprintf(b, "%s %s %s rg\n", num(float64(c.R)/255), num(float64(c.G)/255), num(float64(c.B)/255))
	}
	var face *typeface
	var size, px, py float64
	for i, p := range pieces {
		if p.face != face || p.size != size {
			face, size = p.face, p.size
			fmt.Fprintf(b, "/%s %s Tf\n", face.tag, num(size))
		}
		fmt.Fprintf(b, "%s %s Td\n", num(at[i]-px), num(base-py))
		px, py = px+math.Round((at[i]-px)*100)/100, py+math.Round((base-py)*100)/100
		p.show(b)
	}
	b.WriteString("ET\n")
	if c != (Color{}) {
		b.WriteString("0 g\n")
	}
}

// show writes the glyphs of a piece. The pen follows the widths of the font;
// what shaping wants beyond them goes into the array as corrections.
func (p piece) show(b *bytes.Buffer) {
	pen, want, rise := 0.0, 0.0, 0.0
	open := false
	for _, m := range p.marks {
		if dy := m.dy * p.size / 1000; num(dy) != num(rise) {
			if open {
				b.WriteString("] TJ ")
				open = false
			}
			rise = dy
			fmt.Fprintf(b, "%s Ts ", num(rise))
		}
		if !open {
			b.WriteByte('[')
			open = true
		}
		if fix := math.Round(pen - want - m.dx); fix != 0 {
			b.WriteString(num(fix))
			pen -= fix
		}
		fmt.Fprintf(b, "<%04X>", m.cid)
		pen += m.width
		want += m.advance
	}
	if open {
		b.WriteString("] TJ")
	}
	if num(rise) != "0" {
		b.WriteString(" 0 Ts")
	}
	b.WriteByte('\n')
}

// textString writes a string of text as PDF wants it: UTF-16, big end first.
func textString(s string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	b.WriteByte('>')
	return b.String()
}

// running draws the head or the foot of a page.
func (d *Doc) running(s *sheet, r Running, head bool) {
	size := r.Size
	if size <= 0 {
		size = 8.5
	}
	right, width := rtl(r.Lang), s.width-2*d.size.Side
	y := d.size.Top - 14 - 2*size
	if !head {
		y = s.height - d.size.Bottom + 12
	}
	s.body.WriteString("/Artifact <</Type /Pagination>> BDC\n")
	bottom := y
	for _, part := range []struct {
		text  string
		align Align
	}{{r.Start, Start}, {r.Center, Center}, {r.End, End}} {
		st := Style{Size: size, Align: part.align}
		lines := d.layout(r.Lang, []Span{{Text: part.text}}, st, width)
		for _, l := range lines[:min(len(lines), 1)] {
			s.line(l, d.size.Side, y, width, st, right)
			bottom = max(bottom, y+l.height)
		}
	}
	if r.Rule {
		at := bottom + 3
		if !head {
			at = y - 3
		}
		s.stroke(d.size.Side, at, s.width-d.size.Side, at, 0.5)
	}
	s.body.WriteString("EMC\n")
}

// picturesOf lists each picture once.
func (s *sheet) picturesOf() []*picture {
	var out []*picture
	for _, p := range s.images {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}
