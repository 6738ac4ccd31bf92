package app

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"diwan/country"
	"diwan/internal/casework"
	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/identity"
	"diwan/internal/identity/policy"
	"diwan/internal/problem"
)

// places lists the administrations of the catalogue and their places, by id.
func (c catalogued) places() []casework.Office {
	var out []casework.Office
	for _, adm := range c.a.Catalogue.Snapshot().Administrations {
		out = append(out, casework.Office{ID: adm.ID, Name: adm.Name})
		for _, o := range adm.Offices {
			out = append(out, casework.Office{ID: o.ID, Name: o.Name})
		}
	}
	slices.SortFunc(out, func(a, b casework.Office) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// isOffice tells whether there is an administration, or a place of one, with an id.
func (c catalogued) isOffice(id string) bool {
	return slices.ContainsFunc(c.places(), func(o casework.Office) bool { return o.ID == id })
}

// above is the administration above another, or above one of its places: the place
// in the same region, where there is one.
func (c catalogued) above(id string) string {
	s := c.a.Catalogue.Snapshot()
	adm, region := s.Administration(id), ""
	if adm != nil {
		region = adm.Region
	}
	for _, x := range s.Administrations {
		for _, o := range x.Offices {
			if o.ID == id {
				adm, region = x, o.Region
			}
		}
	}
	if adm == nil {
		return ""
	}
	up := c.plan.Above[adm.ID]
	if up == "" {
		up = c.plan.Above[adm.Kind]
	}
	over := s.Administration(up)
	if over == nil || over.ID == adm.ID {
		return ""
	}
	for _, o := range over.Offices {
		if region != "" && o.Region == region {
			return o.ID
		}
	}
	return over.ID
}

// registerBuilder mounts the pages on which forms are made.
func (a *App) registerBuilder(mux *http.ServeMux) {
	if a.Casework == nil {
		return
	}
	b := &casework.Builder{Casework: a.Casework, Site: a.Site, Actor: identity.Actor, MayForm: a.mayForm, Mine: a.proceduresOf, Facts: a.formFacts, Sources: a.formSources}
	b.Register(mux)
}

// mayForm asks the policy about the form of a procedure.
func (a *App) mayForm(_ context.Context, actor gov.Actor, action, procedure, hand string) error {
	e := a.Catalogue.Snapshot().Procedure(procedure)
	if e == nil {
		return problem.New(problem.NotFound, "procedure.not_found")
	}
	ok, why := policy.May(policy.Actor{Actor: actor}, policy.Action(action), policy.Resource{Kind: policy.Form, ID: procedure, Administration: e.Competent, Preparer: hand, Procedure: procedure})
	if !ok {
		return problem.New(problem.Forbidden, "forbidden", "rule", why)
	}
	return nil
}

// buildsForms tells who has something to do with forms.
func buildsForms(actor gov.Actor) bool {
	return slices.ContainsFunc([]gov.Role{gov.RoleEditor, gov.RoleCommission, gov.RoleSteward}, actor.Has)
}

// proceduresOf lists the procedures of an actor's administration, all of them for
// who works for all, by name.
func (a *App) proceduresOf(actor gov.Actor) []casework.Office {
	if !buildsForms(actor) {
		return nil
	}
	var out []casework.Office
	for _, e := range a.Catalogue.Snapshot().Procedures {
		if actor.Administration == "" || actor.Administration == e.Competent {
			out = append(out, casework.Office{ID: e.ID, Name: e.Name})
		}
	}
	return out
}

// formFacts are what a first form of a procedure is made from.
func (a *App) formFacts(procedure string) (form.Facts, error) {
	e := a.Catalogue.Snapshot().Procedure(procedure)
	if e == nil {
		return form.Facts{}, problem.New(problem.NotFound, "procedure.not_found")
	}
	return form.Facts{Name: e.Name, Languages: a.Country.Order(), Say: func(l gov.Lang, key string) string { return a.Site.Words.Printer(string(l)).T(key) }}, nil
}

// formSources are the data services of an administration from which a form may fetch
// a document, by name.
func (a *App) formSources(from string) ([]casework.Source, error) {
	var plan caseworkPlan
	if err := country.Decode(a.pack.Files, caseworkFile, &plan); err != nil {
		return nil, err
	}
	var out []casework.Source
	for id, s := range plan.Sources {
		if s.From == "" || s.From != from {
			continue
		}
		x := casework.Source{Service: id, Asks: s.asks(), Type: s.Type}
		for _, f := range s.Fields {
			x.Fields = append(x.Fields, casework.SourceField{Name: f.Name, Label: f.Label})
		}
		out = append(out, x)
	}
	slices.SortFunc(out, func(x, y casework.Source) int { return cmp.Compare(x.Service, y.Service) })
	return out, nil
}

// registry finds who stands at a counter.
type registry struct{ a *App }

// FindPresent implements casework.Registry.
func (x registry) FindPresent(ctx context.Context, by gov.Actor, number string) ([]casework.Present, error) {
	ids, err := x.a.Accounts.FindByNumber(ctx, by, number, "counter")
	if err != nil {
		return nil, err
	}
	var out []casework.Present
	for _, id := range ids {
		acc, err := x.a.Accounts.ByID(ctx, id)
		if err != nil {
			return nil, err
		}
		if !acc.Disabled {
			reach, err := x.a.Accounts.ReachOf(ctx, id)
			if err != nil {
				return nil, err
			}
			out = append(out, casework.Present{ID: id, Name: acc.Name, Account: true, Lang: reach.Language})
		}
	}
	return out, nil
}

// registerCounter mounts the counter beside a desk.
func (a *App) registerCounter(mux *http.ServeMux, d *casework.Desk, sessions *identity.Sessions) {
	x := &casework.CounterDesk{Desk: d, Registry: registry{a}, Pages: &casework.Mine{Casework: a.Casework, Site: a.Site, Actor: identity.Actor},
		Procedures: func(administration string) []casework.Office { return a.filedAt(administration) }}
	a.bindPresenting(x.Pages, sessions)
	x.Register(mux)
}

// filedAt lists the procedures that can be applied for at a place, by name.
func (a *App) filedAt(place string) []casework.Office {
	var out []casework.Office
	for _, e := range a.Catalogue.Snapshot().Procedures {
		if !a.Casework.HasForm(e.ID) {
			continue
		}
		offices, err := (catalogued{a: a}).Offices(context.Background(), e.ID)
		if err == nil && slices.ContainsFunc(offices, func(o casework.Office) bool { return o.ID == place }) {
			out = append(out, casework.Office{ID: e.ID, Name: e.Name})
		}
	}
	return out
}
