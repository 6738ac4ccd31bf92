package markup

import (
	"sort"
	"strings"

	"diwan/internal/gazette/model"
	"diwan/protocol/akn"
)

// Doc is a text with what its Akoma Ntoso form says besides its words.
type Doc struct {
	Work       model.Work
	Expression model.Expression
	Author     string // who made the work, when nobody signed it by name
	Source     string // who makes the file
	ELI        string
	Links      []model.Link
	Events     []akn.Event
	Passive    []akn.Modification
	Active     []akn.Modification
	// Attached are the works that this one publishes: the law of a dahir. Their
	// pieces are printed behind it, under eIds of their own.
	Attached []Doc
}

// Document returns the akomaNtoso element of a text: an act in the strict
// vocabulary, its annexes and what it publishes as attachments.
func (d Doc) Document() *akn.Node {
	b := builder{doc: &d, links: linksByPiece(d.Links)}
	act := akn.E("act", akn.A("name", name(d.Work.Kind)), akn.A("contains", d.contains()), b.meta().Node())
	preface, preamble, body, conclusions, annexes := b.parts()
	act.Children = append(act.Children, preface)
	if preamble != nil {
		act.Children = append(act.Children, preamble)
	}
	act.Children = append(act.Children, body)
	if conclusions != nil {
		act.Children = append(act.Children, conclusions)
	}
	if atts := b.attachments(annexes); atts != nil {
		act.Children = append(act.Children, atts)
	}
	return akn.E("akomaNtoso", act)
}

func (d *Doc) contains() string {
	if d.Expression.Form == model.ConsolidatedForm || len(d.Passive) > 0 {
		return "singleVersion"
	}
	return "originalVersion"
}

func name(kind string) string {
	if kind == "" {
		return "act"
	}
	return kind
}

type builder struct {
	doc    *Doc
	links  map[string][]model.Link
	prefix string
}

func (b *builder) id(eid string) string {
	if b.prefix == "" {
		return eid
	}
	return b.prefix + "__" + eid
}

func linksByPiece(links []model.Link) map[string][]model.Link {
	m := map[string][]model.Link{}
	for _, l := range links {
		if l.To != "" {
			m[l.EID] = append(m[l.EID], l)
		}
	}
	for _, ls := range m {
		sort.Slice(ls, func(i, j int) bool { return ls[i].Start < ls[j].Start })
	}
	return m
}

func (b *builder) meta() akn.Meta {
	d := b.doc
	iri, err := akn.ParseIRI(d.Work.ID)
	if err != nil {
		iri = akn.IRI{Country: "xx", Type: "act", Date: akn.Undated}
	}
	m := akn.Meta{Work: iri, Prefix: b.prefix, Alias: d.ELI, Lang: string(d.Expression.Lang), Version: string(d.Expression.Version),
		Created: string(d.Work.Signed), DateName: "signature", Author: d.Author, Source: d.Source, Number: string(d.Work.Number),
		Events: d.Events, Passive: d.Passive, Active: d.Active}
	if d.Work.Authority != "" {
		m.Author = d.Work.Authority
	}
	if d.Work.Subject != "" {
		m.Keywords = []string{d.Work.Subject}
	}
	for _, p := range d.Expression.Publication {
		if p.Number > 0 {
			m.Publication = &akn.Publication{Date: string(p.Date), Name: p.Edition, Number: itoa(p.Number), ShowAs: itoa(p.Number)}
			break
		}
	}
	for i := range d.Expression.Pieces {
		p := &d.Expression.Pieces[i]
		if p.Kind == model.PieceNote {
			note := akn.E("note", akn.A("eId", b.id(p.EID)), b.blocks(p))
			m.Notes = append(m.Notes, note)
		}
	}
	return m
}

// parts sorts the pieces into the containers of an act.
func (b *builder) parts() (preface, preamble, body, conclusions *akn.Node, annexes []model.Piece) {
	preface = akn.E("preface")
	title := b.doc.Expression.Title
	if title == "" {
		title = b.doc.Work.ID
	}
	preface.Children = append(preface.Children, akn.E("longTitle", akn.E("p", akn.E("docTitle", clean(title)))))
	var citations, formulas, closing []*akn.Node
	var units []model.Piece
	ps := b.doc.Expression.Pieces
	for i := range ps {
		p := &ps[i]
		switch {
		case p.Kind == model.PiecePreface:
			preface.Children = append(preface.Children, akn.E("container", akn.A("name", "opening"), akn.A("eId", b.id(p.EID)), b.blocks(p)))
		case p.Kind == model.PieceVisa:
			citations = append(citations, akn.E("citation", akn.A("eId", b.id(p.EID)), b.blocks(p)))
		case p.Kind == model.PieceFormula:
			formulas = append(formulas, akn.E("formula", akn.A("name", "enacting"), akn.A("eId", b.id(p.EID)), b.blocks(p)))
		case p.Kind == model.PieceClosing:
			closing = append(closing, akn.E("container", akn.A("name", "signature"), akn.A("eId", b.id(p.EID)), b.blocks(p)))
		case p.Kind == model.PieceNote:
		case p.Kind == model.PieceKind(model.Annex):
			annexes = append(annexes, *p)
		default:
			units = append(units, *p)
		}
	}
	if len(citations)+len(formulas) > 0 {
		preamble = akn.E("preamble")
		if len(citations) > 0 {
			preamble.Children = append(preamble.Children, akn.E("citations", akn.A("eId", b.id("preamble__citations")), citations))
		}
		preamble.Children = append(preamble.Children, formulas...)
	}
	if len(closing) > 0 {
		conclusions = akn.E("conclusions", closing)
	}
	return preface, preamble, akn.E("body", b.hierarchy(units)), conclusions, annexes
}

// hierarchy turns the list of units into the tree that their depths tell.
func (b *builder) hierarchy(units []model.Piece) []*akn.Node {
	var out []*akn.Node
	type level struct {
		depth int
		node  *akn.Node
	}
	var open []level
	for i := range units {
		p := &units[i]
		for len(open) > 0 && open[len(open)-1].depth >= p.Depth {
			open = open[:len(open)-1]
		}
		n := b.unit(p)
		if len(open) > 0 {
			top := open[len(open)-1].node
			top.Children = append(top.Children, n)
		} else {
			out = append(out, n)
		}
		if p.IsContainer() {
			open = append(open, level{p.Depth, n})
		}
	}
	if len(out) == 0 {
		out = append(out, akn.E("hcontainer", akn.A("name", "text"), akn.A("eId", b.id("hcontainer_1")), akn.E("content", akn.E("p"))))
	}
	return out
}

func (b *builder) unit(p *model.Piece) *akn.Node {
	element := string(p.Kind)
	if p.Kind == model.PieceText || p.Kind == model.PieceKind(model.Table) {
		element = "hcontainer"
	}
	n := akn.E(element, akn.A("eId", b.id(p.EID)))
	if element == "hcontainer" {
		n.Attrs = append(n.Attrs, akn.A("name", "text"))
	}
	if p.Repealed {
		n.Attrs = append(n.Attrs, akn.A("status", "removed"))
	}
	if p.Num != "" {
		n.Children = append(n.Children, akn.E("num", clean(p.Num)))
	}
	if p.Heading != "" {
		n.Children = append(n.Children, akn.E("heading", clean(p.Heading)))
	}
	if p.IsContainer() {
		if len(p.Paragraphs()) > 0 {
			n.Children = append(n.Children, akn.E("intro", b.blocks(p)))
		}
		return n
	}
	paras := p.Paragraphs()
	if !p.IsArticle() || len(paras) < 2 || strings.Contains(p.Text, "\t") {
		n.Children = append(n.Children, akn.E("content", b.blocks(p)))
		return n
	}
	for i, block := range b.blocks(p) {
		n.Children = append(n.Children, akn.E("paragraph", akn.A("eId", b.id(p.EID+"__para_"+itoa(i+1))), akn.E("content", block)))
	}
	return n
}

// blocks returns the paragraphs of a piece, its citations as references and its
// rows as tables.
func (b *builder) blocks(p *model.Piece) []*akn.Node {
	var out []*akn.Node
	var table *akn.Node
	at := 0
	for line := range strings.Lines(p.Text) {
		start := at
		at += len(line)
		text := strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(text) == "" {
			continue
		}
		if row, ok := strings.CutPrefix(text, "\t"); ok {
			if table == nil {
				table = akn.E("table")
				out = append(out, table)
			}
			table.Children = append(table.Children, tableRow(row))
			continue
		}
		table = nil
		out = append(out, akn.E("p", b.inline(p, text, start)))
	}
	if len(out) == 0 {
		out = append(out, akn.E("p"))
	}
	return out
}

func tableRow(row string) *akn.Node {
	tr := akn.E("tr")
	for _, cell := range strings.Split(row, "\t") {
		tr.Children = append(tr.Children, akn.E("td", akn.E("p", clean(cell))))
	}
	return tr
}

// inline returns a line with its citations as ref elements.
func (b *builder) inline(p *model.Piece, text string, start int) []*akn.Node {
	var out []*akn.Node
	done := 0
	for _, l := range b.links[p.EID] {
		from, to := l.Start-start, l.End-start
		if from < done || to > len(text) || from >= to {
			continue
		}
		href := l.To
		if l.ToEID != "" {
			href += "/~" + l.ToEID
		}
		out = append(out, &akn.Node{Text: text[done:from]}, akn.E("ref", akn.A("href", href), text[from:to]))
		done = to
	}
	return append(out, &akn.Node{Text: text[done:]})
}

// attachments prints the annexes, then what the act publishes.
func (b *builder) attachments(annexes []model.Piece) *akn.Node {
	var out []*akn.Node
	for i := range annexes {
		p := annexes[i]
		prefix := b.id("att_" + itoa(len(out)+1))
		sub := *b
		sub.prefix = prefix
		meta := b.meta()
		meta.Prefix, meta.Work.Component = prefix, "annex_"+itoa(i+1)
		meta.Notes, meta.Passive, meta.Active, meta.Events, meta.Keywords = nil, nil, nil, nil, nil
		main := akn.E("mainBody")
		if t := p.Title(); t != "" {
			main.Children = append(main.Children, akn.E("p", clean(t)))
		}
		main.Children = append(main.Children, b.blocks(&p)...)
		out = append(out, akn.E("attachment", akn.A("eId", prefix), akn.E("doc", akn.A("name", "annex"), meta.Node(), main)))
	}
	for i := range b.doc.Attached {
		prefix := b.id("att_" + itoa(len(out)+1))
		sub := builder{doc: &b.doc.Attached[i], links: linksByPiece(b.doc.Attached[i].Links), prefix: prefix}
		out = append(out, akn.E("attachment", akn.A("eId", prefix), sub.attached()))
	}
	if len(out) == 0 {
		return nil
	}
	return akn.E("attachments", out)
}

// attached prints a work inside the one that publishes it.
func (b *builder) attached() *akn.Node {
	preface, preamble, body, conclusions, annexes := b.parts()
	main := akn.E("mainBody", body.Children)
	for i := range annexes {
		main.Children = append(main.Children, akn.E("hcontainer", akn.A("name", "annex"), akn.A("eId", b.id(annexes[i].EID)), akn.E("content", b.blocks(&annexes[i]))))
	}
	doc := akn.E("doc", akn.A("name", name(b.doc.Work.Kind)), b.meta().Node(), preface)
	if preamble != nil {
		doc.Children = append(doc.Children, preamble)
	}
	doc.Children = append(doc.Children, main)
	if conclusions != nil {
		doc.Children = append(doc.Children, conclusions)
	}
	return doc
}

// clean folds white space, so that a title is one line.
func clean(s string) string { return oneLine(s) }
