package pdf

import (
	"strings"
	"unicode"

	"github.com/go-text/typesetting/bidi"
	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/segmenter"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	unicodebidi "golang.org/x/text/unicode/bidi"
)

// mark is one glyph to draw. Lengths are thousandths of the letter size.
type mark struct {
	cid     uint16
	advance float64 // to the next glyph
	width   float64 // that the font gives it
	dx, dy  float64
	runeAt  int // where what it stands for begins in the paragraph
}

// piece is text of one level, one font and one cut that no line divides.
type piece struct {
	marks []mark // from left to right
	face  *typeface
	size  float64
	level int
	width float64 // points
	space bool    // grows and shrinks in justified lines
}

// segment is what stands between two places where a line may break.
type segment struct {
	pieces []piece
	width  float64 // points, without the spaces at its end
	spaces float64 // width of the spaces at its end
	inner  int     // how many of its own spaces can stretch
	last   bool    // a line must end here
}

// run is one paragraph being shaped.
type run struct {
	doc    *Doc
	text   []rune
	levels []int
	faces  []*typeface
	size   float64
	lang   string
}

// shape turns a paragraph into segments, lines of at most width wide at most.
func (d *Doc) shape(lang string, spans []Span, st Style, width float64) []segment {
	r := run{doc: d, size: st.size(), lang: lang}
	var weights []Weight
	for _, s := range spans {
		for _, c := range tidy(s.Text) {
			r.text = append(r.text, c)
			weights = append(weights, s.Weight)
		}
	}
	if len(r.text) == 0 {
		return nil
	}
	r.levels = levelsOf(r.text, rtl(lang))
	r.faces = d.facesOf(r.text, weights, rtl(lang))
	var seg segmenter.Segmenter
	seg.Init(r.text)
	var out []segment
	from := 0
	for it := seg.LineIterator(); it.Next(); {
		l := it.Line()
		end := l.Offset + len(l.Text)
		if r.text[end-1] == '/' && end < len(r.text) && end-from < 60 {
			continue // addresses stay whole
		}
		s := r.segment(from, end)
		s.last = l.IsMandatoryBreak
		if s.width <= width {
			out = append(out, s)
		} else {
			out = append(out, r.divide(from, end, width)...)
			out[len(out)-1].last = s.last
		}
		from = end
	}
	return out
}

// tidy drops what can't be drawn: controls, soft hyphens, broken UTF-8.
func tidy(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return '\u2028'
		case r == '\t':
			return ' '
		case r == '\u00ad' || r == '\ufeff' || r == unicode.ReplacementChar || unicode.IsControl(r):
			return -1
		}
		return r
	}, s)
}

// levelsOf gives each character its level of the bidirectional algorithm
// (UAX 9). A mark put before the text fixes the direction of the paragraph.
func levelsOf(text []rune, rightToLeft bool) []int {
	lead, dir := '\u200e', bidi.LeftToRight
	if rightToLeft {
		lead, dir = '\u200f', bidi.RightToLeft
	}
	out := make([]int, len(text)+1)
	var p bidi.Paragraph
	runs := p.Segment(append([]rune{lead}, text...), dir)
	for i := range runs.NumRuns() {
		r := runs.Run(i)
		for k := r.Start; k < r.End; k++ {
			out[k] = int(r.Level)
		}
	}
	return out[1:]
}

func (d *Doc) facesOf(text []rune, weights []Weight, rightToLeft bool) []*typeface {
	out := make([]*typeface, len(text))
	current := latin
	if rightToLeft {
		current = arabic
	}
	for i, c := range text {
		family, neutral := familyOf(c)
		if neutral {
			family = current
			// Numbers and signs of one expression keep one look.
			if _, ok := d.face(family, weights[i]).face.NominalGlyph(c); !ok {
				family = latin
			}
		} else if !unicode.Is(unicode.Mn, c) {
			current = family
		}
		out[i] = d.face(family, weights[i])
	}
	return out
}

func stretches(c rune) bool { return c == ' ' || c == '\u00a0' }

func drawn(c rune) bool { return c != '\u2028' && c != '\u2029' && c != '\u200b' }

func (r *run) segment(from, to int) segment {
	var s segment
	for i := from; i < to; {
		k := i + 1
		for k < to && r.levels[k] == r.levels[i] && r.faces[k] == r.faces[i] && stretches(r.text[k]) == stretches(r.text[i]) && drawn(r.text[k]) && drawn(r.text[i]) {
			k++
		}
		if drawn(r.text[i]) {
			s.pieces = append(s.pieces, r.piece(i, k))
		}
		i = k
	}
	tail := len(s.pieces)
	for tail > 0 && s.pieces[tail-1].space {
		tail--
		s.spaces += s.pieces[tail].width
	}
	for i := range tail {
		s.width += s.pieces[i].width
		if s.pieces[i].space {
			s.inner++
		}
	}
	return s
}

func (r *run) piece(from, to int) piece {
	f := r.faces[from]
	in := shaping.Input{
		Text: r.text, RunStart: from, RunEnd: to, Face: f.face, Size: fixed.I(f.units),
		Direction: di.DirectionLTR, Script: language.LookupScript(firstLetter(r.text[from:to])), Language: language.NewLanguage(r.lang),
	}
	odd := r.levels[from]%2 == 1
	if odd {
		in.Direction = di.DirectionRTL
	}
	out := r.doc.shaper.Shape(in)
	p := piece{face: f, size: r.size, level: r.levels[from], space: stretches(r.text[from])}
	scale := 1000 / float64(f.units) / 64
	if endsBeforeSign(r.text, r.levels, from) {
		p.marks = f.unseen([]string{turn}, from)
	}
	for i := 0; i < len(out.Glyphs); {
		k := i + 1
		for k < len(out.Glyphs) && out.Glyphs[k].TextIndex() == out.Glyphs[i].TextIndex() {
			k++
		}
		cluster := out.Glyphs[i:k]
		at := cluster[0].TextIndex()
		said, unseen := spell(r.text[at:at+cluster[0].RunesCount()], cluster, odd)
		if odd && at+1 < len(r.text) && stretches(r.text[at+1]) && separates(r.text[at]) {
			unseen = append(unseen, turn)
		}
		p.marks = append(p.marks, f.unseen(unseen, at)...)
		for n, g := range cluster {
			m := mark{cid: f.cid(g.GlyphID, said[n]), advance: float64(g.Advance) * scale, width: f.advance(g.GlyphID),
				dx: float64(g.XOffset) * scale, dy: float64(g.YOffset) * scale, runeAt: at}
			p.width += m.advance * r.size / 1000
			p.marks = append(p.marks, m)
		}
		i = k
	}
	return p
}

// spell says what each glyph of a cluster stands for, and which texts need
// glyphs of their own before it, from left to right. Readers turn the glyphs of
// a right-to-left line around but leave the characters of one glyph as they
// are, so there no glyph may stand for two.
func spell(text []rune, cluster []shaping.Glyph, odd bool) (said, unseen []string) {
	said = make([]string, len(cluster))
	wide, base := 0, 0
	for i, g := range cluster {
		if g.Advance > 0 {
			wide++
		}
		if g.Advance > cluster[base].Advance {
			base = i
		}
	}
	switch {
	case len(cluster) == len(text) && (!odd || wide == len(text)):
		for i, c := range text {
			if odd {
				i = len(text) - 1 - i
			}
			said[i] = string(c)
		}
	case !odd:
		said[0] = string(text)
	default:
		said[base] = string(text[0])
		for i := len(text) - 1; i > 0; i-- {
			unseen = append(unseen, string(text[i]))
		}
	}
	return said, unseen
}

// turn is the right-to-left mark.
const turn = "\u200f"

// separates says whether readers take c for a part of numbers.
func separates(c rune) bool {
	p, _ := unicodebidi.LookupRune(c)
	switch p.Class() {
	case unicodebidi.CS, unicodebidi.ES, unicodebidi.ET:
		return true
	}
	return false
}

// endsBeforeSign says whether a number or a foreign word begins at from, inside
// right-to-left text, that a space or a sign follows. Readers take such a sign
// for a part of it and put it on the wrong side, unless a mark of direction
// stands between them.
func endsBeforeSign(text []rune, levels []int, from int) bool {
	if levels[from] < 2 || levels[from]%2 == 1 || from > 0 && levels[from-1] >= levels[from] {
		return false
	}
	end := from
	for end < len(text) && levels[end] >= levels[from] {
		end++
	}
	return end < len(text) && !unicode.IsLetter(text[end])
}

func firstLetter(text []rune) rune {
	for _, c := range text {
		if unicode.IsLetter(c) {
			return c
		}
	}
	return text[0]
}

// divide cuts a segment wider than a line between its clusters.
func (r *run) divide(from, to int, width float64) []segment {
	const window = 400 // characters: more than any line holds
	var out []segment
	for from < to {
		end, used := min(from+window, to), 0.0
		advance := map[int]float64{}
		for _, p := range r.segment(from, end).pieces {
			for _, m := range p.marks {
				advance[m.runeAt] += m.advance * r.size / 1000
			}
		}
		cut := from
		for cut < end && (used+advance[cut] <= width || cut == from) {
			used += advance[cut]
			cut++
			for cut < end && advance[cut] == 0 {
				cut++
			}
		}
		out = append(out, r.segment(from, cut))
		from = cut
	}
	return out
}
