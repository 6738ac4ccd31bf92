package structure

import (
	"strings"

	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

// Options say what is known about a text beforehand.
type Options struct {
	// Edition is the edition of the gazette, when the source says it.
	Edition string
}

// MaxText bounds the text that Parse reads; what follows is left over as Rest.
const MaxText = 64 << 20

// Parse finds the issue, the acts and their parts in a text. It always returns
// something: what it can't tell stands in the problems of the acts. All places
// are bytes of t.Body. It keeps nothing of t and is safe for concurrent use.
func Parse(t *model.Text, g *grammar.Grammar, opts Options) model.Document {
	lang := t.Lang
	if lang == "" || g.Lang(lang) == nil {
		lang = g.Detect(t.Body)
	}
	d := &document{text: t.Body[:min(len(t.Body), MaxText)], g: g, l: g.Lang(lang), s: g.Scanner()}
	defer d.s.Release()
	d.suspect = t.Suspect
	d.split(t)
	d.edges()
	d.quotations()
	d.furniture()
	d.scan()
	lost := 0
	for _, c := range d.articls {
		if c.lost && d.text[c.end-1] == '.' {
			lost++
		}
	}
	d.dotted = lost >= 2
	body := d.summary()
	var doc model.Document
	for _, r := range d.cutActs(body) {
		doc.Acts = append(doc.Acts, d.act(r))
	}
	d.issueOf(&doc, body, opts)
	for _, l := range d.lines {
		if l.class == page || l.class == mark || l.class == stars {
			doc.Skipped = append(doc.Skipped, model.Span{Start: l.start, End: l.end})
		}
		if l.class == section && l.start >= d.lineStart(body) {
			d.rest = append(d.rest, model.Span{Start: l.start, End: l.end})
		}
	}
	if len(t.Body) > len(d.text) {
		d.rest = append(d.rest, model.Span{Start: len(d.text), End: len(t.Body)})
	}
	doc.Rest = d.rest
	d.matchSummary(&doc)
	return doc
}

func (d *document) lineStart(i int) int {
	if i < len(d.lines) {
		return d.lines[i].start
	}
	return len(d.text)
}

// rawAct is a stretch of lines that holds one act, with those attached to it.
type rawAct struct {
	lo, hi   int
	title    *titleAt // nil when it has none
	attached []rawAct
	tail     int  // where the lines of the act that carries it go on, 0
	merged   bool // its own title stood among its articles
}

// cutActs divides the lines from body on into acts.
func (d *document) cutActs(body int) (acts []rawAct) {
	cur := -1
	var hasBody, closed, listed, headless bool
	a, ln := d.articleFrom(body), body
	for ti := d.titleFrom(body); ti < len(d.titles); ti++ {
		t := &d.titles[ti]
		// A title in lower case is one where a text begins on its own after it.
		if t.Lower && !t.Cited && !t.strong && d.lines[t.line].blank && d.startsAct(t.line, ti, false) {
			if p := d.before(t.line); p >= 0 && d.lines[p].stop {
				t.strong = true
			}
		}
		for ; a < len(d.articls) && d.articls[a].line < t.line; a++ {
			if c := d.articls[a]; c.weight >= 0.8 && !c.amends {
				hasBody, headless = true, headless || cur < 0
			}
		}
		for ; ln < t.line; ln++ {
			switch d.lines[ln].role {
			case grammar.Enacting:
				hasBody = true
			case grammar.Closing:
				closed = true
			case grammar.AmendedBy:
				listed = true
			}
		}
		if cur < 0 {
			if !t.strong {
				continue
			}
			if headless {
				acts = append(acts, rawAct{lo: body, hi: t.line})
				body = t.line
			}
			acts = append(acts, rawAct{lo: body, title: t})
			cur, hasBody, closed, listed = len(acts)-1, false, false, false
			continue
		}
		top := acts[cur].title
		same := t.Kind == top.Kind && (t.Number != "" && t.Number.Key() == top.Number.Key() || t.Number == "" && t.Dates.Civil != "" && t.Dates.Civil == top.Dates.Civil)
		switch {
		case !hasBody && t.strong && (same || t.Kind == top.Kind && !closed && (!listed || d.lines[t.line-1].class == page)):
			acts[cur].title = t // the title was repeated after a cover or a list
			continue
		case same, listed && !hasBody:
			continue
		case d.attaches(t, &acts[cur], hasBody, closed, ti):
			acts[cur].attached = append(acts[cur].attached, rawAct{lo: t.line, title: t})
			hasBody, closed = false, false
			continue
		case t.strong && (hasBody || d.lines[t.line].blank && !top.Carries) && d.startsAct(t.line, ti, closed):
		default:
			continue
		}
		if !t.strong || top.Carries && len(acts[cur].attached) > 0 && sameAct(t, acts[cur].attached[0].title) {
			continue
		}
		acts = append(acts, rawAct{lo: t.line, title: t})
		cur, hasBody, closed, listed = len(acts)-1, false, false, false
	}
	if len(acts) == 0 {
		acts = []rawAct{{lo: body, title: d.coverTitle(body)}}
	}
	end := len(d.lines)
	for i := len(acts) - 1; i >= 0; i-- {
		acts[i].hi = end
		if n := len(acts[i].attached); n > 0 {
			acts[i].attached[0].hi = end
		}
		end = acts[i].lo
	}
	acts[0].lo = min(acts[0].lo, body)
	return d.joinActs(acts)
}

// attaches tells whether a title is that of the act which another promulgates: it
// follows its signatures, or stands among its articles.
func (d *document) attaches(t *titleAt, to *rawAct, hasBody, closed bool, ti int) bool {
	k, _ := d.g.Kind(t.Kind)
	top, _ := d.g.Kind(to.title.Kind)
	if !top.Carries || k.Carries || len(to.attached) > 0 || d.lines[t.line].role != "" || !d.free(t.line) {
		return false
	}
	if closed {
		return t.Cited || t.strong || t.Lower || k.Attached
	}
	return t.strong && hasBody && to.title.Carries && d.startsAct(t.line, ti, false)
}

// startsAct tells whether an act begins with the title on a line: the formula of
// one follows, or its first article, before an article of a higher number; where
// nothing tells, otherwise.
func (d *document) startsAct(line, ti int, otherwise bool) bool {
	end := len(d.lines)
	if ti+1 < len(d.titles) && d.titles[ti+1].strong {
		end = d.titles[ti+1].line
	}
	for i := d.articleFrom(line); i < len(d.articls) && d.articls[i].line < end; i++ {
		c := d.articls[i]
		if c.weight >= 0.45 && !c.quoted && (c.label.N == 1 && c.label.Tails[0].N == 0 || c.label.Unique || d.suspect && c.alone) {
			return true
		}
		if c.weight >= 0.8 && !c.quoted {
			end, otherwise = c.line, false
			break
		}
	}
	for i := line + 1; i < end && i < line+200; i++ {
		switch d.lines[i].role {
		case grammar.Enacting, grammar.Praise:
			return true
		}
	}
	return otherwise
}

func sameAct(a, b *titleAt) bool {
	return a.Kind == b.Kind && a.Number != "" && a.Number.Key() == b.Number.Key()
}

// coverTitle returns the title of a text that names itself only as others would
// cite it.
func (d *document) coverTitle(body int) *titleAt {
	if i := d.titleFrom(body); i < len(d.titles) && d.titles[i].line <= body+3 {
		return &d.titles[i]
	}
	return nil
}

// joinActs puts an act without title together with the one after it when the
// articles go on: columns were read in the wrong order.
func (d *document) joinActs(acts []rawAct) []rawAct {
	out := acts[:0]
	for _, a := range acts {
		if n := len(out); n > 0 && out[n-1].title == nil && len(out[n-1].attached) == 0 && d.goesOn(out[n-1], a) {
			out[n-1].hi, out[n-1].title, out[n-1].merged = a.hi, a.title, true
			out[n-1].attached = a.attached
			continue
		}
		out = append(out, a)
	}
	return out
}

func (d *document) goesOn(a, b rawAct) bool {
	x, _, _ := d.articles(a.lo, a.hi, nil)
	y, _, _ := d.articles(b.lo, b.hi, nil)
	if len(x) == 0 || len(y) == 0 {
		return false
	}
	last, first := x[len(x)-1].label, y[0].label
	return first.N > 1 && first.Compare(last) > 0
}

// issueOf fills in what the document says about the issue it is from.
func (d *document) issueOf(doc *model.Document, body int, opts Options) {
	is := d.issue
	if opts.Edition != "" {
		is.Edition = opts.Edition
	}
	if is.Edition == "" {
		from := d.lineStart(0)
		toks := d.s.Tokens(nil, d.text[from:min(len(d.text), from+2000)], from, 200)
		is.Edition, _ = d.g.MatchEdition(toks)
	}
	if is.Number == 0 {
		d.masthead(&is)
	}
	if is.Number == 0 && len(is.Summary) == 0 {
		return
	}
	if is.Edition == "" {
		for _, e := range d.g.Config.Editions {
			if e.Lang == d.l.Code {
				is.Edition = e.ID
				break
			}
		}
	}
	if body > 0 {
		is.Head = model.Span{Start: d.lines[0].start, End: d.lines[body-1].end}
	}
	doc.Issue = &is
}

// masthead reads the number and date of an issue from its first page: "79th year,
// No. 4068", and the date there or on the lines below.
func (d *document) masthead(is *model.Issue) {
	for i := 0; i < len(d.lines) && i < 40; i++ {
		l := d.lines[i]
		toks := d.tokens(l.start, l.end, headTokens)
		at, n := d.l.Find(grammar.YearHead, toks)
		if at < 0 {
			continue
		}
		for k := at + n; k < len(toks); k++ {
			num, m := d.l.MatchNumber(d.text, "", toks[k:])
			if m == 0 || len(num.Parts()) != 1 {
				continue
			}
			is.Number = number(string(num))
			end := min(i+3, len(d.lines)-1)
			below := d.s.Tokens(nil, d.text[toks[k+m-1].End:d.lines[end].end], toks[k+m-1].End, 60)
			if dt, _, dn := d.l.FindDate(d.text, below); dn > 0 {
				is.Date, is.Hijri = dt.Civil, dt.Lunar
			}
			return
		}
	}
}

// oneLine joins the words of a text with single spaces.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
