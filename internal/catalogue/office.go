package catalogue

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"diwan/internal/audit"
	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// Office is the space of those who prepare, review and keep the catalogue. Every
// page stands behind a sign-in; what somebody may do is decided by the use
// cases, the pages only leave out what would be refused.
type Office struct {
	Catalogue *Catalogue
	Site      *web.Site
	// Actor returns who is signed in.
	Actor func(*http.Request) gov.Actor
	// NameOf returns the name of somebody who acted, by id.
	NameOf func(r *http.Request, id string) gov.Text
	// Desks are those of other slices that somebody may work at, for the bar.
	Desks func(gov.Actor) []web.NavItem
}

// Register adds the pages to the mux of the office.
func (o *Office) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /office/{$}", o.desk)
	mux.HandleFunc("GET /office/history", o.allHistory)
	mux.HandleFunc("GET /office/procedures/new", o.create)
	mux.HandleFunc("POST /office/procedures/new", o.saveNew)
	mux.HandleFunc("GET /office/procedures/{id}", o.overview)
	mux.HandleFunc("POST /office/procedures/{id}", o.act)
	mux.HandleFunc("GET /office/procedures/{id}/edit", o.edit)
	mux.HandleFunc("POST /office/procedures/{id}/edit", o.saveEdit)
	mux.HandleFunc("GET /office/procedures/{id}/compare", o.compare)
	mux.HandleFunc("GET /office/procedures/{id}/versions/{n}", o.version)
}

// base is what every page of the office knows.
type base struct {
	Who   gov.Actor
	Desks []web.NavItem // of other slices
}

func (o *Office) base(r *http.Request) base {
	b := base{Who: o.Actor(r)}
	if o.Desks != nil {
		b.Desks = o.Desks(b.Who)
	}
	return b
}

func (o *Office) show(w http.ResponseWriter, r *http.Request, template, title, path string, data any) {
	o.Site.Show(w, r, http.StatusOK, web.Page{Template: "catalogue/" + template, Title: title, Path: path, Hidden: true, Data: data})
}

// deskSize is how many procedures the desk lists at once.
const deskSize = 50

type deskData struct {
	base
	Rows    []deskRow
	States  []stateCount
	State   model.State
	Mine    bool // only the actor's own administration
	Next    string
	MayMake bool
}

type deskRow struct {
	Row
	Owner   gov.Text
	Missing int
	Shown   bool
}

type stateCount struct {
	State model.State
	Count int
	On    bool
}

// desk lists procedures by the state of their latest version.
func (o *Office) desk(w http.ResponseWriter, r *http.Request) {
	actor := o.Actor(r)
	q := r.URL.Query()
	d := deskData{base: o.base(r), State: model.State(q.Get("state")), MayMake: actor.Has(gov.RoleEditor) || actor.Has(gov.RoleSteward)}
	if d.State == "" && !q.Has("state") {
		d.State = firstState(actor)
	}
	if !slices.Contains(model.States, d.State) {
		d.State = "" // all of them
	}
	after := q.Get("after")
	if !procedureID.MatchString(after) {
		after = "" // from the first on
	}
	rows, err := o.Catalogue.Rows(r.Context(), actor.Administration, d.State, after, deskSize+1)
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	if len(rows) > deskSize {
		rows = rows[:deskSize]
		d.Next = "?state=" + string(d.State) + "&after=" + rows[deskSize-1].ID
	}
	s := o.Catalogue.Snapshot()
	for _, row := range rows {
		d.Rows = append(d.Rows, deskRow{row, s.AdministrationName(row.Administration), len(row.Procedure.Missing()), row.Shown > 0})
	}
	counts, err := o.Catalogue.Counts(r.Context(), actor.Administration)
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	for _, st := range model.States {
		d.States = append(d.States, stateCount{st, counts[st], st == d.State})
	}
	path := "/office/"
	if q.Has("state") {
		path += "?" + url.Values{"state": {string(d.State)}}.Encode()
	}
	o.show(w, r, "office-desk", o.Site.Printer(r).T("office.title"), path, d)
}

// firstState is what somebody most likely comes for.
func firstState(a gov.Actor) model.State {
	if a.Has(gov.RoleCommission) && !a.Has(gov.RoleSteward) {
		return model.Review
	}
	return model.Draft
}

type overviewData struct {
	base
	*Version
	Owner    gov.Text
	Shown    int64
	Blocking []blockView
	Versions []*Version
	History  []historyRow
	Opinion  Opinion
	MayEdit  bool
	Submit   bool
	Publish  bool
	Return   bool
	Withdraw bool
	Own      bool // the commission's member wrote this version
}

type blockView struct{ Path, Text string }

func (o *Office) overview(w http.ResponseWriter, r *http.Request) {
	d, err := o.overviewData(r, r.PathValue("id"))
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	name, _ := d.Procedure.Name.In(web.LangOf(r), o.Site.Country.Order())
	o.show(w, r, "office-procedure", name, "/office/procedures/"+d.Procedure.ID, d)
}

func (o *Office) overviewData(r *http.Request, id string) (*overviewData, error) {
	ctx, actor, c := r.Context(), o.Actor(r), o.Catalogue
	versions, err := c.Versions(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(versions) == 0 {
		return nil, problem.New(problem.NotFound, "procedure.not_found", "id", short(id))
	}
	v := versions[0]
	if !o.maySee(actor, v.Procedure) {
		return nil, problem.New(problem.Forbidden, "forbidden")
	}
	d := &overviewData{base: o.base(r), Version: v, Versions: versions, Owner: c.Snapshot().AdministrationName(v.Procedure.Competent)}
	if e := c.Snapshot().Procedure(id); e != nil {
		d.Shown = e.Version
	}
	if d.History, err = o.history(r, id); err != nil {
		return nil, err
	}
	if d.Opinion, err = c.Opinions(ctx, id); err != nil {
		return nil, err
	}
	l := web.LangOf(r)
	blocking := v.Procedure.Blocking(c.Rules())
	sentences := o.Site.Explain(l, &problem.Error{Fields: blocking})
	for _, f := range blocking {
		d.Blocking = append(d.Blocking, blockView{f.Path, sentences[f.Path]})
	}
	edits := c.MayEdit(actor, v.Procedure.Competent)
	commission := actor.Has(gov.RoleCommission)
	d.MayEdit = edits && v.State != model.Review
	d.Submit = edits && v.State == model.Draft && len(blocking) == 0
	if d.Own, err = c.wrote(ctx, actor, v); err != nil {
		return nil, err
	}
	d.Publish = commission && v.State == model.Review && !d.Own
	d.Return = commission && v.State == model.Review
	d.Withdraw = v.State.May(model.Withdrawn) && (commission || actor.Has(gov.RoleSteward) || (v.State == model.Draft && edits))
	return d, nil
}

// maySee lets the commission and stewards see everything, editors what they may
// edit: drafts of other administrations are not theirs to read.
func (o *Office) maySee(a gov.Actor, p *model.Procedure) bool {
	return a.Has(gov.RoleCommission) || o.Catalogue.MayEdit(a, p.Competent)
}

// act carries out one of the buttons of the overview.
func (o *Office) act(w http.ResponseWriter, r *http.Request) {
	id, actor, ctx := r.PathValue("id"), o.Actor(r), r.Context()
	version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	if err != nil {
		o.Site.Fail(w, r, problem.New(problem.Invalid, "version.not_found", "id", short(id), "version", short(r.PostFormValue("version"))))
		return
	}
	why := cleanLine(r.PostFormValue("why"))
	switch r.PostFormValue("do") {
	case "submit":
		err = o.Catalogue.Submit(ctx, actor, id, version)
	case "publish":
		err = o.Catalogue.PublishSeen(ctx, actor, id, version, r.PostFormValue("mark"))
	case "return":
		err = o.Catalogue.Return(ctx, actor, id, version, why)
	case "withdraw":
		err = o.Catalogue.Withdraw(ctx, actor, id, version, why)
	default:
		err = problem.New(problem.Invalid, "page.not_found")
	}
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+"/office/procedures/"+id, http.StatusSeeOther)
}

// historyRow is an entry of the audit trail as people read it.
type historyRow struct {
	audit.Entry
	Day  gov.Date
	Time string
	Who  gov.Text
}

func (o *Office) history(r *http.Request, id string) ([]historyRow, error) {
	entries, err := o.Catalogue.History(r.Context(), id, 100)
	if err != nil {
		return nil, err
	}
	return o.readable(r, entries), nil
}

func (o *Office) readable(r *http.Request, entries []audit.Entry) []historyRow {
	var out []historyRow
	names := map[string]gov.Text{}
	for _, e := range entries {
		at := microTime(e.At).In(o.Site.Country.Zone())
		if _, ok := names[e.Actor]; !ok {
			names[e.Actor] = o.NameOf(r, e.Actor)
		}
		out = append(out, historyRow{e, gov.DateOf(at, o.Site.Country.Zone()), at.Format("15:04"), names[e.Actor]})
	}
	return out
}

type allHistoryData struct {
	base
	Rows []historyRow
	Next string
}

// allHistory shows who did what in the whole catalogue, to those who keep it.
func (o *Office) allHistory(w http.ResponseWriter, r *http.Request) {
	actor := o.Actor(r)
	if !actor.Has(gov.RoleSteward) && !actor.Has(gov.RoleCommission) {
		o.Site.Fail(w, r, problem.New(problem.Forbidden, "forbidden"))
		return
	}
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	entries, err := o.Catalogue.Recent(r.Context(), before, deskSize)
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	d := allHistoryData{base: o.base(r), Rows: o.readable(r, entries)}
	if len(entries) == deskSize {
		d.Next = "?before=" + strconv.FormatInt(entries[deskSize-1].Seq, 10)
	}
	o.show(w, r, "office-history", o.Site.Printer(r).T("office.history"), "/office/history", d)
}
