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

// Where two lists give one act two deadlines, the page says both.
func TestContradictingDeadlinesAreShown(t *testing.T) {
	a := openApp(t, nil)
	seen := 0
	for _, e := range a.Catalogue.Snapshot().Procedures {
		for _, l := range e.Listed {
			if len(l.Terms) == 0 {
				continue
			}
			seen++
			key := a.Site.Words.Printer("fr").T("law.row.differs")
			if _, body := get(t, a.Handler, "/fr/procedures/"+e.ID); !strings.Contains(body, key) {
				t.Errorf("%s does not say that list %s differs", e.ID, l.List)
			}
		}
	}
	if seen == 0 {
		t.Error("no act of the starter has two deadlines: the case is not tested")
	}
}
