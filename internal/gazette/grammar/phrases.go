package grammar

import "diwan/internal/gazette/model"

// Phrases finds the longest of several lists of phrases at a place. It is made
// before the first text is read: it adds to the words that the grammar knows.
type Phrases struct{ t *trie }

// Phrases compiles lists of phrases; Match tells the list by its index.
func (g *Grammar) Phrases(lists ...[]string) *Phrases {
	t := newTrie()
	for i, list := range lists {
		g.phrases(t, list, i)
	}
	return &Phrases{t}
}

// Match returns the list of the longest phrase that begins the tokens, and how
// many tokens it takes; 0 tokens when there is none.
func (p *Phrases) Match(toks []Token) (list, n int) { return p.t.match(toks) }

// MarksRepeal tells whether a title carries the mark that the text is repealed:
// the word for it in brackets, at the very
// end, or a sentence at its head. Elsewhere it may be what the act is about.
func (g *Grammar) MarksRepeal(lang model.Lang, title string) bool {
	l := g.Lang(lang)
	if l == nil || title == "" {
		return false
	}
	sc := g.Scanner()
	defer sc.Release()
	toks := sc.Tokens(nil, title, 0, 400)
	for i := range toks {
		n := l.Match(Repealed, toks[i:])
		switch {
		case n == 0:
		case i == 0 && n > 1, i > 0 && toks[i-1].Mark() == '(', i > 0 && toks[i-1].Mark() == '-' && i+n == len(toks):
			return true
		}
	}
	return false
}
