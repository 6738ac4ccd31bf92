package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"diwan/internal/problem"
)

// methods are those that an address may be for.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// Otherwise answers what no other pattern of the muxes, one around the other, takes: that
// the address is for other methods, and which (RFC 9110 section 15.5.6), or that nothing
// is there.
func (s *Site) Otherwise(nothing error, muxes ...*http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r = s.WithLang(r)
		var allowed []string
		for _, mux := range muxes {
			allowed = append(allowed, others(mux, r)...)
		}
		if len(allowed) > 0 {
			all := strings.Join(allowed, ", ")
			w.Header().Set("Allow", all)
			s.Fail(w, r, wrongMethod(all))
			return
		}
		s.Fail(w, r, nothing)
	}
}

// others are the methods for which a mux has more than its pattern of everything.
func others(mux *http.ServeMux, r *http.Request) (allowed []string) {
	_, everything := mux.Handler(r)
	try := *r
	for _, try.Method = range methods {
		if _, pattern := mux.Handler(&try); pattern != everything && pattern != "" {
			allowed = append(allowed, try.Method)
		}
	}
	return allowed
}

func wrongMethod(allowed string) *problem.Error {
	return problem.New(problem.Method, "api.method", "allowed", allowed)
}

// readMethods are those that every address of an open interface answers.
const readMethods = "GET, HEAD, OPTIONS"

// AnyOrigin lets pages of other sites read what next answers, also when it is refused
// before it reaches what is open, as over the rate limit.
func AnyOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		anyOrigin(w.Header())
		next.ServeHTTP(w, r)
	})
}

func anyOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag, Retry-After, Content-Language")
}

// Open lets pages of other sites read the answers, refuses methods that would write, and
// answers errors as problems (RFC 9457). What is public for people is public for
// programs: nothing here depends on who asks, so no credentials are ever allowed with it.
func (s *Site) Open(handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		anyOrigin(h)
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			if err := handle(w, r); err != nil {
				s.Fail(w, r, err)
			}
		case http.MethodOptions:
			h.Set("Allow", readMethods)
			h.Set("Access-Control-Allow-Methods", readMethods)
			h.Set("Access-Control-Allow-Headers", "Accept, Accept-Language, If-None-Match")
			h.Set("Access-Control-Max-Age", "86400")
			w.WriteHeader(http.StatusNoContent)
		default:
			h.Set("Allow", readMethods)
			s.failJSON(w, r, wrongMethod(readMethods))
		}
	}
}

// JSON marshals without escaping what matters only inside HTML, with a line's end.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}
