package web

import (
	"context"
	"net/http"
	"strings"

	"golang.org/x/text/language"

	"diwan/internal/gov"
	"diwan/internal/problem"
)

type langKey struct{}

// LangOf returns the language under which the request was mounted.
func LangOf(r *http.Request) gov.Lang {
	l, _ := r.Context().Value(langKey{}).(gov.Lang)
	return l
}

// Mount serves pages under /ar/, /fr/ …: one literal address for each language
// of the country, all over the same inner mux, which sees the path without the
// language. Literal, because a wildcard there would collide with /static/ and
// /api/. The root sends readers to their language.
func (s *Site) Mount(mux *http.ServeMux, pages http.Handler) {
	for _, l := range s.Country.Languages {
		prefix := "/" + string(l.Code)
		ctxLang := l.Code
		mux.Handle(prefix+"/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inner := r.WithContext(context.WithValue(r.Context(), langKey{}, ctxLang))
			u := *r.URL
			u.Path, u.RawPath = strings.TrimPrefix(u.Path, prefix), strings.TrimPrefix(u.RawPath, prefix)
			inner.URL = &u
			pages.ServeHTTP(w, inner)
		}))
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Language")
		http.Redirect(w, r, "/"+string(s.NegotiateLang(r))+"/", http.StatusFound)
	})
	mux.HandleFunc("/", s.Otherwise(ErrNoPage, mux))
}

// WithLang gives a request outside the mounts the language its browser asks for.
func (s *Site) WithLang(r *http.Request) *http.Request {
	if LangOf(r) != "" {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), langKey{}, s.NegotiateLang(r)))
}

// NegotiateLang returns the language of the mount, also before the request got
// there; else the query's "lang", or the best of what the browser accepts; the
// country's first language otherwise.
func (s *Site) NegotiateLang(r *http.Request) gov.Lang {
	if l := LangOf(r); l != "" {
		return l
	}
	mount, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if _, ok := s.Country.Language(gov.Lang(mount)); ok {
		return gov.Lang(mount)
	}
	if q := gov.Lang(r.URL.Query().Get("lang")); q != "" {
		if _, ok := s.Country.Language(q); ok {
			return q
		}
	}
	accept := r.Header.Get("Accept-Language")
	if len(accept) > 1000 {
		accept = ""
	}
	wanted, _, err := language.ParseAcceptLanguage(strings.ReplaceAll(accept, "*", ""))
	if err != nil {
		return s.Country.Languages[0].Code
	}
	for _, tag := range wanted {
		base, _ := tag.Base()
		code := base.String()
		for _, l := range s.Country.Languages {
			if string(l.Code) == code {
				return l.Code
			}
		}
	}
	return s.Country.Languages[0].Code
}

// ErrNoPage says that there is no such page.
var ErrNoPage = problem.New(problem.NotFound, "page.not_found")

// NoPage answers that there is no such page.
func (s *Site) NoPage(w http.ResponseWriter, r *http.Request) { s.Fail(w, r, ErrNoPage) }
