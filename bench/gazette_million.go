package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"diwan/internal/gazette/search"
	"diwan/internal/retrieval"
)

// Sizes of the invented law.
const (
	millionRows = 1_000_000
	rowsPerText = 15
)

// inventedLaw is a law of a million provisions. Each is the first half of a real
// provision and the second half of another, so that words are as common as in
// real law; it is made when it is asked for and never kept.
type inventedLaw struct {
	bodies []string
	titles []string
}

func (l *inventedLaw) body(i int) string {
	a := strings.Fields(l.bodies[i%len(l.bodies)])
	b := strings.Fields(l.bodies[int(uint32(i)*2654435761)%len(l.bodies)])
	return strings.Join(append(slices.Clone(a[:len(a)/2]), b[len(b)/2:]...), " ")
}

func inventedText(i int) string { return "t" + strconv.Itoa(i/rowsPerText) }
func inventedEID(i int) string  { return "art_" + strconv.Itoa(i%rowsPerText+1) }

// Revision implements search.Source.
func (l *inventedLaw) Revision(context.Context) (int64, error) { return 1, nil }

// Works implements search.Source.
func (l *inventedLaw) Works(_ context.Context, each func(*search.Work) error) error {
	for i := range millionRows / rowsPerText {
		w := search.Work{ID: "/akn/xx/act/loi/" + strconv.Itoa(1950+i%70) + "/" + strconv.Itoa(i) + "-1", Kind: "loi", Number: strconv.Itoa(i) + "-1", Year: 1950 + i%70,
			Cited: i % 7, Titles: map[string]string{"ara": l.titles[i%len(l.titles)]}}
		if err := each(&w); err != nil {
			return err
		}
	}
	return nil
}

// Texts implements search.Source.
func (l *inventedLaw) Texts(_ context.Context, each func(*search.Text) error) error {
	for i := range millionRows / rowsPerText {
		t := search.Text{ID: inventedText(i * rowsPerText), Work: "/akn/xx/act/loi/" + strconv.Itoa(1950+i%70) + "/" + strconv.Itoa(i) + "-1", Lang: "ara"}
		if err := each(&t); err != nil {
			return err
		}
	}
	return nil
}

// Rows implements search.Source.
func (l *inventedLaw) Rows(ctx context.Context, _ []string, each func(*search.Row) error) error {
	for i := range millionRows / rowsPerText * rowsPerText {
		r := search.Row{Ref: search.Ref{Text: inventedText(i), EID: inventedEID(i)}, Kind: "article", Body: l.body(i)}
		if err := each(&r); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Bodies implements search.Source.
func (l *inventedLaw) Bodies(_ context.Context, refs []search.Ref, max int) ([]search.Body, error) {
	out := make([]search.Body, len(refs))
	for i, r := range refs {
		t, err := strconv.Atoi(strings.TrimPrefix(r.Text, "t"))
		if err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(strings.TrimPrefix(r.EID, "art_"))
		if err != nil {
			return nil, err
		}
		out[i].Text = strings.ToValidUTF8(cutTo(l.body(t*rowsPerText+n-1), max), "")
	}
	return out, nil
}

func cutTo(s string, n int) string { return s[:min(len(s), n)] }

// gazetteMillion measures the search on a million provisions.
func gazetteMillion(ctx context.Context, b *bench, _ string) error {
	a, err := openCorpus(ctx, b)
	if err != nil {
		return err
	}
	law := &inventedLaw{}
	rows, err := readRows(ctx, a.Gazette.SearchSource())
	if err == nil {
		err = a.Gazette.SearchSource().Works(ctx, func(w *search.Work) error {
			if t := w.Titles["ara"]; t != "" {
				law.titles = append(law.titles, t)
			}
			return nil
		})
	}
	a.Close()
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Kind == "article" && len(r.Body) > 100 {
			law.bodies = append(law.bodies, cutTo(r.Body, 3000))
		}
	}
	retrieval.BasicLexicon()
	dir := filepath.Join(b.work, "million-index")
	x, err := search.Open(dir, law, errorsOnly)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := x.Update(ctx); err != nil {
		return err
	}
	took := time.Since(start)
	time.Sleep(10 * time.Second) // segments are merged in the background
	if err := x.Close(); err != nil {
		return err
	}
	size := float64(folderSize(dir)) / 1e9
	start = time.Now()
	if x, err = search.Open(dir, law, errorsOnly); err != nil {
		return err
	}
	defer func() { x.Close() }()
	updated := make(chan error, 1)
	go func() { updated <- x.Update(ctx) }()
	for !x.Ready() {
		time.Sleep(5 * time.Millisecond)
	}
	opened := time.Since(start).Seconds()
	if err := <-updated; err != nil {
		return err
	}
	var times []time.Duration
	for i := range 2 * probes {
		words := contentWords(law.body(i * 1999))
		if len(words) < 2*probeWords {
			continue
		}
		q := strings.Join(someWords(words, probeWords, uint64(i)*0x9e3779b97f4a7c15), " ")
		start := time.Now()
		if _, err := x.Search(ctx, search.Query{Text: q, Lang: "ar", Limit: 10}); err != nil {
			return err
		}
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	fmt.Printf("a million provisions: indexing %.0f s, %.2f GB, opening %.2f s, search p50 %v, p99 %v, worst %v\n", took.Seconds(), size, opened,
		percentile(times, .5), percentile(times, .99), times[len(times)-1])
	b.atMost("million_p99_ms", percentile(times, .99).Seconds()*1000, 100)
	b.atMost("million_index_gb", size, 1)
	b.atMost("million_open_seconds", opened, 3)
	return nil
}
