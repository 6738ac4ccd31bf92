package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"

	"diwan/country"
	"diwan/internal/blob"
	"diwan/internal/gazette"
	"diwan/internal/gazette/amend"
	"diwan/internal/gazette/cite"
	"diwan/internal/gazette/grammar"
	"diwan/internal/gov"
)

// Files of a country pack that describe its gazette.
const (
	grammarFile   = "gazette.json"
	citationsFile = "gazette-citations.json"
)

// ErrNoGazette says that a country pack does not describe its gazette: then the
// law has no pages and nothing can be imported.
var ErrNoGazette = errors.New("this country pack describes no gazette: it has no " + grammarFile)

// Grammar reads how the country of a pack writes its laws.
func Grammar(pack *country.Pack) (*grammar.Grammar, gazette.Analysts, error) {
	var none gazette.Analysts
	var c grammar.Config
	switch err := country.Decode(pack.Files, grammarFile, &c); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, none, ErrNoGazette
	case err != nil:
		return nil, none, err
	}
	g, err := grammar.New(c)
	if err != nil {
		return nil, none, fmt.Errorf("country pack: %s: %w", grammarFile, err)
	}
	words := cite.Config{}
	if err := country.Decode(pack.Files, citationsFile, &words); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, none, err
	}
	finder, err := cite.New(g, words)
	if err != nil {
		return nil, none, fmt.Errorf("country pack: %s: %w", citationsFile, err)
	}
	reader, err := amend.NewReader(g, finder, words)
	if err != nil {
		return nil, none, fmt.Errorf("country pack: %s: %w", citationsFile, err)
	}
	return g, gazette.Analysts{Finder: finder, Reader: reader}, nil
}

// openGazette opens the gazette, if the country has one here.
func (a *App) openGazette(pack *country.Pack) error {
	g, analysts, err := Grammar(pack)
	if errors.Is(err, ErrNoGazette) {
		return nil
	}
	if err != nil {
		return err
	}
	if a.Files, err = blob.OpenFolder(filepath.Join(a.Config.Data, "files")); err != nil {
		return err
	}
	a.Gazette = gazette.New(a.DB, a.Audit, a.clock, a.Country, g, analysts, a.Files, a.log)
	return nil
}

// registerLaw mounts the public pages of the law, and its permanent addresses,
// which have no language of their own.
func (a *App) registerLaw(mux, pages *http.ServeMux) {
	if a.Gazette == nil {
		return
	}
	a.metrics.registry.MustRegister(newLawMetrics(a))
	law := &gazette.Law{Gazette: a.Gazette, Site: a.Site}
	law.Register(pages)
	a.registerLawSearch(pages)
	a.following.Register(pages)
	addresses := &gazette.Addresses{Gazette: a.Gazette, Site: a.Site, Page: law.Address,
		PDF: func(r *gazette.Reading, l gov.Lang) ([]byte, error) { return gazette.Print(a.Site, a.Gazette, r, l) }}
	addresses.Register(mux)
}
