package search

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// syntheticDocs makes n procedures out of the glossary's parallel words, as
// varied in length and as alike in wording as official lists are.
func syntheticDocs(n int) []Doc {
	var concepts [][]string
	for line := range strings.Lines(glossaryData) {
		if col := strings.Split(strings.TrimSpace(line), "\t"); !strings.HasPrefix(line, "#") && len(col) == 4 {
			concepts = append(concepts, col)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	docs := make([]Doc, n)
	for i := range docs {
		text := func(words int) (ar, fr, en string) {
			for range words {
				c := concepts[min(r.IntN(len(concepts)), r.IntN(len(concepts)))]
				pick := func(s string) string { f := strings.Split(s, "|"); return " " + f[r.IntN(len(f))] }
				ar, fr, en = ar+pick(c[0]), fr+pick(c[1]), en+pick(c[2])
			}
			return ar, fr, en
		}
		d := Doc{Kind: KindProcedure, ID: fmt.Sprintf("p-%d", i), Name: map[string]string{}, Keywords: map[string][]string{},
			Body: map[string]string{}, Owner: map[string]string{}, Facets: map[string][]string{}}
		d.Name["ar"], d.Name["fr"], _ = text(2 + r.IntN(6))
		d.Owner["ar"], d.Owner["fr"], _ = text(2)
		if i%4 == 0 {
			a, f, e := text(3)
			d.Keywords["ar"], d.Keywords["fr"], d.Name["en"] = []string{a}, []string{f}, e
			d.Body["ar"], d.Body["fr"], d.Body["en"] = text(40)
			d.Full, d.Rank = true, 1+i/4
		}
		d.Facets["kind"] = []string{KindProcedure}
		d.Facets["administration"] = []string{fmt.Sprint("a", r.IntN(90))}
		d.Facets["theme"] = []string{fmt.Sprint("t", r.IntN(18))}
		d.Facets["audience"] = []string{fmt.Sprint("u", r.IntN(5))}
		d.Facets["days"] = []string{"7", "30"}[:r.IntN(3)]
		docs[i] = d
	}
	return docs
}

// askedQueries are the texts of the committed evaluation.
func askedQueries(t testing.TB) []string {
	b, err := os.ReadFile(filepath.Join("..", "evaluation", "queries.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if col := strings.Split(line, "\t"); len(col) == 4 {
			out = append(out, col[2])
		}
	}
	return out
}

func benchIndex(b *testing.B, dir string) *Index {
	b.Helper()
	x, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { x.Close() })
	if err := x.Update(1, syntheticDocs(4000)); err != nil {
		b.Fatal(err)
	}
	return x
}

func BenchmarkSearch(b *testing.B) {
	x, queries := benchIndex(b, b.TempDir()), askedQueries(b)
	for i, name := range []string{"plain", "filtered", "empty"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				q := Query{Text: queries[n%len(queries)], Lang: "ar", Limit: 20}
				switch i {
				case 1:
					q.Filters = map[string][]string{"theme": {"t1", "t2"}, "administration": {"a3", "a4", "a5"}}
				case 2:
					q.Text = ""
				}
				if _, err := x.Search(context.Background(), q); err != nil {
					b.Fatal(err)
				}
				n++
			}
		})
	}
}

func BenchmarkSuggest(b *testing.B) {
	x, queries := benchIndex(b, ""), askedQueries(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := x.Suggest(context.Background(), queries[n%len(queries)], "ar", 7); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func BenchmarkUpdate(b *testing.B) {
	docs := syntheticDocs(4000)
	for b.Loop() {
		x, err := Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		if err := x.Update(1, docs); err != nil {
			b.Fatal(err)
		}
		x.Close()
	}
}

// BenchmarkReopen is what a restart costs when nothing has changed. It reports
// the memory that an open index holds.
func BenchmarkReopen(b *testing.B) {
	dir, docs, queries := b.TempDir(), syntheticDocs(4000), askedQueries(b)
	x, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	if err := x.Update(1, docs); err != nil {
		b.Fatal(err)
	}
	x.Close()
	x = nil
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		x, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		if err := x.Update(2, docs); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		for _, q := range queries {
			if _, err := x.Search(context.Background(), Query{Text: q, Limit: 20}); err != nil {
				b.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB-held")
		x.Close()
		b.StartTimer()
	}
}
