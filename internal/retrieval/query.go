package retrieval

import "diwan/lexis"

// Query is a query ready to be matched.
type Query struct {
	text    string
	words   []*word
	lang    string // of the letters: "ar" or "fr"
	lexicon *Lexicon
	calls   Calls
}

// maxQuery bounds the text of a query, in bytes.
const maxQuery = 8 << 10

// newQuery analyses a query. The letters decide the language; lang helps where
// there are none.
func newQuery(text, lang string, l *Lexicon, calls Calls) *Query {
	text = cutText(text, maxQuery)
	q := &Query{text: text, lang: lang, lexicon: l, calls: calls}
	letters := map[lexis.Script]int{}
	eachWord(text, func(w *word) {
		if len(q.words) < maxQueryWords {
			q.words = append(q.words, w)
			letters[w.script] += len([]rune(w.text))
		}
	})
	switch {
	case letters[lexis.Arabic] > letters[lexis.Latin]:
		q.lang = "ar"
	case letters[lexis.Latin] > letters[lexis.Arabic]:
		q.lang = "fr"
	case lang != "ar":
		q.lang = "fr"
	}
	return q
}

// Term is a term to ask an index for that was made with the analyzers of
// RegisterAnalyzers, and how much it counts.
type Term struct {
	Text  string
	Boost float64
}

// Bounds of the terms that are asked for beside the query's own.
const (
	perWord   = 4   // translations of one word
	leastCall = .08 // probability of a word that calls for one of the query
	callBoost = .3
)

// Terms returns the stems to look for among documents of a language, "ar" or
// "fr": the query's own and, in the other language, their translations, the
// likeliest of each word with the boost 1. French words that call for those of
// the query follow with a small boost.
func (q *Query) Terms(lang string) []Term {
	var out []Term
	at := map[string]int{}
	add := func(stem string, boost float64) {
		if i, ok := at[stem]; ok {
			out[i].Boost = max(out[i].Boost, boost)
			return
		}
		at[stem] = len(out)
		out = append(out, Term{stem, boost})
	}
	terms := termsOf(q.words)
	for _, t := range terms {
		add(t.stem, t.weight)
	}
	for _, t := range terms {
		switch {
		case lang != q.lang:
			list := q.lexicon.from(q.lang).there[t.stem]
			for _, y := range list[:min(len(list), perWord)] {
				add(y.stem, y.p/list[0].p)
			}
		case lang == "fr":
			n := 0
			for _, y := range q.calls[t.stem] {
				if y.p >= leastCall && n < perWord {
					n++
					add(y.stem, callBoost*y.p)
				}
			}
		}
	}
	return out
}
