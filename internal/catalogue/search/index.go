package search

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Index finds things in one generation of the catalogue and is replaced as a
// whole by Update. All methods are safe for concurrent use.
type Index struct {
	dir     string // "" for memory
	current atomic.Pointer[generation]
	update  sync.Mutex
}

// Open opens the index kept in a folder, or one in memory when dir is "". An
// index that is damaged or was made by another version of the program is not an
// error: it answers nothing until Update builds it again. The folder must
// belong to this process alone.
func Open(dir string) (*Index, error) {
	x := &Index{dir: dir}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making the search folder: %w", err)
		}
		if g, err := load(dir); err == nil {
			x.current.Store(g)
			sweep(dir)
			return x, nil
		}
	}
	g, err := inMemory(nil, "", 0)
	if err != nil {
		return nil, err
	}
	x.current.Store(g)
	return x, nil
}

// Close waits for running searches and frees the files. Searches afterwards
// find nothing.
func (x *Index) Close() error {
	x.update.Lock()
	defer x.update.Unlock()
	return x.current.Load().close()
}

// Update brings the index to a revision of the catalogue. It does nothing when
// the same documents are indexed already. While it works, and when it fails,
// searches use the previous generation.
func (x *Index) Update(revision int64, docs []Doc) error {
	x.update.Lock()
	defer x.update.Unlock()
	docs = canonical(docs)
	sum, err := digest(docs)
	if err != nil {
		return err
	}
	old := x.current.Load()
	if old.closed {
		return fmt.Errorf("updating a closed search index")
	}
	if old.digest == sum {
		return nil
	}
	g, err := x.build(docs, sum, revision)
	if err != nil {
		return err
	}
	x.current.Store(g)
	err = old.close()
	if x.dir != "" {
		sweep(x.dir)
		debug.FreeOSMemory() // building took much more than searching needs
	}
	return err
}

// build makes a generation where the index is kept. One without documents has
// no segments to keep.
func (x *Index) build(docs []Doc, sum string, revision int64) (*generation, error) {
	if x.dir != "" && len(docs) > 0 {
		return save(x.dir, docs, sum, revision)
	}
	if x.dir != "" {
		if err := os.RemoveAll(filepath.Join(x.dir, currentFile)); err != nil {
			return nil, fmt.Errorf("emptying the search folder: %w", err)
		}
	}
	return inMemory(docs, sum, revision)
}

// read runs a reader on the present generation, which stays open meanwhile.
func (x *Index) read(fn func(g *generation) error) error {
	for {
		g := x.current.Load()
		if g.enter() {
			defer g.leave()
			return fn(g)
		}
		if x.current.Load() == g {
			return nil // closed for good
		}
	}
}

// Search finds what a query asks for. Text without words, or with none that
// could be searched for, finds nothing; empty text lists everything, the most
// used first.
func (x *Index) Search(ctx context.Context, q Query) (*Result, error) {
	r := &Result{Facets: map[string][]Count{}}
	err := x.read(func(g *generation) error { return g.search(ctx, q, r) })
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Suggest returns up to n things whose names begin with what was typed so far,
// word by word; then those that a search finds, so that misspelt and everyday
// words are completed too.
func (x *Index) Suggest(ctx context.Context, text, lang string, n int) ([]Hit, error) {
	var hits []Hit
	err := x.read(func(g *generation) (err error) {
		hits, err = g.suggest(ctx, text, lang, n)
		return err
	})
	return hits, err
}
