package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/lang/ar"
	"github.com/blevesearch/bleve/v2/index/scorch"

	"diwan/internal/app"
	"diwan/internal/gazette/search"
	"diwan/internal/gov"
	"diwan/internal/retrieval"
	"diwan/lexis"
)

// corpusData is an environment variable that names a data folder into which the
// corpus was imported before; without it the one that gazetteImport filled is
// used.
const corpusData = "DIWAN_BENCH_GAZETTE"

const (
	probes     = 500 // known-item queries
	probeWords = 6
	leastProbe = 200 // characters of a provision that is asked for
)

// gazetteSearch measures the search on the whole corpus beside Bleve's own
// search of the same rows with its Arabic analyser.
func gazetteSearch(ctx context.Context, b *bench, _ string) error {
	a, err := openCorpus(ctx, b)
	if err != nil {
		return err
	}
	defer a.Close()
	source := a.Gazette.SearchSource()
	dir := filepath.Join(b.work, "law-index")
	x, err := search.Open(dir, source, errorsOnly)
	if err != nil {
		return err
	}
	defer func() { x.Close() }()
	retrieval.BasicLexicon() // as the program does when it starts
	start := time.Now()
	if err := x.Update(ctx); err != nil {
		return err
	}
	took := time.Since(start).Seconds()
	rows, err := readRows(ctx, source)
	if err != nil {
		return err
	}
	queries := pickProbes(rows)
	start = time.Now()
	plain, err := plainIndex(filepath.Join(b.work, "plain-index"), rows)
	if err != nil {
		return err
	}
	defer plain.Close()
	plainTook := time.Since(start).Seconds()
	fmt.Printf("indexing %d rows: %.1f s (Bleve alone %.1f s), %.0f MB on disk\n", len(rows), took, plainTook, float64(folderSize(dir))/1e6)
	b.atMost("index_seconds", took, 40)
	if b.imported > 0 {
		b.atLeast("import_index_to_bleve", plainTook/(b.imported.Seconds()+took), .5)
	}
	if err := b.compareSearch(ctx, x, plain, rows, queries); err != nil {
		return err
	}
	titles, err := titleProbes(ctx, source)
	if err != nil {
		return err
	}
	return b.ablate(ctx, x, queries, titles)
}

// openCorpus opens the data folder with the corpus.
func openCorpus(ctx context.Context, b *bench) (*app.App, error) {
	data := os.Getenv(corpusData)
	if data == "" {
		data = filepath.Join(b.work, "gazette")
	}
	c := app.Defaults()
	c.Data, c.Database, c.SealFile = data, "sqlite:"+filepath.Join(data, "diwan.db"), filepath.Join(data, "seal.identity")
	if _, err := os.Stat(filepath.Join(data, "diwan.db")); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: the corpus was not imported", errAbsent)
	}
	return app.OpenStores(ctx, c, errorsOnly, gov.SystemClock{})
}

var errorsOnly = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))

// compareSearch asks both the same, turn by turn, so that a machine whose speed
// drifts weighs on both alike.
func (b *bench) compareSearch(ctx context.Context, x *search.Index, plain bleve.Index, rows []search.Row, queries []probe) error {
	ours, theirs := make([]time.Duration, 0, len(queries)), make([]time.Duration, 0, len(queries))
	var found, foundPlain [2]int
	for _, q := range queries {
		start := time.Now()
		res, err := x.Search(ctx, search.Query{Text: q.text, Lang: "ar", Limit: 10})
		if err != nil {
			return err
		}
		ours = append(ours, time.Since(start))
		hits := make([]string, 0, 10)
		for _, h := range res.Hits {
			hits = append(hits, rowKey(h.Ref))
		}
		countProbe(&found, q, hits)

		start = time.Now()
		m := bleve.NewMatchQuery(q.text)
		m.SetField("body")
		r, err := plain.SearchInContext(ctx, bleve.NewSearchRequestOptions(m, 10, 0, false))
		if err != nil {
			return err
		}
		theirs = append(theirs, time.Since(start))
		hits = hits[:0]
		for _, h := range r.Hits {
			hits = append(hits, h.ID)
		}
		countProbe(&foundPlain, q, hits)
	}
	n := float64(len(queries))
	slices.Sort(ours)
	slices.Sort(theirs)
	fmt.Printf("known item, %d queries of %d words: R@1 %.3f, R@10 %.3f (Bleve, its analyser ar: %.3f, %.3f)\n", len(queries), probeWords,
		float64(found[0])/n, float64(found[1])/n, float64(foundPlain[0])/n, float64(foundPlain[1])/n)
	fmt.Printf("search: p50 %v, p99 %v, worst %v (Bleve: p50 %v, p99 %v)\n", percentile(ours, .5), percentile(ours, .99), ours[len(ours)-1], percentile(theirs, .5), percentile(theirs, .99))
	b.atLeast("known_item_r10", float64(found[1])/n, .97)
	p99 := percentile(ours, .99).Seconds() * 1000
	b.atMost("law_search_p99_ms", p99, 25)
	b.atMost("law_search_to_bleve", p99/(percentile(theirs, .99).Seconds()*1000), 2)
	return nil
}

func countProbe(found *[2]int, q probe, hits []string) {
	at := slices.IndexFunc(hits, func(h string) bool { return q.right[h] })
	if at == 0 {
		found[0]++
	}
	if at >= 0 && at < 10 {
		found[1]++
	}
}

func rowKey(r search.Ref) string { return r.Text + " " + r.EID + " " + r.From }

// readRows reads every row that the search looks at, as it reads now.
func readRows(ctx context.Context, s search.Source) ([]search.Row, error) {
	var rows []search.Row
	err := s.Rows(ctx, nil, func(r *search.Row) error {
		if r.Until == "" {
			rows = append(rows, *r)
		}
		return nil
	})
	sort.Slice(rows, func(i, j int) bool { return rowKey(rows[i].Ref) < rowKey(rows[j].Ref) })
	return rows, err
}

// probe is a query with the rows that are right answers: the one it was taken
// from, and those that say word for word the same.
type probe struct {
	text  string
	right map[string]bool
}

// pickProbes takes words that follow one another from the middle of provisions,
// chosen by a hash of their place.
func pickProbes(rows []search.Row) []probe {
	hash := func(r *search.Row) uint64 {
		h := fnv.New64a()
		h.Write([]byte(rowKey(r.Ref)))
		return h.Sum64()
	}
	var from []*search.Row
	same := map[string][]string{}
	for i := range rows {
		r := &rows[i]
		same[r.Body] = append(same[r.Body], rowKey(r.Ref))
		if r.Kind == "article" && utf8.RuneCountInString(r.Body) >= leastProbe {
			from = append(from, r)
		}
	}
	sort.Slice(from, func(i, j int) bool { return hash(from[i]) < hash(from[j]) })
	var out []probe
	for _, r := range from {
		words := contentWords(r.Body)
		if len(words) < 2*probeWords {
			continue
		}
		p := probe{strings.Join(someWords(words, probeWords, hash(r)), " "), map[string]bool{}}
		for _, k := range same[r.Body] {
			p.right[k] = true
		}
		if out = append(out, p); len(out) == probes {
			break
		}
	}
	return out
}

// contentWords are the different words of a text that say something, in order.
func contentWords(text string) []string {
	var out []string
	for _, t := range lexis.Tokenize(text) {
		if t.Script == lexis.Arabic && utf8.RuneCountInString(t.Text) > 3 && !lexis.IsStop(t.Text, "ar") && !slices.Contains(out, t.Text) {
			out = append(out, t.Text)
		}
	}
	return out
}

// someWords takes n words from all over a text, in its order.
func someWords(words []string, n int, seed uint64) []string {
	taken := map[int]bool{}
	for x := seed | 1; len(taken) < n; {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		taken[int(x>>11%uint64(len(words)))] = true
	}
	var out []string
	for i, w := range words {
		if taken[i] {
			out = append(out, w)
		}
	}
	return out
}

// plainIndex is the reference: Bleve with its own Arabic analyser.
func plainIndex(dir string, rows []search.Row) (bleve.Index, error) {
	m := bleve.NewIndexMapping()
	d := bleve.NewDocumentStaticMapping()
	f := bleve.NewTextFieldMapping()
	f.Analyzer, f.Store, f.IncludeInAll, f.DocValues = ar.AnalyzerName, false, false, false
	d.AddFieldMappingsAt("body", f)
	m.DefaultMapping = d
	x, err := bleve.NewUsing(dir, m, scorch.Name, scorch.Name, map[string]any{"unsafe_batch": true})
	if err != nil {
		return nil, err
	}
	b := x.NewBatch()
	for i := range rows {
		if err := b.Index(rowKey(rows[i].Ref), map[string]any{"body": rows[i].Heading + "\n" + rows[i].Body}); err != nil {
			return nil, err
		}
		if b.Size() == 1000 || i == len(rows)-1 {
			if err := x.Batch(b); err != nil {
				return nil, err
			}
			b.Reset()
		}
	}
	return x, nil
}

func folderSize(dir string) (n int64) {
	filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			if i, err := e.Info(); err == nil {
				n += i.Size()
			}
		}
		return nil
	})
	return n
}
