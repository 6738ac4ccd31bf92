package catalogue

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"diwan/internal/catalogue/search"
	"diwan/internal/gov"
	"diwan/internal/web"
)

// Searcher finds procedures, administrations and life events.
type Searcher interface {
	Search(ctx context.Context, q search.Query) (*search.Result, error)
	Suggest(ctx context.Context, text, lang string, n int) ([]search.Hit, error)
}

// maxQuery bounds what is searched for; a longer text is cut.
const maxQuery = 200

// cleanQuery drops what is not text to search for: control characters,
// direction overrides that would turn the page's own words around, and
// everything past the bound.
func cleanQuery(s string) string {
	if len(s) > 8*maxQuery {
		s = s[:8*maxQuery]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxQuery {
		s = string(r[:maxQuery])
	}
	return s
}

// resultsPerPage is short: what is not among the first ten is better found with
// other words than by turning pages on a phone.
const resultsPerPage = 10

type searchData struct {
	Query     string
	Hits      []hitView
	Pager     pager
	Facets    []facetView
	Chips     []chip
	Also      []search.Word
	Corrected string
	Popular   []*Entry // what to offer when nothing was found
}

type hitView struct {
	Kind  string
	Entry *Entry // for procedures
	Item  stageItem
	URL   string
	Name  gov.Text
	About gov.Text
	Owner gov.Text
}

type facetView struct {
	Name   string // the parameter
	Values []facetValue
}

type facetValue struct {
	Value string
	Text  gov.Text // of things that have names
	Key   string   // of the others: a message
	Count int
	On    bool
}

type chip struct {
	facetValue
	Without string // the address without this filter
}

// facetNames are the filters in the order of the page.
var facetNames = []string{"kind", "days", "administration", "theme", "audience", "more"}

func (p *Portal) search(w http.ResponseWriter, r *http.Request) {
	q := search.Query{Text: cleanQuery(r.URL.Query().Get("q")), Lang: string(web.LangOf(r)), Limit: resultsPerPage, Filters: map[string][]string{}}
	page := pageNumber(r)
	q.Offset = (page - 1) * resultsPerPage
	for _, f := range facetNames {
		for _, v := range r.URL.Query()[f] {
			if len(v) <= 80 && len(q.Filters[f]) < 20 && v != "" {
				q.Filters[f] = append(q.Filters[f], v)
			}
		}
	}
	res, err := p.Searcher.Search(r.Context(), q)
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	s := p.Catalogue.Snapshot()
	d := searchData{Query: q.Text, Also: res.Also, Corrected: res.Corrected}
	d.Pager = pager{Page: page, Pages: max(1, (res.Total+resultsPerPage-1)/resultsPerPage), Total: res.Total}
	d.Pager.links("?" + searchQuery(q, "", "").Encode() + "&")
	today := p.Site.Today()
	for _, h := range res.Hits {
		if v, ok := p.hit(s, h, today); ok {
			d.Hits = append(d.Hits, v)
		}
	}
	p.facets(s, res, q, &d)
	if len(d.Hits) == 0 {
		d.Popular = s.Popular()[:min(6, len(s.Popular()))]
	}
	t := p.Site.Printer(r)
	title := t.T("search.title")
	if q.Text != "" {
		title = t.T("search.title.for", "query", q.Text)
	}
	p.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "catalogue/search", Title: title, Hidden: true, Nav: "services",
		Path: "/search?" + searchQuery(q, "", "").Encode(), Data: d})
}

// searchQuery writes the query's address, without one value of one filter.
func searchQuery(q search.Query, name, value string) url.Values {
	v := url.Values{"q": {q.Text}}
	for f, values := range q.Filters {
		for _, x := range values {
			if f != name || x != value {
				v.Add(f, x)
			}
		}
	}
	return v
}

func (p *Portal) hit(s *Snapshot, h search.Hit, today gov.Date) (hitView, bool) {
	v := hitView{Kind: h.Kind}
	switch h.Kind {
	case search.KindProcedure:
		e := s.Procedure(h.ID)
		if e == nil {
			return v, false // published a moment ago, not yet in this snapshot
		}
		v.Entry, v.Item, v.URL, v.Name, v.About = e, p.item(e, today), "/procedures/"+e.ID, e.Name, e.Summary
		v.Owner = s.AdministrationName(e.Competent)
	case search.KindAdministration:
		a := s.Administration(h.ID)
		if a == nil {
			return v, false
		}
		v.URL, v.Name, v.About = "/administrations/"+a.ID, a.Name, a.About
	case search.KindLifeEvent:
		ev := s.LifeEvent(h.ID)
		if ev == nil {
			return v, false
		}
		v.URL, v.Name, v.About = "/life-events/"+ev.ID, ev.Name, ev.Intro
	default:
		return v, false
	}
	return v, true
}

// maxFacetValues keeps each filter to the values that matter.
const maxFacetValues = 6

func (p *Portal) facets(s *Snapshot, res *search.Result, q search.Query, d *searchData) {
	for _, name := range facetNames {
		f := facetView{Name: name}
		for _, c := range res.Facets[name] {
			v := p.facetValue(s, name, c.Value)
			v.Count, v.On = c.Count, slices.Contains(q.Filters[name], c.Value)
			if len(f.Values) < maxFacetValues || v.On {
				f.Values = append(f.Values, v)
			}
		}
		for _, on := range q.Filters[name] {
			v := p.facetValue(s, name, on)
			d.Chips = append(d.Chips, chip{v, "?" + searchQuery(q, name, on).Encode()})
			if !slices.ContainsFunc(f.Values, func(x facetValue) bool { return x.Value == on }) {
				v.On = true
				f.Values = append(f.Values, v)
			}
		}
		if len(f.Values) > 0 {
			d.Facets = append(d.Facets, f)
		}
	}
}

// facetValue says what a filter's value is called.
func (p *Portal) facetValue(s *Snapshot, name, value string) facetValue {
	v := facetValue{Value: value}
	switch name {
	case "administration":
		v.Text = s.AdministrationName(value)
	case "theme":
		v.Text = gov.Text{"": value}
		if t := s.Theme(value); t != nil {
			v.Text = t.Name
		}
	case "audience":
		v.Text = p.Site.Country.Audience[value]
		if v.Text == nil {
			v.Text = gov.Text{"": value}
		}
	default:
		v.Key = "search." + name + "." + value
		if !p.Site.Words.Has(string(p.Site.Country.Languages[0].Code), v.Key) {
			v.Key, v.Text = "", gov.Text{"": value}
		}
	}
	return v
}

// maxSuggestions is how many the search field offers while one types.
const maxSuggestions = 7

type suggestion struct {
	Title string `json:"title"`
	URL   string `json:"url"`
	Lang  string `json:"lang,omitempty"` // when it is not the page's
	Dir   string `json:"dir,omitempty"`
}

func (p *Portal) suggest(w http.ResponseWriter, r *http.Request) {
	l := web.LangOf(r)
	hits, err := p.Searcher.Suggest(r.Context(), cleanQuery(r.URL.Query().Get("q")), string(l), maxSuggestions)
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	s, today := p.Catalogue.Snapshot(), p.Site.Today()
	out := struct {
		Items []suggestion `json:"items"`
	}{[]suggestion{}}
	for _, h := range hits {
		v, ok := p.hit(s, h, today)
		if !ok {
			continue
		}
		title, tl := v.Name.In(l, p.Site.Country.Order())
		sg := suggestion{Title: title, URL: "/" + string(l) + v.URL}
		if tl != l {
			other, _ := p.Site.Country.Language(tl)
			sg.Lang, sg.Dir = string(tl), other.Dir
		}
		out.Items = append(out.Items, sg)
	}
	b, err := json.Marshal(out)
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=60")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b)
}
