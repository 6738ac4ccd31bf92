package search

import (
	"context"
	"slices"
	"strings"

	"diwan/lexis"
)

const (
	maxSuggestions = 20
	maxCompletions = 24 // words that begin with what was typed
)

// suggest completes the last word of a text, and every word before it.
func (g *generation) suggest(ctx context.Context, text, lang string, n int) ([]Hit, error) {
	if n = min(n, maxSuggestions); n <= 0 || blank(text) {
		return nil, ctx.Err()
	}
	matches, err := g.complete(ctx, clean(text))
	if err != nil {
		return nil, err
	}
	var hits []Hit
	for _, m := range page(matches, 0, n) {
		row := &g.Rows[m.ord]
		hits = append(hits, Hit{row.Kind, row.ID, float64(m.score)})
	}
	if len(hits) == n {
		return hits, nil
	}
	var r Result
	if err := g.search(ctx, Query{Text: text, Lang: lang, Limit: n}, &r); err != nil {
		return nil, err
	}
	for _, h := range r.Hits {
		if len(hits) < n && !slices.ContainsFunc(hits, func(o Hit) bool { return o.Kind == h.Kind && o.ID == h.ID }) {
			hits = append(hits, h)
		}
	}
	return hits, nil
}

// complete finds the documents whose name or keywords have, for every word of
// the text, a word that begins with it.
func (g *generation) complete(ctx context.Context, text string) ([]match, error) {
	s := g.pool.Get().(*scratch)
	defer func() {
		s.reset()
		g.pool.Put(s)
	}()
	words := 0
	for _, t := range tokenize(text) {
		folded := fold(t)
		last := t.End == len(text)
		if folded == "" || !last && len(lexis.Analyze(t.Text, "")) == 0 {
			continue
		}
		words++
		for _, w := range g.beginning(folded) {
			list, err := g.postings(ctx, kindWord, w)
			if err != nil {
				return nil, err
			}
			if list == nil {
				continue
			}
			share := 0.6 + 0.4*float32(len(folded))/float32(len(w))
			for _, d := range list.docs {
				s.unit.max(d.ord, share*d.weight, 0)
			}
		}
		for _, d := range s.unit.touched {
			s.total.add(d, s.unit.at[d].score, 1)
		}
		s.unit.clear()
	}
	var out []match
	for _, d := range s.total.touched {
		if words > 0 && int(s.total.at[d].cover+0.5) == words {
			out = append(out, match{d, g.prior(d, s.total.at[d].score/float32(words))})
		}
	}
	return out, nil
}

// beginning returns the most frequent words of the catalogue that begin with a
// prefix, a bounded number.
func (g *generation) beginning(prefix string) []string {
	at, _ := slices.BinarySearchFunc(g.Words, prefix, func(w vocabWord, p string) int {
		if w.Folded < p {
			return -1
		}
		return 1
	})
	var found []vocabWord
	for ; at < len(g.Words) && len(found) < 40*maxCompletions && strings.HasPrefix(g.Words[at].Folded, prefix); at++ {
		found = append(found, g.Words[at])
	}
	slices.SortStableFunc(found, func(a, b vocabWord) int { return b.Count - a.Count })
	var out []string
	for _, w := range found[:min(len(found), maxCompletions)] {
		out = append(out, w.Folded)
	}
	return out
}
