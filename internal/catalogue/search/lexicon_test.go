package search

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"diwan/internal/beside"
	"diwan/lexis"
)

func TestLexiconLearnsFromParallelNames(t *testing.T) {
	var p pairSet
	docs := testDocs(t)
	for i := range docs {
		p.add(&docs[i])
	}
	lex := p.learn()
	permis := stemOf(lexis.Tokenize("permis")[0], "fr")
	arabic := stemOf(lexis.Tokenize(docs[1].Name["ar"])[0], "ar")
	if got := lex[permis]; len(got) == 0 || got[0].Stem != arabic {
		t.Errorf("%s is translated %v, want first %s", permis, got, arabic)
	}
	for stem, list := range lex {
		if len(list) > maxTranslations {
			t.Errorf("%s has %d translations", stem, len(list))
		}
		for i, tr := range list {
			if tr.P < minTranslation || tr.P > 1 || i > 0 && tr.P > list[i-1].P {
				t.Errorf("%s is translated %v", stem, list)
			}
		}
	}
}

// TestLexiconOnNews trains on a thousand news sentences and finds the
// translations of others. The set is for development and not part of the
// program: what is learned from it here is thrown away.
func TestLexiconOnNews(t *testing.T) {
	dir := sharedData(t, "retrieval-dev", "ntrex-fr-ar")
	fr, ar := sentences(t, filepath.Join(dir, "queries.jsonl"), "query"), sentences(t, filepath.Join(dir, "docs.jsonl"), "text")
	if len(fr) != len(ar) || len(fr) < 1400 {
		t.Fatalf("%d French and %d Arabic sentences", len(fr), len(ar))
	}
	var p pairSet
	for i := range 1000 {
		p.text(fr[i], ar[i], "fr")
	}
	lex := p.learn()
	var pool []map[string]bool
	df := map[string]int{}
	for _, s := range ar[1000:1400] {
		set := stemSet(s, "ar")
		pool = append(pool, set)
		for w := range set {
			df[w]++
		}
	}
	var mrr float64
	for i, q := range fr[1000:1400] {
		mrr += 1 / float64(placeOf(i, q, pool, df, lex))
	}
	mrr /= 400
	t.Logf("translations of 400 sentences: MRR %.3f", mrr)
	if mrr < 0.53 {
		t.Errorf("MRR %.3f, want at least 0.53", mrr)
	}
}

// placeOf ranks the pool for a query by the translations that each has.
func placeOf(right int, query string, pool []map[string]bool, df map[string]int, lex lexicon) int {
	scores := make([]float64, len(pool))
	for w := range stemSet(query, "fr") {
		for d, set := range pool {
			best := 0.0
			for _, tr := range lex[w] {
				if set[tr.Stem] {
					best = max(best, float64(tr.P)*math.Log(float64(len(pool))/float64(df[tr.Stem])))
				}
			}
			scores[d] += best
		}
	}
	place := 1
	for d, s := range scores {
		if d != right && s >= scores[right] {
			place++
		}
	}
	return place
}

func stemSet(s, lang string) map[string]bool {
	out := map[string]bool{}
	for _, t := range lexis.Tokenize(s) {
		if !lexis.IsStop(t.Text, lang) {
			out[stemOf(t, lang)] = true
		}
	}
	return out
}

func sentences(t *testing.T, path, key string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var m map[string]any
		if err := json.Unmarshal(sc.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		out = append(out, m[key].(string))
	}
	return out
}

// sharedData finds development data beside the repository, and skips the test
// where there is none.
func sharedData(t *testing.T, path ...string) string {
	t.Helper()
	found, err := beside.Find("data/" + strings.Join(path, "/"))
	if err != nil {
		t.Skip("the development data is absent: ", err)
	}
	return found
}
