package retrieval

import (
	"strconv"
	"sync"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/registry"

	"diwan/lexis"
)

// Analyzers for an index of Bleve. Stems are the terms of Query.Terms; the
// consonants of Arabic stems find words whose vowels were damaged.
const (
	StemAnalyzer     = "diwan_stem"
	SkeletonAnalyzer = "diwan_skeleton"
)

func init() {
	for name, family := range map[string]family{StemAnalyzer: famStem, SkeletonAnalyzer: famSkeleton} {
		err := registry.RegisterAnalyzer(name, func(map[string]any, *registry.Cache) (analysis.Analyzer, error) {
			return Analyzer{family}, nil
		})
		if err != nil {
			panic("retrieval: registering " + name + ": " + err.Error())
		}
	}
}

// Analyzer turns a text into the terms of one kind. Stop words make no term but
// count as a position, so that phrases keep their distances; the parts of a
// glued word have a position each and the place of the whole word.
type Analyzer struct{ family family }

// NewAnalyzer returns the analyzer of a name; the empty name is that of stems.
func NewAnalyzer(name string) Analyzer {
	if name == SkeletonAnalyzer {
		return Analyzer{famSkeleton}
	}
	return Analyzer{famStem}
}

// Analyze implements analysis.Analyzer.
func (a Analyzer) Analyze(input []byte) analysis.TokenStream {
	text := string(input)
	tokens := make([]analysis.Token, 0, len(text)/8+1)
	position := 0
	add := func(w *word, start, end int) {
		position++
		if w.stop {
			return
		}
		term := w.stem
		if a.family == famSkeleton {
			if w.script != lexis.Arabic {
				return
			}
			term = skeleton(w)
		}
		kind := analysis.AlphaNumeric
		if w.script == lexis.Number {
			kind = analysis.Numeric
		}
		tokens = append(tokens, analysis.Token{Term: []byte(term), Start: start, End: end, Position: position, Type: kind})
	}
	for base := 0; base < len(text); {
		head := cutText(text[base:], lexis.MaxInput)
		for _, t := range lexis.Tokenize(head) {
			w := wordOf(t.Text, t.Script)
			if len(w.parts) == 0 {
				add(w, base+t.Start, base+t.End)
			}
			for _, p := range w.parts {
				add(p, base+t.Start, base+t.End)
			}
		}
		base += len(head)
	}
	out := make(analysis.TokenStream, len(tokens))
	for i := range tokens {
		out[i] = &tokens[i]
	}
	return out
}

// skeletons remembers the consonants of words.
var skeletons = struct {
	mu  sync.RWMutex
	all map[*word]string
}{all: map[*word]string{}}

func skeleton(w *word) string {
	skeletons.mu.RLock()
	s, ok := skeletons.all[w]
	skeletons.mu.RUnlock()
	if ok {
		return s
	}
	s = lexis.Skeleton(w.text)
	skeletons.mu.Lock()
	defer skeletons.mu.Unlock()
	if len(skeletons.all) >= maxWords {
		clear(skeletons.all)
	}
	skeletons.all[w] = s
	return s
}

// Version names the analysis and the tables behind it: an index made under
// another version must be made again.
func Version() string {
	n := uint64(len(packedWords)) + uint64(len(stopText))<<20
	return "1-" + strconv.FormatUint(n, 36)
}
