package evaluation

import (
	"fmt"
	"io"
	"math/rand"
	"strings"

	"diwan/internal/retrieval"
)

// Candidates of an example, in Arabic and across languages.
const fitDepth = 60

// Parts of the parallel set: a lexicon learned on the first fits the weights on
// the second, and the last is never seen but by the measuring.
const (
	fitFrom = 600
	unseen  = 990
)

// crossFeatures leaves out the length, which only says how long news sentences
// are.
var crossFeatures = []string{"same", "translated", "generated", "reverse", "names", "cover-translated", "ratio"}

// FitDev fits the weights of the Arabic and crossing modes on the development
// sets and writes them.
func FitDev(dir string, l2 float64, rounds int, out io.Writer) error {
	ar, err := load(dir, arabicSet)
	if err != nil {
		return err
	}
	lesson, examples, err := ar.lesson("arabic", "ar", nil)
	if err != nil {
		return err
	}
	if err := lesson.Write(out, retrieval.Fit(kept(examples), lesson.Start(), l2, rounds)); err != nil {
		return err
	}
	cross, err := load(dir, crossSet)
	if err != nil {
		return err
	}
	lexicon := retrieval.LearnLexicon(cross.pairs(fitFrom))
	examples = nil
	for _, v := range []struct{ together, words int }{{1, 100}, {1, 7}, {4, 100}, {4, 7}} {
		part, err := cross.excerpt(fitFrom, unseen, v.together, v.words)
		if err != nil {
			return err
		}
		var more []example
		if lesson, more, err = part.lesson("crossing", "fr", lexicon); err != nil {
			return err
		}
		examples = append(examples, more...)
	}
	return lesson.Write(out, retrieval.Fit(kept(examples), lesson.Start(), l2, rounds))
}

// excerpt makes another set of the sentences from one number to another: so
// many together are a document, and the queries keep so many words from their
// middle. Weights fitted on whole sentences alone would not hold for a question
// about a paragraph.
func (s *Set) excerpt(from, to, together, words int) (*Set, error) {
	part, err := s.part(from, to)
	if err != nil {
		return nil, err
	}
	p := &Set{Name: s.Name}
	for i, d := range part.Docs {
		if i%together == 0 {
			p.Docs = append(p.Docs, retrieval.Doc{ID: d.ID})
		}
		p.Docs[len(p.Docs)-1].Text += d.Text + "\n"
	}
	for i, q := range part.Queries {
		w := strings.Fields(q.Text)
		start := max(0, (len(w)-words)/2)
		q.Text = strings.Join(w[start:min(len(w), start+words)], " ")
		q.Positives = nil
		for d := range part.right[i] {
			q.Positives = append(q.Positives, p.Docs[d/together].ID)
		}
		p.Queries = append(p.Queries, q)
	}
	return p, p.index()
}

// example is one query of a set; it can't be learned from when no right
// document is among its candidates.
type example struct {
	retrieval.Example
	usable bool
}

func kept(all []example) []retrieval.Example {
	var out []retrieval.Example
	for _, e := range all {
		if e.usable {
			out = append(out, e.Example)
		}
	}
	return out
}

// lesson makes the examples of a set.
func (s *Set) lesson(mode, lang string, l *retrieval.Lexicon) (*retrieval.Lesson, []example, error) {
	lesson := &retrieval.Lesson{Collection: retrieval.NewCollection(), Mode: mode}
	for _, d := range s.Docs {
		lesson.Collection.Add("", d.Text)
	}
	var out []example
	for i, q := range s.Queries {
		right := s.right[i]
		e, ok, err := lesson.Example(lesson.Collection.Prepare(q.Text, lang, l), fitDepth, func(d int) bool { return right[d] })
		if err != nil {
			return nil, nil, err
		}
		if mode == "crossing" {
			e.Keep(crossFeatures...)
		}
		out = append(out, example{e, ok})
	}
	return lesson, out, nil
}

// CrossValidated is what fitting is worth on articles that it did not see: the
// mean over three ways to cut the articles in five.
func (s *Set) CrossValidated(mode, lang string, l2 float64, rounds int) (float64, error) {
	lesson, examples, err := s.lesson(mode, lang, nil)
	if err != nil {
		return 0, err
	}
	group := map[string]int{}
	of := make([]int, len(s.Queries))
	for i := range s.Queries {
		for d := range s.right[i] {
			t := s.Docs[d].Title
			if _, ok := group[t]; !ok {
				group[t] = len(group)
			}
			of[i] = group[t]
		}
	}
	if len(group) < 5 {
		return 0, fmt.Errorf("%s has too few articles to fold", s.Name)
	}
	sum := 0.0
	const seeds, folds = 3, 5
	for seed := range seeds {
		fold := rand.New(rand.NewSource(int64(seed))).Perm(len(group))
		for k := range folds {
			var train []example
			for i, e := range examples {
				if fold[of[i]]%folds != k {
					train = append(train, e)
				}
			}
			w := retrieval.Fit(kept(train), lesson.Start(), l2, rounds)
			for i, e := range examples {
				if fold[of[i]]%folds == k && e.usable {
					sum += reciprocal(e.Example, w)
				}
			}
		}
	}
	return sum / float64(seeds*len(s.Queries)), nil
}

// reciprocal is one by the rank of the first right candidate, within ten.
func reciprocal(e retrieval.Example, w []float64) float64 {
	best := -1
	scores := make([]float64, len(e.Rows))
	for i, r := range e.Rows {
		scores[i] = retrieval.Dot(w, r)
		if e.Right[i] && (best < 0 || scores[i] > scores[best]) {
			best = i
		}
	}
	rank := 1
	for i := range scores {
		if !e.Right[i] && scores[i] > scores[best] {
			rank++
		}
	}
	if rank > 10 {
		return 0
	}
	return 1 / float64(rank)
}
