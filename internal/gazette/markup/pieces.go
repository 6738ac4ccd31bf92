package markup

import (
	"strings"

	"diwan/internal/gazette/model"
)

// Pieces takes an act out of the text it was found in. What the act attaches is
// left out: that is a work of its own.
func Pieces(t *model.Text, act *model.Act) []model.Piece {
	p := &piecer{text: t}
	p.span(model.PiecePreface, "preface", act.Preface)
	for i, v := range act.Visas {
		p.span(model.PieceVisa, numbered("preamble__citation_", i), v)
	}
	p.span(model.PieceFormula, "preamble__formula_1", act.Enacting)
	p.units(act.Body, 0)
	p.span(model.PieceClosing, "conclusions", act.Closing)
	for i, s := range act.Countersigned {
		p.span(model.PieceClosing, numbered("conclusions__sig_", i), s)
	}
	p.units(act.Annexes, 0)
	for i, n := range act.Notes {
		p.add(model.Piece{Kind: model.PieceNote, EID: numbered("note_", i), Num: n.Mark, Text: Reflow(n.Text)}, n.Span)
	}
	return p.out
}

type piecer struct {
	text *model.Text
	out  []model.Piece
}

// add files a piece with the place it was read from.
func (p *piecer) add(piece model.Piece, at model.Span) {
	piece.Confidence = 1
	letters, sum := 0, 0.0
	for _, l := range p.text.LinesOf(at) {
		if piece.Page == 0 {
			piece.Page = l.Page
		}
		if l.Page == piece.Page {
			piece.Box = piece.Box.Union(l.Box)
		}
		letters += l.Len()
		sum += l.Confidence * float64(l.Len())
	}
	if letters > 0 {
		piece.Confidence = sum / float64(letters)
	}
	p.out = append(p.out, piece)
}

func (p *piecer) span(kind model.PieceKind, eid string, s model.Span) {
	if text := Reflow(p.text.Of(s)); text != "" {
		p.add(model.Piece{Kind: kind, EID: eid, Text: text}, s)
	}
}

func (p *piecer) units(units []model.Unit, depth int) {
	for i := range units {
		u := &units[i]
		piece := model.Piece{Kind: model.PieceKind(u.Kind), EID: u.EID, Depth: depth, Label: u.Label,
			Num: oneLine(u.Num), Heading: oneLine(u.Heading), Repealed: u.Repealed}
		if piece.IsContainer() {
			piece.Text = Reflow(p.texts(u.Content))
			p.add(piece, model.Span{Start: u.Start, End: max(u.Start, endOfHead(u))})
			p.units(u.Children, depth+1)
			continue
		}
		piece.Text = Reflow(p.texts(p.allOf(u)))
		p.add(piece, u.Span)
	}
}

// endOfHead is where a container's own words end and its first child begins.
func endOfHead(u *model.Unit) int {
	if len(u.Children) > 0 {
		return u.Children[0].Start
	}
	return u.End
}

// allOf returns the own text of a unit and of those below it, in order: the
// paragraphs of an article are lines of its text.
func (p *piecer) allOf(u *model.Unit) []model.Span {
	spans := append([]model.Span(nil), u.Content...)
	for i := range u.Children {
		c := &u.Children[i]
		if c.Kind == model.Table {
			spans = append(spans, c.Span)
			continue
		}
		spans = append(spans, p.allOf(c)...)
	}
	return spans
}

func (p *piecer) texts(spans []model.Span) string {
	var b strings.Builder
	for _, s := range spans {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.text.Of(s))
	}
	return b.String()
}

func numbered(prefix string, i int) string { return prefix + itoa(i+1) }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
