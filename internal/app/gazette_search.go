package app

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"diwan/internal/gazette"
	"diwan/internal/gazette/search"
	"diwan/internal/gov"
	"diwan/internal/retrieval"
)

// lawIndexFolder is the search index of the law in the data folder. It is a
// copy: it can be deleted, and is made again.
const lawIndexFolder = "law-index"

// openLawSearch opens the search index of the law. It is read from the database
// in the background, by watchLaw.
func (a *App) openLawSearch() error {
	if a.Gazette == nil {
		return nil
	}
	x, err := search.Open(filepath.Join(a.Config.Data, lawIndexFolder), a.Gazette.SearchSource(), a.log)
	if err != nil {
		return err
	}
	x.Resolve = a.Gazette.SearchValues
	a.lawSearch = x
	a.closers = append(a.closers, x.Close)
	return nil
}

// watchLaw keeps the index in step with what is published, and its translations
// with what names the catalogue and the works have in two languages.
func (a *App) watchLaw(ctx context.Context) {
	if a.lawSearch == nil {
		return
	}
	a.lawSearch.SetLexicon(retrieval.LearnLexicon(a.lawPairs(ctx)))
	a.lawSearch.Watch(ctx, watchInterval)
}

// UpdateLawSearch brings the index in step now, for tests and commands that do
// not serve.
func (a *App) UpdateLawSearch(ctx context.Context) error {
	if a.lawSearch == nil {
		return nil
	}
	return a.lawSearch.Update(ctx)
}

// lawMemory is what building and searching the index of a whole country's law
// may take beside everything else, before the collector is asked to hurry.
const lawMemory = 500 << 20

// lawRoom widens the bound that giveRoom set. It is a bound and no use: an index
// of a few texts stays small.
func (a *App) lawRoom() {
	if a.lawSearch != nil && os.Getenv("GOMEMLIMIT") == "" && os.Getenv("GOGC") == "" {
		debug.SetMemoryLimit(debug.SetMemoryLimit(-1) + lawMemory)
	}
}

// lawPairs are texts that say the same in French and in Arabic.
func (a *App) lawPairs(ctx context.Context) []retrieval.Parallel {
	var out []retrieval.Parallel
	add := func(t gov.Text) {
		if fr, ar := strings.TrimSpace(t["fr"]), strings.TrimSpace(t["ar"]); fr != "" && ar != "" {
			out = append(out, retrieval.Parallel{French: fr, Arabic: ar})
		}
	}
	s := a.Catalogue.Snapshot()
	for _, p := range s.Procedures {
		add(p.Name)
	}
	for _, x := range s.Administrations {
		add(x.Name)
	}
	titles, err := a.Gazette.TitlePairs(ctx)
	if err != nil {
		a.log.WarnContext(ctx, "law search: the titles in two languages could not be read", "error", err)
	}
	for _, t := range titles {
		add(t)
	}
	return out
}

// registerLawSearch mounts the search page.
func (a *App) registerLawSearch(pages *http.ServeMux) { a.lawFinder().Register(pages) }

func (a *App) lawFinder() *gazette.Finder {
	return &gazette.Finder{Gazette: a.Gazette, Site: a.Site, Index: a.lawSearch}
}
