//go:build !race

package app_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"diwan/internal/app/apptest"
)

// Every kind of page, in every language, is whole by the rules of
// checkHTML. Every address of ours that a page names answers.
func TestPagesAreWellFormed(t *testing.T) {
	a := apptest.Open(t)
	server := httptest.NewServer(a.Handler)
	defer server.Close()
	pages := apptest.Pages(t, a)
	cookies := map[string][]*http.Cookie{"": nil}
	for _, who := range []string{apptest.Editor, apptest.Commission, apptest.Steward, apptest.Keeper, apptest.Person, apptest.Receives, apptest.Studies, apptest.Signs, apptest.Supervises, apptest.AtCounter, apptest.Neighbour, apptest.Hears, apptest.Governs} {
		cookies[who] = apptest.SignIn(t, server.URL, who)
	}
	get := func(method, path, who string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for _, c := range cookies[who] {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		a.Handler.ServeHTTP(w, r)
		return w
	}
	type link struct{ path, who string }
	links := map[link]string{} // where each was first seen
	for _, p := range pages {
		if p.Click != "" {
			continue
		}
		t.Run(string(p.Lang)+"/"+p.Kind, func(t *testing.T) {
			method, form := http.MethodGet, url.Values(nil)
			if p.Form != nil {
				method, form = http.MethodPost, url.Values{}
				for k, v := range p.Form {
					form.Set(k, v)
				}
			}
			body := p.Body
			if body == "" {
				w := get(method, "/"+string(p.Lang)+p.Path, p.As, form)
				if w.Code != p.Status {
					t.Fatalf("%s: status %d, want %d", p.Path, w.Code, p.Status)
				}
				body = w.Body.String()
			}
			page := checkHTML(t, body, string(p.Lang), p.Dir)
			for _, path := range page.links {
				if l := (link{path, p.As}); links[l] == "" {
					links[l] = string(p.Lang) + " " + p.Kind
				}
			}
		})
	}
	for l, from := range links {
		if strings.HasPrefix(l.path, "/api/") {
			continue // the interface has tests of its own
		}
		if w := get(http.MethodGet, l.path, l.who, nil); w.Code >= 400 {
			t.Errorf("%s (seen on %s) answers %d", l.path, from, w.Code)
		}
	}
	t.Logf("%d pages, %d links", len(pages), len(links))
}
