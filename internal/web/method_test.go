package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"testing"

	"diwan/internal/gov"
	"diwan/internal/i18n"
)

// An address that is there says for which methods; one that is not says so.
func TestOtherwise(t *testing.T) {
	words, err := i18n.Load([]string{"ar", "fr", "zgh", "en"}, []fs.FS{Messages()})
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{Words: words, Country: &gov.Country{Languages: []gov.Language{{Code: "en", Dir: "ltr", Locale: "en"}}}}
	mux := http.NewServeMux()
	done := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
	mux.HandleFunc("GET /books/{id}", done)
	mux.HandleFunc("DELETE /books/{id}", done)
	mux.HandleFunc("POST /books", done)
	mux.HandleFunc("/any", done)
	mux.HandleFunc("/", s.Otherwise(ErrNoPage, mux))
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/books/1", 204, ""},
		{"HEAD", "/books/1", 204, ""},
		{"PATCH", "/any", 204, ""},
		{"POST", "/books/1", 405, "GET, HEAD, DELETE"},
		{"GET", "/books", 405, "POST"},
		{"QUERY", "/books", 405, "POST"},
		{"GET", "/", 404, ""},
		{"POST", "/films/1", 404, ""},
	} {
		rec, r := httptest.NewRecorder(), httptest.NewRequest(c.method, c.path, nil)
		r.Header.Set("Accept", "application/json")
		mux.ServeHTTP(rec, r)
		if rec.Code != c.status || rec.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, allowed %q", c.method, c.path, rec.Code, rec.Header().Get("Allow"))
		}
	}
}
