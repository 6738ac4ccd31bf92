package search

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diwan/internal/retrieval"
)

// fake is a law in memory.
type fake struct {
	Works_ []*Work `json:"works"`
	Texts_ []*Text `json:"texts"`
	Rows_  []*Row  `json:"rows"`
	rev    int64
	read   int // rows handed out to be written or compared
	fails  error
}

func law(t testing.TB) *fake {
	t.Helper()
	f := &fake{rev: 1}
	readJSON(t, "law.json", f)
	return f
}

func readJSON(t testing.TB, name string, v any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

// Revision implements Source.
func (f *fake) Revision(context.Context) (int64, error) { return f.rev, f.fails }

// Works implements Source.
func (f *fake) Works(_ context.Context, each func(*Work) error) error { return all(f.Works_, each) }

// Texts implements Source.
func (f *fake) Texts(_ context.Context, each func(*Text) error) error { return all(f.Texts_, each) }

// Rows implements Source.
func (f *fake) Rows(_ context.Context, texts []string, each func(*Row) error) error {
	return all(f.Rows_, func(r *Row) error {
		if texts != nil && !contains(texts, r.Text) {
			return nil
		}
		f.read++
		return each(r)
	})
}

// Bodies implements Source.
func (f *fake) Bodies(_ context.Context, refs []Ref, max int) ([]Body, error) {
	out := make([]Body, len(refs))
	for i, ref := range refs {
		for _, r := range f.Rows_ {
			if r.Ref == ref {
				out[i] = Body{Heading: r.Heading, Text: r.Body[:cutAt(r.Body, max)]}
			}
		}
	}
	return out, nil
}

func all[T any](list []*T, each func(*T) error) error {
	for _, x := range list {
		if err := each(x); err != nil {
			return err
		}
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

var quiet = slog.New(slog.DiscardHandler)

func open(t testing.TB, dir string, s Source) *Index {
	t.Helper()
	x, err := Open(dir, s, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func ready(t testing.TB, s Source) *Index {
	t.Helper()
	x := open(t, t.TempDir(), s)
	t.Cleanup(func() { x.Close() })
	if err := x.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	return x
}

func ask(t testing.TB, x *Index, q Query) *Result {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 10
	}
	r, err := x.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("%q: %v", q.Text, err)
	}
	return r
}

// name is the last part of a hit's work, and its article.
func (h *Hit) name() string { return h.Work[strings.LastIndexByte(h.Work, '/')+1:] + " " + h.EID }

func TestSearch(t *testing.T) {
	x := ready(t, law(t))
	var cases []struct {
		Q, Lang, First string
		AsAt           string `json:"as_at"`
		Total          *int
	}
	readJSON(t, "searches.json", &cases)
	for _, c := range cases {
		r := ask(t, x, Query{Text: c.Q, Lang: c.Lang, AsAt: c.AsAt})
		if c.Total != nil && r.Total != *c.Total {
			t.Errorf("%s: %d found, want %d", c.Q, r.Total, *c.Total)
			for _, h := range r.Hits {
				t.Log("   ", h.name())
			}
		}
		if c.First != "" && (len(r.Hits) == 0 || r.Hits[0].name() != c.First) {
			t.Errorf("%s: want first %s, got:", c.Q, c.First)
			for _, h := range r.Hits {
				t.Log("   ", h.name(), h.Score)
			}
		}
	}
}

func TestAcrossLanguages(t *testing.T) {
	x := ready(t, law(t))
	var pairs []retrieval.Parallel
	readJSON(t, "pairs.json", &pairs)
	x.SetLexicon(retrieval.LearnLexicon(pairs))
	for _, c := range []struct{ query, lang, first string }{
		{"consommateur", "fr", "31-08"},
		{pairs[0].French, "fr", "55-19"},
		{pairs[1].Arabic, "ar", "31-08"},
	} {
		r := ask(t, x, Query{Text: c.query, Lang: c.lang})
		if len(r.Hits) == 0 || !strings.HasPrefix(r.Hits[0].name(), c.first) {
			t.Errorf("%s: %v, want %s first", c.query, r.Hits, c.first)
		}
	}
}

func TestOneHitForAnArticle(t *testing.T) {
	f := law(t)
	x := ready(t, f)
	r := ask(t, x, Query{Text: "article:152", Lang: "fr"})
	if len(r.Hits) != 1 {
		t.Errorf("%d hits for one article in two languages", len(r.Hits))
	}
}

func TestFacets(t *testing.T) {
	x := ready(t, law(t))
	r := ask(t, x, Query{Text: "date:1990..2030", Lang: "fr", Filters: map[string][]string{FacetKind: {"decret"}}})
	if r.Total != 2 || r.Works != 2 {
		t.Errorf("%d found in %d works", r.Total, r.Works)
	}
	want := map[string]int{"loi": 3, "decret": 2}
	for _, c := range r.Facets[FacetKind] {
		if want[c.Value] != c.N || c.On != (c.Value == "decret") {
			t.Errorf("kind %+v, want %d", c, want[c.Value])
		}
	}
	for _, c := range r.Facets[FacetState] {
		if c.N != 1 || c.Value != "in_force" && c.Value != "repealed" {
			t.Errorf("state %+v", c)
		}
	}
}

func TestSortByDate(t *testing.T) {
	x := ready(t, law(t))
	r := ask(t, x, Query{Text: "date:1990..2030", Lang: "fr", Sort: ByDate})
	last := "9999"
	for _, h := range r.Hits {
		var signed string
		for _, w := range x.source.(*fake).Works_ {
			if w.ID == h.Work {
				signed = w.Signed
			}
		}
		if signed > last {
			t.Errorf("%s of %s after %s", h.Work, signed, last)
		}
		last = signed
	}
	if len(r.Hits) != 5 {
		t.Errorf("%d texts", len(r.Hits))
	}
}

func TestSnippetsMarkForms(t *testing.T) {
	x := ready(t, law(t))
	var cases []struct{ Q, Lang, Marked string }
	readJSON(t, "marks.json", &cases)
	for _, c := range cases {
		r := ask(t, x, Query{Text: c.Q, Lang: c.Lang})
		var marked []string
		for _, h := range r.Hits {
			for _, run := range h.Snippet {
				if run.Mark {
					marked = append(marked, run.Text)
				}
			}
		}
		if !contains(marked, c.Marked) {
			t.Errorf("%s marks %q, want %s", c.Q, marked, c.Marked)
		}
	}
}

func TestFollow(t *testing.T) {
	f, dir := law(t), t.TempDir()
	x := open(t, dir, f)
	if _, err := x.Search(t.Context(), Query{Text: "x", Limit: 1}); !errors.Is(err, ErrNotReady) {
		t.Errorf("before the first update: %v", err)
	}
	update := func() {
		t.Helper()
		if err := x.Update(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	total := func(q string) int { t.Helper(); return ask(t, x, Query{Text: q, Lang: "fr"}).Total }
	update()
	if n := total("rétractation"); n != 2 {
		t.Fatalf("%d found at first", n)
	}
	// A text is amended, one is withdrawn, one is new.
	for _, r := range f.Rows_ {
		if r.Text == "t5" && r.EID == "art_37" {
			r.Body = "Le vendeur rembourse sans délai."
		}
	}
	f.Rows_ = append(f.Rows_, &Row{Ref: Ref{"t6", "art_1", ""}, Kind: "article", Body: "Les drones de loisir sont enregistrés."})
	f.Texts_ = append(f.Texts_, &Text{ID: "t6", Work: "/akn/xx/act/loi/2030/1-30", Lang: "fra", Version: "2030-01-01"})
	f.Works_ = append(f.Works_, &Work{ID: "/akn/xx/act/loi/2030/1-30", Kind: "loi", Number: "1-30", Year: 2030, Titles: map[string]string{"fra": "Loi sur les aéronefs"}})
	f.rev++
	update()
	for q, want := range map[string]int{"rétractation": 1, "vendeur": 1, "drones": 1, "aéronefs": 1} {
		if n := total(q); n != want {
			t.Errorf("after the change %q finds %d, want %d", q, n, want)
		}
	}
	kept := f.Rows_[:0]
	for _, r := range f.Rows_ {
		if r.Text != "t6" {
			kept = append(kept, r)
		}
	}
	f.Rows_, f.Texts_, f.Works_ = kept, f.Texts_[:len(f.Texts_)-1], f.Works_[:len(f.Works_)-1]
	f.rev++
	update()
	if total("drones") != 0 || total("aéronefs") != 0 || total("vendeur") != 1 {
		t.Error("what was withdrawn is still found")
	}
	// Another process goes on where this one stopped, without writing anything.
	time.Sleep(300 * time.Millisecond) // batches reach the disk in the background
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = open(t, dir, f)
	defer x.Close()
	update()
	if total("vendeur") != 1 || total("drones") != 0 {
		t.Error("the index opened again answers otherwise")
	}
}

func TestDamagedIndexIsMadeAgain(t *testing.T) {
	f, dir := law(t), t.TempDir()
	x := open(t, dir, f)
	if err := x.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.Close()
	root := filepath.Join(dir, "segments", "root.bolt")
	if err := os.WriteFile(root, []byte("not an index"), 0o600); err != nil {
		t.Fatal(err)
	}
	x = open(t, dir, f)
	defer x.Close()
	if err := x.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ask(t, x, Query{Text: "rétractation", Lang: "fr"}).Total != 2 {
		t.Error("nothing found after the index was made again")
	}
}

func TestCitedTextsFirst(t *testing.T) {
	f := law(t)
	f.Works_[2].State, f.Works_[2].Cited = "in_force", 900
	f.Works_[3].Titles = f.Works_[2].Titles
	for _, r := range f.Rows_ {
		if r.Text == "t3" {
			r.Body = f.Rows_[8].Body
		}
	}
	x := ready(t, f)
	r := ask(t, x, Query{Text: f.Rows_[8].Body, Lang: "ar"})
	if r.Hits[0].name() != "2-98-1 art_1" {
		t.Errorf("of two equal provisions %s comes first, not the one that many cite", r.Hits[0].name())
	}
	f.Works_[2].State = "repealed"
	f.Works_[2].Cited = 0
	f.rev++
	if err := x.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r = ask(t, x, Query{Text: f.Rows_[8].Body, Lang: "ar"}); r.Hits[0].name() != "2-15-1 art_1" {
		t.Errorf("the repealed %s comes first", r.Hits[0].name())
	}
}

func TestManyAtOnceWhileItChanges(t *testing.T) {
	f := law(t)
	x := ready(t, f)
	done := make(chan error, 8)
	for range cap(done) {
		go func() {
			for range 30 {
				if _, err := x.Search(context.Background(), Query{Text: "droit consommateur", Lang: "fr", Limit: 10}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 5 {
		x.refresh(t.Context(), f.rev)
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
