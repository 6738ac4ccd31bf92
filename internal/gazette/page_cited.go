package gazette

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"diwan/internal/gazette/model"
	"diwan/internal/problem"
	"diwan/internal/web"
)

type citedData struct {
	Work      workView
	Citing    []citeView
	Relations []relationView
	All       int
	Relation  model.Relation
	Pager     listPager
	CSV       string
}

// relationView is a relation that works have to a text, with how many do.
type relationView struct {
	Relation model.Relation
	N        int
	Href     string
	On       bool
}

// citedWork reads which work a request asks about, and by which relation.
func (l *Law) citedWork(r *http.Request) (*model.Work, model.Relation, error) {
	q := r.URL.Query()
	w, err := l.Gazette.store.work(r.Context(), l.Gazette.store.db.Reader(), q.Get("work"))
	relation := model.Relation(q.Get("relation"))
	if !slices.Contains(model.Relations, relation) {
		relation = ""
	}
	return w, relation, err
}

// citedBy lists every work that names another.
func (l *Law) citedBy(w http.ResponseWriter, r *http.Request) {
	d, query, err := l.citedData(r)
	if err != nil {
		l.Site.Fail(w, r, err)
		return
	}
	l.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "gazette/law-cited", Title: l.Site.Printer(r).T("law.cited_by") + " · " + d.Work.Named,
		Path: "/law/cited-by" + here(query, d.Pager.Page), Nav: "law", Hidden: true, Data: d})
}

func (l *Law) citedData(r *http.Request) (*citedData, string, error) {
	g, ctx, lang := l.Gazette, r.Context(), web.LangOf(r)
	work, relation, err := l.citedWork(r)
	if err != nil {
		return nil, "", err
	}
	query := "?" + url.Values{"work": {work.ID}}.Encode()
	d := &citedData{Work: l.view(work, lang), Relation: relation, CSV: "/" + string(lang) + "/law/cited-by.csv" + query}
	counts, err := g.citingRelations(ctx, work.ID)
	if err != nil {
		return nil, "", err
	}
	for _, rel := range slices.Backward(model.Relations) {
		if n := counts[rel]; n > 0 {
			d.Relations = append(d.Relations, relationView{rel, n, query + "&relation=" + string(rel), rel == relation})
		}
	}
	all := query
	if relation != "" {
		query += "&relation=" + string(relation)
		d.CSV += "&relation=" + string(relation)
	}
	page := pageOf(r)
	citing, n, err := g.CitedBy(ctx, work.ID, relation, listSize, (page-1)*listSize)
	if err != nil {
		return nil, "", err
	}
	for _, c := range citing {
		d.Citing = append(d.Citing, citeView{l.view(c.Work, lang), c.Relation, "/" + string(lang) + c.Work.ID + anchor(c.EID), c.Count})
	}
	d.Pager = newPager(page, listSize, n, query)
	d.All = n
	if relation != "" {
		if _, d.All, err = g.CitedBy(ctx, work.ID, "", 0, 0); err != nil {
			return nil, "", err
		}
	}
	if len(d.Relations) > 0 {
		d.Relations = append([]relationView{{"", d.All, all, relation == ""}}, d.Relations...)
	}
	return d, query, nil
}

// maxCSV bounds the rows of a list to download.
const maxCSV = 50000

// citedByCSV writes the same list for a spreadsheet.
func (l *Law) citedByCSV(w http.ResponseWriter, r *http.Request) {
	work, relation, err := l.citedWork(r)
	if err != nil {
		l.Site.Fail(w, r, err)
		return
	}
	citing, _, err := l.Gazette.CitedBy(r.Context(), work.ID, relation, maxCSV, 0)
	if err != nil {
		l.Site.Fail(w, r, err)
		return
	}
	rows := [][]string{{"work", "kind", "number", "signed", "title", "relation", "citations", "place"}}
	for _, c := range citing {
		v := l.view(c.Work, web.LangOf(r))
		rows = append(rows, []string{c.Work.ID, c.Work.Kind, string(c.Work.Number), string(c.Work.Signed), v.Title, string(c.Relation),
			strconv.Itoa(c.Count), c.Work.ID + anchor(c.EID)})
	}
	l.sendCSV(w, r, "cited-by.csv", rows)
}

// formula matches where a spreadsheet could take what follows for a formula: at
// the beginning of a cell, and behind what some take for the end of one.
var formula = regexp.MustCompile("(^|[;,\t\r\n])([=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])")

func noFormula(cell string) string { return formula.ReplaceAllString(cell, "$1'$2") }

// sendCSV answers with a table. A cell that a spreadsheet would take for a
// formula is kept from being one.
func (l *Law) sendCSV(w http.ResponseWriter, r *http.Request, name string, rows [][]string) {
	var b bytes.Buffer
	b.WriteString("\ufeff") // spreadsheets tell UTF-8 by it
	c := csv.NewWriter(&b)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = noFormula(cell)
		}
		if err := c.Write(row); err != nil {
			l.Site.Fail(w, r, problem.Wrap(err, problem.Internal, "internal"))
			return
		}
	}
	c.Flush()
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-cache")
	w.Write(b.Bytes())
}
