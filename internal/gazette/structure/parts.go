package structure

import (
	"strconv"
	"strings"

	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

// preamble fills in what stands before the body: preface, visas, enacting
// formula, and the head of a consolidated edition.
func (d *document) preamble(a *model.Act, r rawAct, z *zone, list []found, titleEnd int) {
	limit := z.body
	if z.enacting >= 0 {
		limit = z.enacting
	}
	var visas []int
	for i := titleEnd; i < limit; i++ {
		if d.lines[i].role == grammar.Visa && (z.enacting >= 0 || len(visas) > 0 || i < z.body) {
			visas = append(visas, i)
		}
		if len(visas) == 0 && a.Authority == "" && d.lines[i].class == plain {
			l := d.lines[i]
			if d.l.MatchAuthority(d.tokens(l.start, l.end, 8)) > 0 {
				a.Authority = strings.Trim(oneLine(d.text[l.start:l.end]), " ,:;،")
			}
		}
	}
	stop := func(line int) int { // where what stands before a line ends
		at := d.lineStart(line)
		if line >= z.body && line != z.enacting {
			at = z.bodyAt
		}
		return trimEnd(d.text, 0, at)
	}
	first := limit
	if len(visas) > 0 {
		first = visas[0]
	}
	start := d.lines[r.lo].start
	if end := stop(first); end > start {
		a.Preface = model.Span{Start: start, End: end}
	}
	for i, v := range visas {
		next := limit
		if i+1 < len(visas) {
			next = visas[i+1]
		}
		a.Visas = append(a.Visas, model.Span{Start: d.lines[v].start, End: stop(next)})
	}
	if z.enacting >= 0 {
		l := d.lines[z.enacting]
		a.Enacting = model.Span{Start: l.start, End: trimEnd(d.text, l.start, min(l.end, z.bodyAt))}
	}
	d.consolidated(a, r.lo, first)
}

// maxAmendments bounds the acts listed in the head of a consolidated edition.
const maxAmendments = 400

// consolidated reads the head of a consolidated edition: its date, and the acts
// whose changes it contains, each with the issue it appeared in.
func (d *document) consolidated(a *model.Act, lo, hi int) {
	for i := lo; i < hi; i++ {
		switch d.lines[i].role {
		case grammar.Consolidated:
			if a.Consolidated == nil {
				a.Consolidated = &model.Consolidated{}
			}
			toks := d.tokens(d.lines[i].start, d.lines[min(i+1, hi-1)].end, 40)
			if dt, _, n := d.l.FindDate(d.text, toks); n > 0 && !d.suspect && a.Consolidated.Date == "" {
				a.Consolidated.Date = dt.Civil
			}
		case grammar.AmendedBy:
			if a.Consolidated == nil {
				a.Consolidated = &model.Consolidated{}
			}
			d.amendments(a.Consolidated, i+1, hi)
			return
		}
	}
}

func (d *document) amendments(c *model.Consolidated, lo, hi int) {
	starts := []int{}
	for i := lo; i < hi; i++ {
		l := d.lines[i]
		if l.class == page || l.class == mark || l.class == note {
			continue
		}
		toks := d.tokens(l.start, l.end, headTokens)
		k := 0
		for k < len(toks) && k < 2 && toks[k].ID < 0 {
			k++
		}
		if ti := d.titleFrom(i); ti < len(d.titles) && d.titles[ti].line == i && d.titles[ti].strong {
			hi = i
			break
		}
		if _, n := d.l.MatchKind(toks[k:]); n > 0 && d.free(i) || i == lo {
			starts = append(starts, i)
		}
	}
	for n, i := range starts[:min(len(starts), maxAmendments)] {
		end := hi
		if n+1 < len(starts) {
			end = starts[n+1]
		}
		var am model.Amendment
		var toks []grammar.Token
		for k := i; k < end; k++ {
			l := d.lines[k]
			if l.class != plain {
				continue
			}
			toks = d.s.Tokens(toks, d.text[l.start:l.end], l.start, 160-min(160, len(toks)))
			am.End = l.end
		}
		am.Start = d.lines[i].start
		if len(toks) == 0 || am.End <= am.Start {
			continue
		}
		for k := 0; k < min(4, len(toks)); k++ {
			kind, m := d.l.MatchKind(toks[k:])
			if m == 0 {
				continue
			}
			am.Kind = kind
			if !d.suspect {
				for j := k + m; j < min(k+m+6, len(toks)); j++ {
					if num, n := d.l.MatchNumber(d.text, kind, toks[j:]); n > 0 {
						am.Number = num
						break
					}
				}
			}
			break
		}
		if !d.suspect {
			dt, _, _ := d.l.FindDate(d.text, toks)
			am.Signed = dt.Civil
			am.Issue, _, _ = d.l.FindIssue(d.text, toks)
		}
		if am.Kind != "" {
			c.By = append(c.By, am)
		}
	}
}

// close fills in the closing and the countersignatures.
func (d *document) close(a *model.Act, z *zone) {
	if z.closing < 0 {
		return
	}
	var counter []int
	last := z.closing
	for i := z.closing; i < z.closed; i++ {
		if d.lines[i].role == grammar.Countersign {
			counter = append(counter, i)
		}
		if c := d.lines[i].class; c == plain {
			last = i
		}
	}
	end := d.lines[last].end
	a.Closing = model.Span{Start: d.lines[z.closing].start, End: end}
	for k, i := range counter {
		if k == 0 {
			a.Closing.End = trimEnd(d.text, a.Closing.Start, d.lines[i].start)
		}
		stop := end
		if k+1 < len(counter) {
			stop = trimEnd(d.text, d.lines[i].start, d.lines[counter[k+1]].start)
		}
		a.Countersigned = append(a.Countersigned, model.Span{Start: d.lines[i].start, End: stop})
	}
}

// annexes builds what stands after the body and the signatures.
func (d *document) annexes(a *model.Act, z *zone, list []found, group int, ids map[string]int) {
	start := z.end
	if z.closing >= 0 {
		start = z.closed
	}
	end := min(z.hi, max(z.opinion, start))
	var starts []int
	if k := d.firstText(start, end); k < end {
		starts = append(starts, k)
	}
	for _, line := range z.annex {
		if len(starts) > 0 && line > starts[0] && line < end {
			starts = append(starts, line)
		}
	}
	for n, i := range starts {
		stop := end
		if n+1 < len(starts) {
			stop = starts[n+1]
		}
		l := d.lines[i]
		u := model.Unit{Kind: model.Annex, Label: strconv.Itoa(n + 1), EID: "att_" + strconv.Itoa(n+1)}
		u.Start = l.start
		t := &tree{d: d, ids: ids, base: u.EID + "__", group: group, ranks: map[int]float64{}}
		from := l.start
		if !d.opens(i) {
			u.Heading = oneLine(d.text[l.start:l.end])
			u.Num = u.Heading
			from = l.end
			u.Head = model.Span{Start: l.start, End: l.end}
		} else {
			u.Head = model.Span{Start: l.start, End: l.start}
		}
		t.build(i, stop, from, d.lineStart(stop), list)
		u.Children = t.units()
		u.End = u.Head.End
		if k := len(u.Children); k > 0 {
			u.End = max(u.End, u.Children[k-1].End)
		}
		a.Annexes = append(a.Annexes, u)
		a.Problems = append(a.Problems, t.dup...)
	}
	if z.opinion < z.hi {
		d.leave(z.opinion, z.hi)
	}
}

// leave puts lines aside as part of no act.
func (d *document) leave(lo, hi int) {
	open := false
	for i := lo; i < hi; i++ {
		l := d.lines[i]
		switch {
		case l.class == page || l.class == mark || l.class == note || l.class == section || l.class == stars:
			open = false
		case open:
			d.rest[len(d.rest)-1].End = l.end
		default:
			d.rest, open = append(d.rest, model.Span{Start: l.start, End: l.end}), true
		}
	}
}

// firstText returns the first line from lo on that is text, hi when none is.
func (d *document) firstText(lo, hi int) int {
	for i := lo; i < hi; i++ {
		switch d.lines[i].class {
		case page, mark, note, section, stars:
			continue
		}
		return i
	}
	return hi
}

// notes lifts the footnotes out and reads the first for where the act was
// published.
func (d *document) notes(a *model.Act, lo, hi int) {
	marks := map[string]int{}
	for i := lo; i < hi; i++ {
		l := d.lines[i]
		if l.class == mark {
			marks[d.text[l.start:l.end]] = l.start
		}
		if l.class != note {
			continue
		}
		toks := d.tokens(l.start, l.end, headTokens)
		if _, head := d.noteHead(toks); head || len(a.Notes) == 0 || d.lines[i-1].class != note {
			n := model.Note{Span: model.Span{Start: l.start, End: l.end}, At: -1}
			for k := 0; k < min(3, len(toks)); k++ {
				if toks[k].Num {
					n.Mark = d.text[toks[k].Start:toks[k].End]
					break
				}
			}
			if at, ok := marks[n.Mark]; ok {
				n.At = at
			}
			a.Notes = append(a.Notes, n)
			continue
		}
		a.Notes[len(a.Notes)-1].End = l.end
	}
	for i := range a.Notes {
		n := &a.Notes[i]
		n.Text = oneLine(d.text[n.Start:n.End])
		if i > 2 || d.suspect {
			continue
		}
		if n.Mark == "1" || n.Mark == "" {
			ref, _, k := d.l.FindIssue(d.text, d.tokens(n.Start, n.End, 60))
			if k > 0 && ref.Number > 0 {
				a.Publication = append(a.Publication, ref)
			}
		}
	}
}
