package lexis

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed data/darija.tsv
var darijaData string

// maxDarijaWords is the longest expression of the lexicon, in words.
const maxDarijaWords = 3

// darijaLexicon is read-only after it was built.
type darijaLexicon struct {
	means  map[string][]string // folded expression -> what it stands for; empty to drop
	marker map[string]float64  // folded word -> how strongly it tells of Darija
}

var loadDarija = sync.OnceValue(func() *darijaLexicon {
	x := &darijaLexicon{means: make(map[string][]string, 2048), marker: make(map[string]float64, 1024)}
	shared := make(map[string]bool, 512) // words of the standard languages
	for line := range strings.Lines(darijaData) {
		x.add(strings.TrimSpace(line), shared)
	}
	x.dropShared(shared)
	return x
})

// dropShared takes out of the markers the words that a standard language
// has too, bare or with the article: they tell nothing.
func (x *darijaLexicon) dropShared(shared map[string]bool) {
	stop := stopWords()
	for w := range loadRepair().words {
		shared[NormalizeArabic(w)] = true
	}
	for w := range x.marker {
		bare := cutArabicArticle(w)
		if len(w) < 3 || shared[w] || shared[bare] || stop["shared"][w] || stop["shared"][bare] || stop["ar"][w] || stop["fr"][w] || stop["en"][w] {
			delete(x.marker, w)
		}
	}
}

func (x *darijaLexicon) add(line string, shared map[string]bool) {
	forms, target, ok := strings.Cut(line, "\t")
	if !ok || strings.HasPrefix(line, "#") {
		return
	}
	var means []string
	weight := 1.0
	if target != "-" {
		weight = 0.5
		for m := range strings.SplitSeq(target, ";") {
			m = strings.TrimSpace(m)
			means = append(means, m)
			for w := range strings.FieldsSeq(m) {
				shared[FoldArabizi(w)] = true
				shared[cutArabicArticle(NormalizeArabic(w))] = true
			}
		}
	}
	for f := range strings.SplitSeq(forms, ",") {
		key := foldDarija(f)
		if _, have := x.means[key]; key == "" || have {
			continue
		}
		x.means[key] = means
		if !strings.Contains(key, " ") {
			x.marker[key] = weight
		}
	}
}

// FoldArabizi brings a Latin spelling to the form the lexicon is kept in:
// lower case, no accents, doubled letters once. The digits stay, for they
// are letters here.
func FoldArabizi(word string) string {
	w := FoldFrench(word)
	out := make([]byte, 0, len(w))
	for i := 0; i < len(w); i++ {
		if w[i] == '\'' || i > 0 && w[i] == w[i-1] && w[i] >= 'a' && w[i] <= 'z' {
			continue
		}
		out = append(out, w[i])
	}
	return string(out)
}

// foldDarija folds an expression of either script, word by word.
func foldDarija(s string) string {
	var b strings.Builder
	for w := range strings.FieldsSeq(s) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(foldDarijaWord(w))
	}
	return b.String()
}

func foldDarijaWord(w string) string { return FoldArabizi(NormalizeArabic(w)) }

func cutArabicArticle(w string) string {
	if s, ok := strings.CutPrefix(w, "\u0627\u0644"); ok && len(s) >= 4 {
		return s
	}
	return w
}

// lookup finds a folded expression as it stands, or without its article.
func (x *darijaLexicon) lookup(key string) ([]string, bool) {
	if m, ok := x.means[key]; ok {
		return m, true
	}
	if s := cutArabicArticle(key); s != key {
		if m, ok := x.means[s]; ok {
			return m, true
		}
	}
	if s := cutLatinArticle(key); s != key && len(s) > 2 {
		if m, ok := x.means[s]; ok {
			return m, true
		}
	}
	return nil, false
}

// Darija looks up an expression of up to three words, in Arabic or Latin
// letters. It returns what the expression stands for in Arabic and French;
// nothing with ok true for a word that carries no meaning for a search.
func Darija(expression string) (means []string, ok bool) {
	if len(expression) > 256 {
		return nil, false
	}
	m, ok := loadDarija().lookup(foldDarija(expression))
	return append([]string(nil), m...), ok
}

// Expansion says that tokens First up to and without Last stand for one of
// Means, or for nothing when Means is empty.
type Expansion struct {
	First, Last int
	Means       []string
}

// ExpandDarija finds the expressions of the lexicon in a text, the longest
// first, each token in at most one of them.
func ExpandDarija(tokens []Token) []Expansion {
	x := loadDarija()
	var out []Expansion
	for i := 0; i < len(tokens); {
		n := 1
		for k := min(maxDarijaWords, len(tokens)-i); k > 0; k-- {
			key := foldDarijaWord(tokens[i].Text)
			for _, t := range tokens[i+1 : i+k] {
				key += " " + foldDarijaWord(t.Text)
			}
			if m, ok := x.lookup(key); ok {
				out = append(out, Expansion{i, i + k, append([]string(nil), m...)})
				n = k
				break
			}
		}
		i += n
	}
	return out
}
