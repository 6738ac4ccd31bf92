package catalogue

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// byUse puts the most used procedures first, then those that are fully
// described, then the rest in the order of their ids.
func byUse(es []*Entry) []*Entry {
	out := slices.Clone(es)
	rank := func(e *Entry) int {
		switch {
		case e.Popular > 0:
			return e.Popular
		case !e.OnlyListed():
			return 1 << 20
		}
		return 1 << 21
	}
	slices.SortStableFunc(out, func(a, b *Entry) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

type adminRow struct {
	*model.Administration
	Count    int
	Children []*adminRow
}

type adminGroup struct {
	Kind gov.Text
	Rows []*adminRow
}

func (p *Portal) administrations(w http.ResponseWriter, r *http.Request) {
	p.cached(w, r, func(s *Snapshot, _ gov.Date) (web.Page, error) {
		return web.Page{Template: "catalogue/administrations", Title: p.Site.Printer(r).T("administrations.title"),
			Path: "/administrations", Nav: "administrations", Data: groupByKind(s, p.Site.Country)}, nil
	})
}

// groupByKind lists the administrations at the top by their kind, each with the
// bodies under it.
func groupByKind(s *Snapshot, c *gov.Country) []adminGroup {
	groups := map[string][]*adminRow{}
	for _, a := range s.Children("") {
		groups[a.Kind] = append(groups[a.Kind], adminTree(s, a, 3))
	}
	var out []adminGroup
	for _, kind := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, adminGroup{c.Kinds[kind], groups[kind]})
	}
	// Kinds with most bodies first: that is what people look for.
	slices.SortStableFunc(out, func(a, b adminGroup) int { return cmp.Compare(total(b.Rows), total(a.Rows)) })
	return out
}

func total(rows []*adminRow) (n int) {
	for _, r := range rows {
		n += r.Count + total(r.Children)
	}
	return n
}

// adminTree stops at depth: a circle of parents must not hang the page.
func adminTree(s *Snapshot, a *model.Administration, depth int) *adminRow {
	row := &adminRow{Administration: a, Count: len(s.Of(a.ID))}
	if depth > 0 {
		for _, ch := range s.Children(a.ID) {
			row.Children = append(row.Children, adminTree(s, ch, depth-1))
		}
	}
	return row
}

type administrationData struct {
	*model.Administration
	KindName gov.Text
	Parent   *model.Administration
	Children []*adminRow
	Items    []*Entry
	Pager    pager
	Region   gov.Region
	Offices  []officeView
	Machine  bool
}

type officeView struct {
	model.Office
	RegionName gov.Text
}

func (p *Portal) administration(w http.ResponseWriter, r *http.Request) {
	s := p.Catalogue.Snapshot()
	a := s.Administration(r.PathValue("id"))
	if a == nil {
		p.Site.Fail(w, r, problem.New(problem.NotFound, "administration.not_found", "id", short(r.PathValue("id"))))
		return
	}
	l := web.LangOf(r)
	d := administrationData{Administration: a, KindName: p.Site.Country.Kinds[a.Kind], Parent: s.Administration(a.Parent),
		Children: adminTree(s, a, 1).Children, Machine: slices.Contains(a.Translated, l)}
	d.Items, d.Pager = paginate(byUse(s.Of(a.ID)), pageNumber(r), "?")
	d.Region, _ = p.Site.Country.Region(a.Region)
	for _, o := range a.Offices {
		reg, _ := p.Site.Country.Region(o.Region)
		d.Offices = append(d.Offices, officeView{o, reg.Name})
	}
	name, _ := a.Name.In(l, p.Site.Country.Order())
	p.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "catalogue/administration", Title: name, Path: "/administrations/" + a.ID + d.Pager.here(),
		Nav: "administrations", Data: d, JSONLD: map[string]any{
			"@context": "https://schema.org", "@type": "GovernmentOrganization", "name": name,
			"url": p.Site.BaseURL + "/" + string(l) + "/administrations/" + a.ID,
		}})
}

type regionRow struct {
	gov.Region
	Offices int
	Step    int // 1 to 4, for the colour
}

type regionsData struct {
	Map     gov.RegionMap
	Regions []regionRow
	Drawn   bool
}

// regionOffices lists the offices in a region with their administrations.
type regionOffice struct {
	officeView
	Owner *model.Administration
}

func officesIn(s *Snapshot, region string) []regionOffice {
	var out []regionOffice
	for _, a := range s.Administrations {
		for _, o := range a.Offices {
			if o.Region == region {
				out = append(out, regionOffice{officeView{Office: o}, a})
			}
		}
	}
	return out
}

func (p *Portal) regions(w http.ResponseWriter, r *http.Request) {
	p.cached(w, r, func(s *Snapshot, _ gov.Date) (web.Page, error) {
		c := p.Site.Country
		d := regionsData{Map: c.Map, Drawn: len(c.Regions) > 0 && c.Regions[0].Path != ""}
		most := 1
		for _, reg := range c.Regions {
			n := len(officesIn(s, reg.ID))
			most = max(most, n)
			d.Regions = append(d.Regions, regionRow{Region: reg, Offices: n})
		}
		for i := range d.Regions {
			d.Regions[i].Step = 1 + d.Regions[i].Offices*3/most
		}
		return web.Page{Template: "catalogue/map", Title: p.Site.Printer(r).T("map.title"), Path: "/map", Nav: "map", Data: d}, nil
	})
}

type regionData struct {
	gov.Region
	Offices []regionOffice
}

func (p *Portal) region(w http.ResponseWriter, r *http.Request) {
	reg, ok := p.Site.Country.Region(r.PathValue("id"))
	if !ok {
		p.Site.Fail(w, r, problem.New(problem.NotFound, "page.not_found"))
		return
	}
	p.cached(w, r, func(s *Snapshot, _ gov.Date) (web.Page, error) {
		name, _ := reg.Name.In(web.LangOf(r), p.Site.Country.Order())
		return web.Page{Template: "catalogue/region", Title: name, Path: "/regions/" + reg.ID, Nav: "map",
			Data: regionData{reg, officesIn(s, reg.ID)}}, nil
	})
}
