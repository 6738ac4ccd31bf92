package gazette

import (
	"fmt"
	"strings"
	"testing"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gazette/model"
)

// sameDay amends the law of the fountains on the day on which it appeared.
var sameDay = strings.Replace(amending, "23 rabii II 1448 (5 octobre 2026)", "20 rabii I 1448 (3 septembre 2026)", 1)

// An act and its amendment that appear on one day: the amended wording holds
// from then on, and what was published is kept, however often the links are
// computed, and comes back when the amendment is dropped.
func TestAmendedOnTheDayOfPublication(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		run(t, g, text("1.txt", fountains), text("2.txt", sameDay))
		const law = "/akn/xl/act/loi/2026/90-26"
		check := func() {
			t.Helper()
			r := reading(t, g, law)
			if got := articleText(t, r, "3"); !strings.Contains(got, "dix jours") {
				t.Errorf("article 3: %q", got)
			}
			if got := articleText(t, r, "1"); got == "(none)" {
				t.Error("article 1 is lost")
			}
			if len(r.Timeline) != 1 || r.Timeline[0].Day != "2026-09-03" || r.Expression.Version != "2026-09-03" {
				t.Errorf("version %s, timeline %+v", r.Expression.Version, r.Timeline)
			}
			var kept string
			if err := d.Reader().QueryRowContext(ctx, `SELECT body FROM gazette_piece WHERE text = $1 AND eid = 'art_3' AND by_work = ''`, r.Expression.ID).Scan(&kept); err != nil || !strings.Contains(kept, "quinze jours") {
				t.Errorf("what was published reads %q, %v", kept, err)
			}
		}
		check()
		for range 2 {
			if _, err := g.Relink(ctx); err != nil {
				t.Fatal(err)
			}
			check()
		}
		ops, err := g.store.operations(ctx, d.Reader(), `WHERE state = $1`, OpApplied)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range ops {
			if err := g.Decide(ctx, editor, o.ID, o.mark(), Decision{Drop: true, Why: "never meant"}, nothingMore); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := g.Relink(ctx); err != nil {
			t.Fatal(err)
		}
		r := reading(t, g, law)
		if got := articleText(t, r, "3"); !strings.Contains(got, "quinze jours") {
			t.Errorf("after the amendment was dropped article 3 reads %q", got)
		}
		if p := r.Piece("art_3"); p == nil || p.From != "2026-09-03" {
			t.Errorf("article 3 is %+v", p)
		}
	})
}

// Without a day in the address a text reads as it does today: what will change it
// later is announced, not shown.
func TestTodayIsNotTheLastVersion(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d) // on 22 November 2026
		later := strings.Replace(amending, "23 rabii II 1448 (5 octobre 2026)", "10 rajab 1448 (20 décembre 2026)", 1)
		run(t, g, text("1.txt", fountains), text("2.txt", later))
		const law = "/akn/xl/act/loi/2026/90-26"
		r := reading(t, g, law)
		if got := articleText(t, r, "3"); !strings.Contains(got, "quinze jours") {
			t.Errorf("article 3 today: %q", got)
		}
		if r.Expression.Until != "2026-12-20" {
			t.Errorf("the version of today ends on %q", r.Expression.Until)
		}
		if got := articleText(t, reading(t, g, law+"/fra:2026-12-20"), "3"); !strings.Contains(got, "dix jours") {
			t.Errorf("article 3 in December: %q", got)
		}
		// What has not begun at all is shown as it will begin.
		if got := articleText(t, reading(t, g, "/akn/xl/act/loi/2026/91-26"), "1"); got == "(none)" {
			t.Error("the law to come can't be read")
		}
	})
}

// However acts amend a text, on every day each article has at most one wording,
// without a gap between two.
func TestIntervals(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		inputs := []Input{text("1.txt", fountains), text("2.txt", sameDay)}
		for i := range 6 {
			inputs = append(inputs, text(fmt.Sprintf("a%d.txt", i), fmt.Sprintf(`Loi n° 9%d-27 du %d octobre 2026 modifiant la loi n° 90-26 relative aux fontaines publiques

Article premier
Les dispositions de l'article %d de la loi n° 90-26 précitée sont modifiées comme suit :
« Article %d. – Version %d. »

Article 2
L'article %d de la loi n° 90-26 précitée est abrogé.
`, i+2, 1+i/2*7, i%4+1, i%4+1, i, (i+1)%4+1)))
		}
		run(t, g, inputs...)
		for range 2 {
			rows, err := g.store.rows(ctx, d.Reader(), `ORDER BY text, eid, valid_from`)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range rows {
				if r.Until != "" && r.Until <= r.From {
					t.Errorf("%s %s holds from %s until %s", r.TextID, r.EID, r.From, r.Until)
				}
				last := i+1 == len(rows) || rows[i+1].TextID != r.TextID || rows[i+1].EID != r.EID
				if last != (r.Until == "") || !last && rows[i+1].From != r.Until {
					t.Errorf("%s %s ends on %q, last: %v", r.TextID, r.EID, r.Until, last)
				}
			}
			if _, err := g.Relink(ctx); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A law that puts in many articles behind one has room for all of them.
func TestManyArticlesPutIn(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		var b strings.Builder
		b.WriteString("Loi n° 92-26 du 5 octobre 2026 complétant la loi n° 90-26 relative aux fontaines publiques\n\nArticle premier\nLa loi n° 90-26 précitée est complétée par les articles suivants :\n")
		for i := 1; i <= 30; i++ {
			fmt.Fprintf(&b, "« Article 3-%d. – Nouvelle règle numéro %d sur les fontaines. »\n", i, i)
		}
		b.WriteString("\nArticle 2\nLa présente loi est publiée.\n")
		run(t, g, text("1.txt", fountains), text("2.txt", b.String()))
		for range 2 {
			r := reading(t, g, "/akn/xl/act/loi/2026/90-26")
			var order []string
			for _, p := range r.Expression.Pieces {
				if p.IsArticle() {
					order = append(order, p.Label)
				}
			}
			if len(order) != 34 || order[2] != "3" || order[3] != "3-1" || order[32] != "3-30" || order[33] != "4" {
				t.Errorf("articles %v", order)
			}
			before := snapshot(t, g)
			if _, err := g.Relink(ctx); err != nil {
				t.Fatal(err)
			}
			if snapshot(t, g) != before {
				t.Error("computing again changed something")
			}
		}
	})
}

// An act that names the day on which it enters into force changes others from
// that day on; one that depends on more says so to whoever reads it.
func TestEntryIntoForce(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context() // on 22 November 2026
		const law, by = "/akn/xl/act/loi/2026/90-26", "/akn/xl/act/loi/2026/91-26"
		dated := amending + "\nArticle 4\nLa présente loi entre en vigueur à compter du 1er décembre 2026.\n"
		run(t, g, text("1.txt", fountains), text("2.txt", dated))
		r := reading(t, g, law)
		if got := articleText(t, r, "3"); !strings.Contains(got, "quinze jours") || r.Expression.Until != "2026-12-01" {
			t.Errorf("today article 3 reads %q, until %s", got, r.Expression.Until)
		}
		if got := articleText(t, reading(t, g, law+"/fra:2026-12-01"), "3"); !strings.Contains(got, "dix jours") {
			t.Errorf("in December article 3 reads %q", got)
		}
		if s := reading(t, g, by).Work.Status; s.State != model.NotYet || s.Since != "2026-12-01" {
			t.Errorf("the amending law is %+v", s)
		}
		if s := r.Work.Status; s.State == model.Amended {
			t.Errorf("the law is amended before its day: %+v", s)
		}
		// The day was misread.
		p := reading(t, g, by).Piece("art_4")
		if err := g.Correct(ctx, editor, reading(t, g, by).Expression.ID, "art_4", MarkOf(p.Text), strings.Replace(p.Text, "1er décembre", "1er novembre", 1), "misread", nothingMore); err != nil {
			t.Fatal(err)
		}
		if _, err := g.Relink(ctx); err != nil {
			t.Fatal(err)
		}
		if got := articleText(t, reading(t, g, law), "3"); !strings.Contains(got, "dix jours") {
			t.Errorf("after the correction article 3 reads %q", got)
		}

		other := open(t, dbtest.SQLite(t, sets))
		run(t, other, text("1.txt", fountains), text("2.txt", amending+"\nArticle 4\nLa présente loi entre en vigueur six mois après la publication des textes pris pour son application.\n"))
		for _, id := range []string{law, by} {
			warned := false
			for _, w := range reading(t, other, id).Warnings {
				warned = warned || w.Code == WarnEntry
			}
			if !warned {
				t.Errorf("nothing warns the reader of %s", id)
			}
		}
	})
}

func TestEntersOn(t *testing.T) {
	text := func(version, entry model.Date, form model.Form) *Text {
		x := &Text{Expression: model.Expression{Form: form, Version: version}}
		if entry != "" {
			x.Entry = &TextEntry{Day: entry}
		}
		return x
	}
	const original, edition = model.OriginalForm, model.ConsolidatedForm
	for want, texts := range map[model.Date][]*Text{
		"":           {text("2026-10-15", "2026-10-15", original), text("2026-10-22", "2026-10-22", original)}, // each "from its publication"
		"2026-11-01": {text("2026-10-15", "2026-11-01", original), text("2026-11-05", "2026-12-01", original)},
		"2027-01-01": {text("2026-10-15", "2027-01-01", original), text("2020-01-01", "2020-02-01", edition)},
		"2026-12-31": {text("2026-10-15", "", original), text("2026-10-22", "2026-12-31", original)},
	} {
		if got := entersOn(texts); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, texts := range [][]*Text{nil, {text("", "2027-01-01", original)}, {text("2026-10-15", "2020-01-01", original)}, {text("2011-10-26", "2020-01-01", original)}} {
		if got := entersOn(texts); got != "" {
			t.Errorf("%q where nothing is known", got)
		}
	}
}
