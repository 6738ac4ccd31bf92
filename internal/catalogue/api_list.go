package catalogue

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"diwan/internal/catalogue/model"
	"diwan/internal/catalogue/search"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// apiList is a page of a list.
type apiList[T any] struct {
	Items []T `json:"items"`
	Total int `json:"total"`
	// Next is "" on the last page.
	Next string `json:"next_page_token"`
}

// listOf answers with a page of a list in the order of ids. all returns what is
// in the list, in any order, and show what an item says.
func listOf[T, V any](a *API, w http.ResponseWriter, r *http.Request, p *params, filters url.Values,
	all func(*Snapshot) []T, id func(T) string, show func(*Snapshot, T) V) error {
	size, from := p.pageSize(), p.token(filters)
	if err := p.err(); err != nil {
		return err
	}
	key := filters.Encode() + " " + strconv.Itoa(size) + " " + from.after + " " + p.values.Get("lang")
	return a.cached(w, r, key, func(s *Snapshot) (any, error) {
		items := all(s)
		byID := func(x, y T) int { return cmp.Compare(id(x), id(y)) }
		if !slices.IsSortedFunc(items, byID) { // a database may sort in its own way
			items = slices.SortedFunc(slices.Values(items), byID)
		}
		out := apiList[V]{Items: []V{}, Total: len(items)}
		at, _ := slices.BinarySearchFunc(items, from.after, func(x T, after string) int {
			if id(x) <= after {
				return -1
			}
			return 1
		})
		page := items[at:min(at+size, len(items))]
		for _, x := range page {
			out.Items = append(out.Items, show(s, x))
		}
		if at+size < len(items) {
			out.Next = pageToken{revision: s.Revision, after: id(page[len(page)-1]), filters: digestOf(filters)}.String()
		}
		return out, nil
	})
}

func (a *API) procedures(w http.ResponseWriter, r *http.Request) error {
	p := a.params(r)
	s := a.Catalogue.Snapshot()
	l := p.lang()
	theme := p.one("theme", "theme.unknown", func(v string) bool { return s.Theme(v) != nil })
	administration := p.one("administration", "administration.unknown", func(v string) bool { return s.Administration(v) != nil })
	q := cleanQuery(p.values.Get("q"))
	filters := url.Values{"list": {"procedures"}, "theme": {theme}, "administration": {administration}, "q": {q}}
	show := func(s *Snapshot, e *Entry) procedureItem { return a.procedureItem(s, e, l) }
	if q != "" {
		return a.found(w, r, p, l, filters, show)
	}
	return listOf(a, w, r, p, filters, func(s *Snapshot) []*Entry {
		return slices.DeleteFunc(slices.Clone(s.Procedures), func(e *Entry) bool {
			return theme != "" && !slices.Contains(e.Themes, theme) || administration != "" && e.Competent != administration
		})
	}, func(e *Entry) string { return e.ID }, show)
}

// found answers with the procedures that a search finds, the best first.
func (a *API) found(w http.ResponseWriter, r *http.Request, p *params, l gov.Lang, filters url.Values, show func(*Snapshot, *Entry) procedureItem) error {
	size, from := p.pageSize(), p.token(filters)
	if err := p.err(); err != nil {
		return err
	}
	query := search.Query{Text: filters.Get("q"), Lang: string(a.reader(r, l)), Filters: map[string][]string{"kind": {search.KindProcedure}}}
	for _, f := range []string{"theme", "administration"} {
		if v := filters.Get(f); v != "" {
			query.Filters[f] = []string{v}
		}
	}
	hits, total, err := a.hits(r.Context(), query, from.offset, size)
	if err != nil {
		return err
	}
	s := a.Catalogue.Snapshot()
	out := apiList[procedureItem]{Items: []procedureItem{}, Total: total}
	for _, h := range hits {
		if e := s.Procedure(h.ID); e != nil { // else: withdrawn a moment ago
			out.Items = append(out.Items, show(s, e))
		}
	}
	out.Next = nextOffset(s, from.offset, len(hits), total, filters)
	return a.answer(w, r, out)
}

// nextOffset is the token of the page behind one that begins at a position.
func nextOffset(s *Snapshot, offset, got, total int, filters url.Values) string {
	next := offset + got
	if got == 0 || next >= total || next > maxTokenOffset {
		return ""
	}
	return pageToken{revision: s.Revision, offset: next, filters: digestOf(filters)}.String()
}

// searchStep is how many results are asked for at once.
const searchStep = 100

// hits collects a page of results.
func (a *API) hits(ctx context.Context, q search.Query, offset, size int) (hits []search.Hit, total int, err error) {
	for len(hits) < size {
		q.Offset, q.Limit = offset+len(hits), min(searchStep, size-len(hits))
		res, err := a.Searcher.Search(ctx, q)
		if err != nil {
			return nil, 0, err
		}
		hits, total = append(hits, res.Hits...), res.Total
		if len(res.Hits) < q.Limit {
			break
		}
	}
	return hits, total, nil
}

// reader is the language in which a search is read.
func (a *API) reader(r *http.Request, l gov.Lang) gov.Lang {
	if l != "" {
		return l
	}
	return a.Site.NegotiateLang(r)
}

// searchItem is a thing found.
type searchItem struct {
	Kind  string   `json:"kind"`
	ID    string   `json:"id"`
	Title string   `json:"title"`
	Lang  gov.Lang `json:"lang"` // of the title
	URL   string   `json:"url"`
	Score float64  `json:"score"`
}

func (a *API) search(w http.ResponseWriter, r *http.Request) error {
	p := a.params(r)
	l := p.lang()
	kind := p.choice("kind", search.KindProcedure, search.KindAdministration, search.KindLifeEvent)
	q := cleanQuery(p.values.Get("q"))
	filters := url.Values{"list": {"search"}, "q": {q}, "kind": {kind}}
	size, from := p.pageSize(), p.token(filters)
	if err := p.err(); err != nil {
		return err
	}
	out := apiList[searchItem]{Items: []searchItem{}}
	if q == "" {
		return a.answer(w, r, out)
	}
	l = a.reader(r, l)
	query := search.Query{Text: q, Lang: string(l), Filters: map[string][]string{}}
	if kind != "" {
		query.Filters["kind"] = []string{kind}
	}
	hits, total, err := a.hits(r.Context(), query, from.offset, size)
	if err != nil {
		return err
	}
	s := a.Catalogue.Snapshot()
	for _, h := range hits {
		if name, path, ok := s.found(h); ok {
			x := searchItem{Kind: h.Kind, ID: h.ID, URL: a.address(l, path), Score: h.Score}
			x.Title, x.Lang = name.In(l, a.Site.Country.Order())
			out.Items = append(out.Items, x)
		}
	}
	out.Total, out.Next = total, nextOffset(s, from.offset, len(hits), total, filters)
	return a.answer(w, r, out)
}

// found returns the name and the page of a thing found.
func (s *Snapshot) found(h search.Hit) (name gov.Text, path string, ok bool) {
	switch h.Kind {
	case search.KindProcedure:
		if e := s.Procedure(h.ID); e != nil {
			return e.Name, "/procedures/" + e.ID, true
		}
	case search.KindAdministration:
		if x := s.Administration(h.ID); x != nil {
			return x.Name, "/administrations/" + x.ID, true
		}
	case search.KindLifeEvent:
		if x := s.LifeEvent(h.ID); x != nil {
			return x.Name, "/life-events/" + x.ID, true
		}
	}
	return nil, "", false
}

func (a *API) administrations(w http.ResponseWriter, r *http.Request) error {
	p := a.params(r)
	l := p.lang()
	kind := p.one("kind", "kind.unknown", func(v string) bool { _, ok := a.Site.Country.Kinds[v]; return ok })
	region := p.one("region", "region.unknown", func(v string) bool { _, ok := a.Site.Country.Region(v); return ok })
	return listOf(a, w, r, p, url.Values{"list": {"administrations"}, "kind": {kind}, "region": {region}}, func(s *Snapshot) []*model.Administration {
		return slices.DeleteFunc(slices.Clone(s.Administrations), func(x *model.Administration) bool {
			return kind != "" && x.Kind != kind || region != "" && x.Region != region
		})
	}, func(x *model.Administration) string { return x.ID }, func(s *Snapshot, x *model.Administration) administrationItem {
		return administrationItem{x.ID, x.Name, x.Kind, x.Parent, x.Region, len(s.Of(x.ID)), a.address(l, "/administrations/"+x.ID)}
	})
}

func (a *API) services(w http.ResponseWriter, r *http.Request) error {
	p := a.params(r)
	s := a.Catalogue.Snapshot()
	procedure := p.one("procedure", "procedure.unknown", func(v string) bool { return s.Procedure(v) != nil })
	return listOf(a, w, r, p, url.Values{"list": {"services"}, "procedure": {procedure}}, func(s *Snapshot) []*model.OnlineService {
		if procedure != "" {
			return s.ServicesFor(procedure)
		}
		return s.Services
	}, func(x *model.OnlineService) string { return x.ID }, func(_ *Snapshot, x *model.OnlineService) *model.OnlineService { return x })
}

func (a *API) themes(w http.ResponseWriter, r *http.Request) error {
	p := a.params(r)
	l := p.lang()
	return listOf(a, w, r, p, url.Values{"list": {"themes"}}, func(s *Snapshot) []*model.Theme { return s.Themes },
		func(x *model.Theme) string { return x.ID }, func(s *Snapshot, x *model.Theme) themeItem { return a.themeItem(s, x, l) })
}

func (a *API) lifeEvents(w http.ResponseWriter, r *http.Request) error {
	p := a.params(r)
	l := p.lang()
	kind := p.choice("kind", "life", "business")
	return listOf(a, w, r, p, url.Values{"list": {"life-events"}, "kind": {kind}}, func(s *Snapshot) []*model.LifeEvent {
		return slices.DeleteFunc(slices.Clone(s.LifeEvents), func(x *model.LifeEvent) bool { return kind != "" && x.Kind != kind })
	}, func(x *model.LifeEvent) string { return x.ID }, func(_ *Snapshot, x *model.LifeEvent) lifeEventItem {
		ids := eventProcedures(x)
		if ids == nil {
			ids = []string{}
		}
		return lifeEventItem{x.ID, x.Kind, x.Name, x.Short, ids, a.address(l, "/life-events/"+x.ID)}
	})
}

// missing is the error for a thing that is not there.
func missing(code, id string) error { return problem.New(problem.NotFound, code, "id", clip(id)) }
