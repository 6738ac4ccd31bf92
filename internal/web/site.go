package web

import (
	"bytes"
	"encoding/json"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"diwan/internal/gov"
	"diwan/internal/i18n"
	"diwan/internal/problem"
)

// Site is what pages are made with. It is built once and shared by all slices.
type Site struct {
	Country *gov.Country
	Words   *i18n.Catalog
	Assets  *Assets
	Clock   gov.Clock
	Log     *slog.Logger
	Formats map[gov.Lang]Format
	// Demo puts the label of a demonstration on every page.
	Demo bool
	// BaseURL is the public address, "https://…" without a final slash, for
	// links that leave the site; empty leaves them relative.
	BaseURL string
	// Who tells who is signed in, for the pages that are not public.
	Who func(*http.Request) gov.Actor
	// Mounts are the entries of the navigation that exist.
	Nav []NavItem
	// Foot are the links of capabilities at the foot of every page.
	Foot []NavItem

	// Verify renders every page a second time by html/template and fails when
	// the two differ. Tests set it.
	Verify bool

	templates *Templates
	cache     *Cache
	buffers   *sync.Pool
}

// NavItem is an entry of the navigation bar.
type NavItem struct {
	ID, Path, Key string // Key is the message with its name
}

// NewSite compiles the templates of all slices.
func NewSite(s Site, sets []TemplateSet) (*Site, error) {
	assets, err := NewAssets()
	if err != nil {
		return nil, err
	}
	s.Assets = assets
	s.Formats = map[gov.Lang]Format{}
	for _, l := range s.Country.Languages {
		s.Formats[l.Code] = NewFormat(s.Country, l.Code)
	}
	site := &s
	if site.templates, err = newTemplates(site, sets); err != nil {
		return nil, err
	}
	site.cache = NewCache(cacheBytes)
	site.buffers = &sync.Pool{New: func() any { return new(bytes.Buffer) }}
	return site, nil
}

// cacheBytes bounds the cache of pages, which is most of the program's memory
// after the catalogue itself.
const cacheBytes = 48 << 20

// Page is what a handler hands over to be rendered.
type Page struct {
	Template string // "slice/name"
	Title    string
	// Description is one sentence for search engines.
	Description string
	// Path is the page's address without its language, for the links to the
	// same page in other languages. It begins with a slash and may have a query.
	Path string
	Nav  string // the current entry of the navigation
	// JSONLD describes the page for machines; it is marshalled as JSON.
	JSONLD any
	// Hidden keeps search engines away.
	Hidden bool
	Data   any
}

// view is what the layout sees.
type view struct {
	Page
	Lang      gov.Lang
	JSONLD    template.JS
	Languages []gov.Language
	Demo      bool
	BaseURL   string
	Nav       []NavItem
	Foot      []NavItem
	Current   string
	Actor     gov.Actor
	Portal    string
}

// Render makes the page in a language. The bytes are the caller's.
func (s *Site) Render(l gov.Lang, actor gov.Actor, p Page) (b []byte, err error) {
	err = s.render(l, actor, p, func(page []byte) { b = bytes.Clone(page) })
	return b, err
}

// render makes the page and hands it to use, which must not keep it.
func (s *Site) render(l gov.Lang, actor gov.Actor, p Page, use func(page []byte)) error {
	v := &view{Page: p, Lang: l, Languages: s.Country.Languages, Demo: s.Demo, BaseURL: s.BaseURL,
		Nav: s.Nav, Foot: s.Foot, Current: p.Nav, Actor: actor}
	v.Portal, _ = s.Country.Portal.In(l, s.Country.Order())
	if p.JSONLD == nil && !p.Hidden {
		p.JSONLD = s.plainLD(l, p)
	}
	if p.JSONLD != nil {
		b, err := json.Marshal(p.JSONLD) // escapes <, > and &: it cannot close the element
		if err != nil {
			return err
		}
		v.JSONLD = template.JS(b)
	}
	buf := s.buffers.Get().(*bytes.Buffer)
	defer s.buffers.Put(buf)
	buf.Reset()
	if err := s.templates.execute(buf, l, p.Template, v); err != nil {
		return err
	}
	if s.Verify {
		if err := s.templates.verify(buf.Bytes(), l, p.Template, v); err != nil {
			return err
		}
	}
	use(buf.Bytes())
	return nil
}

// plainLD describes a page that says nothing more of itself (schema.org).
func (s *Site) plainLD(l gov.Lang, p Page) any {
	return map[string]any{"@context": "https://schema.org", "@type": "WebPage", "name": p.Title, "inLanguage": string(l),
		"url": s.BaseURL + "/" + string(l) + p.Path}
}

// Slow returns the pages that html/template runs itself, for tests.
func (s *Site) Slow() []string { return s.templates.Slow() }

const htmlType = "text/html; charset=utf-8"

var hHTML = []string{htmlType}

// Show answers with a page for this reader alone: it is neither cached nor kept
// by the browser's shared caches.
func (s *Site) Show(w http.ResponseWriter, r *http.Request, status int, p Page) {
	l := LangOf(r)
	b, err := s.Render(l, s.who(r), p)
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", htmlType)
	h.Set("Cache-Control", "private, no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(b)
	}
}

func (s *Site) who(r *http.Request) gov.Actor {
	if s.Who == nil {
		return gov.Actor{}
	}
	return s.Who(r)
}

// Cached answers with a page that is the same for everybody and depends on
// nothing but its address and the moment. make runs when the page is not in the
// cache; an error of it is answered and not cached.
func (s *Site) Cached(w http.ResponseWriter, r *http.Request, m Moment, make func() (Page, error)) {
	l := LangOf(r)
	address := "/" + string(l) + r.URL.Path
	if p := s.cache.Get(address, m); p != nil {
		p.ServeHTTP(w, r)
		return
	}
	page, err := make()
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	b, err := s.Render(l, gov.Actor{}, page)
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	p := NewRendered(htmlType, b)
	s.cache.Put(address, m, p)
	p.ServeHTTP(w, r)
}

// Uncached answers with a public page that is asked for too rarely to be kept,
// such as the results of a search.
func (s *Site) Uncached(w http.ResponseWriter, r *http.Request, status int, p Page) {
	err := s.render(LangOf(r), gov.Actor{}, p, func(page []byte) {
		h := w.Header()
		h["Content-Type"] = hHTML
		h["Cache-Control"] = hRevalidate
		h["Content-Length"] = []string{strconv.Itoa(len(page))}
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			w.Write(page)
		}
	})
	if err != nil {
		s.Fail(w, r, err)
	}
}

// Printer returns the words in the language of the request.
func (s *Site) Printer(r *http.Request) *i18n.Printer { return s.Words.Printer(string(LangOf(r))) }

// Today returns the local day in the country.
func (s *Site) Today() gov.Date { return gov.DateOf(s.Clock.Now(), s.Country.Zone()) }

// Fail answers with an error: problem+json where a machine asked, a page in the
// reader's language otherwise. The cause goes to the log, never to the reader.
func (s *Site) Fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.From(err)
	if p.Kind == problem.Internal {
		s.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if wantsJSON(r) {
		s.failJSON(w, r, p)
		return
	}
	status := p.Kind.Status()
	b, rerr := s.Render(LangOf(r), gov.Actor{}, Page{
		Template: "web/error", Title: s.Printer(r).T(titleKey(p.Kind)), Path: "/", Hidden: true,
		Data: errorPage{Status: status, Message: s.Sentence(LangOf(r), p), Fields: s.fields(LangOf(r), p), NotFound: p.Kind == problem.NotFound},
	})
	if rerr != nil {
		s.Log.ErrorContext(r.Context(), "the error page failed", "error", rerr)
		http.Error(w, http.StatusText(status), status)
		return
	}
	h := w.Header()
	h.Set("Content-Type", htmlType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(b)
	}
}

type errorPage struct {
	Status   int
	Message  string
	Fields   []problemField
	NotFound bool
}

func titleKey(k problem.Kind) string {
	switch k {
	case problem.NotFound:
		return "error.title.not_found"
	case problem.Forbidden, problem.Unauthenticated:
		return "error.title.forbidden"
	case problem.Internal, problem.Unavailable:
		return "error.title.internal"
	}
	return "error.title.other"
}

// problemJSON is RFC 9457 with our stable code.
type problemJSON struct {
	Type   string         `json:"type"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Code   string         `json:"code"`
	Detail string         `json:"detail,omitempty"`
	Errors []problemField `json:"errors,omitempty"`
}

type problemField struct {
	Path   string `json:"path"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (s *Site) failJSON(w http.ResponseWriter, r *http.Request, p *problem.Error) {
	l := s.NegotiateLang(r)
	status := p.Kind.Status()
	b, err := json.Marshal(problemJSON{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: p.Code,
		Detail: s.Sentence(l, p), Errors: s.fields(l, p),
	})
	if err != nil {
		http.Error(w, http.StatusText(status), status)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Language", string(l))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(b)
	}
}

// Sentence says an error in a language.
func (s *Site) Sentence(l gov.Lang, p *problem.Error) string {
	return s.say(l, "problem."+p.Code, p.Args)
}

func (s *Site) say(l gov.Lang, key string, args map[string]string) string {
	if !s.Words.Has(string(l), key) {
		key = "problem.internal"
	}
	pairs := make([]string, 0, 2*len(args))
	for k, v := range args {
		pairs = append(pairs, k, v)
	}
	return s.Words.Printer(string(l)).T(key, pairs...)
}

func (s *Site) fields(l gov.Lang, p *problem.Error) []problemField {
	var out []problemField
	for _, f := range p.Fields {
		out = append(out, problemField{f.Path, f.Code, s.say(l, "problem."+f.Code, f.Args)})
	}
	return out
}

// Explain says the fields of an error in a language, for forms that show them
// beside their inputs: path and sentence.
func (s *Site) Explain(l gov.Lang, p *problem.Error) map[string]string {
	m := map[string]string{}
	for _, f := range s.fields(l, p) {
		m[f.Path] = f.Detail
	}
	return m
}

// wantsJSON tells who is answered as a program: whoever says so, and everybody at
// addresses that programs alone write to.
func wantsJSON(r *http.Request) bool {
	for _, prefix := range []string{"/api/", "/demo/", "/payments/"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return true
		}
	}
	return strings.Contains(r.Header.Get("Accept"), "application/json") ||
		strings.Contains(r.Header.Get("Accept"), "application/problem+json")
}
