package amend

import (
	"fmt"
	"strconv"
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
	Cyclic        = "cyclic"           // the acts amend each other
)

// Reader reads amending clauses. It is safe for concurrent use.
type Reader struct {
	g     *grammar.Grammar
	finds *cite.Finder
	langs map[model.Lang]*verbs
}

type verbs struct {
	lang *grammar.Lang
	verb *grammar.Phrases
	aux  *grammar.Phrases
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
		r.langs[code] = &verbs{l, g.Phrases(a["amend"], a["complete"], a["replace"], a["repeal"]), g.Phrases(a["words"], a["except"], a["instead"])}
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
		if len(c.out) >= maxOperations {
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
			if cur.span.Start < 0 && len(out) > 0 && isBlock(c.p.Text[inner.Start:inner.End]) {
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
		if i > 0 && cur.span.Start >= 0 && strings.Contains(c.p.Text[c.toks[i-1].End:t.Start], "\n") && c.toks[i-1].Mark() != ':' {
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
	targets := c.targets(s.span, s.quotes)
	switch {
	case hasWords && len(s.quotes) > 0 && !isBlock(c.text(s.quotes[0])):
		c.wording(op, verb, s, targets)
	case verb == repeals && len(s.quotes) == 0:
		c.repeal(op, targets)
	case len(s.quotes) > 0 && verbAt >= 0:
		c.passages(op, verb, s, targets)
	}
}

func (c *clauseReader) text(q quote) string {
	return strings.TrimSpace(c.p.Text[q.inner.Start:q.inner.End])
}

// targets returns what the order names: acts outside its passages. "The said
// law", or articles alone, are of the act that the title names.
func (c *clauseReader) targets(s model.Span, quotes []quote) []model.Target {
	var out []model.Target
	for _, ct := range c.citations {
		if ct.Start < s.Start || ct.Start >= s.End || inQuotes(ct.Start, quotes) {
			continue
		}
		t := ct.Target
		if t.Self {
			if c.main.Number == "" {
				continue
			}
			articles, para, point := t.Articles, t.Paragraph, t.Point
			t = c.main
			t.Articles, t.Paragraph, t.Point = articles, para, point
		}
		if n := len(out); n > 0 && same(out[n-1], t) {
			out[n-1].Articles = append(out[n-1].Articles, t.Articles...)
			continue
		}
		out = append(out, t)
	}
	if len(out) == 0 && c.main.Number != "" {
		out = append(out, c.main)
	}
	return onlyAmended(out, c.main)
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

// repeal reads "articles 3 and 5 of the law … are repealed".
func (c *clauseReader) repeal(op model.Operation, targets []model.Target) {
	for _, t := range targets {
		op.Target = t
		if len(t.Articles) == 0 {
			op.Action = model.RepealAct
			c.add(op, "")
			continue
		}
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
	if len(targets) == 0 {
		c.add(op, NoTarget)
		return
	}
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

// passages reads the new texts that an order puts in.
func (c *clauseReader) passages(op model.Operation, verb int, s sentence, targets []model.Target) {
	if len(targets) == 0 {
		op.Action = model.Substitute
		c.add(op, NoTarget)
		return
	}
	t := targets[0]
	op.Target = t
	named := expand(t.Articles)
	for _, q := range s.quotes {
		parts := c.articlesIn(q)
		if len(parts) == 0 {
			c.bare(op, verb, t, named, c.text(q))
			continue
		}
		for i, part := range parts {
			o := op
			o.Article, o.New = part.label, part.text
			o.Old = part.num // how the new text prints its number
			o.Action = model.Substitute
			isNew := verb == completes && !contains(named, part.label) || verb == completes && len(named) > 0 && isRepeat(part.label)
			if isNew || verb == amends && isRepeat(part.label) && !contains(named, part.label) {
				o.Action, o.Label = model.Insert, part.label
				o.Article = predecessor(part.label, parts, i)
			}
			manual := ""
			if elided(part.text) {
				manual = Partial
			}
			c.add(o, manual)
		}
	}
}

// bare reads a passage without the head of an article: the new text of the one
// article or paragraph that the order names.
func (c *clauseReader) bare(op model.Operation, verb int, t model.Target, named []string, text string) {
	op.New = text
	manual := ""
	switch {
	case len(named) == 0:
		manual = NoArticle
	case len(named) > 1:
		manual = NoArticle
	case t.Point != "":
		manual = PointPlace
	case elided(text):
		manual = Partial
	}
	if len(named) > 0 {
		op.Article = named[0]
	}
	op.Paragraph = t.Paragraph
	op.Action = model.Substitute
	if verb == completes {
		op.Action, op.Paragraph = model.Append, ""
	}
	c.add(op, manual)
}

// part is one article in a passage.
type part struct{ label, num, text string }

// articlesIn finds the articles that a passage holds: heads at the beginning of
// its lines, perhaps behind a mark.
func (c *clauseReader) articlesIn(q quote) []part {
	var out []part
	at := q.inner.Start
	inner := c.p.Text[q.inner.Start:q.inner.End]
	for line := range strings.Lines(inner) {
		head, n := c.head(line)
		rest := strings.TrimSpace(line)
		if n > 0 {
			out = append(out, part{label: head, num: strings.Trim(strings.TrimSpace(line[:n]), "«“\"- .:–—"), text: ""})
			rest = strings.TrimLeft(strings.TrimSpace(line[n:]), "-–—.: ")
		}
		if len(out) > 0 && rest != "" {
			p := &out[len(out)-1]
			rest = strings.TrimSpace(strings.Trim(rest, "«»“”\""))
			if p.text != "" && rest != "" {
				p.text += "\n"
			}
			p.text += rest
		} else if len(out) == 0 && strings.TrimSpace(rest) != "" {
			return nil // words before the first head: not articles
		}
		at += len(line)
	}
	return out
}

// head reads the head of an article at the beginning of a line.
func (c *clauseReader) head(line string) (label string, n int) {
	sc := c.r.g.Scanner()
	defer sc.Release()
	toks := sc.Tokens(nil, line, 0, 12)
	h, k := c.v.lang.MatchArticle(line, toks)
	if k == 0 || h.Label.Zero() {
		return "", 0
	}
	return c.r.g.Format(h.Label), toks[k-1].End
}

// elided reports dots that stand for text left as it was.
func elided(s string) bool {
	return strings.Contains(s, "....") || strings.Contains(s, "……") || strings.Contains(s, "(…)") || strings.Contains(s, "(...)") || strings.Contains(s, "…")
}

// expand turns ranges of plain numbers into their members.
func expand(labels []string) []string {
	var out []string
	for _, l := range labels {
		from, to, ok := strings.Cut(l, "..")
		if !ok {
			out = append(out, l)
			continue
		}
		a, err1 := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || b < a || b-a > 500 {
			out = append(out, from, to)
			continue
		}
		for i := a; i <= b; i++ {
			out = append(out, strconv.Itoa(i))
		}
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// isRepeat tells a label that was put in between two: 5bis, 5-1.
func isRepeat(label string) bool { return strings.TrimLeft(label, "0123456789") != "" }

// predecessor is the article behind which a new one goes: the one before it in
// the passage when that is of the same number, else its own number's root, else
// the number before.
func predecessor(label string, parts []part, i int) string {
	digits := label[:len(label)-len(strings.TrimLeft(label, "0123456789"))]
	if i > 0 && strings.HasPrefix(parts[i-1].label, digits) && digits != "" && isRepeat(label) {
		return parts[i-1].label
	}
	if isRepeat(label) {
		return digits
	}
	if n, err := strconv.Atoi(label); err == nil && n > 1 {
		return strconv.Itoa(n - 1)
	}
	return ""
}
