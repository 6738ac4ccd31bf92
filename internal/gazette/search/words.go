package search

import (
	"context"
	"slices"
	"strings"

	"diwan/internal/retrieval"
	"diwan/lexis"
)

// variant is a term that stands for a word of the question.
type variant struct {
	term  string
	boost float64
	title bool // looked for in titles alone
}

// term is a word of the question: its stem and what stands for it in the other
// language.
type term struct {
	stem     string
	variants []variant
	df       int
	idf      float64
}

// stemsOf returns the stems of a text with their positions; empty words have
// none.
func stemsOf(text string) (stems []string, places []int) {
	for _, t := range analyzer.Analyze([]byte(text)) {
		stems = append(stems, string(t.Term))
		places = append(places, t.Position)
	}
	return stems, places
}

// termsOf analyses the words of a question, each with its variants. Words that
// say nothing are left out; so are repeated ones.
func termsOf(ctx context.Context, g *generation, r *retrieval.Ranker, words []string, lang string) ([]term, error) {
	var out []term
	seen := map[string]bool{}
	for _, w := range words {
		stems, _ := stemsOf(w)
		for _, s := range stems {
			if seen[s] || len(out) == maxWords {
				continue
			}
			seen[s] = true
			t := term{stem: s, variants: []variant{{term: s, boost: 1}}}
			if len(stems) == 1 {
				t.variants = variants(r, w, s, lang)
			}
			if err := g.weigh(ctx, &t); err != nil {
				return nil, err
			}
			out = append(out, t)
		}
	}
	return out, nil
}

// variants lists what a word may be called: in the other language, by the
// lexicon, and with what Arabic joins to its head. The latter is looked for in
// titles alone, where one word decides; in a text others make up for it.
func variants(r *retrieval.Ranker, word, stem, lang string) []variant {
	out := []variant{{term: stem, boost: 1}}
	q := r.Prepare(word, lang)
	for _, l := range []string{"ar", "fr"} {
		for _, t := range q.Terms(l) {
			if t.Text != stem && t.Boost >= leastBoost {
				out = append(out, variant{term: t.Text, boost: t.Boost * foreignBoost})
				if t.Boost*foreignBoost >= leastMask {
					for _, s := range more(joinedForms(t.Text)) {
						out = append(out, variant{s, t.Boost * foreignBoost, true})
					}
				}
			}
		}
	}
	for _, s := range more(joinedForms(word)) {
		out = append(out, variant{s, 1, true})
	}
	return out
}

// more is a list without its first.
func more(list []string) []string { return list[min(1, len(list)):] }

// joinedForms are the different stems of a word with and without the particles
// that Arabic joins to it, its own first.
func joinedForms(word string) []string {
	var out []string
	for _, form := range lexis.WithProclitics(word) {
		stems, _ := stemsOf(form)
		if len(stems) == 1 && !slices.Contains(out, stems[0]) {
			out = append(out, stems[0])
		}
	}
	return out
}

// weigh finds how rare a word is. Where it is not held at all, its likeliest
// translation says it.
func (g *generation) weigh(ctx context.Context, t *term) error {
	for i, v := range t.variants {
		if i > 0 && (t.df > 0 || v.boost < foreignBoost || v.title) {
			continue
		}
		for _, f := range []string{fieldBody, fieldTitle} {
			n, err := g.count(ctx, f, v.term)
			if err != nil {
				return err
			}
			t.df = max(t.df, n)
		}
	}
	t.idf = g.idf(t.df)
	return nil
}

// positive collects the words of a query that are wanted: for the ranking, and
// to be marked.
func (n *node) positive() []string {
	if n == nil {
		return nil
	}
	switch n.op {
	case opNot, opField:
		if n.op == opField && n.field == "title" {
			return strings.Fields(n.value)
		}
		return nil
	case opSoft:
		return n.words
	case opPhrase:
		return strings.Fields(n.words[0])
	}
	var out []string
	for _, k := range n.kids {
		out = append(out, k.positive()...)
	}
	return out
}

// question returns the words that stand side by side at the top of a query: they
// are not all required.
func (n *node) question() []string {
	if n == nil {
		return nil
	}
	if n.op == opSoft {
		return n.words
	}
	if n.op == opAnd {
		for _, k := range n.kids {
			if k.op == opSoft && len(n.kids) > 1 && k.loose {
				return k.words
			}
		}
	}
	return nil
}
