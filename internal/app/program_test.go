package app

import (
	"strings"
	"testing"
)

// Every page is compiled, and the compiled program writes the bytes that
// html/template writes: pages are rendered both ways in all languages.
func TestCompiledPagesAreTheSame(t *testing.T) {
	a := openApp(t, func(c *Config) { c.Demo = true })
	a.Site.Verify = true
	if slow := a.Site.Slow(); len(slow) > 0 {
		t.Errorf("not compiled: %v", slow)
	}
	paths := []string{"/", "/themes", "/administrations", "/map", "/help", "/privacy", "/search?q=permis", "/search?q=%2B%22%3C%27%26", "/search?q=zzzzqqq&theme=x%22y",
		"/nowhere", "/office/sign-in"}
	s := a.Catalogue.Snapshot()
	for _, e := range s.Procedures {
		paths = append(paths, "/procedures/"+e.ID)
	}
	for _, x := range s.Administrations {
		paths = append(paths, "/administrations/"+x.ID)
	}
	for _, x := range s.LifeEvents {
		paths = append(paths, "/life-events/"+x.ID, "/life-events/"+x.ID+"/path")
	}
	for _, x := range s.Themes {
		paths = append(paths, "/themes/"+x.ID+"?page=2")
	}
	for _, x := range a.Country.Regions {
		paths = append(paths, "/regions/"+x.ID)
	}
	failed := 0
	for i, p := range paths {
		for j, l := range a.Country.Languages {
			if (i+j)%2 == 1 && i > 40 {
				continue // the many pages of one kind, in two languages each
			}
			res, body := get(t, a.Handler, "/"+string(l.Code)+p)
			if res.StatusCode == 500 && failed < 5 {
				failed++
				t.Errorf("/%s%s: %s", l.Code, p, body[:min(300, len(body))])
			}
			if strings.Contains(body, "ZgotmplZ") {
				t.Errorf("/%s%s: something unsafe was put where it may not stand", l.Code, p)
			}
		}
	}
}
