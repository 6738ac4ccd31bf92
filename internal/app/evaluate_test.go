package app

import (
	"context"
	"maps"
	"slices"
	"testing"

	"diwan/internal/catalogue/evaluation"
	"diwan/internal/catalogue/search"
)

// floors are a little below what was measured; a change that falls under them
// has made the search worse.
var floors = map[string]struct{ success5, mrr float64 }{
	"ar":      {0.93, 0.86},
	"fr":      {0.94, 0.88},
	"darija":  {0.89, 0.81},
	"arabizi": {0.92, 0.87},
}

func TestSearchAnswersTheQuestions(t *testing.T) {
	r, err := EvaluateCatalogue(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Figures {
		if floor := floors[f.Lang]; f.Set == "all" && (f.Success5 < floor.success5 || f.MRR < floor.mrr) {
			t.Errorf("%s: success@5 %.3f, MRR %.3f; want at least %v", f.Lang, f.Success5, f.MRR, floor)
		}
		if f.Results > 40 {
			t.Errorf("%s %s: %.0f results on average are not all real matches", f.Lang, f.Set, f.Results)
		}
	}
}

// TestOneLanguageAnswers takes the language of the question away from every
// right answer, so that only a bridge between languages can find it. All other
// things keep both languages and compete.
func TestOneLanguageAnswers(t *testing.T) {
	docs, err := StarterDocs(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	questions, err := evaluation.Questions()
	if err != nil {
		t.Fatal(err)
	}
	for lang, floor := range map[string]float64{"fr": oneLanguageFloor, "ar": oneLanguageFloor} {
		var asked []evaluation.Question
		answers := map[evaluation.Answer]bool{}
		for _, q := range questions {
			if q.Lang == lang {
				asked = append(asked, q)
				for _, a := range q.Answers {
					answers[a] = true
				}
			}
		}
		found := oneLanguage(t, docs, asked, answers, lang)
		t.Logf("questions in %s whose answers lack that language: success@5 %.3f, MRR %.3f", lang, found.Success5, found.MRR)
		if found.Success5 < floor {
			t.Errorf("questions in %s: success@5 %.3f, want at least %.2f", lang, found.Success5, floor)
		}
	}
}

const oneLanguageFloor = 0.7

func oneLanguage(t *testing.T, docs []search.Doc, asked []evaluation.Question, answers map[evaluation.Answer]bool, without string) evaluation.Figures {
	t.Helper()
	stripped := slices.Clone(docs)
	for i := range stripped {
		d := &stripped[i]
		if !answers[evaluation.Answer{Kind: d.Kind, ID: d.ID}] {
			continue
		}
		keep := "ar"
		if without == "ar" {
			keep = "fr"
		}
		d.Name, d.Body, d.Keywords, d.Owner = only(d.Name, keep), only(d.Body, keep), only(d.Keywords, keep), only(d.Owner, keep)
	}
	x, err := search.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if err := x.Update(1, stripped); err != nil {
		t.Fatal(err)
	}
	r, err := evaluation.Run(context.Background(), x, asked)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Figures, func(f evaluation.Figures) bool { return f.Lang == without && f.Set == "all" })
	return r.Figures[i]
}

// only keeps one language of a text.
func only[V any](m map[string]V, lang string) map[string]V {
	out := maps.Clone(m)
	maps.DeleteFunc(out, func(l string, _ V) bool { return l != lang })
	return out
}
