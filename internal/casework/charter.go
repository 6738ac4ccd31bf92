package casework

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// A service charter is what an administration binds itself to for one service, beside
// what became of it: both from the same records, so that nobody can promise on a page
// what the clock does not count by.

// promise is one service of a charter.
type promise struct {
	Procedure string
	Name      gov.Text
	Days      int // the law's period; 0: at once
	Silence   bool
	Documents int // asked of the person
	Fetched   int // that the administration gets itself
	Fee       gov.Centimes
	Cost      *gov.Centimes // the same, as pages write it
	Demo      bool
	Kept      *indicatorView // of this year; nil when nothing was decided yet
}

// charter is what one administration promises.
type charter struct {
	ID       string
	Name     gov.Text
	Promises []promise
}

// charters lists what administrations promise for the services that are online here,
// in the order of their names.
func (p *Public) charters(ctx context.Context, lang gov.Lang, only string) ([]*charter, error) {
	online := p.online.Load()
	if online == nil {
		return nil, nil
	}
	counted, err := p.IndicatorsOf(ctx, p.today().Year)
	if err != nil {
		return nil, err
	}
	all := map[string]*charter{}
	for _, procedure := range slices.Sorted(maps.Keys(*online)) {
		t, err := p.Procedures.Terms(ctx, procedure)
		if problem.Is(err, problem.NotFound) {
			continue // its form is published and the procedure is not, yet
		}
		if err != nil {
			return nil, err
		}
		offices, err := p.Procedures.Offices(ctx, procedure)
		if err != nil {
			return nil, err
		}
		for _, o := range offices {
			if only != "" && o.ID != only {
				continue
			}
			if all[o.ID] == nil {
				all[o.ID] = &charter{ID: o.ID, Name: o.Name}
			}
			all[o.ID].Promises = append(all[o.ID].Promises, p.promise(&t, o.ID, counted))
		}
	}
	name := func(c *charter) string { s, _ := c.Name.In(lang, p.Country.Order()); return s }
	return slices.SortedFunc(maps.Values(all), func(a, b *charter) int { return strings.Compare(name(a)+a.ID, name(b)+b.ID) }), nil
}

func (p *Public) promise(t *Terms, office string, counted *Indicators) promise {
	x := promise{Procedure: t.Procedure, Name: t.Name, Days: t.DeadlineDays, Silence: slices.Contains(t.Lists, "silence"), Fee: t.Fee, Cost: &t.Fee, Demo: t.Demo}
	for _, d := range t.Documents {
		if d.ByAdministration {
			x.Fetched++
		} else {
			x.Documents++
		}
	}
	for i := range counted.Rows {
		if r := counted.Rows[i]; r.Administration == office && r.Procedure == t.Procedure {
			x.Kept = &indicatorView{IndicatorRow: r}
		}
	}
	return x
}

type chartersData struct {
	Rows []*charter
	One  *charter
	Year int
}

// chartersPage lists the administrations that have a charter.
func (p *Public) chartersPage(w http.ResponseWriter, r *http.Request) {
	all, err := p.charters(r.Context(), web.LangOf(r), "")
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	p.Site.Show(w, r, http.StatusOK, web.Page{Template: "casework/charters", Title: p.Site.Printer(r).T("cases.charters"), Path: "/casework/charters", Data: chartersData{Rows: all}})
}

// charterPage is the charter of one administration.
func (p *Public) charterPage(w http.ResponseWriter, r *http.Request) {
	all, err := p.charters(r.Context(), web.LangOf(r), r.PathValue("administration"))
	if err == nil && len(all) == 0 {
		err = problem.New(problem.NotFound, "not_found")
	}
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	name, _ := all[0].Name.In(web.LangOf(r), p.Country.Order())
	p.Site.Show(w, r, http.StatusOK, web.Page{Template: "casework/charter", Title: p.Site.Printer(r).T("cases.charter") + " · " + name, Path: "/casework/charters/" + all[0].ID,
		Data: chartersData{One: all[0], Year: p.today().Year}})
}
