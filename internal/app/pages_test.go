//go:build !race

package app_test

import (
	"cmp"
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
	pages := apptest.Pages(t, a)
	askers := map[string]*asker{"": anybody(t, a)}
	as := func(who string) *asker {
		if askers[who] == nil {
			askers[who] = entered(t, a, who)
		}
		return askers[who]
	}
	type link struct{ path, who string }
	links, asked, forms := map[link]string{}, map[link]string{}, map[link]string{} // where each was first seen
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
			for _, x := range []struct {
				paths []string
				seen  map[link]string
			}{{page.links, links}, {page.asked, asked}, {page.forms, forms}} {
				for _, to := range x.paths {
					if l := (link{cmp.Or(to, path), p.As}); x.seen[l] == "" {
						x.seen[l] = string(p.Lang) + " " + p.Kind
					}
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
	for method, seen := range map[string]map[link]string{http.MethodGet: asked, http.MethodPost: forms} {
		for l, from := range seen {
			w := as(l.who).do(http.MethodPut, l.path, nil)
			if allowed := w.Header().Get("Allow"); !strings.Contains(allowed, method) && w.Code != http.StatusUnauthorized {
				t.Errorf("a form on %s sends %s to %s, which takes %q (%d)", from, method, l.path, allowed, w.Code)
			}
		}
	}
	t.Logf("%d pages, %d links, %d forms", len(pages), len(links), len(forms))
}
