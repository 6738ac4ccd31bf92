package structure

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

// found is an article of an act.
type found struct {
	candidate
	displaced bool // it stands out of order
}

// maxMissing bounds the numbers that are looked for in one gap.
const maxMissing = 40

// articles decides which of the candidates on lines lo to hi are the articles
// of one act.
func (d *document) articles(lo, hi int, soft []int) (list []found, group int, problems []model.Problem) {
	if lo >= hi {
		return nil, -1, nil
	}
	from, to := d.articleFrom(lo), d.articleFrom(hi)
	cands := d.articls[from:to]
	var picked []int
	var labels []grammar.Label
	group = -1
	score := 0.0
	for g := range d.l.Articles {
		p, l, s := d.chain(cands, g, soft)
		if s > score && (group < 0 || s > score+0.5) {
			picked, labels, score, group = p, l, s, g
		}
	}
	if (d.suspect || d.dotted) && d.unlikely(cands, picked, labels, group) {
		return d.byPosition(cands)
	}
	for i, k := range picked {
		c := cands[k]
		c.label = labels[i]
		list = append(list, found{c, false})
	}
	if group < 0 {
		if c, ok := d.swallowed(d.lines[lo].start, d.lines[hi-1].end, []grammar.Label{{N: 1}, {Unique: true}}); ok {
			list, group = []found{{c, false}}, c.group
		} else {
			return nil, -1, nil
		}
	}
	list, problems = d.fill(list, cands, picked, group, lo)
	tail, more := d.tail(list[len(list)-1], group, d.lines[hi-1].end)
	list, problems = append(list, tail...), append(problems, more...)
	slices.SortFunc(list, func(a, b found) int { return a.at - b.at })
	list = slices.CompactFunc(list, func(a, b found) bool { return a.at == b.at })
	return list, group, problems
}

// unlikely tells whether the numbers of a text whose digits are doubtful make no
// sense: few of the heads fit in order, or they leave gaps.
func (d *document) unlikely(cands []candidate, picked []int, labels []grammar.Label, group int) bool {
	strong := 0
	for _, c := range cands {
		if c.alone && c.weight >= 0.5 && !c.quoted && (group < 0 || c.group == group) {
			strong++
		}
	}
	if len(picked)*10 < strong*8 {
		return true
	}
	for i, l := range labels {
		if i == 0 && l.N > 1 || i > 0 && !l.Follows(labels[i-1]) {
			return d.suspect
		}
	}
	return false
}

// byPosition numbers the articles of a text whose digits can't be trusted by the
// order in which they stand.
func (d *document) byPosition(cands []candidate) (list []found, group int, problems []model.Problem) {
	counts := make([]int, len(d.l.Articles))
	for _, c := range cands {
		if c.alone && c.weight >= 0.3 && !c.quoted {
			counts[c.group]++
		}
	}
	group = 0
	for g, n := range counts {
		if n > counts[group] {
			group = g
		}
	}
	n := int32(0)
	for _, c := range cands {
		if c.group != group || c.quoted || !(c.alone && c.weight >= 0.3 || c.weight >= 0.5) {
			continue
		}
		tails := c.label.Tails
		if !c.lost && tails[0].Repeat && n > 0 {
			c.label = grammar.Label{N: n, Tails: tails}
		} else if !c.label.Unique {
			n++
			c.label = grammar.Label{N: n}
		}
		list = append(list, found{c, false})
	}
	if len(list) == 0 {
		return nil, -1, nil
	}
	return list, group, []model.Problem{{Code: "digits_suspect", At: list[0].at, Detail: "articles numbered by their order"}}
}

// fill looks for articles that seem to be missing: between two others, before
// the first, in the middle of a line, or printed in another place.
func (d *document) fill(list []found, cands []candidate, picked []int, group, lo int) ([]found, []model.Problem) {
	var problems []model.Problem
	var out []found
	taken := map[int]bool{}
	have := map[grammar.Label]bool{}
	for i, k := range picked {
		taken[k] = true
		have[list[i].label] = true
	}
	elsewhere := map[grammar.Label]int{}
	for k, c := range cands {
		if !taken[k] && c.group == group && (c.weight >= 0.8 || c.weight >= 0.3 && (c.alone || c.sep)) && !c.amends && !c.quoted && !c.lost {
			if _, twice := elsewhere[c.label]; !twice {
				elsewhere[c.label] = k
			}
		}
	}
	ci := 0 // candidates before this index stand before the current article
	prev := found{candidate: candidate{line: lo - 1}}
	start := d.lines[lo].start
	for i, f := range list {
		missing := between(prev.label, f.label, i == 0)
		for ci < len(cands) && cands[ci].at <= prev.at && i > 0 {
			ci++
		}
		if len(missing) > 0 {
			region := cands[ci:]
			n := 0
			for n < len(region) && region[n].at < f.at {
				n++
			}
			region = region[:n]
			got, guessed := d.fromRegion(region, missing, group, taken, ci)
			for _, x := range got {
				if guessed {
					problems = append(problems, model.Problem{Code: "label_misprint", Detail: d.g.Format(x.label), At: x.at})
				}
			}
			from := start
			if i > 0 {
				from = prev.end
			}
			for _, lab := range missing {
				if g := slices.IndexFunc(got, func(x found) bool { return x.label == lab }); g >= 0 {
					from = got[g].end
					continue
				}
				until := f.at
				for _, x := range got {
					if x.at > from && x.label.Compare(lab) > 0 {
						until = min(until, x.at)
					}
				}
				c, ok := d.swallowed(from, until, []grammar.Label{lab})
				if !ok {
					c, ok = d.lineEnd(from, until, lab)
				}
				if ok {
					got = append(got, found{c, false})
					problems = append(problems, model.Problem{Code: "article_swallowed", Detail: d.g.Format(lab), At: c.at})
					from = c.end
				} else if k, ok := elsewhere[lab]; ok && !taken[k] && !have[lab] {
					taken[k] = true
					got = append(got, found{cands[k], true})
					problems = append(problems, model.Problem{Code: "article_order", Detail: d.g.Format(lab), At: cands[k].at})
				}
			}
			out = append(out, got...)
		}
		out = append(out, f)
		prev = f
	}
	// The last ones may stand before others too.
	for last := prev.label; !last.Unique; {
		last = grammar.Label{N: last.N + 1}
		k, ok := elsewhere[last]
		if !ok || taken[k] || have[last] || cands[k].at > prev.at {
			break
		}
		taken[k] = true
		out = append(out, found{cands[k], true})
		problems = append(problems, model.Problem{Code: "article_order", Detail: d.g.Format(last), At: cands[k].at})
	}
	return out, problems
}

// tail looks for articles after the last that was found, each joined to the end
// of the line before it.
func (d *document) tail(last found, group, to int) (list []found, problems []model.Problem) {
	for !last.label.Unique {
		next := grammar.Label{N: last.label.N + 1}
		c, ok := d.swallowed(last.end, to, []grammar.Label{next})
		if !ok || c.group != group {
			break
		}
		last = found{c, false}
		list = append(list, last)
		problems = append(problems, model.Problem{Code: "article_swallowed", Detail: d.g.Format(next), At: c.at})
	}
	return list, problems
}

// between lists the numbers that are missing between two labels.
func between(a, b grammar.Label, first bool) (out []grammar.Label) {
	if b.Unique || a.Unique || !first && b.Compare(a) <= 0 {
		return nil
	}
	for n := a.N + 1; n < b.N && len(out) <= maxMissing; n++ {
		out = append(out, grammar.Label{N: n})
	}
	if len(out) > maxMissing {
		return nil
	}
	return out
}

// fromRegion takes missing numbers from candidates that were too doubtful for
// the chain, and from those whose number was lost when there are as many of
// these as numbers missing.
func (d *document) fromRegion(region []candidate, missing []grammar.Label, group int, taken map[int]bool, base int) (got []found, guessed bool) {
	var lost []int
	at := 0
	for k, c := range region {
		if taken[base+k] || c.group != group || c.quoted {
			continue
		}
		if c.lost {
			lost = append(lost, k)
			continue
		}
		for m := at; m < len(missing); m++ {
			if (c.label == missing[m] || c.other == missing[m]) && (c.weight > 0.05 || c.sep && c.weight > -0.1) {
				c.label = missing[m]
				got = append(got, found{c, false})
				taken[base+k] = true
				at = m + 1
				break
			}
		}
	}
	if len(got) > 0 {
		return got, false
	}
	// A mark of a footnote joined to the number, or a misprint, makes another
	// number of it.
	if len(lost) != len(missing) {
		lost = lost[:0]
		for k, c := range region {
			if !taken[base+k] && c.group == group && !c.quoted && !c.lost && !c.amends && c.alone && c.weight >= 0.8 {
				lost = append(lost, k)
			}
		}
	}
	if len(lost) == len(missing) {
		for i, k := range lost {
			c := region[k]
			c.label = missing[i]
			taken[base+k] = true
			got = append(got, found{c, false})
		}
		return got, len(got) > 0
	}
	return nil, false
}

// swallowed looks for the head of one of these articles in the middle of the
// lines between two bytes.
func (d *document) swallowed(from, to int, labels []grammar.Label) (candidate, bool) {
	if to <= from {
		return candidate{}, false
	}
	lo := searchLine(len(d.lines), func(i int) int { return d.lines[i].end }, from+1)
	for i := lo; i < len(d.lines) && d.lines[i].start < to; i++ {
		l := d.lines[i]
		if l.class == page || l.class == mark || l.class == note {
			continue
		}
		start, end := max(l.start, from), min(l.end, to)
		toks := d.s.Tokens(nil, d.text[start:end], start, 1<<16)
		if c, ok := d.misspelt(i, toks, labels); ok {
			return c, true
		}
		for k := 1; k < len(toks); k++ {
			if toks[k].ID <= 0 {
				continue
			}
			group, n := d.l.MatchArticleWord(toks[k:])
			if n == 0 {
				continue
			}
			h, n := d.l.MatchArticle(d.text, toks[k:])
			if n == 0 || !slices.Contains(labels, h.Label) || !d.headInside(toks, k, n) {
				continue
			}
			return candidate{line: i, at: toks[k].Start, end: toks[k+n-1].End, group: group, label: h.Label, weight: 0.5,
				inside: true, alone: k+n == len(toks)}, true
		}
	}
	return candidate{}, false
}

// lineEnd looks for the head of an article that ends a line without the end of a
// sentence before it.
func (d *document) lineEnd(from, to int, lab grammar.Label) (candidate, bool) {
	lo := searchLine(len(d.lines), func(i int) int { return d.lines[i].end }, from+1)
	for i := lo; i < len(d.lines) && d.lines[i].end <= to; i++ {
		l := d.lines[i]
		if l.class != plain || l.quoted {
			continue
		}
		start := max(l.start, from, l.end-64)
		for start < l.end && !utf8.RuneStart(d.text[start]) {
			start++
		}
		toks := d.tokens(start, l.end, 32)
		for k := max(1, len(toks)-4); k < len(toks); k++ {
			h, n := d.l.MatchArticle(d.text, toks[k:])
			if n == 0 || k+n != len(toks) || h.Label != lab || toks[k-1].ID != 0 || toks[k-1].Num {
				continue
			}
			if next := d.after(i); next < len(d.lines) {
				nl := d.lines[next]
				if d.l.Match(grammar.CitedAfter, d.s.Tokens(nil, d.text[nl.start:min(nl.end, nl.start+48)], nl.start, 3)) > 0 {
					break
				}
			}
			return candidate{line: i, at: toks[k].Start, end: l.end, group: h.Group, label: lab, weight: 0.3, inside: true, alone: true}, true
		}
	}
	return candidate{}, false
}

// misspelt reads a line that has nothing but a number that is missing and a word
// close to the one for "article".
func (d *document) misspelt(i int, toks []grammar.Token, labels []grammar.Label) (candidate, bool) {
	if len(toks) < 2 || len(toks) > 6 || toks[0].Num || toks[0].ID != 0 && d.l.MatchNumberWord(toks) > 0 {
		return candidate{}, false
	}
	lab, n, words := d.l.MatchLabel(d.text, toks[1:])
	if n == 0 || !onlyMarks(toks[1+n:]) || !slices.Contains(labels, lab) {
		return candidate{}, false
	}
	group, ok := d.l.NearArticle(d.text[toks[0].Start:toks[0].End])
	if !ok {
		return candidate{}, false
	}
	return candidate{line: i, at: toks[0].Start, end: toks[n].End, group: group, label: lab, weight: 0.5, alone: true, words: words}, true
}

// headInside tells whether the tokens k to k+n, in the middle of a line, can be
// the head of an article: a sentence ends before, and no citation goes on after.
func (d *document) headInside(toks []grammar.Token, k, n int) bool {
	prev := toks[k-1]
	m := prev.Mark()
	if d.g.QuoteMark(m) || m == '(' || m == '\'' || m == '’' {
		return false
	}
	if m == '-' && k > 1 && toks[k-2].ID < 0 {
		m = toks[k-2].Mark()
	}
	if m == 0 && !prev.Num && prev.End-prev.Start <= 2 && k > 1 {
		m = toks[k-2].Mark() // a letter of a formula after it
	}
	ends := m != 0 && d.g.Stop(m) || prev.Num && k > 1 && d.g.Stop(toks[k-2].Mark())
	rest := toks[k+n:]
	if len(rest) == 0 {
		return ends || m == 0 && d.l.Match(grammar.CitedBefore, toks[k-1:k]) == 0 && prev.Num
	}
	if r := rest[0].Mark(); r != 0 {
		return ends && (r == ':' || r == '.' || r == '-' || r == '–')
	}
	return ends && d.l.Match(grammar.CitedAfter, rest) == 0
}

// order checks the articles of one act and lists what is wrong with them.
func (d *document) order(list []found) (problems []model.Problem) {
	seen := map[grammar.Label]bool{}
	var last grammar.Label
	for i, f := range list {
		if seen[f.label] {
			problems = append(problems, model.Problem{Code: "article_repeated", Detail: d.g.Format(f.label), At: f.at})
		}
		seen[f.label] = true
		if f.displaced {
			continue
		}
		switch {
		case i == 0 && f.label.N > 1:
			problems = append(problems, model.Problem{Code: "article_gap", Detail: "1.." + strconv.Itoa(int(f.label.N)-1), At: f.at})
		case i > 0 && !f.label.Unique && f.label.Compare(last) > 0 && f.label.N > last.N+1 && !seenAll(seen, last.N+1, f.label.N):
			problems = append(problems, model.Problem{Code: "article_gap",
				Detail: strconv.Itoa(int(last.N)+1) + ".." + strconv.Itoa(int(f.label.N)-1), At: f.at})
		case i > 0 && f.label.Compare(last) < 0:
			problems = append(problems, model.Problem{Code: "article_restart", Detail: d.g.Format(f.label), At: f.at})
		}
		last = f.label
	}
	return problems
}

func seenAll(seen map[grammar.Label]bool, from, to int32) bool {
	for n := from; n < to; n++ {
		if !seen[grammar.Label{N: n}] {
			return false
		}
	}
	return true
}
