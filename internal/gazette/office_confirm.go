package gazette

import (
	"net/http"
	"slices"
	"strings"

	"diwan/internal/gazette/model"
	"diwan/internal/problem"
	"diwan/internal/web"
)

type unconfirmedData struct {
	desk
	Works []unconfirmedWork
	Pager listPager
}

type unconfirmedWork struct {
	workView
	Short string
}

// unconfirmed lists the works whose number and date nobody has checked.
func (o *Office) unconfirmed(w http.ResponseWriter, r *http.Request) {
	d := unconfirmedData{desk: o.desk(r, "confirm")}
	page := pageOf(r)
	var n int
	q := o.Gazette.store.db.Reader()
	err := q.QueryRowContext(r.Context(), `SELECT count(*) FROM gazette_work WHERE suspect`).Scan(&n)
	var works []*model.Work
	if err == nil {
		works, err = o.Gazette.store.works(r.Context(), q, `WHERE suspect ORDER BY cited DESC, id LIMIT $1 OFFSET $2`, listSize, (page-1)*listSize)
	}
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	for _, work := range works {
		d.Works = append(d.Works, unconfirmedWork{o.view(work, web.LangOf(r)), Short(work.ID)})
	}
	d.Pager = newPager(page, listSize, n, "")
	o.show(w, r, http.StatusOK, "office-unconfirmed", o.Site.Printer(r).T("law.office.confirm"), "/office/gazette/confirm"+here("", d.Pager.Page), d)
}

type confirmData struct {
	desk
	Work     workView
	Short    string
	Kinds    []countView
	Form     Identity
	Source   *Source
	Origin   string
	Begin    []string // the first lines of the text
	TextLang string
	TextDir  string
	scanView
}

func (o *Office) confirmPage(w http.ResponseWriter, r *http.Request) {
	d, err := o.confirmData(r)
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	d.Form.Kind = d.Work.Work.Kind
	o.showConfirm(w, r, http.StatusOK, d)
}

func (o *Office) showConfirm(w http.ResponseWriter, r *http.Request, status int, d *confirmData) {
	for _, k := range o.Gazette.grammar.Config.Kinds {
		d.Kinds = append(d.Kinds, countView{Value: k.ID, Name: textOf(k.Names), On: k.ID == d.Form.Kind})
	}
	o.show(w, r, status, "office-confirm", o.Site.Printer(r).T("law.office.confirm"), "/office/gazette/confirm/"+d.Short, d)
}

// linesToConfirm is how much of a text stands beside the form: its title, its
// number and its dates are there.
const linesToConfirm = 14

func (o *Office) confirmData(r *http.Request) (*confirmData, error) {
	g, ctx, q, lang := o.Gazette, r.Context(), o.Gazette.store.db.Reader(), web.LangOf(r)
	work, err := g.ByShort(ctx, r.PathValue("short"))
	if err != nil {
		return nil, err
	}
	texts, err := g.store.textsOf(ctx, q, work.ID)
	if err != nil || len(texts) == 0 {
		return nil, problem.Wrap(err, problem.NotFound, "law.no_text")
	}
	t := texts[0]
	src, err := g.store.source(ctx, q, t.Source)
	if err != nil {
		return nil, err
	}
	d := &confirmData{desk: o.desk(r, "confirm"), Work: o.view(work, lang), Short: Short(work.ID), Source: src, Origin: webAddress(src.Origin), TextLang: twoLetters(t.Lang)}
	d.TextDir = o.dir(d.TextLang)
	rows, err := g.store.rows(ctx, q, `WHERE text = $1 AND by_work = '' ORDER BY position LIMIT 12`, t.ID)
	if err != nil {
		return nil, err
	}
	page := 0
	for _, row := range rows {
		if page == 0 {
			page = row.Page
		}
		for _, line := range append([]string{row.Piece.Title()}, row.Paragraphs()...) {
			if line = strings.TrimSpace(line); line != "" && len(d.Begin) < linesToConfirm {
				d.Begin = append(d.Begin, short(line, 300))
			}
		}
	}
	if p, err := g.store.page(ctx, q, src.ID, max(page, 1)); err == nil {
		d.scanView = scan(string(lang), p, model.Box{})
	}
	return d, nil
}

// confirm keeps the number and the date that an officer read.
func (o *Office) confirm(w http.ResponseWriter, r *http.Request) {
	d, err := o.confirmData(r)
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	line := func(name string) string { return short(oneLine(storable(r.PostFormValue(name))), 100) }
	d.Form = Identity{Kind: line("kind"), Number: line("number"), Signed: model.Date(line("signed"))}
	if r.PostFormValue("seen") == "" {
		err = problem.New(problem.Invalid, "law.confirm.seen")
	} else {
		_, err = o.Gazette.Confirm(r.Context(), o.Actor(r), d.Work.Work.ID, d.Form, o.relinkLater(r.Context()))
	}
	if err == nil {
		o.done(w, r, "/office/gazette/confirm?saved=1")
		return
	}
	sentence, status := o.sentence(r, err)
	if sentence == "" {
		o.Site.Fail(w, r, err)
		return
	}
	d.Error = sentence
	o.showConfirm(w, r, status, d)
}

type differencesData struct {
	desk
	Works    []differenceWork
	Codes    []reasonCount
	Pager    listPager
	Editions int // editions that already hold changes
	Differ   int // of them, those with differences
}

type differenceWork struct {
	Work workView
	Rows []differenceRow
}

type differenceRow struct {
	Code    string
	Other   *workView // the act concerned
	EID     string
	Detail  string
	Percent bool
	Href    string
}

// worksOnPage is how many works with differences a page lists.
const worksOnPage = 15

func (o *Office) differences(w http.ResponseWriter, r *http.Request) {
	d, query, err := o.differencesData(r)
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	o.show(w, r, http.StatusOK, "office-differences", o.Site.Printer(r).T("law.office.differences"), "/office/gazette/differences"+here(query, d.Pager.Page), d)
}

// diffCodes lists the kinds of differences.
var diffCodes = []string{DiffUnlinked, DiffMissing, DiffLater, DiffText, DiffExtra, DiffAbsent}

func (o *Office) differencesData(r *http.Request) (*differencesData, string, error) {
	g, ctx := o.Gazette, r.Context()
	d := &differencesData{desk: o.desk(r, "differences")}
	code := r.URL.Query().Get("code")
	if !slices.Contains(diffCodes, code) {
		code = ""
	}
	all, err := g.differences(ctx, `ORDER BY work, text, n`)
	if err != nil {
		return nil, "", err
	}
	if err := g.store.db.Reader().QueryRowContext(ctx, `SELECT count(*) FROM gazette_text WHERE form = $1`, string(model.ConsolidatedForm)).Scan(&d.Editions); err != nil {
		return nil, "", err
	}
	counts, texts, ids := map[string]int{}, map[string]bool{}, []string(nil)
	for _, x := range all {
		counts[x.Code]++
		texts[x.Text] = true
		if (code == "" || x.Code == code) && (len(ids) == 0 || ids[len(ids)-1] != x.Work) {
			ids = append(ids, x.Work)
		}
	}
	d.Differ = len(texts)
	for _, c := range diffCodes {
		if counts[c] > 0 {
			d.Codes = append(d.Codes, reasonCount{Code: c, Words: o.codeWords(r, "law.diff.", c), Href: "?code=" + c, N: counts[c], On: c == code})
		}
	}
	query := ""
	if code != "" {
		query = "?code=" + code
	}
	page := pageOf(r)
	d.Pager = newPager(page, worksOnPage, len(ids), query)
	from := min((d.Pager.Page-1)*worksOnPage, len(ids))
	return d, query, o.differenceWorks(r, d, all, ids[from:min(from+worksOnPage, len(ids))], code)
}

func (o *Office) differenceWorks(r *http.Request, d *differencesData, all []Difference, shown []string, code string) error {
	ids := slices.Clone(shown)
	for _, x := range all {
		if strings.HasPrefix(x.Detail, "/akn/") && slices.Contains(shown, x.Work) {
			ids = append(ids, x.Detail)
		}
	}
	works, err := o.Gazette.Works(r.Context(), ids)
	if err != nil {
		return err
	}
	lang := web.LangOf(r)
	for _, id := range shown {
		if works[id] == nil {
			continue
		}
		group := differenceWork{Work: o.view(works[id], lang)}
		for _, x := range all {
			if x.Work != id || code != "" && x.Code != code {
				continue
			}
			row := differenceRow{Code: x.Code, EID: x.EID, Detail: x.Detail, Percent: x.Code == DiffText, Href: "/" + string(lang) + id + anchor(x.EID)}
			if other := works[x.Detail]; other != nil {
				v := o.view(other, lang)
				row.Other = &v
			}
			group.Rows = append(group.Rows, row)
		}
		d.Works = append(d.Works, group)
	}
	return nil
}

// differencesCSV writes all of them for a spreadsheet.
func (o *Office) differencesCSV(w http.ResponseWriter, r *http.Request) {
	all, err := o.Gazette.differences(r.Context(), `ORDER BY work, text, n`)
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	rows := [][]string{{"work", "text", "code", "article", "detail"}}
	for _, x := range all {
		rows = append(rows, []string{x.Work, x.Text, x.Code, x.EID, x.Detail})
	}
	o.sendCSV(w, r, "differences.csv", rows)
}
