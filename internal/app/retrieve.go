package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"diwan/internal/retrieval"
)

// Retrieval says what to search, for what, and where the run goes.
type Retrieval struct {
	Docs, Queries string // files of JSON, one value a line
	Pairs         string // parallel texts to learn from; "" for none
	Lang          string // of the queries: "ar" or "fr"
	Out           string // "-" is the standard output
}

// RetrievalResult is what a run was made of.
type RetrievalResult struct {
	Docs, Queries, Pairs int
}

// retrieveDepth is how many documents a run lists for a query.
const retrieveDepth = 100

// Retrieve ranks the documents for every query with the product's own analysis
// and ranking and writes lines of query, document, rank and score, the best
// first. The output appears whole or not at all.
func Retrieve(ctx context.Context, r Retrieval, stdout io.Writer) (*RetrievalResult, error) {
	docs, err := retrieval.ReadFile(r.Docs, retrieval.ReadDocs)
	if err != nil {
		return nil, err
	}
	queries, err := retrieval.ReadFile(r.Queries, retrieval.ReadQuestions)
	if err != nil {
		return nil, err
	}
	lexicon, result := retrieval.BasicLexicon(), &RetrievalResult{Docs: len(docs), Queries: len(queries)}
	if r.Pairs != "" {
		pairs, err := retrieval.ReadFile(r.Pairs, retrieval.ReadPairs)
		if err != nil {
			return nil, err
		}
		lexicon, result.Pairs = retrieval.LearnLexicon(pairs), len(pairs)
	}
	c := retrieval.NewCollection()
	for i, d := range docs {
		if i%1000 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c.Add("", d.Text)
	}
	found, err := searchAll(ctx, c, queries, r.Lang, lexicon)
	if err != nil {
		return nil, err
	}
	if r.Out == "-" {
		return result, writeRun(stdout, docs, queries, found)
	}
	return result, writeWhole(r.Out, func(w io.Writer) error { return writeRun(w, docs, queries, found) })
}

// searchAll answers the queries on all cores.
func searchAll(ctx context.Context, c *retrieval.Collection, queries []retrieval.Question, lang string, l *retrieval.Lexicon) ([][]retrieval.Scored, error) {
	found := make([][]retrieval.Scored, len(queries))
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				found[i] = c.Search(c.Prepare(queries[i].Text, lang, l), retrieveDepth)
			}
		})
	}
	for i := range queries {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return found, ctx.Err()
}

func writeRun(w io.Writer, docs []retrieval.Doc, queries []retrieval.Question, found [][]retrieval.Scored) error {
	b := bufio.NewWriter(w)
	for i, q := range queries {
		for rank, x := range found[i] {
			fmt.Fprintf(b, "%s\t%s\t%d\t%.6f\n", q.ID, docs[x.Candidate].ID, rank+1, x.Score)
		}
	}
	return b.Flush()
}

// writeWhole writes a file beside its place and moves it there when it is
// complete.
func writeWhole(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".run-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err = write(f); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
