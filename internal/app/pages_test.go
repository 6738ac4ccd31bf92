//go:build !race

package app_test

import (
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
	pages := apptest.Pages(t, a)
	askers := map[string]*asker{"": anybody(t, a)}
	as := func(who string) *asker {
		if askers[who] == nil {
			askers[who] = entered(t, a, who)
		}
		return askers[who]
	}
	type link struct{ path, who string }
	links := map[link]string{} // where each was first seen
	for _, p := range pages {
		if p.Click != "" {
			continue
		}
		t.Run(string(p.Lang)+"/"+p.Kind, func(t *testing.T) {
			body, path := p.Body, "/"+string(p.Lang)+p.Path
			if body == "" {
				w := (*httptest.ResponseRecorder)(nil)
				if p.Form == nil {
					w = as(p.As).get(path)
				} else {
					form := url.Values{}
					for k, v := range p.Form {
						form.Set(k, v)
					}
					w = as(p.As).post(path, form)
				}
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
		if w := as(l.who).get(l.path); w.Code >= 400 {
			t.Errorf("%s (seen on %s) answers %d", l.path, from, w.Code)
		}
	}
	t.Logf("%d pages, %d links", len(pages), len(links))
}
