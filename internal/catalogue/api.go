package catalogue

import (
	_ "embed"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// API is the catalogue for programs: JSON under /api/v1, and the whole of it in
// the European vocabulary for public services. It only reads, and shows nothing
// that the pages do not. Its document is /api/openapi.json.
type API struct {
	Catalogue *Catalogue
	Site      *web.Site
	Searcher  Searcher
	// Document describes the interface of the whole program; nil describes that of
	// the catalogue alone.
	Document []byte

	cache   *web.Cache
	exports map[string]*export
	openapi *web.Rendered
}

// apiCacheBytes bounds the cache of answers.
const apiCacheBytes = 16 << 20

// apiRoute is one address of the interface.
type apiRoute struct {
	path   string // in the mux's own notation, without a method
	handle func(http.ResponseWriter, *http.Request) error
}

func (a *API) routes() []apiRoute {
	return []apiRoute{
		{"/api/openapi.json", a.document},
		{"/api/v1/procedures", a.procedures},
		{"/api/v1/procedures/{id}", a.procedure},
		{"/api/v1/procedures/{id}/versions/{n}", a.version},
		{"/api/v1/administrations", a.administrations},
		{"/api/v1/administrations/{id}", a.administration},
		{"/api/v1/services", a.services},
		{"/api/v1/services/{id}", a.service},
		{"/api/v1/themes", a.themes},
		{"/api/v1/themes/{id}", a.theme},
		{"/api/v1/life-events", a.lifeEvents},
		{"/api/v1/life-events/{id}", a.lifeEvent},
		{"/api/v1/search", a.search},
		{"/api/v1/catalogue", a.negotiated},
		{"/api/v1/catalogue.jsonld", a.whole("jsonld")},
		{"/api/v1/catalogue.ttl", a.whole("ttl")},
		{"/api/v1/catalogue.csv", a.whole("csv")},
		{"/api/v1/catalogue.json", a.whole("json")},
		{"/api/v1/context.jsonld", a.contextDocument},
		{"/ns", a.vocabulary},
	}
}

//go:embed openapi.json
var openapiFile []byte

// OpenAPI describes the interface of the catalogue; the program joins it to those
// of the other slices.
func OpenAPI() []byte { return openapiFile }

// Register adds the addresses to a mux, and answers for every other address
// under /api/ that nothing is there.
func (a *API) Register(mux *http.ServeMux) {
	a.cache = web.NewCache(apiCacheBytes)
	if a.Document == nil {
		a.Document = openapiFile
	}
	a.openapi = web.NewRendered(jsonType, a.Document)
	a.exports = map[string]*export{}
	for _, f := range exportFormats {
		a.exports[f.name] = &export{format: f, mu: new(sync.Mutex)}
	}
	for _, r := range a.routes() {
		mux.HandleFunc(r.path, a.Site.Open(r.handle))
	}
	mux.Handle("/api/", web.AnyOrigin(a.Site.Otherwise(problem.New(problem.NotFound, "api.not_found"), mux)))
}

const jsonType = "application/json; charset=utf-8"

// cached answers with what make says of the present snapshot. The key names
// everything else that the answer depends on.
func (a *API) cached(w http.ResponseWriter, r *http.Request, key string, make func(*Snapshot) (any, error)) error {
	s := a.Catalogue.Snapshot()
	key = r.URL.Path + "?" + key
	moment := web.Moment{Revision: s.Revision}
	p := a.cache.Get(key, moment)
	if p == nil {
		v, err := make(s)
		if err != nil {
			return err
		}
		b, err := web.JSON(v)
		if err != nil {
			return err
		}
		p = web.NewRendered(jsonType, b)
		a.cache.Put(key, moment, p)
	}
	p.ServeHTTP(w, r)
	return nil
}

// params reads the query of a request and collects what is wrong with it.
type params struct {
	api    *API
	values url.Values
	faults []problem.Field
}

func (a *API) params(r *http.Request) *params {
	v, err := url.ParseQuery(r.URL.RawQuery)
	p := &params{api: a, values: v}
	if err != nil {
		p.fault("query", "api.query_string")
	}
	return p
}

func (p *params) fault(name, code string, args ...string) {
	p.faults = append(p.faults, problem.At(name, code, args...))
}

// err returns the error with all faults, or nil.
func (p *params) err() error {
	if len(p.faults) == 0 {
		return nil
	}
	e := problem.New(problem.Invalid, "api.parameters")
	e.Fields = p.faults
	return e
}

// shown is how much of a wrong value an error repeats.
const shown = 80

func clip(s string) string {
	s = cleanQuery(s)
	if r := []rune(s); len(r) > shown {
		return string(r[:shown]) + "…"
	}
	return s
}

// lang returns the language asked for, or "" when none was.
func (p *params) lang() gov.Lang {
	l := gov.Lang(p.values.Get("lang"))
	if l == "" {
		return ""
	}
	if _, ok := p.api.Site.Country.Language(l); !ok {
		var known []string
		for _, k := range p.api.Site.Country.Order() {
			known = append(known, string(k))
		}
		p.fault("lang", "api.lang", "value", clip(string(l)), "known", strings.Join(known, ", "))
		return ""
	}
	return l
}

// one returns a parameter whose value must satisfy known; code is the fault when
// it does not.
func (p *params) one(name, code string, known func(string) bool) string {
	v := p.values.Get(name)
	if v != "" && !known(v) {
		p.fault(name, code, "id", clip(v))
	}
	return v
}

// choice returns a parameter that is one of a few words.
func (p *params) choice(name string, words ...string) string {
	v := p.values.Get(name)
	if v != "" && !slices.Contains(words, v) {
		p.fault(name, "api.choice", "value", clip(v), "known", strings.Join(words, ", "))
	}
	return v
}

// The bounds of a page of results.
const (
	apiPageSize    = 50
	apiMaxPageSize = 200
)

func (p *params) pageSize() int {
	v := p.values.Get("page_size")
	if v == "" {
		return apiPageSize
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > apiMaxPageSize {
		p.fault("page_size", "api.page_size", "limit", strconv.Itoa(apiMaxPageSize))
		return apiPageSize
	}
	return n
}

// address is where people read about a thing, in the language asked for.
func (a *API) address(l gov.Lang, path string) string {
	if l == "" {
		l = a.Site.Country.Languages[0].Code
	}
	return a.Site.BaseURL + "/" + string(l) + path
}

func (a *API) document(w http.ResponseWriter, r *http.Request) error {
	a.openapi.ServeHTTP(w, r)
	return nil
}
