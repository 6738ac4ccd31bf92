package catalogue

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"diwan/country"
	"diwan/internal/audit"
	"diwan/internal/catalogue/search"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/internal/i18n"
	"diwan/internal/web"
)

// bulkSets are the tables that the catalogue needs.
func bulkSets() []db.Migrations { return []db.Migrations{audit.Migrations(), Migrations()} }

// starterCatalogue returns a catalogue over a database that holds the built-in
// starter.
func starterCatalogue(t testing.TB, d *db.DB) (*Catalogue, *country.Pack) {
	t.Helper()
	pack, err := country.Load(country.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	clock := clockAt{time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}
	c := New(d, audit.New(d, clock), clock, pack.Country, slog.New(slog.DiscardHandler))
	s, err := ReadStarter(pack.Files, country.Decode)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.LoadStarter(t.Context(), s, "starter"); err != nil {
		t.Fatal(err)
	}
	return c, pack
}

// apiWorld is the interface over the starter on SQLite, with the real search.
type apiWorld struct {
	api *API
	mux *http.ServeMux
	c   *Catalogue
}

func newAPIWorld(t testing.TB) *apiWorld {
	t.Helper()
	c, pack := starterCatalogue(t, dbtest.SQLite(t, bulkSets()))
	index, err := search.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { index.Close() })
	c.OnChange(func(s *Snapshot) {
		if err := index.Update(s.Revision, s.SearchDocs(pack.Country.Languages[0].Code)); err != nil {
			t.Error(err)
		}
	})
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	words, err := i18n.Load([]string{"ar", "fr", "zgh", "en"}, folders(), pack.Messages())
	if err != nil {
		t.Fatal(err)
	}
	site, err := web.NewSite(web.Site{Country: pack.Country, Words: words, Clock: c.clock, Log: slog.New(slog.DiscardHandler),
		BaseURL: "https://portal.example", Who: func(*http.Request) gov.Actor { return gov.Actor{} }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &apiWorld{api: &API{Catalogue: c, Site: site, Searcher: index}, mux: http.NewServeMux(), c: c}
	w.api.Register(w.mux)
	return w
}

// do asks the interface; header holds pairs of name and value.
func (w *apiWorld) do(method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec
}
