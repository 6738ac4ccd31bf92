package search

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func testDocs(t testing.TB) []Doc {
	t.Helper()
	b, err := os.ReadFile("testdata/docs.json")
	if err != nil {
		t.Fatal(err)
	}
	var docs []Doc
	if err := json.Unmarshal(b, &docs); err != nil {
		t.Fatal(err)
	}
	return docs
}

// rows reads a table of test data.
func rows(t testing.TB, name string) [][]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "#") {
			out = append(out, strings.Split(strings.TrimRight(line, "\n"), "\t"))
		}
	}
	return out
}

func testIndex(t testing.TB, dir string) *Index {
	t.Helper()
	x, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	if err := x.Update(1, testDocs(t)); err != nil {
		t.Fatal(err)
	}
	return x
}

func find(t testing.TB, x *Index, q Query) *Result {
	t.Helper()
	r, err := x.Search(context.Background(), q)
	if err != nil {
		t.Fatalf("searching for %q: %v", q.Text, err)
	}
	return r
}

func ids(hits []Hit) []string {
	var out []string
	for _, h := range hits {
		out = append(out, h.ID)
	}
	return out
}

func TestFinds(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		x := testIndex(t, dir)
		for _, row := range rows(t, "finds.tsv") {
			r := find(t, x, Query{Text: row[0], Lang: "ar", Limit: 5})
			if len(r.Hits) == 0 || r.Hits[0].ID != row[1] {
				t.Errorf("%q in %q finds %v, want %s first", row[0], dir, ids(r.Hits), row[1])
			}
		}
	}
}

func TestTotalIsNotEverythingThatSharesLetters(t *testing.T) {
	x := testIndex(t, "")
	for text, most := range map[string]int{"permis de construire": 5, "naissance": 1, "xqzwv": 0, "constxyz": 2} {
		if r := find(t, x, Query{Text: text, Limit: 10}); r.Total > most {
			t.Errorf("%q finds %d things (%v), want at most %d", text, r.Total, ids(r.Hits), most)
		}
	}
}

func TestCorrections(t *testing.T) {
	x := testIndex(t, "")
	for _, row := range rows(t, "corrected.tsv") {
		want := strings.TrimPrefix(row[1], "-")
		if r := find(t, x, Query{Text: row[0], Limit: 5}); r.Corrected != want {
			t.Errorf("%q is understood as %q, want %q", row[0], r.Corrected, want)
		}
	}
}

func TestAlsoNamesTheOtherLanguage(t *testing.T) {
	x := testIndex(t, "")
	r := find(t, x, Query{Text: "permis de construire", Lang: "fr", Limit: 5})
	if !slices.ContainsFunc(r.Also, func(w Word) bool { return w.Lang == "ar" && w.Dir == "rtl" && w.Text != "" }) {
		t.Errorf("the Arabic words that were searched are not shown: %v", r.Also)
	}
	for _, w := range r.Also {
		if w.Lang == "fr" {
			t.Errorf("%q is of the query's own language", w.Text)
		}
	}
}

func TestEmptyTextListsEverything(t *testing.T) {
	x := testIndex(t, "")
	r := find(t, x, Query{Limit: 4})
	if want := []string{"building-permit", "birth-extract", "driving-licence", "arabic-only"}; r.Total != 9 || !slices.Equal(ids(r.Hits), want) {
		t.Errorf("lists %d things beginning with %v, want 9 and %v", r.Total, ids(r.Hits), want)
	}
	var all []string
	for off := 0; off < 12; off += 2 {
		all = append(all, ids(find(t, x, Query{Offset: off, Limit: 2}).Hits)...)
	}
	if len(all) != 9 {
		t.Errorf("pages of two list %v", all)
	}
	if r := find(t, x, Query{Offset: -5, Limit: 1 << 30}); len(r.Hits) != 9 {
		t.Errorf("wild bounds list %d things", len(r.Hits))
	}
}

func TestFacets(t *testing.T) {
	x := testIndex(t, "")
	r := find(t, x, Query{Filters: map[string][]string{"theme": {"housing", "civil"}, "administration": {"commune"}}, Limit: 10})
	if want := []string{"building-permit", "birth-extract", "demolition-permit"}; !slices.Equal(ids(r.Hits), want) {
		t.Errorf("filtered list is %v, want %v", ids(r.Hits), want)
	}
	for name, want := range map[string][]Count{
		"theme":          {{"housing", 2}, {"civil", 1}},   // of the commune, whatever the theme
		"administration": {{"commune", 3}, {"police", 1}},  // of the two themes, whoever decides
		"days":           {{"30", 2}, {"60", 1}, {"7", 1}}, // of what is listed
	} {
		if got := r.Facets[name]; !slices.Equal(got, want) {
			t.Errorf("facet %s counts %v, want %v", name, got, want)
		}
	}
	if r := find(t, x, Query{Filters: map[string][]string{"theme": {"none"}}, Limit: 10}); r.Total != 0 {
		t.Errorf("an unknown value lets %d things through", r.Total)
	}
	r = find(t, x, Query{Text: "permis", Filters: map[string][]string{"theme": {"transport"}}, Limit: 10})
	if got := ids(r.Hits); len(got) == 0 || got[0] != "driving-licence" || slices.Contains(got, "building-permit") {
		t.Errorf("filtered search finds %v", ids(r.Hits))
	}
}

func TestSuggest(t *testing.T) {
	x := testIndex(t, "")
	for _, row := range rows(t, "prefixes.tsv") {
		hits, err := x.Suggest(context.Background(), row[0], "fr", 7)
		if err != nil {
			t.Fatal(err)
		}
		for want := range strings.SplitSeq(row[1], "|") {
			if !slices.Contains(ids(hits), want) {
				t.Errorf("%q offers %v, want also %s", row[0], ids(hits), want)
			}
		}
	}
	if hits, err := x.Suggest(context.Background(), "permis", "fr", 1); err != nil || len(hits) != 1 {
		t.Errorf("asked for one suggestion, got %v, %v", hits, err)
	}
}

func TestSameQuerySameOrder(t *testing.T) {
	a, b := testIndex(t, ""), testIndex(t, t.TempDir())
	docs := testDocs(t)
	slices.Reverse(docs)
	if err := b.Update(2, docs); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows(t, "finds.tsv") {
		want := ids(find(t, a, Query{Text: row[0], Limit: 9}).Hits)
		for range 3 {
			if got := ids(find(t, b, Query{Text: row[0], Limit: 9}).Hits); !slices.Equal(got, want) {
				t.Errorf("%q: %v, then %v", row[0], want, got)
			}
		}
	}
}

func TestUpdateWhileSearching(t *testing.T) {
	x := testIndex(t, t.TempDir())
	docs := testDocs(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				// Every generation has the first document; none is seen half.
				r, err := x.Search(context.Background(), Query{Text: "permis de construire", Limit: 3})
				if err != nil || len(r.Hits) == 0 || r.Hits[0].ID != "building-permit" {
					t.Errorf("during an update: %v, %v", r, err)
					return
				}
				if _, err := x.Suggest(context.Background(), "perm", "fr", 5); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 8 {
		docs = append(docs, Doc{Kind: KindProcedure, ID: fmt.Sprint("more-", i), Name: map[string]string{"fr": "Carte professionnelle"}})
		if err := x.Update(int64(i+2), docs); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
	if r := find(t, x, Query{Limit: 1}); r.Total != 17 {
		t.Errorf("after the updates %d things are listed, want 17", r.Total)
	}
}

func TestClosedIndexFindsNothing(t *testing.T) {
	x := testIndex(t, t.TempDir())
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if r := find(t, x, Query{Text: "permis", Limit: 3}); r.Total != 0 {
		t.Errorf("a closed index finds %v", r.Hits)
	}
	if err := x.Update(3, testDocs(t)); err == nil {
		t.Error("a closed index was updated")
	}
	if err := x.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}
