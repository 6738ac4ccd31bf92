package amend

import (
	"fmt"
	"strings"

	"diwan/internal/gazette/cite"
	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

// Reasons why an operation is left to an editor. They are stable codes.
const (
	NoTarget      = "no_target"        // the clause names no act
	NoArticle     = "no_article"       // it names no article
	Partial       = "partial_text"     // the new text is given in part ("…")
	Conditional   = "conditional"      // it holds under a condition or with exceptions
	NoNewText     = "no_new_text"      // what is put in was not found
	ArticleAbsent = "article_absent"   // the article is not in the text
	AlreadyThere  = "already_there"    // the article to put in exists
	WordsAbsent   = "words_absent"     // the words to change do not stand there
	ParaAbsent    = "paragraph_absent" // the paragraph does not exist
	PointPlace    = "point_place"      // it changes a point inside a paragraph
	NotHeld       = "not_held"         // the text is not held
	NoDate        = "no_date"          // nobody knows from when
	TooLarge      = "too_large"        // what results is beyond any law
)

// Reader reads amending clauses. It is safe for concurrent use.
type Reader struct {
	g     *grammar.Grammar
	finds *cite.Finder
	langs map[model.Lang]*verbs
}

type verbs struct {
	lang  *grammar.Lang
	verb  *grammar.Phrases
	aux   *grammar.Phrases
	para  *grammar.Phrases
	entry *entryWords
}

// The lists of verbs.verb, weakest first, and of verbs.aux.
const (
	amends = iota
	completes
	replaces
	repeals
)
const (
	words = iota
	except
	instead
)

// NewReader compiles the verbs of a country. It is called before the first text
// is read.
func NewReader(g *grammar.Grammar, finds *cite.Finder, c cite.Config) (*Reader, error) {
	r := &Reader{g: g, finds: finds, langs: map[model.Lang]*verbs{}}
	for code, w := range c {
		l := g.Lang(code)
		if l == nil {
			return nil, fmt.Errorf("amendments in %q: the grammar has no such language", code)
		}
		a := w.Amending
		r.langs[code] = &verbs{l, g.Phrases(a["amend"], a["complete"], a["replace"], a["repeal"]), g.Phrases(a["words"], a["except"], a["instead"]), g.Phrases(w.Paragraphs), newEntryWords(g, w.This, a)}
	}
	return r, nil
}

// maxOperations bounds what one article can order.
const maxOperations = 2000

// Read returns the operations that a piece orders. main is what the act amends
// by its title, for clauses that speak of "the said law"; its Number may be
// empty. Citations are those that Find gave for the piece.
func (r *Reader) Read(p *model.Piece, lang model.Lang, main model.Target, citations []model.Citation) []model.Operation {
	v := r.langs[lang]
	if v == nil || len(p.Text) == 0 {
		return nil
	}
	sc := r.g.Scanner()
	defer sc.Release()
	c := &clauseReader{r: r, v: v, p: p, main: main, citations: citations, toks: sc.Tokens(nil, p.Text, 0, 1<<20)}
	if !c.orders() {
		return nil
	}
	for _, s := range c.sentences() {
		c.sentence(s)
		if c.done || len(c.out) >= maxOperations {
			break
		}
	}
	return c.out
}

type clauseReader struct {
	r         *Reader
	v         *verbs
	p         *model.Piece
	main      model.Target
	citations []model.Citation
	toks      []grammar.Token
	out       []model.Operation
	done      bool // the rest of the piece is new text
}

// orders reports at once whether any amending verb stands in the piece: most
// articles have none.
func (c *clauseReader) orders() bool {
	for i := range c.toks {
		if _, n := c.v.verb.Match(c.toks[i:]); n > 0 {
			return true
		}
	}
	return false
}

// sentence is an order with the passages in quotation marks that belong to it.
// Tokens of passages are left out of words.
type sentence struct {
	span   model.Span
	words  []int // tokens outside quotation marks
	quotes []quote
	opens  bool // it ends with a colon at the end of a line
}

type quote struct {
	inner model.Span // between the marks
	after int        // how many words of the sentence stand before it
}

// sentences cuts the piece. A full stop or a line outside quotation marks ends a
// sentence, unless a passage follows the colon that ends the line.
func (c *clauseReader) sentences() []sentence {
	var out []sentence
	cur := sentence{span: model.Span{Start: -1}}
	flush := func() {
		if len(cur.words) > 0 || len(cur.quotes) > 0 {
			out = append(out, cur)
		}
		cur = sentence{span: model.Span{Start: -1}}
	}
	for i := 0; i < len(c.toks); i++ {
		t := c.toks[i]
		if closes, ok := c.r.g.OpensQuote(t.Mark()); ok {
			end := c.closing(i, closes)
			inner := model.Span{Start: t.End, End: len(c.p.Text)}
			if end < len(c.toks) {
				inner.End = c.toks[end].Start
			}
			if cur.span.Start < 0 && len(out) > 0 && (out[len(out)-1].opens || isBlock(c.p.Text[inner.Start:inner.End])) {
				// A passage on a line of its own belongs to the order before it.
				last := &out[len(out)-1]
				last.quotes = append(last.quotes, quote{inner, len(last.words)})
				last.span.End = inner.End
			} else {
				if cur.span.Start < 0 {
					cur.span.Start = t.Start
				}
				cur.quotes = append(cur.quotes, quote{inner, len(cur.words)})
				cur.span.End = inner.End
			}
			i = end
			continue
		}
		if i > 0 && cur.span.Start >= 0 && strings.Contains(c.p.Text[c.toks[i-1].End:t.Start], "\n") {
			cur.opens = c.toks[i-1].Mark() == ':'
			flush()
		}
		if t.Mark() == '.' || t.Mark() == ';' || t.Mark() == '\u061b' {
			flush()
			continue
		}
		if cur.span.Start < 0 {
			cur.span.Start = t.Start
		}
		cur.span.End = t.End
		cur.words = append(cur.words, i)
	}
	flush()
	return out
}

// closing returns the token that closes a quotation. Inside, each paragraph may
// open a mark of its own that is not closed; the passage ends with the last mark
// before words that are not quoted.
func (c *clauseReader) closing(open int, closes rune) int {
	for i := open + 1; i < len(c.toks); i++ {
		if c.toks[i].Mark() != closes {
			continue
		}
		// Closed here, unless a new line goes on with another opening mark.
		if i+1 < len(c.toks) {
			if _, again := c.r.g.OpensQuote(c.toks[i+1].Mark()); again && strings.Contains(c.p.Text[c.toks[i].End:c.toks[i+1].Start], "\n") {
				i++
				continue
			}
		}
		return i
	}
	return len(c.toks)
}

// isBlock tells a passage that is put in as a whole from words in a sentence.
func isBlock(s string) bool { return len(s) > 160 || strings.Contains(strings.TrimSpace(s), "\n") }

// sentence reads one order.
func (c *clauseReader) sentence(s sentence) {
	verb, verbAt := -1, -1
	hasWords, conditional := false, false
	toks := make([]grammar.Token, len(s.words))
	for i, k := range s.words {
		toks[i] = c.toks[k]
	}
	for i := 0; i < len(toks); i++ {
		if v, n := c.v.verb.Match(toks[i:]); n > 0 {
			if v > verb || verb == repeals && v == replaces {
				verb, verbAt = v, i
			}
			i += n - 1
			continue
		}
		if a, n := c.v.aux.Match(toks[i:]); n > 0 {
			hasWords = hasWords || a == words
			conditional = conditional || a == except
		}
	}
	if verb < 0 {
		return
	}
	op := model.Operation{Span: s.span, Unit: c.p.EID}
	if conditional {
		op.Manual = Conditional
	}
	targets := c.targets(s.span, s.quotes, verb)
	switch {
	case (hasWords || verb == replaces && len(s.quotes) == 2) && len(s.quotes) > 0 && !isBlock(c.text(s.quotes[0])):
		c.wording(op, verb, s, targets)
	case verb == repeals && len(s.quotes) == 0:
		c.repeal(op, targets)
	case len(s.quotes) > 0 && verbAt >= 0:
		c.passages(op, verb, s, targets)
	case s.opens && verb != repeals:
		// Older acts print the new text without marks, behind a colon.
		s.quotes = []quote{{model.Span{Start: s.span.End, End: len(c.p.Text)}, len(s.words)}}
		if len(c.articlesIn(s.quotes[0])) > 0 {
			c.passages(op, verb, s, targets)
			c.done = true
		}
	}
}

func (c *clauseReader) text(q quote) string {
	return strings.TrimSpace(c.p.Text[q.inner.Start:q.inner.End])
}

// targets returns what the order names: acts outside its passages. "The said
// law", or articles alone, are of the act that the title names.
func (c *clauseReader) targets(s model.Span, quotes []quote, verb int) []model.Target {
	var out, named []model.Target
	for _, ct := range c.citations {
		if ct.Start < s.Start || ct.Start >= s.End || inQuotes(ct.Start, quotes) {
			continue
		}
		t := ct.Target
		if ct.Aside {
			continue
		}
		if t.Self {
			if c.main.Number == "" {
				continue
			}
			articles, para, point := t.Articles, t.Paragraph, t.Point
			t = c.main
			t.Articles, t.Paragraph, t.Point = articles, para, point
		}
		if partOfName(ct, verb) {
			named = append(named, t)
			continue
		}
		if n := len(out); n > 0 && same(out[n-1], t) {
			out[n-1].Articles = append(out[n-1].Articles, t.Articles...)
			continue
		}
		out = append(out, t)
	}
	if len(out) == 0 && verb != repeals {
		out = named // nothing else is named, and no whole act can be lost by it
	}
	if len(out) == 0 && c.main.Number != "" {
		out = append(out, c.main)
	}
	return onlyAmended(out, c.main)
}

// partOfName reports an act that only stands in the name of another one, or in
// what the order rests on: where a decree "for the application of the law" is
// repealed, the law is not.
func partOfName(ct model.Citation, verb int) bool {
	switch ct.Relation {
	case model.Applies, model.Promulgates, model.Basis, model.Extends:
		return true
	case model.Amends, model.Completes:
		return verb == repeals && len(ct.Target.Articles) == 0
	}
	return false
}

// onlyAmended leaves out the acts that a clause names by the way, such as the
// one that promulgated what it amends: where the title says which act is
// amended and the clause names it, that one is meant.
func onlyAmended(ts []model.Target, main model.Target) []model.Target {
	if main.Number == "" || len(ts) < 2 {
		return ts
	}
	for _, t := range ts {
		if t.Kind == main.Kind && t.Number.Key() == main.Number.Key() {
			return []model.Target{t}
		}
	}
	return ts
}

func same(a, b model.Target) bool {
	return a.Kind == b.Kind && a.Number == b.Number && a.Date == b.Date && a.Paragraph == "" && b.Paragraph == "" && a.Point == "" && b.Point == ""
}

func inQuotes(at int, quotes []quote) bool {
	for _, q := range quotes {
		if q.inner.Contains(at) {
			return true
		}
	}
	return false
}

func (c *clauseReader) add(op model.Operation, manual string) {
	if op.Manual == "" {
		op.Manual = manual
	}
	if op.Target.Number == "" && op.Target.Date == "" && op.Manual == "" {
		op.Manual = NoTarget
	}
	if len(c.out) < maxOperations {
		c.out = append(c.out, op)
	}
}

// Bounds, in words, of how far an act may stand from the verb that ends it, and
// from the act before it in a list.
const (
	nearVerb = 6
	nearAct  = 14
)

// direct tells whether an act is itself what a repealing sentence ends: it
// stands right behind the verb, at the head of the sentence, or in a list with
// one that does. To take a law for repealed that was only named would mislead
// every reader of it.
func (c *clauseReader) direct(s model.Span, t model.Target) bool {
	reach, last := nearAct, -1 // where the act before, if it is direct, ends
	for _, ct := range c.citations {
		if ct.Start < s.Start || ct.Start >= s.End || ct.Aside || ct.Target.Self {
			continue
		}
		ok := last >= 0 && c.words(last, ct.Start) <= reach || c.words(s.Start, ct.Start) <= nearVerb
		for i := range c.toks {
			if c.toks[i].Start >= ct.Start || ok {
				break
			}
			if v, n := c.v.verb.Match(c.toks[i:]); n > 0 && v == repeals && c.toks[i].Start >= s.Start {
				ok = c.words(c.toks[i+n-1].End, ct.Start) <= nearVerb
			}
		}
		if ok && len(ct.Target.Articles) == 0 && same(ct.Target, t) {
			return true
		}
		if last = -1; ok {
			last = ct.End
		}
	}
	return false
}

// words counts the words between two places.
func (c *clauseReader) words(from, to int) int {
	n := 0
	for _, t := range c.toks {
		if t.Start >= from && t.End <= to && t.Mark() == 0 {
			n++
		}
	}
	return n
}

// repeal reads "articles 3 and 5 of the law … are repealed".
func (c *clauseReader) repeal(op model.Operation, targets []model.Target) {
	articles := false
	for _, t := range targets {
		op.Target = t
		if len(t.Articles) == 0 {
			op.Action, op.Article, op.Paragraph = model.RepealAct, "", ""
			manual := ""
			if articles || !c.direct(op.Span, t) {
				// "the decree fixing the list of the law …", "article 12 of the decree applying the law …": the act may only be
				// named to say which one the article is of. A person tells.
				manual = NoArticle
			}
			c.add(op, manual)
			continue
		}
		articles = true
		op.Action = model.Delete
		for _, a := range expand(t.Articles) {
			op.Article, op.Paragraph = a, t.Paragraph
			manual := ""
			if t.Point != "" {
				manual = PointPlace
			}
			c.add(op, manual)
		}
	}
}

// wording reads "the words … are replaced by the words …".
func (c *clauseReader) wording(op model.Operation, verb int, s sentence, targets []model.Target) {
	old, new := c.text(s.quotes[0]), ""
	op.Action = model.ReplaceText
	manual := ""
	switch {
	case verb == repeals:
		op.Action = model.DeleteText
	case verb == completes:
		op.Action = model.InsertText
		manual = NoNewText // after which words it goes is said in too many ways
	case len(s.quotes) != 2:
		manual = NoNewText
	default:
		new = c.text(s.quotes[1])
		if c.turned(s) {
			old, new = new, old // "the words A take the place of the words B"
		}
	}
	op.Old, op.New = old, new
	for _, t := range targets {
		op.Target = t
		if len(t.Articles) == 0 {
			c.add(op, manual)
			continue
		}
		for _, a := range expand(t.Articles) {
			op.Article, op.Paragraph = a, t.Paragraph
			c.add(op, manual)
		}
	}
}

// turned reports the order of words in which the new ones come first: between
// the two passages stand words of place, not the preposition "by".
func (c *clauseReader) turned(s sentence) bool {
	for i := s.quotes[0].after; i < s.quotes[1].after && i < len(s.words); i++ {
		if a, n := c.v.aux.Match(c.toks[s.words[i]:]); n > 0 && a == instead {
			return true
		}
	}
	return false
}
