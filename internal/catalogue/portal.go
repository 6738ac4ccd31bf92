package catalogue

import (
	"net/http"
	"strconv"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// Portal is the public's side of the catalogue. Its pages are the same for
// everybody and need no JavaScript.
type Portal struct {
	Catalogue *Catalogue
	Site      *web.Site
	Searcher  Searcher
	// HoldsLaw tells whether the text of an address can be read here; nil: none.
	HoldsLaw func(gov.Address) bool
	// Applies tells whether one can apply for a procedure here, and Forms counts the
	// changes of that; both may be nil.
	Applies func(procedure string) bool
	Forms   func() int64
}

// Register adds the pages to the mux under a language.
func (p *Portal) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("GET /search", p.search)
	mux.HandleFunc("GET /suggest", p.suggest)
	mux.HandleFunc("GET /procedures/{id}", p.procedure)
	mux.HandleFunc("POST /procedures/{id}/feedback", p.feedback)
	mux.HandleFunc("GET /procedures/{id}/thanks", p.thanks)
	mux.HandleFunc("GET /themes", p.themes)
	mux.HandleFunc("GET /themes/{id}", p.theme)
	mux.HandleFunc("GET /administrations", p.administrations)
	mux.HandleFunc("GET /administrations/{id}", p.administration)
	mux.HandleFunc("GET /life-events/{id}", p.lifeEvent)
	mux.HandleFunc("GET /life-events/{id}/path", p.path)
	mux.HandleFunc("GET /map", p.regions)
	mux.HandleFunc("GET /regions/{id}", p.region)
	mux.HandleFunc("GET /accessibility", p.statement("accessibility"))
	mux.HandleFunc("GET /privacy", p.statement("privacy"))
	mux.HandleFunc("GET /help", p.statement("help"))
	mux.HandleFunc("GET /open-data", p.statement("open-data"))
}

// Moment is what the public's pages depend on now.
func (p *Portal) Moment() web.Moment {
	m := web.Moment{Revision: p.Catalogue.Snapshot().Revision, Day: p.Site.Today()}
	if p.Forms != nil {
		m.Other = p.Forms()
	}
	return m
}

// cached answers with a page of the present snapshot.
func (p *Portal) cached(w http.ResponseWriter, r *http.Request, make func(s *Snapshot, today gov.Date) (web.Page, error)) {
	s, today := p.Catalogue.Snapshot(), p.Site.Today()
	m := p.Moment()
	m.Revision, m.Day = s.Revision, today
	p.Site.Cached(w, r, m, func() (web.Page, error) { return make(s, today) })
}

type homeData struct {
	Life, Business []*lifeEventView
	Popular        []*Entry
	Themes         []themeCount
	Procedures     int
	Bodies         int
}

type lifeEventView struct {
	ID, Icon    string
	Name, Short gov.Text
}

type themeCount struct {
	ID, Icon string
	Name     gov.Text
	About    gov.Text
	Count    int
}

// popularShown is how many of the most used procedures the home page lists.
const popularShown = 10

func (p *Portal) home(w http.ResponseWriter, r *http.Request) {
	p.cached(w, r, func(s *Snapshot, _ gov.Date) (web.Page, error) {
		d := homeData{Procedures: len(s.Procedures), Themes: themeCounts(s)}
		for _, a := range s.Administrations {
			if len(s.Of(a.ID)) > 0 {
				d.Bodies++
			}
		}
		for _, ev := range s.LifeEvents {
			v := &lifeEventView{ev.ID, ev.Icon, ev.Name, ev.Short}
			if ev.Kind == "business" {
				d.Business = append(d.Business, v)
			} else {
				d.Life = append(d.Life, v)
			}
		}
		d.Popular = s.Popular()
		d.Popular = d.Popular[:min(popularShown, len(d.Popular))]
		t := p.Site.Printer(r)
		return web.Page{Template: "catalogue/home", Title: t.T("home.title"), Description: t.T("home.description"),
			Path: "/", Nav: "services", Data: d, JSONLD: p.siteLD(web.LangOf(r))}, nil
	})
}

func themeCounts(s *Snapshot) []themeCount {
	var out []themeCount
	for _, t := range s.Themes {
		if n := len(s.InTheme(t.ID)); n > 0 {
			out = append(out, themeCount{t.ID, t.Icon, t.Name, t.About, n})
		}
	}
	return out
}

func (p *Portal) themes(w http.ResponseWriter, r *http.Request) {
	p.cached(w, r, func(s *Snapshot, _ gov.Date) (web.Page, error) {
		return web.Page{Template: "catalogue/themes", Title: p.Site.Printer(r).T("themes.title"), Path: "/themes",
			Nav: "services", Data: themeCounts(s)}, nil
	})
}

// pageSize is how many procedures a list shows at once.
const pageSize = 25

// pageNumber reads ?page=, from 1; anything else is the first page.
func pageNumber(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || n < 1 || n > 10_000 {
		return 1
	}
	return n
}

// pager says where a list stands and where its neighbours are.
type pager struct {
	Page, Pages, Total int
	Prev, Next         string // addresses with their queries, "" at the ends
}

// paginate returns the slice of one page and its pager. base is the address
// without the page, ending in "?" or "&".
func paginate[T any](all []T, page int, base string) ([]T, pager) {
	g := pager{Page: page, Pages: max(1, (len(all)+pageSize-1)/pageSize), Total: len(all)}
	g.Page = min(g.Page, g.Pages)
	g.links(base)
	from := (g.Page - 1) * pageSize
	return all[from:min(from+pageSize, len(all))], g
}

// here is the query of the page itself, so that the same page opens in another
// language.
func (g *pager) here() string {
	if g.Page == 1 {
		return ""
	}
	return "?page=" + strconv.Itoa(g.Page)
}

func (g *pager) links(base string) {
	if g.Page > 1 {
		g.Prev = base + "page=" + strconv.Itoa(g.Page-1)
	}
	if g.Page < g.Pages {
		g.Next = base + "page=" + strconv.Itoa(g.Page+1)
	}
}

type themeData struct {
	Theme *themeCount
	Items []*Entry
	Pager pager
}

func (p *Portal) theme(w http.ResponseWriter, r *http.Request) {
	s := p.Catalogue.Snapshot()
	t := s.Theme(r.PathValue("id"))
	if t == nil {
		p.Site.Fail(w, r, problem.New(problem.NotFound, "page.not_found"))
		return
	}
	items, pg := paginate(byUse(s.InTheme(t.ID)), pageNumber(r), "?")
	name, _ := t.Name.In(web.LangOf(r), p.Site.Country.Order())
	p.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "catalogue/theme", Title: name, Path: "/themes/" + t.ID + pg.here(), Nav: "services",
		Data: themeData{&themeCount{t.ID, t.Icon, t.Name, t.About, pg.Total}, items, pg}})
}

// statement answers with a page that is only words.
func (p *Portal) statement(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.cached(w, r, func(s *Snapshot, today gov.Date) (web.Page, error) {
			nav := ""
			if name == "help" {
				nav = name
			}
			return web.Page{Template: "catalogue/" + name, Title: p.Site.Printer(r).T(name + ".title"), Path: "/" + name, Nav: nav,
				Data: statementData{Procedures: len(s.Procedures), Today: today}}, nil
		})
	}
}

type statementData struct {
	Procedures int
	Today      gov.Date
}

// siteLD describes the portal for machines (schema.org).
func (p *Portal) siteLD(l gov.Lang) any {
	name, _ := p.Site.Country.Portal.In(l, p.Site.Country.Order())
	base := p.Site.BaseURL + "/" + string(l)
	return map[string]any{
		"@context": "https://schema.org", "@type": "WebSite", "name": name, "url": base + "/", "inLanguage": string(l),
		"potentialAction": map[string]any{"@type": "SearchAction", "target": base + "/search?q={q}", "query-input": "required name=q"},
	}
}

// articleLabel names the article of an address: "art_16" is 16.
func articleLabel(a gov.Address) string {
	return strings.ReplaceAll(strings.TrimPrefix(a.Article(), "art_"), "_", " ")
}
