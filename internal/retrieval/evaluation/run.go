package evaluation

import (
	"fmt"
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/ar" // the reference analysers
	_ "github.com/blevesearch/bleve/v2/analysis/lang/fr"
	"github.com/blevesearch/bleve/v2/mapping"

	"diwan/internal/beside"
	"diwan/internal/retrieval"
)

// The development sets.
const (
	arabicSet = "arcd-train-ar"
	frenchSet = "cnil-faq-fr"
	crossSet  = "ntrex-fr-ar"
)

// Figures are what one method reaches on one set: the mean of one by the rank
// of the first right document within ten, and how often a right one is first
// and among the first ten.
type Figures struct {
	Set     string  `json:"set"`
	Method  string  `json:"method"`
	Docs    int     `json:"docs"`
	Queries int     `json:"queries"`
	MRR     float64 `json:"mrr10"`
	First   float64 `json:"recall1"`
	Ten     float64 `json:"recall10"`
	Seconds float64 `json:"seconds"` // building and searching
}

// FindSets looks for the development sets beside the working directory.
func FindSets() (string, error) {
	dir, err := beside.Find("data/retrieval-dev")
	if err != nil {
		return "", fmt.Errorf("the development sets were not found; say --data DIR: %w", err)
	}
	return dir, nil
}

// measure runs a search for every query.
func (s *Set) measure(method string, start time.Time, search func(q retrieval.Question) ([]int, error)) (Figures, error) {
	f := Figures{Set: s.Name, Method: method, Docs: len(s.Docs), Queries: len(s.Queries)}
	for i, q := range s.Queries {
		found, err := search(q)
		if err != nil {
			return f, err
		}
		for rank, d := range found[:min(10, len(found))] {
			if s.right[i][d] {
				f.MRR += 1 / float64(rank+1)
				f.Ten++
				if rank == 0 {
					f.First++
				}
				break
			}
		}
	}
	n := float64(max(1, len(s.Queries)))
	f.MRR, f.First, f.Ten = f.MRR/n, f.First/n, f.Ten/n
	f.Seconds = time.Since(start).Seconds()
	return f, nil
}

// ours measures the product's own ranking.
func (s *Set) ours(method, lang string, l *retrieval.Lexicon, without ...string) (Figures, error) {
	start := time.Now()
	c := retrieval.NewCollection()
	c.Without(without...)
	for _, d := range s.Docs {
		c.Add("", d.Text)
	}
	return s.measure(method, start, func(q retrieval.Question) ([]int, error) {
		var out []int
		for _, x := range c.Search(c.Prepare(q.Text, lang, l), 10) {
			out = append(out, x.Candidate)
		}
		return out, nil
	})
}

// reference measures Bleve with one of its own analysers and its default score.
func (s *Set) reference(analyzer string) (Figures, error) {
	start := time.Now()
	im := mapping.NewIndexMapping()
	im.DefaultAnalyzer = analyzer
	index, err := bleve.NewMemOnly(im)
	if err != nil {
		return Figures{}, err
	}
	defer index.Close()
	batch := index.NewBatch()
	at := map[string]int{}
	for i, d := range s.Docs {
		at[d.ID] = i
		if err := batch.Index(d.ID, map[string]any{"text": d.Text}); err != nil {
			return Figures{}, err
		}
	}
	if err := index.Batch(batch); err != nil {
		return Figures{}, err
	}
	return s.measure("bleve "+analyzer, start, func(q retrieval.Question) ([]int, error) {
		m := bleve.NewMatchQuery(q.Text)
		m.SetField("text")
		r, err := index.Search(bleve.NewSearchRequestOptions(m, 10, 0, false))
		if err != nil {
			return nil, err
		}
		var out []int
		for _, h := range r.Hits {
			out = append(out, at[h.ID])
		}
		return out, nil
	})
}

// pairs are the parallel texts of the first queries of a set.
func (s *Set) pairs(n int) []retrieval.Parallel {
	var out []retrieval.Parallel
	for i, q := range s.Queries[:min(n, len(s.Queries))] {
		for d := range s.right[i] {
			if d < n {
				out = append(out, retrieval.Parallel{French: q.Text, Arabic: s.Docs[d].Text})
			}
		}
	}
	return out
}

// An ablation leaves parts of the ranking out.
var ablations = map[string][][]string{
	arabicSet: {{"head-stem", "head-gram"}, {"cover-word", "cover-gram"}, {"length"}, {"skeleton"}, {"gram3", "gram4", "gram5"},
		{"head-stem", "head-gram", "cover-word", "cover-gram", "length", "skeleton", "gram3", "gram4", "gram5"}},
	frenchSet: {{"cues"}, {"calls"}, {"gram4"}, {"length"}, {"cues", "calls"}, {"cues", "calls", "gram4", "length"}},
	crossSet:  {{"names"}, {"same"}, {"ratio"}, {"reverse"}, {"generated"}, {"translated"}},
}

// Run measures the ranking on the sets of a folder, with an ablation where it is
// asked for: what is left when a part of the score is left out and the weights of
// the others stay.
func Run(dir string, ablation bool) ([]Figures, error) {
	var out []Figures
	for _, x := range []struct{ set, lang string }{{arabicSet, "ar"}, {frenchSet, "fr"}, {crossSet, "fr"}} {
		s, err := load(dir, x.set)
		if err != nil {
			return nil, err
		}
		reference, lexicon := x.lang, (*retrieval.Lexicon)(nil)
		if x.set == crossSet {
			pairs := s.pairs(unseen)
			if s, err = s.part(unseen, len(s.Docs)); err != nil {
				return nil, err
			}
			f, err := s.ours("diwan, nothing learned", x.lang, nil)
			if err != nil {
				return nil, err
			}
			out = append(out, f)
			reference, lexicon = "ar", retrieval.LearnLexicon(pairs)
		}
		f, err := s.reference(reference)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
		if f, err = s.ours("diwan", x.lang, lexicon); err != nil {
			return nil, err
		}
		out = append(out, f)
		if !ablation {
			continue
		}
		for _, without := range ablations[x.set] {
			if f, err = s.ours("  without "+strings.Join(without, ", "), x.lang, lexicon, without...); err != nil {
				return nil, err
			}
			out = append(out, f)
		}
	}
	return out, nil
}
