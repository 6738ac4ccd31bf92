package pdf

import (
	"strings"
	"time"

	"github.com/go-text/typesetting/shaping"
)

// Meta describes a document. Date goes into its metadata: the same Meta and
// the same calls give the same bytes.
type Meta struct {
	Title, Author, Subject string
	Lang                   string // BCP 47; it also gives the direction of the columns
	Keywords               []string
	Date                   time.Time
	// Creator names the program or service that ordered the document.
	Creator string
	Page    PageSize
}

// PageSize is a sheet and its margins, in points.
type PageSize struct {
	Width, Height     float64
	Top, Bottom, Side float64 // Side is both the left and the right margin
}

// A4 is the sheet of letters and gazettes.
var A4 = PageSize{Width: 595.28, Height: 841.89, Top: 72, Bottom: 64, Side: 54}

// PageInfo is what a running head can say.
type PageInfo struct{ Number, Total int }

// Running is a line at the head or foot of a page. Start and End follow the
// direction of Lang.
type Running struct {
	Lang               string
	Start, Center, End string
	Size               float64 // 0 is 8.5
	Rule               bool    // a thin line between it and the text
}

// Doc is a document being built, from top to bottom.
type Doc struct {
	meta       Meta
	size       PageSize
	faces      map[string]*typeface
	faceList   []*typeface
	shaper     shaping.HarfbuzzShaper
	sheets     []*sheet
	y          float64 // from the top of the sheet to the end of what was set
	cols       int
	gap        float64
	pending    []atom
	outline    []bookmark
	head, foot func(PageInfo) Running
	images     []*picture
}

// bookmark is an entry of the outline that readers show beside the pages.
type bookmark struct {
	level int
	title string
	sheet int
	y     float64
}

// New starts a document with an empty first page.
func New(m Meta) *Doc {
	if m.Page.Width <= 0 || m.Page.Height <= 0 {
		m.Page = A4
	}
	d := &Doc{meta: m, size: m.Page, faces: map[string]*typeface{}, cols: 1}
	d.shaper.SetFontCacheSize(16)
	return d
}

func (d *Doc) face(family int, w Weight) *typeface {
	name := fontNames[family][w]
	t := d.faces[name]
	if t == nil {
		t = newTypeface(loadFonts()[name], "F"+itoa(len(d.faceList)+1))
		d.faces[name] = t
		d.faceList = append(d.faceList, t)
	}
	return t
}

// PageHeader sets what stands at the head of every page written from the
// document; it is called once for each page when the document is written.
func (d *Doc) PageHeader(fn func(PageInfo) Running) { d.head = fn }

// PageFooter is PageHeader for the foot.
func (d *Doc) PageFooter(fn func(PageInfo) Running) { d.foot = fn }

// Heading sets a title that stays with what follows and enters the outline of
// the document: level 1 is the highest, 4 the lowest.
func (d *Doc) Heading(level int, lang, text string) {
	level = min(max(level, 1), 4)
	st := [...]Style{
		{Size: 17, Weight: Bold, Align: Center, Before: 14, After: 8},
		{Size: 13, Weight: Bold, Align: Center, Before: 12, After: 6},
		{Size: 11.5, Weight: Bold, Align: Center, Before: 10, After: 4},
		{Size: 10.5, Weight: Bold, Before: 8, After: 2},
	}[level-1]
	d.HeadingStyle(level, lang, text, st)
}

// HeadingStyle is Heading with a look of the caller's.
func (d *Doc) HeadingStyle(level int, lang, text string, st Style) {
	st.KeepNext = true
	n := len(d.pending)
	d.Rich(lang, []Span{{Text: text, Weight: st.Weight}}, st)
	if len(d.pending) > n {
		d.pending[n].mark = &bookmark{level: level, title: strings.Join(strings.Fields(text), " ")}
	}
}

// Paragraph sets text in one cut. A line feed in it ends a line.
func (d *Doc) Paragraph(lang, text string, st Style) {
	d.Rich(lang, []Span{{Text: text, Weight: st.Weight}}, st)
}

// Article sets a numbered article: its number in bold, then its text, one
// paragraph for each line of it.
func (d *Doc) Article(lang, number, text string, st Style) {
	paragraphs := strings.Split(strings.TrimSpace(text), "\n")
	for i, p := range paragraphs {
		spans := []Span{{Text: p, Weight: st.Weight}}
		s := st
		if i == 0 {
			spans = append([]Span{{Text: number + " ", Weight: Bold}}, spans...)
		} else {
			s.Before = 0
		}
		if i < len(paragraphs)-1 {
			s.After = st.After / 2
		}
		d.Rich(lang, spans, s)
	}
}

// Rich sets a paragraph of several cuts.
func (d *Doc) Rich(lang string, spans []Span, st Style) {
	width := d.columnWidth()
	lines := d.layout(lang, spans, st, width)
	right := rtl(lang)
	for i, l := range lines {
		a := atom{height: l.height, keep: st.KeepNext || i == 0 && len(lines) > 1 || i == len(lines)-2}
		if i == 0 {
			a.before = st.Before
		}
		if i == len(lines)-1 {
			a.after = st.After
		}
		a.draw = func(s *sheet, x, y float64) { s.line(l, x, y, width, st, right) }
		d.pending = append(d.pending, a)
	}
}

// set is a line with its place inside a column.
type set struct {
	line
	height, base float64 // from its top to the next line, to its base line
	indent, room float64
}

func (d *Doc) layout(lang string, spans []Span, st Style, width float64) []set {
	room := max(width-st.Indent, 20)
	first := min(st.First, room-20)
	segs := d.shape(lang, spans, st, room-max(first, 0))
	lines := breakLines(segs, room, first, st.size(), st.Align == Justify)
	out := make([]set, len(lines))
	var up, down float64
	for _, s := range segs {
		for _, p := range s.pieces {
			unit := p.size / float64(p.face.units)
			up, down = max(up, float64(p.face.ascent)*unit), max(down, -float64(p.face.descent)*unit)
		}
	}
	height := st.Leading
	if height <= 0 {
		height = (up + down) * 1.02
	}
	for i, l := range lines {
		out[i] = set{line: l, height: height, base: up + (height-up-down)/2, indent: st.Indent, room: room}
		if i == 0 {
			out[i].indent += first
			out[i].room -= first
		}
	}
	return out
}

// Space leaves white.
func (d *Doc) Space(points float64) {
	d.pending = append(d.pending, atom{before: points, draw: func(*sheet, float64, float64) {}})
}

// Rule draws a thin line across the column.
func (d *Doc) Rule(before, after float64) {
	width := d.columnWidth()
	d.pending = append(d.pending, atom{before: before, after: after, height: 0.5, draw: func(s *sheet, x, y float64) {
		s.stroke(x, y, x+width, y, 0.5)
	}})
}

// PageBreak goes on at the top of a new page.
func (d *Doc) PageBreak() {
	d.flush()
	if len(d.sheets) > 0 {
		d.newSheet()
	}
}

// Columns goes on in n columns with a gap between them, in points, from where
// the text stands. Columns on one page are made equally long.
func (d *Doc) Columns(n int, gap float64) {
	d.flush()
	d.cols, d.gap = max(n, 1), max(gap, 0)
}

func (d *Doc) columnWidth() float64 {
	all := d.size.Width - 2*d.size.Side
	return (all - float64(d.cols-1)*d.gap) / float64(d.cols)
}
