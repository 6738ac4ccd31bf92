package structure

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

// prefixes are the abbreviations of Akoma Ntoso's naming convention for eIds
// (section 5.3).
var prefixes = map[model.UnitKind]string{
	model.Part: "part", model.Book: "book", model.TitleUnit: "title", model.Chapter: "chp", model.Section: "sec",
	model.Subsection: "subsec", model.Article: "art", model.Paragraph: "para", model.Point: "point", model.Annex: "att", model.Table: "table",
}

// units turns what was built into the units of the result.
func (t *tree) units() []model.Unit {
	return t.convert(t.root, t.base)
}

func (t *tree) convert(nodes []*node, prefix string) []model.Unit {
	var out []model.Unit
	for _, n := range nodes {
		u := &n.Unit
		switch {
		case n.prose:
			t.paras++
			u.Label = strconv.Itoa(t.paras)
			u.EID = t.id(t.base+"para_"+u.Label, n)
		case n.Kind == model.Article:
			// Articles are numbered through the act, so their own number is
			// enough; where it is not, the container tells them apart.
			u.EID = t.base + "art_" + idPart(u.Label)
			if t.ids[u.EID] > 0 && prefix != t.base {
				u.EID = prefix + "art_" + idPart(u.Label)
			}
			u.EID = t.id(u.EID, n)
		default:
			label := u.Label
			if label == "" {
				label = "1"
			}
			u.EID = t.id(prefix+prefixes[u.Kind]+"_"+idPart(label), n)
		}
		if n.unit < 0 {
			t.fillContent(n)
		}
		u.Children = append(u.Children, t.convert(n.kids, u.EID+"__")...)
		u.End = u.Head.End
		for _, c := range u.Content {
			u.End = max(u.End, c.End)
		}
		for _, c := range u.Children {
			u.End = max(u.End, c.End)
		}
		out = append(out, *u)
	}
	return out
}

func idPart(label string) string { return strings.ReplaceAll(label, ".", "-") }

// id makes an eId unique.
func (t *tree) id(id string, n *node) string {
	t.ids[id]++
	k := t.ids[id]
	if k == 1 {
		return id
	}
	if n.Kind == model.Article {
		t.dup = append(t.dup, model.Problem{Code: "eid_repeated", Detail: id, At: n.Start})
	}
	for {
		next := id + "." + strconv.Itoa(k)
		if t.ids[next] == 0 {
			t.ids[next] = 1
			return next
		}
		k++
	}
}

// fillContent gives an article its text: alone where it is one paragraph,
// otherwise as paragraphs and points.
func (t *tree) fillContent(n *node) {
	d := t.d
	n.Quoted = d.quotedRuns(n.lines)
	n.Repealed = d.isRepealed(n)
	groups := d.paragraphs(n.lines)
	if n.prose || len(groups) <= 1 && (len(groups) == 0 || len(groups[0].points) == 0) {
		n.Content = d.spans(n.lines)
		return
	}
	for i, g := range groups {
		p := model.Unit{Kind: model.Paragraph, Label: strconv.Itoa(i + 1), EID: n.EID + "__para_" + strconv.Itoa(i+1)}
		p.Content = d.spans(g.lines)
		p.Start = g.lines[0].start
		p.Head = model.Span{Start: p.Start, End: p.Start}
		p.End = p.Content[len(p.Content)-1].End
		used := map[string]int{}
		for k, pt := range g.points {
			q := model.Unit{Kind: model.Point, Label: pt.label}
			if q.Label == "" {
				q.Label = strconv.Itoa(k + 1)
			}
			q.Content = d.spans(pt.lines)
			q.Start = pt.lines[0].start
			q.Num = pt.num
			q.Head = model.Span{Start: q.Start, End: q.Start}
			q.End = q.Content[len(q.Content)-1].End
			name := q.Label
			if strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) {
				name = strconv.Itoa(k + 1) // addresses stay in Latin letters
			}
			q.EID = p.EID + "__point_" + name
			if used[name]++; used[name] > 1 {
				q.EID += "." + strconv.Itoa(used[name])
			}
			p.Children = append(p.Children, q)
			p.End = max(p.End, q.End)
		}
		n.Children = append(n.Children, p)
	}
}

// paragraph is some lines, and the points that follow them.
type paragraph struct {
	lines  []piece
	points []point
}

type point struct {
	lines []piece
	label string
	num   string
}

// paragraphs cuts the text of an article: a paragraph ends where a line ends a
// sentence; a point begins with a bullet, a number or a letter.
func (d *document) paragraphs(lines []piece) (out []paragraph) {
	for i, p := range lines {
		label, num, item := d.item(p)
		fresh := i == 0 || d.endsParagraph(lines[i-1], lines, i)
		var last *paragraph
		if len(out) > 0 {
			last = &out[len(out)-1]
		}
		switch {
		case last == nil:
			out = append(out, paragraph{lines: []piece{p}})
		case item && (fresh || num == "" || d.listOpen(*last)):
			last.points = append(last.points, point{[]piece{p}, label, num})
		case len(last.points) > 0 && !fresh:
			pt := &last.points[len(last.points)-1]
			pt.lines = append(pt.lines, p)
		case fresh:
			out = append(out, paragraph{lines: []piece{p}})
		default:
			last.lines = append(last.lines, p)
		}
	}
	return out
}

func (d *document) listOpen(p paragraph) bool {
	return len(p.points) > 0 || d.text[p.lines[len(p.lines)-1].end-1] == ':'
}

// endsParagraph tells whether a new paragraph can begin after a piece.
func (d *document) endsParagraph(p piece, lines []piece, i int) bool {
	r, _ := utf8.DecodeLastRuneInString(d.text[p.start:p.end])
	return d.g.Stop(r) && r != ',' || d.lines[lines[i].line].blank && d.lines[p.line].short && lines[i].line == p.line+1
}

// item reads the mark with which a point of a list begins.
func (d *document) item(p piece) (label, num string, ok bool) {
	s := d.text[p.start:p.end]
	r, n := utf8.DecodeRuneInString(s)
	switch {
	case r == '-' || r == '–' || r == '•' || r == '*' || r == '—' || r == '°' || unicode.Is(unicode.Co, r) || r == '➢' || r == '▪':
		rest := strings.TrimLeftFunc(s[n:], space)
		if rest == "" {
			return "", "", false
		}
		if len(rest) == len(s[n:]) && r == '-' && rest[0] >= '0' && rest[0] <= '9' {
			break // "-3": a number
		}
		return "", s[:n], true
	}
	toks := d.tokens(p.start, min(p.end, p.start+32), 4)
	k := 0
	if len(toks) > 1 && toks[0].ID < 0 {
		k = 1
	}
	if len(toks) < k+2 || toks[k+1].ID >= 0 {
		return "", "", false
	}
	m := toks[k+1].Mark()
	if m != ')' && m != '-' && m != '.' && m != '°' && m != '(' && m != '–' && m != '/' {
		return "", "", false
	}
	word := d.text[toks[k].Start:toks[k].End]
	switch {
	case toks[k].Num:
		lab, n, _ := d.l.MatchLabel(d.text, toks[k:k+1])
		if n == 0 {
			return "", "", false
		}
		return d.g.Format(lab), word, true
	case utf8.RuneCountInString(word) == 1 && toks[k].ID >= 0:
		return strings.ToLower(word), word, true
	}
	return "", "", false
}

// spans joins pieces on lines that follow each other directly.
func (d *document) spans(lines []piece) (out []model.Span) {
	for i, p := range lines {
		if i > 0 && p.line <= lines[i-1].line+1 {
			out[len(out)-1].End = p.end
			continue
		}
		out = append(out, model.Span{Start: p.start, End: p.end})
	}
	return out
}

// quotedRuns returns the stretches inside quotation marks.
func (d *document) quotedRuns(lines []piece) (out []model.Span) {
	open := false
	for _, p := range lines {
		r, _ := utf8.DecodeRuneInString(d.text[p.start:])
		if !d.lines[p.line].quoted && !d.g.QuoteMark(r) {
			open = false
			continue
		}
		if open {
			out[len(out)-1].End = p.end
		} else {
			out, open = append(out, model.Span{Start: p.start, End: p.end}), true
		}
	}
	return out
}

// isRepealed tells whether an article has no text but the word that says so.
func (d *document) isRepealed(n *node) bool {
	if n.unit >= 0 || n.prose || len(n.lines) > 1 {
		return false
	}
	text := model.Span{Start: n.Head.Start, End: n.Head.End}
	if len(n.lines) == 1 {
		text = model.Span{Start: n.lines[0].start, End: n.lines[0].end}
	}
	toks := d.tokens(text.Start, text.End, 16)
	at, m := d.l.Find(grammar.Repealed, toks)
	return at >= 0 && len(toks)-m <= 6 && (len(n.lines) == 0 || at <= 2)
}
