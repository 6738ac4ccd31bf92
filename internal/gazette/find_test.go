package gazette

import (
	"log/slog"
	"testing"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gazette/search"
)

func TestFindInTheLaw(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		run(t, g, text("1.txt", fountains), text("3.txt", decree))
		x, err := search.Open(t.TempDir(), g.SearchSource(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		x.Resolve = g.SearchValues
		const law = "/akn/xl/act/loi/2026/90-26"
		find := func(q search.Query) *search.Result {
			t.Helper()
			if err := x.Update(t.Context()); err != nil {
				t.Fatal(err)
			}
			q.Lang, q.Limit = "fr", 10
			r, err := x.Search(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		first := func(r *search.Result) string {
			if len(r.Hits) == 0 {
				return "(nothing)"
			}
			return r.Hits[0].Work + " " + r.Hits[0].EID
		}
		if got := first(find(search.Query{Text: `"délai de quinze jours"`})); got != law+" art_3" {
			t.Errorf("before the amendment: %s", got)
		}
		run(t, g, text("2.txt", amending), text("4.txt", repealing))
		for _, c := range []struct{ query, day, want string }{
			{`"délai de quinze jours"`, "", "(nothing)"},
			{`"délai de dix jours" title:fontaines kind:loi -modifiées`, "", law + " art_3"},
			{`"délai de quinze jours"`, "2026-09-20", law + " art_3"},
			{`"fontaine en panne" number:90-26`, "2026-09-20", "(nothing)"},
			{`"fontaine en panne" number:90-26`, "", law + " art_3bis"},
			{"date:2026-09-16", "", "/akn/xl/act/decret/2026/2-26-902 "},
		} {
			if got := first(find(search.Query{Text: c.query, AsAt: c.day})); got != c.want {
				t.Errorf("%s on %q: %s, want %s", c.query, c.day, got, c.want)
			}
		}
	})
}

func TestNamed(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		run(t, g, text("1.txt", fountains), text("3.txt", decree))
		for _, c := range []struct{ query, want string }{
			{"90-26", "/akn/xl/act/loi/2026/90-26 "},
			{"90.26", "/akn/xl/act/loi/2026/90-26 "},
			{"loi n° 90-26", "/akn/xl/act/loi/2026/90-26 "},
			{"loi 90-26 article 3", "/akn/xl/act/loi/2026/90-26 art_3"},
			{"article 3 de la loi n° 90-26", "/akn/xl/act/loi/2026/90-26 art_3"},
			{"dahir 1-26-901", "/akn/xl/act/dahir/2026/1-26-901 "},
			{"loi 90-26 article 99", "/akn/xl/act/loi/2026/90-26 "},
			{"77-77", ""},
			{"fontaines", ""},
			{"", ""},
		} {
			named, err := g.Named(t.Context(), c.query)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(named) > 0 {
				got = named[0].Work.ID + " " + named[0].EID
			}
			if got != c.want {
				t.Errorf("%q: %q, want %q", c.query, got, c.want)
			}
		}
	})
}
