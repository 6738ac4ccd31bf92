package retrieval

import (
	"fmt"
	"io"
	"slices"
)

// Lesson is a collection with questions whose right answers are known, for
// fitting weights.
type Lesson struct {
	Collection *Collection
	Mode       string // "arabic", "french" or "crossing"
}

// rough are the weights that choose the candidates of an example, before any
// are fitted.
var rough = map[mode]map[int]float64{
	arabic:   {fStem: 1, fSkeleton: 1, fGram3: 1, fGram4: 1, fGram5: 1},
	french:   {fStem: 1, fGram4: 1, fCalls: .5},
	crossing: {fTranslated: 1, fGenerated: .5, fReverse: 1, fNames: 2, fSame: 2},
}

func modeNamed(name string) (mode, error) {
	for m, n := range modeNames {
		if n == name {
			return mode(m), nil
		}
	}
	return 0, fmt.Errorf("no mode is called %q", name)
}

// Example returns the features of the best documents for a query, cues
// included, the right ones marked; false when none of them is right.
func (l *Lesson) Example(q *Query, depth int, right func(doc int) bool) (Example, bool, error) {
	m, err := modeNamed(l.Mode)
	if err != nil {
		return Example{}, false, err
	}
	all := make([]uint32, l.Collection.Len())
	for i := range all {
		all[i] = uint32(i)
	}
	x := newScorer(q, m, l.Collection.stats)
	defer x.free()
	r := l.Collection.features(x, all)
	scores := make([]float64, len(all))
	for i := range all {
		for f, w := range rough[m] {
			scores[i] += w * r.of(i)[f]
		}
	}
	question := questionCues(q.text)
	var e Example
	any := false
	for _, s := range sorted(scores)[:min(depth, len(all))] {
		var row []Feature
		for f, v := range r.of(s.Candidate) {
			if v != 0 {
				row = append(row, Feature{f, v})
			}
		}
		if m == french {
			row = crossCues(row, question, textCues(cutText(l.Collection.texts[s.Candidate], maxCandidateText)), features)
		}
		ok := right(s.Candidate)
		any = any || ok
		e.Rows, e.Right = append(e.Rows, row), append(e.Right, ok)
	}
	return e, any, nil
}

// Keep drops the features that are not named; cues stay.
func (e *Example) Keep(names ...string) {
	for i, row := range e.Rows {
		var kept []Feature
		for _, f := range row {
			if f.At >= features || slices.Contains(names, featureNames[f.At]) {
				kept = append(kept, f)
			}
		}
		e.Rows[i] = kept
	}
}

// Start returns the weights to begin fitting with.
func (l *Lesson) Start() []float64 {
	m, err := modeNamed(l.Mode)
	if err != nil {
		return nil
	}
	n := features
	if m == french {
		n += cueFeatures()
	}
	w := make([]float64, n)
	for f, v := range rough[m] {
		w[f] = 2 * v
	}
	return w
}

// Write writes fitted weights as data/weights.txt has them.
func (l *Lesson) Write(out io.Writer, w []float64) error {
	for f, name := range featureNames {
		if w[f] != 0 {
			if _, err := fmt.Fprintf(out, "%s %s %.3f\n", l.Mode, name, w[f]); err != nil {
				return err
			}
		}
	}
	if len(w) == features {
		return nil
	}
	for i, name := range cueNames() {
		if v := w[features+i]; v > .005 || v < -.005 {
			if _, err := fmt.Fprintf(out, "cue %s %.3f\n", name, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// PrepareWith analyses a French query with a table of its own.
func PrepareWith(text string, calls Calls) *Query {
	return newQuery(text, "fr", BasicLexicon(), calls)
}
