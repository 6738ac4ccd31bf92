package structure

import (
	"strings"

	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

// act builds one act from its lines.
func (d *document) act(r rawAct) model.Act {
	var a model.Act
	hi := r.hi
	if len(r.attached) > 0 {
		hi = r.attached[0].lo
	}
	if r.lo >= hi {
		return a
	}
	titleLine, titleEnd := r.lo, r.lo
	if r.title != nil {
		titleLine = r.title.line
		if titleEnd = titleLine; r.title.words == "" || !d.opens(titleLine) {
			titleEnd = d.titleEnd(titleLine)
		}
		titleEnd = min(titleEnd, hi)
		d.name(&a, r, titleLine, titleEnd)
	}
	z := d.zone(r, titleEnd, hi)
	if z.promise > 0 && len(r.attached) == 0 {
		// The act promulgates another that has no title of its own.
		sub := rawAct{lo: z.promise, hi: hi, title: d.promised(r.title, z.promise)}
		r.attached = []rawAct{sub}
		hi = z.promise
		z = d.zone(r, titleEnd, hi)
	}
	list, group, problems := d.articles(z.from, hi, z.soft)
	a.Problems = append(a.Problems, problems...)
	d.bounds(&z, list, hi)
	d.preamble(&a, r, &z, list, titleEnd)
	t := &tree{d: d, ids: map[string]int{}, group: group, ranks: map[int]float64{}}
	t.build(z.body, z.end, z.bodyAt, d.lineStart(z.end), list)
	if len(r.attached) > 0 && z.closing < 0 && len(list) > 0 {
		d.resume(&a, &r, &z, t, &list)
	}
	a.Body = t.units()
	d.close(&a, &z)
	d.annexes(&a, &z, list, group, t.ids)
	a.Problems = append(a.Problems, t.dup...)
	a.Problems = append(a.Problems, d.order(inBody(list, d.lineStart(z.end)))...)
	if r.title == nil && len(list) > 0 {
		a.Problems = append(a.Problems, model.Problem{Code: "no_title", At: d.lineStart(r.lo)})
	} else if r.title != nil && a.Number == "" {
		a.Problems = append(a.Problems, model.Problem{Code: "no_number", At: d.lineStart(titleLine)})
	}
	if r.merged {
		a.Problems = append(a.Problems, model.Problem{Code: "column_order", At: d.lineStart(titleLine)})
	}
	d.notes(&a, r.lo, hi)
	a.Span = model.Span{Start: d.lines[r.lo].start, End: d.lines[r.hi-1].end}
	for _, sub := range r.attached {
		a.Attached = append(a.Attached, d.act(sub))
	}
	return a
}

// resume finds the articles with which an act goes on after the one that it
// promulgates: its text stood between the first article and the second.
func (d *document) resume(a *model.Act, r *rawAct, z *zone, t *tree, list *[]found) {
	sub := &r.attached[0]
	closing := -1
	for i := sub.lo; i < sub.hi && closing < 0; i++ {
		if d.lines[i].role == grammar.Closing {
			closing = i
		}
	}
	if closing < 0 {
		return
	}
	last := (*list)[len(*list)-1].label
	at := d.articleFrom(closing) - 1
	var more []found
	for ; at >= 0 && d.articls[at].line >= sub.lo && len(more) < 4; at-- {
		c := d.articls[at]
		if c.weight < 0.4 || c.quoted {
			continue
		}
		more = append([]found{{c, false}}, more...)
		if c.label.N == last.N+1 && c.label.Tails[0].N == 0 {
			break
		}
	}
	if len(more) == 0 || more[0].label.N != last.N+1 {
		return
	}
	for i := 1; i < len(more); i++ {
		if !more[i].label.Follows(more[i-1].label) {
			return
		}
	}
	// The attached act must be whole without them.
	before, _, _ := d.articles(sub.lo, more[0].line, nil)
	if len(before) == 0 || !before[0].label.Unique && before[0].label.N != 1 || more[0].label.Follows(before[len(before)-1].label) {
		return
	}
	t.build(more[0].line, closing, more[0].at, d.lineStart(closing), more)
	*list = append(*list, more...)
	z.closing, z.closed, z.hi = closing, d.signed(closing, sub.hi), sub.hi
	z.end, z.opinion = closing, sub.hi
	sub.tail = sub.hi
	sub.hi = more[0].line
	d.notes(a, sub.hi, sub.tail)
}

func inBody(list []found, end int) []found {
	for i, f := range list {
		if f.at >= end {
			return list[:i]
		}
	}
	return list
}

// name fills in what the title says.
func (d *document) name(a *model.Act, r rawAct, from, to int) {
	t := r.title
	a.Kind = t.Kind
	if t.words != "" { // named by the act that carries it
		a.Number, a.Title, a.Short = t.Number, t.words, t.words
		return
	}
	var text []string
	at, end := d.lines[from].start, d.lines[from].end
	for i := from; i < to; i++ {
		if l := d.lines[i]; l.class != mark {
			text = append(text, d.text[l.start:l.end])
			end = l.end
		}
	}
	a.Title = oneLine(strings.Join(text, " "))
	toks := d.titleTokens(from)
	if t.Subject < len(toks) && toks[t.Subject].Start < end {
		a.Short = d.joined(toks[t.Subject].Start, from, to)
	}
	if !d.suspect {
		a.Number, a.Signed, a.Hijri = t.Number, t.Dates.Civil, t.Dates.Lunar
		if t.Dates.Doubt {
			a.Problems = append(a.Problems, model.Problem{Code: "dates_differ", At: at, Detail: string(t.Dates.Civil)})
		}
	}
}

// joined returns the text from a byte to the end of line to-1, without marks of
// footnotes.
func (d *document) joined(at, from, to int) string {
	var text []string
	for i := from; i < to; i++ {
		l := d.lines[i]
		if l.class == mark || l.end <= at {
			continue
		}
		text = append(text, d.text[max(l.start, at):l.end])
	}
	return oneLine(strings.Join(text, " "))
}

// zone is where the parts of an act lie, in lines.
type zone struct {
	from     int // first line after the title
	enacting int // line of the enacting formula, -1
	closing  int // line of place and date, -1
	closings []int
	closed   int // line after the signatures
	body     int // first line of the body
	bodyAt   int // its first byte
	end      int // line after the body
	hi       int
	annex    []int // lines on which annexes begin
	opinion  int   // line of an opinion, hi when there is none
	soft     []int // lines at which a new numbering may begin
	promise  int   // line at which the text of a promulgated act begins, 0
}

// zone finds formulas and annexes on the lines of an act.
func (d *document) zone(r rawAct, from, hi int) zone {
	z := zone{from: from, enacting: -1, closing: -1, hi: hi, opinion: hi, closed: hi}
	if r.merged {
		z.from = r.lo
	}
	for i := from; i < hi; i++ {
		l := d.lines[i]
		switch l.role {
		case grammar.Enacting:
			if z.enacting < 0 && z.closing < 0 {
				z.enacting = i
			}
		case grammar.Closing:
			z.soft = append(z.soft, i+1)
			z.closings = append(z.closings, i)
			if z.closing >= 0 {
				continue
			}
			z.closing, z.closed = i, d.signed(i, hi)
			if r.title != nil && r.title.Carries && z.promise == 0 && d.carriesOn(z.closed, hi) {
				z.promise = d.after(z.closed - 1)
			}
		case grammar.AnnexHead:
			z.soft = append(z.soft, i)
			z.annex = append(z.annex, i)
		case grammar.Table:
			if z.closing >= 0 {
				z.soft = append(z.soft, i)
				z.annex = append(z.annex, i)
			}
		case grammar.Opinion:
			if (z.closing >= 0 || z.enacting >= 0) && z.opinion == hi {
				z.opinion = i
			}
		}
		if z.closing >= 0 && i >= z.closed {
			if ti := d.titleFrom(i); ti < len(d.titles) && d.titles[ti].line == i {
				if k, _ := d.g.Kind(d.titles[ti].Kind); k.Attached {
					z.soft, z.annex = append(z.soft, i), append(z.annex, i)
				}
			}
		}
	}
	return z
}

// carriesOn tells whether articles follow between two lines.
func (d *document) carriesOn(lo, hi int) bool {
	n := 0
	for i := d.articleFrom(lo); i < len(d.articls) && d.articls[i].line < hi && n < 2; i++ {
		if d.articls[i].weight >= 0.8 {
			n++
		}
	}
	return n > 0
}

// promised makes the title of the act that a title promises: what stands after
// "promulgating" in it.
func (d *document) promised(t *titleAt, line int) *titleAt {
	toks := d.titleTokens(t.line)
	p := &titleAt{line: line}
	p.Kind = "convention"
	for i := range toks {
		n := d.l.Match(grammar.Promulgates, toks[i:])
		if n == 0 {
			continue
		}
		rest := toks[i+n:]
		for len(rest) > 0 && len(toks)-len(rest) < i+n+3 {
			if kind, m := d.l.MatchKind(rest); m > 0 {
				p.Kind = kind
				if num, k := d.l.MatchNumber(d.text, kind, rest[m:]); k > 0 && !d.suspect {
					p.Number = num
				}
				break
			}
			rest = rest[1:]
		}
		if len(rest) == 0 {
			rest = toks[i+n:]
		}
		if len(rest) > 0 {
			p.words = d.joined(rest[0].Start, t.line, d.titleEnd(t.line))
		}
		break
	}
	if p.words == "" {
		l := d.lines[line]
		p.words = oneLine(d.text[l.start:l.end])
	}
	return p
}

// maxSigning bounds the lines of signatures.
const maxSigning = 60

// signed returns the line after the signatures that follow the closing on line
// i.
func (d *document) signed(i, hi int) int {
	end, names := i+1, signNames
	for k := i + 1; k < hi && k < i+maxSigning; k++ {
		l := d.lines[k]
		switch {
		case l.class == page || l.class == mark || l.class == note:
			names = 0
			continue
		case l.role == grammar.Signature || l.role == grammar.Countersign:
			end, names = k+1, signNames
			continue
		case l.role == grammar.AnnexHead || l.role == grammar.Table || l.role == grammar.Enacting || l.role == grammar.Opinion || l.class == section || l.class == stars:
			return end
		}
		if d.opens(k) {
			return end
		}
		if ti := d.titleFrom(k); ti < len(d.titles) && d.titles[ti].line == k {
			return end
		}
		// Names and offices follow on short lines.
		if names > 0 && end == k && l.short && !l.blank {
			end = k + 1
			names--
		} else {
			names = 0
		}
	}
	return end
}

// signNames is how many lines of names and offices may follow a formula of
// signing.
const signNames = 3

// bounds settles where body and annexes begin, now that the articles are known.
func (d *document) bounds(z *zone, list []found, hi int) {
	z.end = hi
	z.closing, z.closed = -1, hi
	for _, line := range z.closings {
		// A closing over which the numbering goes on is one that is quoted.
		if len(list) == 0 || list[0].line < line && !d.chainCrosses(list, line) {
			z.closing, z.closed, z.end = line, d.signed(line, hi), line
			break
		}
	}
	z.end = min(z.end, z.opinion)
	var keep []int
	for _, line := range z.annex {
		if line < z.end && (len(list) == 0 && z.enacting < 0 || len(list) > 0 && list[0].line > line || d.chainCrosses(list, line)) {
			continue
		}
		if line >= z.opinion {
			break
		}
		keep = append(keep, line)
	}
	z.annex = keep
	if len(keep) > 0 && keep[0] < z.end {
		z.end = keep[0]
		if z.closing >= z.end {
			// Signatures after the annexes.
			z.closing, z.closed = -1, hi
		}
	}
	z.body, z.bodyAt = z.from, d.lineStart(z.from)
	first := hi
	if len(list) > 0 {
		first = list[0].line
	}
	if u := d.unitFrom(z.from); u < len(d.units) && d.units[u].line < first && d.units[u].strong && d.units[u].line > z.enacting {
		first = d.units[u].line
	}
	switch {
	case z.enacting >= 0 && z.enacting < z.end && (z.enacting <= first):
		z.body, z.bodyAt = z.enacting+1, d.lineStart(z.enacting+1)
		if len(list) > 0 && list[0].line <= z.enacting { // swallowed by the formula
			z.body, z.bodyAt = list[0].line, list[0].at
		}
	case first < z.end:
		z.enacting = -1
		z.body, z.bodyAt = first, d.lineStart(first)
		if len(list) > 0 && list[0].line == first {
			z.bodyAt = list[0].at
		}
	default:
		z.enacting = -1
		z.body = z.from
	}
	z.body = min(z.body, z.end)
	z.bodyAt = min(z.bodyAt, d.lineStart(z.end))
}

// chainCrosses tells whether the numbering goes on over a line.
func (d *document) chainCrosses(list []found, line int) bool {
	for i := 1; i < len(list); i++ {
		if list[i-1].line < line && list[i].line >= line {
			return !list[i].displaced && list[i].label.Compare(list[i-1].label) > 0 && list[i].label.N > 1
		}
	}
	return false
}
