package gazette

import (
	"errors"
	"strings"
	"testing"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/problem"
	"diwan/protocol/akn"
)

// The metadata of a file from outside is believed only where it has the form
// that the standard gives it.
func TestHostileAKN(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		file := func(uri, lang, date, number, eid string) string {
			return `<akomaNtoso xmlns="` + akn.Namespace + `"><act name="loi"><meta><identification source="#x"><FRBRWork><FRBRthis value="` + uri + `/!main"/><FRBRuri value="` + uri +
				`"/><FRBRdate date="` + date + `" name="signature"/><FRBRnumber value="` + number + `"/></FRBRWork><FRBRExpression><FRBRthis value="` + uri + `/fra@2026-01-01/!main"/><FRBRuri value="` + uri +
				`/fra@2026-01-01"/><FRBRlanguage language="` + lang + `"/></FRBRExpression></identification><publication date="` + date + `" name="x" number="-7" showAs="x"/></meta>` +
				`<preface><longTitle><p><docTitle>Loi relative aux ` + number + `</docTitle></p></longTitle></preface><body><article eId="` + eid + `"><num>Article 1</num><content eId="c"><p>Un texte ` + number + `.</p></content></article></body></act></akomaNtoso>`
		}
		const bad = `&quot;&gt;&lt;script&gt;`
		r := run(t, g, text("lang.xml", file("/akn/xl/act/loi/2026/1-26", bad, "2026-01-01", "1-26", "art_1")),
			text("unknown.xml", file("/akn/xl/act/loi/2026/5-26", "zzz", "2026-01-01", "5-26", "art_1")),
			text("type.xml", file("/akn/xl/officialGazette/generale/2026/77", "fra", "2026-01-01", "77", "art_1")))
		if r.Failed != 3 || r.Texts != 0 {
			t.Errorf("%+v", r)
		}
		r = run(t, g, text("date.xml", file("/akn/xl/act/loi/2026/2-26", "fra", bad, "2-26", "art_1")),
			text("number.xml", file("/akn/xl/act/loi/2026/3-26", "fra", "2026-01-01", bad, "art_1")),
			text("eid.xml", file("/akn/xl/act/loi/2026/4-26", "fra", "2026-01-01", "4-26", `=1+1|javascript:alert(1) é`)))
		if r.Failed != 0 || r.Texts != 3 {
			t.Fatalf("%+v", r)
		}
		works, err := g.store.works(t.Context(), d.Reader(), "ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range works {
			if strings.ContainsAny(string(w.Signed)+string(w.Number), "<>\"") || w.Kind != "loi" {
				t.Errorf("%+v", w)
			}
			rd := reading(t, g, w.ID)
			for _, p := range rd.Expression.Pieces {
				if _, err := akn.ParseIRI(w.ID + "/~" + p.EID); err != nil {
					t.Errorf("the piece %q has no address: %v", p.EID, err)
				}
			}
			for _, p := range rd.Expression.Publication {
				if p.Number < 0 || strings.ContainsAny(string(p.Date), "<>\"") {
					t.Errorf("publication %+v", p)
				}
			}
		}
	})
}

// The number and the heading of a piece can be mended like its words: what names
// the article finds it under its right number, and its address stays.
func TestCorrectHead(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		misread := strings.Replace(fountains, "Article 4\n", "Article 5\n", 1)
		run(t, g, text("1.txt", misread), text("2.txt", amending))
		const law = "/akn/xl/act/loi/2026/90-26"
		r := reading(t, g, law)
		p := r.Piece("art_5")
		if p == nil || articleText(t, r, "4") != "(none)" {
			for _, p := range r.Expression.Pieces {
				t.Logf("%s %s %q %.40q", p.EID, p.Label, p.Num, p.Text)
			}
			t.FailNow()
		}
		old := MarkOfPiece(p)
		change := func(mark, body string, head Head, why string) error {
			return g.CorrectPiece(ctx, editor, r.Expression.ID, "art_5", mark, body, head, why, nothingMore)
		}
		refused(t, change(old, p.Text, Head{"Article 4", ""}, ""), problem.Invalid, "law.correction.why")
		refused(t, change(old, "", Head{"Article 4", ""}, "misread"), problem.Invalid, "law.correction.empty")
		refused(t, change(old, p.Text, Head{strings.Repeat("4", 3000), ""}, "misread"), problem.TooLarge, "too_large")
		if err := change(old, p.Text, Head{"Article 4", "Applica\u202etion"}, "misread"); err != nil {
			t.Fatal(err)
		}
		refused(t, change(old, p.Text, Head{"Article 6", ""}, "misread"), problem.Conflict, "law.correction.conflict")
		check := func() {
			t.Helper()
			if _, err := g.Relink(ctx); err != nil {
				t.Fatal(err)
			}
			r := reading(t, g, law)
			now := r.Piece("art_5")
			if now == nil || now.Num != "Article 4" || now.Label != "4" || now.Heading != "Application" || !strings.HasPrefix(now.Text, "Le président") {
				t.Errorf("the article is %+v", now)
			}
		}
		check()
		history, err := g.Corrections(ctx, r.Expression.ID, "art_5")
		if err != nil || len(history) != 1 {
			t.Fatalf("%+v, %v", history, err)
		}
		if before, after := history[0].Whole(); !strings.HasPrefix(before, "Article 5\n") || !strings.HasPrefix(after, "Article 4 Application\n") {
			t.Errorf("what was changed reads %q, %q", before, after)
		}
		for _, in := range []Input{text("1.txt", misread), text("2.txt", amending)} {
			if _, err := g.Import(ctx, []Input{in}, ImportOptions{Again: true}); err != nil {
				t.Fatal(err)
			}
		}
		check()
	})
}

// A correction that no longer fits what is read there is told, not dropped in
// silence.
func TestCorrectionThatNoLongerFits(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		run(t, g, text("1.txt", fountains))
		r := reading(t, g, "/akn/xl/act/loi/2026/90-26")
		if err := g.Correct(ctx, editor, r.Expression.ID, "art_2", MarkOf(r.Piece("art_2").Text), "Chaque commune tient une liste.", "misread", nothingMore); err != nil {
			t.Fatal(err)
		}
		if err := d.RunTx(ctx, func(tx *db.Tx) error { // as if the page had been read otherwise at that time
			_, err := tx.ExecContext(ctx, `UPDATE gazette_correction SET before_text = 'Chaque cornmune'`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		report, err := g.Import(ctx, []Input{text("1.txt", fountains)}, ImportOptions{Again: true})
		if err != nil || len(report.Notices) != 1 || report.Notices[0].Code != "correction_lost" || report.Notices[0].Fatal {
			t.Errorf("%+v, %v", report.Notices, err)
		}
	})
}

// A mail server that is down ends no subscription: it says nothing of the reader.
// A receiver of webhooks that fails again and again is given up.
func TestMailServerDown(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		run(t, g, text("1.txt", fountains))
		f := &Following{Gazette: g}
		for channel, want := range map[string]int{ChannelMail: 1, ChannelWebhook: 0} {
			s, err := g.subscribe(ctx, Subscription{Kind: FollowWork, Target: "/akn/xl/act/loi/2026/90-26", Lang: "fr", Channel: channel, Address: channel + "@example.org"})
			if err != nil || s == nil {
				t.Fatal(s, err)
			}
			s.Failures = maxFailures
			f.note(ctx, s, errors.New("down"))
			var n int
			if err := d.Reader().QueryRowContext(ctx, `SELECT count(*) FROM gazette_subscription WHERE id = $1`, s.ID).Scan(&n); err != nil || n != want {
				t.Errorf("%s: %d subscriptions are left, want %d (%v)", channel, n, want, err)
			}
		}
	})
}

// A saved search matches the words of a text in all their forms, and reads the
// law once, not for each question.
func TestSavedSearchReadsOnce(t *testing.T) {
	g := open(t, dbtest.SQLite(t, sets))
	run(t, g, text("1.txt", fountains), text("3.txt", decree))
	for query, want := range map[string]int{"fontaines publiques": 3, "fontaine publique": 3, "quinze jours": 1, "navires": 0} {
		got, err := g.Matching(t.Context(), FollowQuery, query, 10)
		if err != nil || len(got) != want {
			t.Errorf("%q: %+v, %v", query, got, err)
		}
	}
	if len(g.words.works) != 3 || g.words.rev == 0 {
		t.Errorf("%d works are kept at %d", len(g.words.works), g.words.rev)
	}
	run(t, g, text("2.txt", amending))
	if got, err := g.Matching(t.Context(), FollowQuery, "dix jours", 10); err != nil || len(got) == 0 {
		t.Errorf("after a change: %+v, %v", got, err)
	}
}
