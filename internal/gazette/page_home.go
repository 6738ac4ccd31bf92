package gazette

import (
	"net/http"
	"net/url"
	"strconv"

	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/web"
)

// registerBrowse adds the pages that lead to a text without a search: the front
// page of the law, lists, issues, subjects, changes and page images.
func (l *Law) registerBrowse(mux *http.ServeMux) {
	mux.HandleFunc("GET /law", l.home)
	mux.HandleFunc("GET /law/browse", l.browse)
	mux.HandleFunc("GET /law/issues", l.issueYears)
	mux.HandleFunc("GET /law/issues/{year}", l.issuesOf)
	mux.HandleFunc("GET /law/subjects", l.subjects)
	mux.HandleFunc("GET /law/subjects/{id}", l.subject)
	mux.HandleFunc("GET /law/changes", l.changes)
	mux.HandleFunc("GET /law/cited-by", l.citedBy)
	mux.HandleFunc("GET /law/cited-by.csv", l.citedByCSV)
	mux.HandleFunc("GET /law/pages/{source}/{number}", l.page)
	mux.HandleFunc("GET /law/images/{source}/{number}", l.image)
}

type homeData struct {
	Total    int
	First    int // the oldest year of which a text is held
	Last     int
	Kinds    []countView
	States   []countView
	Subjects []countView
	Issues   int
	Newest   []workView
	Changes  []changeView
}

// countView is a value that works share, with how many do.
type countView struct {
	Value string
	Name  gov.Text
	N     int
	Href  string
	On    bool
}

// Sizes of the lists on the front page.
const (
	kindsShown    = 8
	subjectsShown = 14
	newestShown   = 6
	changesShown  = 5
)

func (l *Law) home(w http.ResponseWriter, r *http.Request) {
	l.cached(w, r, func() (web.Page, error) {
		d, err := l.homeData(r)
		t := l.Site.Printer(r)
		return web.Page{Template: "gazette/law-home", Title: t.T("law.title"), Description: t.T("law.home.lead"), Path: "/law", Nav: "law", Data: d}, err
	})
}

func (l *Law) homeData(r *http.Request) (*homeData, error) {
	g, ctx, lang := l.Gazette, r.Context(), web.LangOf(r)
	d := &homeData{}
	kinds, err := g.CountBy(ctx, "kind")
	if err != nil {
		return nil, err
	}
	for _, c := range kinds {
		d.Total += c.N
	}
	d.Kinds = l.counts("kind", kinds, l.Gazette.KindName)[:min(kindsShown, len(kinds))]
	states, err := g.CountBy(ctx, "state")
	if err != nil {
		return nil, err
	}
	d.States = l.stateCounts(states)
	subjects, err := g.CountBy(ctx, "subject")
	if err != nil {
		return nil, err
	}
	for _, c := range l.counts("subject", subjects, g.SubjectName) {
		if c.Value != "" && len(d.Subjects) < subjectsShown {
			c.Href = "/law/subjects/" + url.PathEscape(c.Value)
			d.Subjects = append(d.Subjects, c)
		}
	}
	years, err := g.Years(ctx)
	if err != nil {
		return nil, err
	}
	for _, y := range years {
		if y.Works > 0 && y.Year <= g.Today().Year {
			d.First = y.Year
			d.Last = max(d.Last, y.Year)
		}
		d.Issues += y.Issues
	}
	newest, _, err := g.List(ctx, Filter{Newest: g.Today().Year}, newestShown, 0)
	if err != nil {
		return nil, err
	}
	for _, work := range newest {
		d.Newest = append(d.Newest, l.view(work, lang))
	}
	d.Changes, err = l.changeViews(r, "", changesShown, 0)
	return d, err
}

// counts names the values that works are counted by; the value that says
// nothing comes last.
func (l *Law) counts(param string, counts []Count, name func(string) gov.Text) []countView {
	var out, last []countView
	for _, c := range counts {
		v := countView{Value: c.Value, Name: name(c.Value), N: c.N, Href: "/law/browse?" + url.Values{param: {c.Value}}.Encode()}
		if c.Value == "" {
			last = append(last, v)
			continue
		}
		out = append(out, v)
	}
	return append(out, last...)
}

// stateUnknown is the name of the unknown state in addresses.
const stateUnknown = "unknown"

// stateCounts lists the states in a fixed order, those that no work has left
// out.
func (l *Law) stateCounts(counts []Count) []countView {
	var out []countView
	for _, s := range []model.State{model.InForce, model.Amended, model.NotYet, model.Repealed, model.Suspended, model.Unknown} {
		for _, c := range counts {
			if c.Value != string(s) {
				continue
			}
			value := c.Value
			if s == model.Unknown {
				value = stateUnknown
			}
			out = append(out, countView{Value: value, N: c.N, Href: "/law/browse?state=" + value})
		}
	}
	return out
}

// listPager says where a list stands and where its neighbours are.
type listPager struct {
	Page, Pages, Total int
	Prev, Next         string // addresses with their queries, "" at the ends
}

// newPager returns the pager of a list. base is the query without the page: ""
// or "?…".
func newPager(page, size, total int, base string) listPager {
	p := listPager{Page: page, Pages: max(1, (total+size-1)/size), Total: total}
	p.Page = min(p.Page, p.Pages)
	at := func(n int) string {
		if base == "" {
			return "?page=" + strconv.Itoa(n)
		}
		return base + "&page=" + strconv.Itoa(n)
	}
	if p.Page > 1 {
		p.Prev = at(p.Page - 1)
	}
	if p.Page < p.Pages {
		p.Next = at(p.Page + 1)
	}
	return p
}

// maxPage bounds what a query may ask for.
const maxPage = 100000

// pageOf is the page that a request asks for, from 1.
func pageOf(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || n < 1 || n > maxPage {
		return 1
	}
	return n
}

// here is the query of a page of a list, so that the same page opens in another
// language.
func here(base string, page int) string {
	switch {
	case page <= 1:
		return base
	case base == "":
		return "?page=" + strconv.Itoa(page)
	}
	return base + "&page=" + strconv.Itoa(page)
}
