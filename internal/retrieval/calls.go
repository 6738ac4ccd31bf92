package retrieval

import (
	_ "embed"
	"sync"
)

//go:embed data/questions-fr.bin.br
var packedQuestions []byte

// Calls says, by stem of a question, which stems of a text call for it, and how
// probably: the text of a sheet was made to answer its title.
type Calls map[string][]stemProb

// NewCalls turns a table learned from texts to questions round.
func NewCalls(table []Translation) Calls {
	out := Calls{}
	for _, t := range table {
		out[t.To] = append(out[t.To], stemProb{t.From, t.P})
	}
	return out
}

// frenchCalls is the table that comes with the program; data/README.md says
// where it was learned.
var frenchCalls = sync.OnceValue(func() Calls {
	table, err := unpackTranslations(packedQuestions)
	if err != nil {
		panic("retrieval: the table of questions: " + err.Error())
	}
	return NewCalls(table)
})

// beta is the share of a language model that goes to words that call for the
// word of the query, against the word itself.
const beta = .6

// addCalls makes a language model of the query's words: how probable is each,
// given what the words of a document call for (Berger and Lafferty 1999).
func (m *matcher) addCalls(words []*word, calls Calls, s *Stats) {
	c := channel{length: famStem, model: language}
	var terms []*word
	at := map[string]int{}
	for _, w := range words {
		if w.stop {
			continue
		}
		if i, ok := at[w.stem]; ok {
			c.units[i].weight++
		} else if !m.full(len(c.units) + 1) {
			at[w.stem] = len(c.units)
			terms = append(terms, w)
			c.units = append(c.units, unit{weight: 1, rarity: s.share(w.keys[0])})
		}
	}
	first := m.open(c)
	for i, w := range terms {
		u := uint16(first + i)
		m.add(w.keys[0], hit{u, 1 - beta})
		for _, t := range calls[w.stem] {
			m.add(keyOf(famStem, t.stem), hit{u, float32(beta * t.p)})
		}
	}
}
