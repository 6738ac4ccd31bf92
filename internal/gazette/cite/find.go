package cite

import (
	"unicode/utf8"

	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

// Bounds, in tokens, of how far the parts of one citation may stand from each
// other. Orders name their minister between kind and number.
const (
	reachNumber  = 9
	reachOrder   = 30
	reachDate    = 6
	reachAct     = 9 // from an article to its act
	reachVerb    = 14
	reachAside   = 2
	maxLabels    = 60
	maxCitations = 20000 // in one piece
	maxTokens    = 4 << 20
)

// Find returns the citations in a piece of a text, in order. The kind tells the
// relation where no verb does: what a visa names is a basis.
func (f *Finder) Find(text string, lang model.Lang, kind model.PieceKind) []model.Citation {
	w := f.langs[lang]
	if w == nil || text == "" {
		return nil
	}
	sc := f.g.Scanner()
	defer sc.Release()
	s := &scan{f: f, w: w, text: text, toks: sc.Tokens(make([]grammar.Token, 0, len(text)/6+8), text, 0, maxTokens), kind: kind}
	s.run()
	return s.out
}

// scan is one piece being read.
type scan struct {
	f    *Finder
	w    *words
	text string
	toks []grammar.Token
	kind model.PieceKind
	out  []model.Citation

	sentence int // token at which the sentence began
	verb     model.Relation
	verbAt   int
	quoted   bool
	// asideTo is the token up to which a citation is only named in passing.
	asideTo int
	// places are articles that were named and not yet given to an act.
	places   []string
	para     string
	point    string
	placesAt int // token of the first
	placesTo int // token behind the last
}

func (s *scan) run() {
	s.verbAt, s.asideTo = -1, -1
	for i := 0; i < len(s.toks) && len(s.out) < maxCitations; {
		i += s.step(i)
	}
	s.ownPlaces(len(s.toks))
}

// step reads what begins at a token and returns how many tokens it took.
func (s *scan) step(i int) int {
	rest := s.toks[i:]
	if m := rest[0].Mark(); m != 0 {
		s.mark(m, i)
		return 1
	}
	if len(s.places) > 0 && i > s.placesTo+reachAct {
		s.ownPlaces(i)
	}
	if k, n := s.w.kinds.Match(rest); n > 0 {
		if took := s.act(i, n, s.w.kindIDs[k]); took > 0 {
			return took
		}
	}
	if _, n := s.w.notably.Match(rest); n > 0 && len(s.out) > 0 && !s.out[len(s.out)-1].Target.Self {
		if took := s.particular(i, n); took > 0 {
			return took
		}
	}
	if u, n := s.w.unit.Match(rest); n > 0 {
		if took := s.place(i, n, u); took > 0 {
			return took
		}
	}
	if len(s.places) > 0 {
		if _, n := s.w.this.Match(rest); n > 0 {
			s.ownPlaces(i + n)
			return n
		}
	}
	if _, n := s.w.aside.Match(rest); n > 0 {
		s.asideTo = i + n + reachAside
		return n
	}
	if r, n := s.w.relations.Match(rest); n > 0 {
		s.verb, s.verbAt = s.w.rels[r], i+n
		return n
	}
	return 1
}

// mark keeps account of sentences and quotations.
func (s *scan) mark(m rune, i int) {
	if _, opens := s.f.g.OpensQuote(m); opens {
		s.ownPlaces(i)
		s.quoted = true
		return
	}
	if s.f.g.QuoteMark(m) {
		s.ownPlaces(i)
		s.quoted = false
		return
	}
	switch m {
	case '.', ';', '\u061b', '\u061f':
		s.ownPlaces(i)
		s.sentence, s.verbAt, s.asideTo = i+1, -1, -1
	}
}

// act reads the citation of an act whose kind stands at token i and takes n
// tokens. It returns 0 when neither number nor date follows.
func (s *scan) act(i, n int, kind string) int {
	c := model.Citation{Target: model.Target{Kind: kind}}
	end := s.number(i+n, kind, &c.Target)
	if end == 0 {
		end = s.onlyDate(i+n, &c.Target)
	}
	if end == 0 && s.w.alone[kind] {
		end = i + n
	}
	if end == 0 {
		return 0
	}
	c.Span = model.Span{Start: s.toks[i].Start, End: s.toks[end-1].End}
	end = s.dateAfter(end, &c.Target)
	end = s.issueAfter(end, &c.Target)
	if c.Aside = i <= s.asideTo; c.Aside {
		c.Relation, s.asideTo = model.Cites, end+reachAside // "… and by the law …"
	} else {
		c.Relation = s.relation(i, end)
	}
	if len(s.places) > 0 && i <= s.placesTo+reachAct && s.belongs(s.placesTo, i) {
		c.Target.Articles, c.Target.Paragraph, c.Target.Point = s.places, s.para, s.point
		c.Start = s.toks[s.placesAt].Start
		s.places, s.para, s.point = nil, "", ""
	} else {
		s.ownPlaces(i)
	}
	c.Printed = s.text[c.Start:c.End]
	s.out = append(s.out, c)
	return end - i
}

// particular reads the articles that a citation names behind itself: "the law …,
// in particular its articles 3 and 5".
func (s *scan) particular(i, n int) int {
	for k := i + n; k < min(len(s.toks), i+n+3); k++ {
		if u, m := s.w.unit.Match(s.toks[k:]); m > 0 && u == unitArticle {
			labels, end := s.labels(k + m)
			if t := &s.out[len(s.out)-1].Target; len(labels) > 0 && len(t.Articles) == 0 {
				t.Articles = labels
				return end - i
			}
			return 0
		}
	}
	return 0
}

// belongs tells whether what stands between an article and an act joins them:
// no other mark than a comma.
func (s *scan) belongs(from, to int) bool {
	for k := from; k < to; k++ {
		switch s.toks[k].Mark() {
		case 0, ',', '\u060c', '\'', '’', '(', ')', '°':
		default:
			return false
		}
	}
	return true
}

// number looks for the number of an act behind its kind. Whatever stands
// between ("the said", a minister) must not be another act or end the clause.
func (s *scan) number(from int, kind string, t *model.Target) int {
	reach := reachNumber
	if k, _ := s.f.g.Kind(kind); k.Series == "" && len(s.w.Kinds[kind].Cited) > 0 && s.named(kind) {
		reach = reachOrder
	}
	for k := from; k < min(len(s.toks), from+reach); k++ {
		if num, n := s.w.MatchNumber(s.text, kind, s.toks[k:]); n > 0 && (s.w.MatchNumberWord(s.toks[k:]) > 0 || len(num.Parts()) > 1 && k <= from+2) {
			if len(num.Parts()) < 2 {
				return 0 // a plain number is no act's
			}
			t.Number = num
			return k + n
		}
		if stops(s.toks[k].Mark()) {
			return 0
		}
		if k > from {
			if _, n := s.w.kinds.Match(s.toks[k:]); n > 0 {
				return 0
			}
		}
		if _, n := s.w.unit.Match(s.toks[k:]); n > 0 && k > from {
			return 0
		}
	}
	return 0
}

// named reports a kind whose number follows the name of its authority.
func (s *scan) named(kind string) bool {
	k, ok := s.f.g.Kind(kind)
	return ok && k.Path != kind || kind == k.Path && len(s.w.Authorities) > 0
}

func stops(m rune) bool {
	switch m {
	case '.', ';', ':', '\u061b', '«', '»', '\u061f':
		return true
	}
	return false
}

// onlyDate reads the date of an act that has no number.
func (s *scan) onlyDate(from int, t *model.Target) int {
	for k := from; k < min(len(s.toks), from+3); k++ {
		if _, n := s.w.dated.Match(s.toks[k:]); n > 0 {
			if d, m := s.w.MatchDate(s.text, s.toks[k+n:]); m > 0 && len(d.Civil) == len("2006-01-02") {
				t.Date = d.Civil
				return k + n + m
			}
		}
		if stops(s.toks[k].Mark()) {
			return 0
		}
	}
	return 0
}

// dateAfter reads the date behind a number, if one follows.
func (s *scan) dateAfter(from int, t *model.Target) int {
	if t.Date != "" {
		return from
	}
	for k := from; k < min(len(s.toks), from+reachDate); k++ {
		if _, n := s.w.dated.Match(s.toks[k:]); n > 0 {
			if d, m := s.w.MatchDate(s.text, s.toks[k+n:]); m > 0 {
				if len(d.Civil) == len("2006-01-02") && !d.Doubt {
					t.Date = d.Civil
				}
				return k + n + m
			}
		}
		if s.toks[k].Mark() != 0 && s.toks[k].Mark() != '(' && s.toks[k].Mark() != ')' {
			break
		}
		if _, n := s.w.kinds.Match(s.toks[k:]); n > 0 {
			break
		}
	}
	return from
}

// issueAfter reads the issue of the gazette in which the act appeared, if the
// citation names it.
func (s *scan) issueAfter(from int, t *model.Target) int {
	for k := from; k < min(len(s.toks), from+3); k++ {
		if ref, n := s.w.MatchIssue(s.text, s.toks[k:]); n > 0 {
			t.Issue = ref
			return k + n
		}
	}
	return from
}

// relation is what the sentence does to the act that it names: by the verb
// before it, else by what kind of piece this is.
func (s *scan) relation(at, end int) model.Relation {
	if s.verbAt >= s.sentence && s.verbAt >= 0 && at-s.verbAt <= reachVerb {
		return s.verb
	}
	// A verb behind the act: "the law … is repealed".
	for k := end; k < min(len(s.toks), end+reachVerb); k++ {
		if stops(s.toks[k].Mark()) {
			break
		}
		if _, n := s.w.kinds.Match(s.toks[k:]); n > 0 {
			break
		}
		if r, n := s.w.relations.Match(s.toks[k:]); n > 0 {
			if !s.passive(s.w.rels[r]) || s.actAfter(k+n) {
				break // it speaks of what follows: "the law … amending the law …"
			}
			return s.w.rels[r]
		}
	}
	if s.kind == model.PieceVisa {
		return model.Basis
	}
	return model.Cites
}

// actAfter tells whether an act is named within a few words.
func (s *scan) actAfter(from int) bool {
	for k := from; k < min(len(s.toks), from+reachAct); k++ {
		if stops(s.toks[k].Mark()) {
			return false
		}
		if _, n := s.w.kinds.Match(s.toks[k:]); n > 0 {
			return true
		}
	}
	return false
}

// passive tells whether a verb behind an act can speak of it. Only languages
// that print from left to right put it there in the acts themselves; elsewhere
// what follows a citation tells of its own past.
func (s *scan) passive(r model.Relation) bool {
	switch r {
	case model.Amends, model.Completes, model.Replaces, model.Repeals, model.Extends:
		return s.w.Script == "Latin"
	}
	return false
}

// place reads articles, a paragraph or a point that stand at token i.
func (s *scan) place(i, n, unit int) int {
	labels, end := s.labels(i + n)
	if _, of := s.w.of.Match(s.toks[min(i+n, len(s.toks)):]); len(labels) == 0 && of == 1 {
		labels, end = s.labels(i + n + of) // "articles from 4 to 9"
	}
	if len(labels) == 0 {
		return 0
	}
	if len(s.places) == 0 && s.para == "" && s.point == "" {
		s.placesAt = i
	}
	switch unit {
	case unitArticle:
		if len(s.places) > 0 {
			s.ownPlaces(i)
			s.placesAt = i
		}
		s.places = labels
		s.placesTo = end
	case unitParagraph:
		s.para = labels[0]
		s.placesTo = end
	case unitPoint:
		s.point = labels[0]
		s.placesTo = end
	}
	return end - i
}

// labels reads a list of labels and ranges.
func (s *scan) labels(from int) ([]string, int) {
	var out []string
	end := from
	for k := from; k < len(s.toks) && len(out) < maxLabels; {
		lab, n, _ := s.w.MatchLabel(s.text, s.toks[k:])
		if n == 0 || lab.Zero() {
			break
		}
		label := s.f.g.Format(lab)
		if label == "" {
			break
		}
		k += n
		end = k
		out = append(out, label)
		if _, n := s.w.to.Match(s.toks[k:]); n > 0 {
			if last, m, _ := s.w.MatchLabel(s.text, s.toks[k+n:]); m > 0 && !last.Zero() {
				out[len(out)-1] += ".." + s.f.g.Format(last)
				k += n + m
				end = k
			}
		}
		joined := false
		for range 2 {
			if _, n := s.w.join.Match(s.toks[min(k, len(s.toks)):]); n > 0 {
				k += n
				joined = true
			}
		}
		if !joined {
			break
		}
	}
	return out, end
}

// ownPlaces gives articles that no act follows to the text itself.
func (s *scan) ownPlaces(at int) {
	if len(s.places) == 0 {
		s.para, s.point = "", ""
		return
	}
	if !s.quoted {
		c := model.Citation{Relation: model.Cites, Target: model.Target{Self: true, Articles: s.places, Paragraph: s.para, Point: s.point}}
		end := min(s.placesTo, len(s.toks))
		c.Span = model.Span{Start: s.toks[s.placesAt].Start, End: s.toks[end-1].End}
		c.Printed = s.text[c.Start:c.End]
		if utf8.ValidString(c.Printed) {
			s.out = append(s.out, c)
		}
	}
	s.places, s.para, s.point = nil, "", ""
}
