package search

import (
	"context"
	"strings"

	"diwan/internal/retrieval"
)

// variant is a term that stands for a word of the question.
type variant struct {
	term  string
	boost float64
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
			t := term{stem: s, variants: []variant{{s, 1}}}
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

// variants asks the lexicon for what a word may be called.
func variants(r *retrieval.Ranker, word, stem, lang string) []variant {
	out := []variant{{stem, 1}}
	q := r.Prepare(word, lang)
	for _, l := range []string{"ar", "fr"} {
		for _, t := range q.Terms(l) {
			if t.Text != stem && t.Boost >= leastBoost {
				out = append(out, variant{t.Text, t.Boost * foreignBoost})
			}
		}
	}
	return out
}

// weigh finds how rare a word is. Where it is not held at all, its likeliest
// translation says it.
func (g *generation) weigh(ctx context.Context, t *term) error {
	for i, v := range t.variants {
		if i > 0 && (t.df > 0 || v.boost < foreignBoost) {
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
