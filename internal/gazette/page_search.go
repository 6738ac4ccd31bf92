package gazette

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"diwan/internal/gazette/model"
	"diwan/internal/gazette/search"
	"diwan/internal/gov"
	"diwan/internal/web"
)

// resultsShown is how many results a page has.
const resultsShown = 10

// valuesShown is how many values of a facet a page shows.
const valuesShown = 8

type searchData struct {
	Query    string
	AsAt     string
	Sort     string
	Work     *workView // only in this work
	AllWorks string    // the same search in all works
	Asked    bool
	Fault    string // what is wrong with the query, in words
	NotReady bool
	Total    int
	Works    int
	Loose    bool
	Named    []namedView
	Hits     []lawHit
	Facets   []lawFacet
	Chips    []lawValue
	Pager    listPager
	Kept     []keptParam // what the form keeps of the address
}

type keptParam struct{ Name, Value string }

// namedView is a text that the question names by its number.
type namedView struct {
	workView
	Href  string
	Label string
}

type lawHit struct {
	Work    workView
	Href    string
	Num     string
	Heading string
	Lang    string
	Dir     string
	Snippet []search.Run
	Past    gov.Date // from which it reads otherwise
	More    int
	MoreIn  string
}

type lawFacet struct {
	Name   string
	Values []lawValue
}

type lawValue struct {
	Facet string
	Value string
	Name  gov.Text
	N     int
	On    bool
	Href  string // of a chip: the search without it
}

// Register adds the page to the mux under a language.
func (f *Finder) Register(mux *http.ServeMux) { mux.HandleFunc("GET /law/search", f.page) }

func (f *Finder) page(w http.ResponseWriter, r *http.Request) {
	lang := web.LangOf(r)
	values := r.URL.Query()
	q := f.ask(func(name string) []string { return values[name] }, lang)
	q.Text = cleanQuery(q.Text)
	page := pageOf(r)
	q.Limit, q.Offset = resultsShown, (page-1)*resultsShown
	d := &searchData{Query: q.Text, AsAt: q.AsAt, Sort: q.Sort, Asked: q.Text != "" || len(q.Filters) > 0}
	status := http.StatusOK
	if d.Asked {
		var err error
		if status, err = f.fill(r, d, q, page); err != nil {
			f.Site.Fail(w, r, err)
			return
		}
	}
	t := f.Site.Printer(r)
	title := t.T("law.search.title")
	if q.Text != "" {
		title = t.T("law.search.title.for", "query", q.Text)
	}
	path := "/law/search"
	if s := searchValues(q).Encode(); s != "" {
		path += "?" + s
	}
	f.Site.Uncached(w, r, status, web.Page{Template: "gazette/law-search", Title: title, Path: path, Nav: "law", Hidden: true, Data: d})
}

// cleanQuery makes a question one line of text.
func cleanQuery(s string) string {
	return strings.Join(strings.Fields(clipRunes(storable(s), 400)), " ")
}

// fill searches. A query with a mistake is answered with what is wrong with it.
func (f *Finder) fill(r *http.Request, d *searchData, q search.Query, page int) (int, error) {
	ctx, lang := r.Context(), web.LangOf(r)
	law := &Law{Gazette: f.Gazette, Site: f.Site}
	named, err := f.Gazette.Named(ctx, q.Text)
	if err != nil {
		return 0, err
	}
	for _, n := range named {
		v := namedView{workView: law.view(n.Work, lang), Href: namedAddress(&search.Hit{Ref: search.Ref{EID: n.EID}, Work: n.Work.ID}), Label: n.Label}
		d.Named = append(d.Named, v)
	}
	res, err := f.Index.Search(ctx, q)
	if fault := queryFault(err); fault != nil {
		d.Fault = f.Site.Printer(r).T("problem."+fault.Code, faultArgs(fault)...)
		return http.StatusOK, nil
	}
	if notReady(err) {
		d.NotReady = true
		return http.StatusServiceUnavailable, nil
	}
	if err != nil {
		return 0, err
	}
	d.Total, d.Works, d.Loose = res.Total, res.Works, res.Loose
	base := "?" + searchValues(q).Encode()
	d.Pager = newPager(page, resultsShown, res.Listed, base)
	if err := f.hits(r, law, d, q, res); err != nil {
		return 0, err
	}
	f.facets(d, q, res)
	return http.StatusOK, nil
}

func (f *Finder) hits(r *http.Request, law *Law, d *searchData, q search.Query, res *search.Result) error {
	ids := make([]string, 0, len(res.Hits)+1)
	for _, h := range res.Hits {
		ids = append(ids, h.Work)
	}
	if q.Work != "" {
		ids = append(ids, q.Work)
	}
	works, err := f.Gazette.Works(r.Context(), ids)
	if err != nil {
		return err
	}
	if w := works[q.Work]; w != nil {
		v := law.view(w, web.LangOf(r))
		d.Work = &v
		all := q
		all.Work = ""
		d.AllWorks = "?" + searchValues(all).Encode()
	}
	for i := range res.Hits {
		h := &res.Hits[i]
		w := works[h.Work]
		if w == nil {
			continue // gone a moment ago
		}
		v := lawHit{Work: law.view(w, web.LangOf(r)), Href: hitAddress(h, q.AsAt), Num: h.Num, Heading: h.Heading, Snippet: h.Snippet, More: h.More,
			Lang: twoLetters(model.Lang(h.Lang)), Past: dateOf(model.Date(h.Until))}
		v.Dir = law.dir(v.Lang)
		if h.More > 0 {
			in := q
			in.Work, in.Offset = h.Work, 0
			v.MoreIn = "?" + searchValues(in).Encode()
		}
		d.Hits = append(d.Hits, v)
	}
	return nil
}

// facets names the values by which results can be narrowed.
func (f *Finder) facets(d *searchData, q search.Query, res *search.Result) {
	for _, name := range search.FacetNames {
		view := lawFacet{Name: name}
		for _, c := range res.Facets[name] {
			if !c.On && (len(view.Values) >= valuesShown || name == search.FacetAuthority && c.Value == search.Unknown) {
				continue
			}
			v := lawValue{Facet: name, Value: c.Value, Name: f.valueName(name, c.Value), N: c.N, On: c.On}
			view.Values = append(view.Values, v)
			if c.On {
				v.Href = "?" + without(q, name, c.Value).Encode()
				d.Chips = append(d.Chips, v)
			}
		}
		if len(view.Values) > 1 || len(view.Values) == 1 && view.Values[0].On {
			d.Facets = append(d.Facets, view)
		}
	}
	for _, p := range []keptParam{{"work", q.Work}} {
		if p.Value != "" {
			d.Kept = append(d.Kept, p)
		}
	}
}

// valueName is what pages call a value; that of a state, or of what is unknown,
// stands in the template.
func (f *Finder) valueName(facet, value string) gov.Text {
	if value == search.Unknown {
		return gov.Text{}
	}
	switch facet {
	case search.FacetKind:
		return orID(f.Gazette.KindName(value), value)
	case search.FacetSubject:
		return f.Gazette.SubjectName(value)
	case search.FacetDecade:
		return gov.Text{"": value + "–" + value[:len(value)-1] + "9"}
	case search.FacetLang:
		if l, ok := f.Site.Country.Language(gov.Lang(twoLetters(model.Lang(value)))); ok {
			return gov.Text{l.Code: l.Name}
		}
	case search.FacetState:
		return gov.Text{}
	}
	return gov.Text{"": value}
}

// searchValues writes a search as the parameters of its address.
func searchValues(q search.Query) url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("q", q.Text)
	set("as_at", q.AsAt)
	set("sort", q.Sort)
	set("work", q.Work)
	for name, list := range q.Filters {
		v[name] = slices.Clone(list)
	}
	return v
}

func without(q search.Query, facet, value string) url.Values {
	v := searchValues(q)
	v[facet] = slices.DeleteFunc(v[facet], func(s string) bool { return s == value })
	if len(v[facet]) == 0 {
		delete(v, facet)
	}
	return v
}
