package catalogue

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

func loadContract(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapiFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// Every address that is registered is documented, and the other way round.
func TestContractNamesEveryRoute(t *testing.T) {
	doc := loadContract(t)
	routes := map[string]bool{}
	for _, r := range (&API{}).routes() {
		routes[r.path] = true
		if doc.Paths.Value(r.path) == nil {
			t.Errorf("%s is not documented", r.path)
		}
	}
	for path, item := range doc.Paths.Map() {
		if !routes[path] {
			t.Errorf("%s is documented and does not exist", path)
		}
		for method := range item.Operations() {
			if method != http.MethodGet {
				t.Errorf("%s %s is documented; the interface only reads", method, path)
			}
		}
	}
}

// The answers of the real handlers are what the document says, for good requests
// and for bad ones.
func TestContractHolds(t *testing.T) {
	doc := loadContract(t)
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	// Formats that the library does not know: JSON under another name, and text.
	openapi3filter.RegisterBodyDecoder("application/ld+json", openapi3filter.JSONBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/turtle", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/csv", openapi3filter.PlainBodyDecoder)
	w := newAPIWorld(t)
	s := w.c.Snapshot()
	var paths []string
	for _, r := range w.api.routes() {
		paths = append(paths, concrete(w.c, r.path))
	}
	for _, e := range s.Procedures {
		paths = append(paths, "/api/v1/procedures/"+e.ID)
	}
	for _, a := range s.Administrations {
		paths = append(paths, "/api/v1/administrations/"+a.ID)
	}
	for _, ev := range s.LifeEvents {
		paths = append(paths, "/api/v1/life-events/"+ev.ID+"?lang=en")
	}
	for _, x := range []string{"procedures", "administrations", "services", "themes", "life-events"} {
		paths = append(paths, "/api/v1/"+x+"?page_size=200&lang=fr", "/api/v1/"+x+"?page_size=0", "/api/v1/"+x+"/none?lang=xx", "/api/v1/"+x+"/none")
	}
	paths = append(paths, "/api/v1/search?q=permis&lang=fr", "/api/v1/search?q=permis&kind=x", "/api/v1/procedures?q=permis&lang=ar")
	for _, p := range paths {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if method == http.MethodPost && strings.Contains(p, "?") {
				continue
			}
			w.holds(t, router, method, p)
		}
	}
}

func (w *apiWorld) holds(t *testing.T, router routers.Router, method, path string) {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	find := httptest.NewRequest(http.MethodGet, path, nil) // a wrong method is documented with the right one
	route, params, err := router.FindRoute(find)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	in := &openapi3filter.RequestValidationInput{Request: find, PathParams: params, Route: route}
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	if err := openapi3filter.ValidateRequest(t.Context(), in); (err != nil) != (rec.Code == http.StatusBadRequest) && rec.Code != http.StatusMethodNotAllowed {
		// A value that only the catalogue can judge passes the document and not the
		// handler; the other way round is a fault.
		if err != nil {
			t.Errorf("%s: the document refuses it (%v) and the handler answers %d", path, err, rec.Code)
		}
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: rec.Code, Header: rec.Header(),
		Body: io.NopCloser(bytes.NewReader(rec.Body.Bytes())), Options: &openapi3filter.Options{IncludeResponseStatus: true}}
	if err := openapi3filter.ValidateResponse(t.Context(), out); err != nil {
		msg := err.Error()
		t.Errorf("%s %s: %d %.800s", method, path, rec.Code, msg)
	}
}
