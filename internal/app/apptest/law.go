package apptest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/url"
	"testing"

	"diwan/internal/app"
	"diwan/internal/db"
	"diwan/internal/gazette"
)

// desk is what the pages of the law and of its desk need beside the
// demonstration's issues: a scanned page, something read with doubt, something
// that nobody could apply.
type desk struct {
	work, article, source, piece, operation, suspect, issue string
	waiting, failed                                         string // sources
}

// lawDesk puts these into the database of a demonstration. There are none when
// the country has no gazette.
func lawDesk(t testing.TB, a *app.App) *desk {
	t.Helper()
	if a.Gazette == nil {
		return nil
	}
	ctx, d := t.Context(), &desk{waiting: "waitingsource", failed: "failedsource"}
	get := func(into *string, query string, args ...any) {
		t.Helper()
		if err := a.DB.Reader().QueryRowContext(ctx, query, args...).Scan(into); err != nil {
			t.Fatalf("the demonstration's gazette: %s: %v", query, err)
		}
	}
	var text string
	get(&d.work, `SELECT target FROM gazette_operation WHERE state = 'applied' ORDER BY target LIMIT 1`)
	get(&text, `SELECT id FROM gazette_text WHERE work = $1 ORDER BY lang LIMIT 1`, d.work)
	get(&d.source, `SELECT source FROM gazette_text WHERE id = $1`, text)
	get(&d.article, `SELECT eid FROM gazette_piece WHERE text = $1 AND kind = 'article' AND by_work = '' ORDER BY position LIMIT 1`, text)
	get(&d.operation, `SELECT id FROM gazette_operation WHERE target = $1 ORDER BY id LIMIT 1`, d.work)
	get(&d.suspect, `SELECT id FROM gazette_work WHERE id <> $1 AND kind = 'decret' ORDER BY id LIMIT 1`, d.work)
	get(&d.issue, `SELECT id FROM gazette_issue ORDER BY id LIMIT 1`)
	d.piece = url.QueryEscape(text + "~" + d.article)
	key, err := a.Files.Put(picture(t))
	if err != nil {
		t.Fatal(err)
	}
	line := `[{"t":"…","b":{"x":20,"y":30,"w":120,"h":12},"c":0.5},{"t":"…","b":{"x":20,"y":90,"w":120,"h":12},"c":0.99}]`
	source := `INSERT INTO gazette_source (id, sha256, name, title, origin, format, lang, bytes, pages, flags, state, code, detail, repairs, confidence, created_at, created_by)
		VALUES ($1, $2, $3, '', '', 'pdf', '', 1, 3, '', $4, $5, $6, '[]', 0, 1, '')`
	err = a.DB.RunTx(ctx, func(tx *db.Tx) error {
		for _, s := range []struct {
			query string
			args  []any
		}{
			{`INSERT INTO gazette_page (source, number, width, height, method, confidence, disagreement, lines, image, checked_at, checked_by)
				VALUES ($1, 1, 160, 220, 'ocr', 0.6, -1, $2, $3, 0, '')`, []any{d.source, line, key}},
			{`UPDATE gazette_piece SET page = 1, box = '18 26 124 40', confidence = 0.5 WHERE text = $1 AND eid = $2 AND by_work = ''`, []any{text, d.article}},
			{`UPDATE gazette_operation SET state = 'manual', reason = 'partial_text' WHERE id = $1`, []any{d.operation}},
			{`UPDATE gazette_work SET suspect = TRUE WHERE id = $1`, []any{d.suspect}},
			{`INSERT INTO gazette_difference (work, n, text, code, eid, detail) VALUES ($1, 0, $2, 'text_differs', $3, '12'), ($1, 1, $2, 'later', '', $4)`,
				[]any{d.work, text, d.article, d.suspect}},
			{`INSERT INTO gazette_correction (id, text, eid, before_text, after_text, why, at, by_actor) VALUES ('c1', $1, $2, '… 1', '… 2', '…', 1, '')`, []any{text, d.article}},
			{source, []any{d.waiting, "w", "w.pdf", gazette.SourceReading, "", ""}},
			{source, []any{d.failed, "f", "f.pdf", gazette.SourceFailed, "tool_missing", "install x"}},
		} {
			if _, err := tx.ExecContext(ctx, s.query, s.args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// picture is a small page with two black lines.
func picture(t testing.TB) []byte {
	img := image.NewGray(image.Rect(0, 0, 160, 220))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for x := 20; x < 140; x++ {
		img.SetGray(x, 36, color.Gray{})
		img.SetGray(x, 96, color.Gray{})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// law are the public pages of the law, and those of its desk.
func law(d *desk) []Page {
	if d == nil {
		return nil
	}
	work := url.Values{"work": {d.work}}.Encode()
	ps := []Page{
		{Kind: "law", Path: "/law"},
		{Kind: "law text", Path: d.work},
		{Kind: "law article", Path: d.work + "/~" + d.article},
		{Kind: "law search", Path: "/law/search?" + url.Values{"q": {"90-26"}}.Encode()},
		{Kind: "law search of nothing", Path: "/law/search?q=zzqxwv"},
		{Kind: "law search with a fault", Path: "/law/search?q=%22"},
		{Kind: "law search, nothing asked", Path: "/law/search"},
		{Kind: "law browse", Path: "/law/browse"},
		{Kind: "law browse by all", Path: "/law/browse?kind=loi&state=amended&subject=civil&year=2026"},
		{Kind: "law browse of nothing", Path: "/law/browse?kind=nothing"},
		{Kind: "law subjects", Path: "/law/subjects"},
		{Kind: "law issues", Path: "/law/issues"},
		{Kind: "law issues of a year", Path: "/law/issues/2026"},
		{Kind: "law issue", Path: d.issue},
		{Kind: "law changes", Path: "/law/changes"},
		{Kind: "law cited by", Path: "/law/cited-by?" + work},
		{Kind: "law cited by one relation", Path: "/law/cited-by?" + work + "&relation=amends"},
		{Kind: "law follow", Path: "/law/follow?" + work},
		{Kind: "law page", Path: "/law/pages/" + d.source + "/1?piece=" + d.piece},
		{Kind: "no law text", Path: d.work + "-0", Status: http.StatusNotFound},
		{Kind: "no law page", Path: "/law/pages/" + d.source + "/99", Status: http.StatusNotFound},
	}
	for _, p := range []Page{
		{Kind: "imports", Path: "/office/gazette"},
		{Kind: "import", Path: "/office/gazette/imports/" + d.source},
		{Kind: "import that runs", Path: "/office/gazette/imports/" + d.waiting},
		{Kind: "import that failed", Path: "/office/gazette/imports/" + d.failed},
		{Kind: "queue", Path: "/office/gazette/queue"},
		{Kind: "queue of pages", Path: "/office/gazette/queue?what=pages"},
		{Kind: "correction", Path: "/office/gazette/correct?piece=" + d.piece},
		{Kind: "amendments", Path: "/office/gazette/operations"},
		{Kind: "amendments of one reason", Path: "/office/gazette/operations?state=manual&reason=partial_text"},
		{Kind: "amendment", Path: "/office/gazette/operations/" + d.operation},
		{Kind: "amendment with errors", Path: "/office/gazette/operations/" + d.operation, Status: http.StatusBadRequest, Form: map[string]string{"article": "999"}},
		{Kind: "differences", Path: "/office/gazette/differences"},
		{Kind: "unconfirmed", Path: "/office/gazette/confirm"},
		{Kind: "confirmation", Path: "/office/gazette/confirm/" + gazette.Short(d.suspect)},
		{Kind: "confirmation with errors", Path: "/office/gazette/confirm/" + gazette.Short(d.suspect), Status: http.StatusBadRequest, Form: map[string]string{"number": "1-1"}},
	} {
		p.Kind, p.As = "gazette desk: "+p.Kind, Editor
		ps = append(ps, p)
	}
	return append(ps, Page{Kind: "gazette desk forbidden", Path: "/office/gazette", As: Commission, Status: http.StatusForbidden})
}
