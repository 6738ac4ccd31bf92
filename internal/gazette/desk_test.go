package gazette

import (
	"context"
	"errors"
	"strings"
	"testing"

	"diwan/internal/blob"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/akn"
)

var editor = gov.Actor{ID: "e", Roles: []gov.Role{gov.RoleEditor}}

func nothingMore(*db.Tx) error { return nil }

// kindOf fails unless the error has the kind and the code.
func refused(t *testing.T, err error, kind problem.Kind, code string) {
	t.Helper()
	if !problem.Is(err, kind) || problem.From(err).Code != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

// A correction replaces what was read, is kept with what stood there, changes
// what is linked, and stays when the file is read again.
func TestCorrect(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		misread := strings.Replace(fountains, "dans un délai de quinze jours", "dans un dèlai de quinzc jours", 1)
		run(t, g, text("law.txt", misread))
		r := reading(t, g, "/akn/xl/act/loi/2026/90-26")
		at := func(r *Reading) (text, eid, body string) {
			for _, p := range r.Expression.Pieces {
				if p.IsArticle() && p.Label == "3" {
					return r.Expression.ID, p.EID, p.Text
				}
			}
			t.Fatal("there is no article 3")
			return "", "", ""
		}
		id, eid, body := at(r)
		right := "La commune répond à toute demande dans un délai de quinze jours, selon l'article 2 de la loi n° 90-26."
		refused(t, g.Correct(ctx, gov.Actor{ID: "x"}, id, eid, MarkOf(body), right, "misread", nothingMore), problem.Forbidden, "forbidden")
		refused(t, g.Correct(ctx, editor, id, eid, MarkOf(body), right, "", nothingMore), problem.Invalid, "law.correction.why")
		refused(t, g.Correct(ctx, editor, id, eid, MarkOf(body), " \n", "misread", nothingMore), problem.Invalid, "law.correction.empty")
		refused(t, g.Correct(ctx, editor, id, eid, MarkOf("something else"), right, "misread", nothingMore), problem.Conflict, "law.correction.conflict")
		if err := g.Correct(ctx, editor, id, eid, MarkOf(body), right, "misread", nothingMore); err != nil {
			t.Fatal(err)
		}
		refused(t, g.Correct(ctx, editor, id, eid, MarkOf(body), right+" ", "again", nothingMore), problem.Conflict, "law.correction.conflict")
		check := func() {
			t.Helper()
			if _, _, got := at(reading(t, g, "/akn/xl/act/loi/2026/90-26")); got != right {
				t.Errorf("article 3 reads %q", got)
			}
		}
		check()
		history, err := g.Corrections(ctx, id, eid)
		if err != nil || len(history) != 1 || history[0].Before != body || history[0].After != right || history[0].By != editor.ID {
			t.Errorf("corrections %+v, %v", history, err)
		}
		events, err := g.Events(ctx, 0, 100)
		if err != nil || len(events) == 0 || events[len(events)-1].Type != EventCorrected {
			t.Errorf("events %+v, %v", events, err)
		}
		if _, err := g.Relink(ctx); err != nil {
			t.Fatal(err)
		}
		links, err := g.Links(ctx, id)
		found := false
		for _, l := range links {
			found = found || l.EID == eid && l.Target.Self
		}
		if err != nil || !found {
			t.Errorf("what the corrected article cites was not found: %+v, %v", links, err)
		}
		if _, err := g.Import(ctx, []Input{text("law.txt", misread)}, ImportOptions{Again: true}); err != nil {
			t.Fatal(err)
		}
		check()
	})
}

// What nobody could apply is applied when an editor says how, and is refused
// when it can't be; the decision stays when the file is read again.
func TestDecide(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		vague := strings.Replace(amending, "Les dispositions de l'article 3 de la loi n° 90-26 précitée sont modifiées comme suit :\n« Article 3. – La commune répond à toute demande dans un délai de dix jours. »",
			"Les dispositions de l'article 3 de la loi n° 90-26 précitée sont modifiées comme suit :\n« Article 3. – … dans un délai de dix jours … »", 1)
		inputs := []Input{text("law.txt", fountains), text("amending.txt", vague)}
		run(t, g, inputs...)
		ops, err := g.store.operations(ctx, d.Reader(), `WHERE state = $1`, OpManual)
		if err != nil || len(ops) != 1 {
			t.Fatalf("%d clauses wait for an editor, %v: %+v", len(ops), err, ops)
		}
		o := ops[0]
		want := "La commune répond à toute demande dans un délai de dix jours ouvrables."
		yes := Decision{Target: "/akn/xl/act/loi/2026/90-26", Action: model.Substitute, Article: "3", New: want, Why: "the dots stand for the old words"}
		bad := yes
		bad.Article = "30"
		refused(t, g.Decide(ctx, editor, o.ID, o.mark(), bad, nothingMore), problem.Invalid, "law.decide.article")
		bad = yes
		bad.Why = ""
		refused(t, g.Decide(ctx, editor, o.ID, o.mark(), bad, nothingMore), problem.Invalid, "law.decide.why")
		bad = yes
		bad.Target = "/akn/xl/act/loi/2026/1-1"
		refused(t, g.Decide(ctx, editor, o.ID, o.mark(), bad, nothingMore), problem.Invalid, "law.decide.target")
		refused(t, g.Decide(ctx, editor, o.ID, "other", yes, nothingMore), problem.Conflict, "law.decide.conflict")
		if err := g.Decide(ctx, editor, o.ID, o.mark(), yes, nothingMore); err != nil {
			t.Fatal(err)
		}
		check := func() {
			t.Helper()
			if got := articleText(t, reading(t, g, "/akn/xl/act/loi/2026/90-26"), "3"); got != want {
				t.Errorf("article 3 reads %q", got)
			}
		}
		if _, err := g.Relink(ctx); err != nil {
			t.Fatal(err)
		}
		check()
		for _, in := range inputs {
			if _, err := g.Import(ctx, []Input{in}, ImportOptions{Again: true}); err != nil {
				t.Fatal(err)
			}
		}
		check()
		o, err = g.operation(ctx, d.Reader(), o.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Decide(ctx, editor, o.ID, o.mark(), Decision{Drop: true, Why: "a mistake"}, nothingMore); err != nil {
			t.Fatal(err)
		}
		if _, err := g.Relink(ctx); err != nil {
			t.Fatal(err)
		}
		if got := articleText(t, reading(t, g, "/akn/xl/act/loi/2026/90-26"), "3"); got == want {
			t.Error("what was dropped is still applied")
		}
	})
}

// A confirmed text gets the address of its number; every old address leads to
// it, and reading the file again makes no second text.
func TestConfirm(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		suspect := text("decree.txt", decree)
		suspect.Flags = []string{FlagSuspect}
		run(t, g, text("law.txt", fountains), suspect)
		works, err := g.store.works(ctx, d.Reader(), `WHERE suspect`)
		if err != nil || len(works) != 1 {
			t.Fatalf("%d suspect works, %v", len(works), err)
		}
		old := works[0].ID
		right := Identity{Kind: "decret", Number: "2.26.902", Signed: "2026-09-16"}
		confirm := func(in Identity) error { _, err := g.Confirm(ctx, editor, old, in, nothingMore); return err }
		refused(t, confirm(Identity{Kind: "nothing", Number: "2.26.902", Signed: "2026-09-16"}), problem.Invalid, "law.confirm.kind")
		refused(t, confirm(Identity{Kind: "decret", Number: "two", Signed: "2026-09-16"}), problem.Invalid, "law.confirm.number")
		refused(t, confirm(Identity{Kind: "decret", Number: "2.26.902", Signed: "2126-09-16"}), problem.Invalid, "law.confirm.date")
		refused(t, confirm(Identity{Kind: "loi", Number: "90-26", Signed: "2026-09-03"}), problem.Conflict, "law.confirm.taken")
		if err := confirm(right); err != nil {
			t.Fatal(err)
		}
		check := func() {
			t.Helper()
			r := reading(t, g, "/akn/xl/act/decret/2026/2-26-902")
			if r.Work.Suspect || r.Work.Signed != "2026-09-16" {
				t.Errorf("the work is %+v", r.Work)
			}
			warned := false
			for _, w := range r.Warnings {
				warned = warned || w.Code == WarnSuspect
			}
			if !warned {
				t.Error("nothing says that the digits inside the text are doubtful")
			}
			iri, err := akn.ParseIRI(old + "/fra")
			if err != nil {
				t.Fatal(err)
			}
			_, err = g.Read(ctx, iri, nil)
			if moved, ok := errors.AsType[*Moved](err); !ok || moved.To != "/akn/xl/act/decret/2026/2-26-902/fra" {
				t.Errorf("the old address: %v", err)
			}
			if w, err := g.ByShort(ctx, Short(old)); err != nil || w.ID != "/akn/xl/act/decret/2026/2-26-902" {
				t.Errorf("the old short link: %v, %v", w, err)
			}
			var n int
			if err := d.Reader().QueryRowContext(ctx, `SELECT count(*) FROM gazette_work WHERE kind = 'decret'`).Scan(&n); err != nil || n != 1 {
				t.Errorf("%d decrees, %v", n, err)
			}
		}
		check()
		if _, err := g.Import(ctx, []Input{suspect}, ImportOptions{Again: true}); err != nil {
			t.Fatal(err)
		}
		check()
		refused(t, func() error {
			_, err := g.Confirm(ctx, editor, "/akn/xl/act/decret/2026/2-26-902", right, nothingMore)
			return err
		}(), problem.Conflict, "law.confirm.done")
	})
}

// The head of an edition that holds changes is compared with what is known to
// change the text, and its words with those that are computed.
func TestEditionsAreCompared(t *testing.T) {
	known := map[string]model.Date{"/a/held": "2020-01-01", "/a/forgotten": "2019-01-01", "/a/after": "2024-01-01", "/a/undated": ""}
	ix := &index{works: map[string]*model.Work{}, numbers: map[string][]*model.Work{}, texts: map[string]*Text{}}
	for id, n := range map[string]model.Number{"/a/held": "1-20-1", "/a/silent": "1-20-2", "/a/law": "7-20"} {
		w := &model.Work{ID: id, Kind: "dahir", Number: n}
		ix.works[id] = w
		ix.numbers[n.Key()] = append(ix.numbers[n.Key()], w)
	}
	edition := &Text{Expression: model.Expression{ID: "t", Work: "/a/law", Version: "2022-05-05", Consolidated: &model.Consolidated{By: []model.Amendment{
		{Kind: "dahir", Number: "1-20-1"}, {Kind: "dahir", Number: "1-20-02"}, {Kind: "dahir", Number: "9-99-99"}}}}}
	got := map[string]string{}
	for _, d := range ix.headDifferences(edition, known) {
		got[d.Detail] = d.Code
	}
	want := map[string]string{"/a/silent": DiffUnlinked, "/a/forgotten": DiffMissing, "/a/after": DiffLater}
	if len(got) != len(want) {
		t.Errorf("differences %v, want %v", got, want)
	}
	for id, code := range want {
		if got[id] != code {
			t.Errorf("%s is %q, want %q", id, got[id], code)
		}
	}
	for _, c := range []struct {
		a, b string
		some bool
	}{{"un délai de dix jours", "un  délai\nde dix jours", false}, {"un délai de dix jours", "un délai de vingt jours", true}, {"", "x", true}} {
		if share := changedShare(c.a, c.b); (share > 0) != c.some || share > 100 {
			t.Errorf("%q and %q differ by %d", c.a, c.b, share)
		}
	}
}

// An uploaded file is read by its job, once, and one that can't be read says
// why.
func TestUploadedFile(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		w := newWorker(g)
		put := func(id string, data []byte) {
			t.Helper()
			if _, err := g.files.Put(data); err != nil {
				t.Fatal(err)
			}
			src := &Source{ID: id, Name: id + ".txt", SHA256: blob.Key(data), Bytes: int64(len(data)), State: SourceWaiting, Flags: flagDemo + " " + subjectFlag + "water", Created: g.clock.Now(), By: "e"}
			if err := d.RunTx(ctx, func(tx *db.Tx) error { return g.store.putSource(ctx, tx, src) }); err != nil {
				t.Fatal(err)
			}
		}
		put("good", []byte(fountains))
		put("bad", []byte("%PDF-1.4 cut short"))
		for range 2 {
			for _, id := range []string{"good", "bad"} {
				if err := w.read(context.Background(), importArgs{Source: id, Actor: "e"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		for id, state := range map[string]string{"good": SourceDone, "bad": SourceFailed} {
			src, err := g.store.source(ctx, d.Reader(), id)
			if err != nil || src.State != state || (src.Code != "") != (state == SourceFailed) {
				t.Errorf("%s: %+v, %v", id, src, err)
			}
		}
		r := reading(t, g, "/akn/xl/act/loi/2026/90-26")
		if !r.Work.Demo || r.Work.Subject != "water" {
			t.Errorf("the work is %+v", r.Work)
		}
	})
}
