//go:build !race

package evaluation

import (
	"testing"

	"diwan/internal/beside"
)

// sets finds the development sets beside the repository.
func sets(t *testing.T) string {
	t.Helper()
	found, err := beside.Find("data/retrieval-dev")
	if err != nil {
		t.Skip("the quality of the ranking was not tested: ", err)
	}
	return found
}

// The floors are a little below what was measured, and the goals above Bleve's
// own analysers on the same data.
func TestQualityStays(t *testing.T) {
	figures, err := Run(sets(t), false)
	if err != nil {
		t.Fatal(err)
	}
	floors := map[string]float64{arabicSet: .86, frenchSet: .67, crossSet: .90}
	seen := 0
	for _, f := range figures {
		if f.Method == "diwan" {
			seen++
			if f.MRR < floors[f.Set] {
				t.Errorf("%s: MRR@10 %.3f is below %.2f", f.Set, f.MRR, floors[f.Set])
			}
		}
		if f.Set == crossSet && f.Queries > 410 {
			t.Errorf("%d queries: pairs that were learned from are measured", f.Queries)
		}
	}
	if seen != len(floors) {
		t.Errorf("%d sets measured", seen)
	}
}

// Fitting is worth as much on articles that it did not see.
func TestArabicWeightsHoldOnUnseenArticles(t *testing.T) {
	s, err := load(sets(t), arabicSet)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.CrossValidated("arabic", "ar", .0005, 60)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("cross-validated by article: MRR@10 %.4f", v)
	if v < .855 {
		t.Errorf("cross-validated MRR@10 %.3f", v)
	}
}

// A sentence search must not spoil the search with short questions.
func TestShortQueriesAcrossLanguages(t *testing.T) {
	s, err := load(sets(t), crossSet)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.excerpt(unseen, len(s.Docs), 4, 7)
	if err != nil {
		t.Fatal(err)
	}
	f, err := p.ours("diwan", "fr", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seven words over paragraphs: MRR@10 %.4f", f.MRR)
	if f.MRR < .5 {
		t.Errorf("MRR@10 %.3f", f.MRR)
	}
}
