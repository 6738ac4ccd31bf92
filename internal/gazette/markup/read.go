package markup

import (
	"errors"
	"fmt"
	"strings"

	"diwan/internal/gazette/model"
	"diwan/protocol/akn"
)

// ErrNoAct is returned for a document in Akoma Ntoso that holds no act.
var ErrNoAct = errors.New("the document holds no act")

// Read takes the acts out of a document in Akoma Ntoso: one act, or all acts of
// an issue of a gazette. What an act attaches comes behind it as a text of its
// own when it has an address of its own; an annex becomes a piece.
func Read(root *akn.Node) ([]Doc, error) {
	var out []Doc
	var err error
	take := func(n *akn.Node) bool {
		switch n.Name {
		case "act", "bill", "doc", "statement":
			docs, e := readDoc(n)
			if e != nil && err == nil {
				err = e
			}
			out = append(out, docs...)
			return false
		}
		return true
	}
	if take(root) {
		root.Find(take)
	}
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, ErrNoAct
	}
	return out, nil
}

func readDoc(n *akn.Node) ([]Doc, error) {
	meta, err := akn.ReadMeta(n.Child("meta"))
	if err != nil {
		return nil, fmt.Errorf("reading the metadata: %w", err)
	}
	r := &reader{}
	r.preface(n.Child("preface"))
	r.preamble(n.Child("preamble"))
	for _, name := range []string{"body", "mainBody"} {
		r.units(n.Child(name), 0)
	}
	r.blocksOf(model.PieceClosing, "conclusions", n.Child("conclusions"))
	var more []Doc
	for _, a := range n.Child("attachments").Elements() {
		if a.Name != "attachment" {
			continue
		}
		doc := a.Child("doc")
		am, err := akn.ReadMeta(doc.Child("meta"))
		if err == nil && am.Work.Work() != meta.Work.Work() {
			docs, err := readDoc(doc)
			if err != nil {
				return nil, err
			}
			more = append(more, docs...)
			continue
		}
		r.annex(a, doc)
	}
	for _, note := range n.Child("meta", "notes").Elements() {
		r.add(model.Piece{Kind: model.PieceNote, EID: note.Attr("eId"), Text: paragraphs(note)})
	}
	d := Doc{ELI: meta.Alias}
	lang := model.Lang(meta.Lang)
	d.Work = model.Work{ID: meta.Work.Work(), Kind: meta.Work.Subtype, Number: model.Number(meta.Number), Titles: map[model.Lang]string{lang: r.title}}
	if meta.DateName == "signature" {
		d.Work.Signed = model.Date(meta.Created)
	}
	d.Expression = model.Expression{Work: d.Work.ID, Lang: lang, Form: model.OriginalForm, Version: model.Date(meta.Version), Title: r.title, Pieces: r.out}
	if n.Attr("contains") == "singleVersion" {
		d.Expression.Form = model.ConsolidatedForm
	}
	if p := meta.Publication; p != nil {
		ref := model.IssueRef{Edition: p.Name, Date: model.Date(p.Date)}
		fmt.Sscanf(p.Number, "%d", &ref.Number)
		d.Expression.Publication = []model.IssueRef{ref}
	}
	return append([]Doc{d}, more...), nil
}

type reader struct {
	title string
	out   []model.Piece
}

func (r *reader) add(p model.Piece) {
	p.Confidence = 1
	if p.EID == "" {
		p.EID = "x_" + itoa(len(r.out)+1)
	}
	r.out = append(r.out, p)
}

func (r *reader) preface(n *akn.Node) {
	for _, c := range n.Elements() {
		if c.Name == "longTitle" {
			r.title = c.PlainText()
			continue
		}
		r.add(model.Piece{Kind: model.PiecePreface, EID: c.Attr("eId"), Text: paragraphs(c)})
	}
}

func (r *reader) preamble(n *akn.Node) {
	for _, c := range n.Elements() {
		switch c.Name {
		case "citations", "recitals":
			for _, v := range c.Elements() {
				r.add(model.Piece{Kind: model.PieceVisa, EID: v.Attr("eId"), Text: paragraphs(v)})
			}
		default:
			r.add(model.Piece{Kind: model.PieceFormula, EID: c.Attr("eId"), Text: paragraphs(c)})
		}
	}
}

func (r *reader) blocksOf(kind model.PieceKind, eid string, n *akn.Node) {
	for i, c := range n.Elements() {
		id := c.Attr("eId")
		if id == "" {
			id = eid + "_" + itoa(i+1)
		}
		r.add(model.Piece{Kind: kind, EID: id, Text: paragraphs(c)})
	}
}

func (r *reader) annex(a, doc *akn.Node) {
	main := doc.Child("mainBody")
	p := model.Piece{Kind: model.PieceKind(model.Annex), EID: a.Attr("eId")}
	if els := main.Elements(); len(els) > 1 && els[0].Name == "p" {
		p.Heading = els[0].PlainText()
		main = &akn.Node{Name: main.Name, Children: els[1:]}
	}
	p.Text = paragraphs(main)
	r.add(p)
}

var containers = map[string]bool{"part": true, "book": true, "tome": true, "title": true, "chapter": true, "subchapter": true,
	"section": true, "subsection": true, "division": true}

// units reads a hierarchy. Containers that the gazette has no name for become
// sections; what stands below an article becomes its paragraphs.
func (r *reader) units(n *akn.Node, depth int) {
	for _, c := range n.Elements() {
		p := model.Piece{Kind: model.PieceKind(c.Name), EID: c.Attr("eId"), Depth: depth, Repealed: c.Attr("status") == "removed",
			Num: c.Child("num").PlainText(), Heading: c.Child("heading").PlainText()}
		switch {
		case containers[c.Name]:
			if !p.IsContainer() {
				p.Kind = model.PieceKind(model.Section)
			}
			p.Label = labelOf(p.EID)
			p.Text = paragraphs(c.Child("intro"))
			r.add(p)
			r.units(c, depth+1)
		case c.Name == "article" || c.Name == "rule" || c.Name == "clause":
			p.Kind = model.PieceKind(model.Article)
			p.Label, p.Text = labelOf(p.EID), paragraphs(c)
			r.add(p)
		case c.Name == "num" || c.Name == "heading" || c.Name == "subheading" || c.Name == "intro":
		default:
			p.Kind, p.Text = model.PieceText, paragraphs(c)
			if p.Text != "" {
				r.add(p)
			}
		}
	}
}

// labelOf is the number at the end of an eId: "5bis" of "chp_1__art_5bis".
func labelOf(eid string) string {
	if i := strings.LastIndex(eid, "__"); i >= 0 {
		eid = eid[i+2:]
	}
	_, label, _ := strings.Cut(eid, "_")
	return label
}

// paragraphs returns the text of an element: a line for each p, a line between
// tabs for each row of a table.
func paragraphs(n *akn.Node) string {
	var lines []string
	take := func(c *akn.Node) bool {
		switch c.Name {
		case "num", "heading", "subheading":
			return false
		case "p", "docTitle", "listIntroduction", "listWrapUp":
			lines = append(lines, c.PlainText())
			return false
		case "tr":
			var cells []string
			for _, td := range c.Elements() {
				cells = append(cells, td.PlainText())
			}
			lines = append(lines, "\t"+strings.Join(cells, "\t"))
			return false
		}
		return true
	}
	if n == nil {
		return ""
	}
	if n.Name == "p" {
		return n.PlainText()
	}
	n.Find(take)
	if len(lines) == 0 {
		return n.PlainText()
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
