package retrieval

import (
	"cmp"
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed data/names-fr-ar.tsv.br
var packedNames []byte

//go:embed data/fr-ar
var dictionaryFiles embed.FS

// Parallel is one text in two languages.
type Parallel struct {
	French string `json:"fr"`
	Arabic string `json:"ar"`
}

// Lexicon says which French and Arabic stems stand for one another, and how
// probably, both ways. It is never changed once made.
type Lexicon struct {
	arabic map[string][]stemProb // by French stem, P(Arabic | French)
	french map[string][]stemProb // by Arabic stem, P(French | Arabic)

	// The same by what they lead to.
	fromFrench map[string][]stemProb // by French stem, P(French | Arabic)
	fromArabic map[string][]stemProb // by Arabic stem, P(Arabic | French)
}

type stemProb struct {
	stem string
	p    float64
}

// Limits of the lexicon, as they were measured to be enough.
const (
	learnRounds     = 8
	leastProb       = .02
	maxTranslations = 12
)

// BasicLexicon is made of the dictionary and the names that come with the
// program. It is made on first use.
var BasicLexicon = sync.OnceValue(func() *Lexicon {
	pairs, err := basicPairs()
	if err != nil {
		panic("retrieval: the dictionary: " + err.Error())
	}
	return newLexicon(pairs)
})

// LearnLexicon adds to the basic lexicon what parallel texts teach: where both
// know a word, each has half a say.
func LearnLexicon(pairs []Parallel) *Lexicon {
	basic := BasicLexicon()
	if len(pairs) == 0 {
		return basic
	}
	l := newLexicon(pairs)
	return makeLexicon(mix(basic.arabic, l.arabic), mix(basic.french, l.french))
}

func newLexicon(pairs []Parallel) *Lexicon {
	there := make([]Pair, 0, len(pairs))
	back := make([]Pair, 0, len(pairs))
	for _, p := range pairs {
		fr, ar := Stems(p.French), Stems(p.Arabic)
		there = append(there, Pair{fr, ar})
		back = append(back, Pair{ar, fr})
	}
	return makeLexicon(byFrom(Learn(there, learnRounds, leastProb)), byFrom(Learn(back, learnRounds, leastProb)))
}

func makeLexicon(arabic, french map[string][]stemProb) *Lexicon {
	return &Lexicon{arabic, french, turned(french), turned(arabic)}
}

// turned lists a table by what it leads to.
func turned(table map[string][]stemProb) map[string][]stemProb {
	out := make(map[string][]stemProb, len(table))
	for from, list := range table {
		for _, x := range list {
			out[x.stem] = append(out[x.stem], stemProb{from, x.p})
		}
	}
	for k := range out {
		sortProbs(out[k])
	}
	return out
}

func byFrom(table []Translation) map[string][]stemProb {
	out := map[string][]stemProb{}
	for _, t := range table {
		out[t.From] = append(out[t.From], stemProb{t.To, t.P})
	}
	for k := range out {
		out[k] = best(out[k])
	}
	return out
}

// best keeps the likeliest translations, in a fixed order.
func best(x []stemProb) []stemProb {
	sortProbs(x)
	return x[:min(len(x), maxTranslations)]
}

func sortProbs(x []stemProb) {
	slices.SortFunc(x, func(a, b stemProb) int {
		return cmp.Or(cmp.Compare(b.p, a.p), strings.Compare(a.stem, b.stem))
	})
}

func mix(a, b map[string][]stemProb) map[string][]stemProb {
	out := make(map[string][]stemProb, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		old, ok := out[k]
		if !ok {
			out[k] = v
			continue
		}
		p := map[string]float64{}
		for _, x := range old {
			p[x.stem] += x.p / 2
		}
		for _, x := range v {
			p[x.stem] += x.p / 2
		}
		both := make([]stemProb, 0, len(p))
		for s, x := range p {
			both = append(both, stemProb{s, x})
		}
		out[k] = best(both)
	}
	return out
}

// basicPairs reads the dictionary and the names. A line of the dictionary has
// French words that mean the same, parted by commas, and Arabic ones, parted by
// bars.
func basicPairs() ([]Parallel, error) {
	var out []Parallel
	names, err := inflate(packedNames)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(names)) {
		fr, ar, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok {
			return nil, fmt.Errorf("a name has no translation: %q", line)
		}
		out = append(out, Parallel{fr, ar})
	}
	files, err := dictionaryFiles.ReadDir("data/fr-ar")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		data, err := dictionaryFiles.ReadFile("data/fr-ar/" + f.Name())
		if err != nil {
			return nil, err
		}
		n := 0
		for line := range strings.Lines(string(data)) {
			n++
			if line = strings.TrimSuffix(line, "\n"); line == "" || line[0] == '#' {
				continue
			}
			fr, ar, ok := strings.Cut(line, "\t")
			if !ok || fr == "" || ar == "" {
				return nil, fmt.Errorf("%s:%d: not French, tab, Arabic", f.Name(), n)
			}
			for f := range strings.SplitSeq(fr, ",") {
				for a := range strings.SplitSeq(ar, "|") {
					out = append(out, Parallel{f, a})
				}
			}
		}
	}
	return out, nil
}
