package gazette

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"diwan/internal/db"
	"diwan/internal/gazette/compare"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

type queueData struct {
	desk
	What   string // "articles" or "pages"
	Pieces []queuePiece
	Pages  []pageView
	Pager  listPager
	Counts deskCounts
}

type queuePiece struct {
	Work    workView
	Num     string
	Lang    string
	Dir     string
	Begin   string // the first words
	Percent int
	Page    int
	Fix     string // the page to correct it
}

// pieceName is what a reader calls a piece: its number and heading, or what it is.
func (o *Office) pieceName(lang gov.Lang, eid string, p *model.Piece) string {
	if t := p.Title(); t != "" {
		return t
	}
	if key := "law.piece." + string(p.Kind); o.Site.Words.Has(string(lang), key) {
		return o.Site.Words.Printer(string(lang)).T(key)
	}
	return eid
}

// queue lists what was read with the least certainty.
func (o *Office) queue(w http.ResponseWriter, r *http.Request) {
	d := queueData{desk: o.desk(r, "queue"), What: "articles"}
	if r.URL.Query().Get("what") == "pages" {
		d.What = "pages"
	}
	page := pageOf(r)
	counts, err := o.Gazette.deskCounts(r.Context())
	d.Counts = counts
	base, n := "", counts.Pieces
	if err == nil {
		if d.What == "pages" {
			base, n = "?what=pages", counts.Pages
			d.Pages, err = o.doubtfulPages(r, page)
		} else {
			d.Pieces, err = o.doubtfulPieces(r, page)
		}
	}
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	d.Pager = newPager(page, listSize, n, base)
	o.show(w, r, http.StatusOK, "office-queue", o.Site.Printer(r).T("law.office.queue"), "/office/gazette/queue"+here(base, d.Pager.Page), d)
}

func (o *Office) doubtfulPages(r *http.Request, page int) ([]pageView, error) {
	g := o.Gazette
	pages, err := g.store.doubtful(r.Context(), g.store.db.Reader(), 0.95, listSize, (page-1)*listSize)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	var out []pageView
	for _, p := range pages {
		if names[p.Source] == "" {
			src, err := g.store.source(r.Context(), g.store.db.Reader(), p.Source)
			if err != nil {
				return nil, err
			}
			names[p.Source] = titleOfSource(src)
		}
		out = append(out, pageView{p.Source, p.Number, percent(p.Confidence), names[p.Source]})
	}
	return out, nil
}

func (o *Office) doubtfulPieces(r *http.Request, page int) ([]queuePiece, error) {
	g, ctx, lang := o.Gazette, r.Context(), web.LangOf(r)
	rows, err := g.store.rows(ctx, g.store.db.Reader(), `WHERE confidence < 0.95 AND by_work = '' AND kind <> 'note'
		ORDER BY confidence, text, position LIMIT $1 OFFSET $2`, listSize, (page-1)*listSize)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.Work)
	}
	works, err := g.Works(ctx, ids)
	if err != nil {
		return nil, err
	}
	langs, err := g.langsOf(ctx, rows)
	if err != nil {
		return nil, err
	}
	var out []queuePiece
	for _, row := range rows {
		w := works[row.Work]
		if w == nil {
			continue
		}
		code := twoLetters(langs[row.TextID])
		p := queuePiece{Work: o.view(w, lang), Num: o.pieceName(lang, row.EID, &row.Piece), Lang: code, Dir: o.dir(code), Begin: short(oneLine(row.Text), 220), Percent: percent(row.Confidence),
			Page: row.Page, Fix: "/" + string(lang) + fixPath(row.TextID, row.EID)}
		out = append(out, p)
	}
	return out, nil
}

// langsOf says in which language the texts of rows are.
func (g *Gazette) langsOf(ctx context.Context, rows []*Row) (map[string]model.Lang, error) {
	out := map[string]model.Lang{}
	for _, row := range rows {
		if _, ok := out[row.TextID]; ok {
			continue
		}
		var lang model.Lang
		if err := g.store.db.Reader().QueryRowContext(ctx, `SELECT lang FROM gazette_text WHERE id = $1`, row.TextID).Scan(&lang); err != nil {
			return nil, fmt.Errorf("reading the language of %s: %w", row.TextID, err)
		}
		out[row.TextID] = lang
	}
	return out, nil
}

func fixPath(text, eid string) string {
	return "/office/gazette/correct?" + url.Values{"piece": {text + "~" + eid}}.Encode()
}

type correctData struct {
	desk
	Work     workView
	Piece    *model.Piece
	At       string // the piece's address in the query
	PieceAt  string // the piece in its text
	TextLang string
	TextDir  string
	Mark     string
	Text     string // what the form shows
	Head     Head
	Why      string
	Now      []compare.Run // what changed meanwhile
	Whole    string        // the whole page
	scanView
	Percent int
	Origin  string
	History []fixedView
}

func (o *Office) correctPage(w http.ResponseWriter, r *http.Request) {
	d, err := o.correctData(r, r.URL.Query().Get("piece"))
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	o.showCorrect(w, r, http.StatusOK, d)
}

func (o *Office) showCorrect(w http.ResponseWriter, r *http.Request, status int, d *correctData) {
	o.show(w, r, status, "office-correct", o.Site.Printer(r).T("law.office.correct")+" · "+d.Piece.Title(),
		"/office/gazette/correct?"+url.Values{"piece": {d.At}}.Encode(), d)
}

func (o *Office) correctData(r *http.Request, at string) (*correctData, error) {
	g, ctx, lang, q := o.Gazette, r.Context(), web.LangOf(r), o.Gazette.store.db.Reader()
	text, eid, _ := strings.Cut(at, "~")
	row, err := g.store.readRow(ctx, q, text, eid)
	if err != nil {
		return nil, err
	}
	work, err := g.store.work(ctx, q, row.Work)
	if err != nil {
		return nil, err
	}
	texts, err := g.store.texts(ctx, q, `WHERE id = $1`, text)
	if err != nil || len(texts) == 0 {
		return nil, problem.Wrap(err, problem.NotFound, "law.no_text")
	}
	src, err := g.store.source(ctx, q, texts[0].Source)
	if err != nil {
		return nil, err
	}
	d := &correctData{desk: o.desk(r, "queue"), Work: o.view(work, lang), Piece: &row.Piece, At: at, PieceAt: "/" + string(lang) + row.Work + "#" + eid,
		Mark: MarkOfPiece(&row.Piece), Text: row.Text, Head: Head{row.Num, row.Heading}, TextLang: twoLetters(texts[0].Lang), Percent: percent(row.Confidence), Origin: webAddress(src.Origin)}
	d.TextDir = o.dir(d.TextLang)
	if row.Page > 0 {
		p, err := g.store.page(ctx, q, src.ID, row.Page)
		if err != nil && !problem.Is(err, problem.NotFound) {
			return nil, err
		}
		if err == nil {
			d.scanView = scan(string(lang), p, row.Box).around()
			d.Whole = "/" + string(lang) + "/law/pages/" + src.ID + "/" + itoa(p.Number) + "?" + url.Values{"piece": {at}}.Encode()
		}
	}
	fixed, err := g.Corrections(ctx, text, eid)
	for _, c := range fixed {
		before, after := c.Whole()
		d.History = append(d.History, fixedView{EID: c.EID, Day: gov.DateOf(c.At, o.Site.Country.Zone()), Why: c.Why, Who: o.NameOf(r, c.By), Runs: compare.Words(before, after)})
	}
	return d, err
}

// webAddress is an address that a page may link to, or "".
func webAddress(s string) string {
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		return s
	}
	return ""
}

// correct keeps what an officer read. What they typed stays on the page when it
// can't be kept.
func (o *Office) correct(w http.ResponseWriter, r *http.Request) {
	at, ctx := r.PostFormValue("piece"), r.Context()
	text, eid, _ := strings.Cut(at, "~")
	typed, why := r.PostFormValue("text"), short(oneLine(storable(r.PostFormValue("why"))), 500)
	head := Head{short(oneLine(storable(r.PostFormValue("num"))), 300), short(oneLine(storable(r.PostFormValue("heading"))), 1500)}
	err := o.Gazette.CorrectPiece(ctx, o.Actor(r), text, eid, r.PostFormValue("mark"), typed, head, why, o.relinkLater(ctx))
	if err == nil {
		o.done(w, r, "/office/gazette/queue?saved=1")
		return
	}
	sentence, status := o.sentence(r, err)
	if sentence == "" {
		o.Site.Fail(w, r, err)
		return
	}
	d, err2 := o.correctData(r, at)
	if err2 != nil {
		o.Site.Fail(w, r, err2)
		return
	}
	d.Error, d.Why = sentence, why
	if status == http.StatusConflict {
		d.Now = compare.Words(cleanText(typed), d.Text)
	}
	d.Text, d.Head = typed, head
	o.showCorrect(w, r, status, d)
}

// pageChecked keeps that an officer compared a whole page with its image.
func (o *Office) pageChecked(w http.ResponseWriter, r *http.Request) {
	g, ctx, source := o.Gazette, r.Context(), r.PathValue("source")
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil {
		o.Site.NoPage(w, r)
		return
	}
	err = g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := g.store.page(ctx, tx, source, n); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE gazette_page SET checked_at = $1, checked_by = $2 WHERE source = $3 AND number = $4`,
			db.Micros(g.clock.Now()), o.Actor(r).ID, source, n); err != nil {
			return err
		}
		return g.audit.Append(ctx, tx, chain, o.Actor(r), "gazette.page_checked", source, map[string]string{"page": strconv.Itoa(n)})
	})
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	o.done(w, r, "/office/gazette/queue?what=pages&saved=1")
}
