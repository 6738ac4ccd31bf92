package catalogue

import (
	"encoding/json"
	"net/http"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

type editData struct {
	base
	ID       string
	New      bool
	Based    string // the Mark of the version that was opened
	Form     form
	Errors   []blockView
	Blocking []blockView
	Name     gov.Text
	// Administrations are what the fields for one offer to choose from.
	Administrations []*model.Administration
}

func (o *Office) builder(errors map[string]string) formBuilder {
	return formBuilder{o.Site.Country.Languages, errors, o.Catalogue.Snapshot()}
}

func (o *Office) create(w http.ResponseWriter, r *http.Request) {
	if a := o.Actor(r); !a.Has(gov.RoleEditor) && !a.Has(gov.RoleSteward) {
		o.Site.Fail(w, r, problem.New(problem.Forbidden, "forbidden"))
		return
	}
	o.showForm(w, r, http.StatusOK, editData{New: true}, blank(o.Actor(r)), nil)
}

func (o *Office) edit(w http.ResponseWriter, r *http.Request) {
	v, err := o.editable(r)
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	o.showForm(w, r, http.StatusOK, editData{ID: v.Procedure.ID, Based: v.Mark(), Name: v.Procedure.Name}, v.Procedure, nil)
}

// editable returns the latest version when the actor may change it.
func (o *Office) editable(r *http.Request) (*Version, error) {
	v, err := o.Catalogue.Latest(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if !o.Catalogue.MayEdit(o.Actor(r), v.Procedure.Competent) {
		return nil, problem.New(problem.Forbidden, "forbidden")
	}
	return v, nil
}

// showForm shows the form with what is wrong in it, on top and beside each
// field, and beside it everything that would block publication.
func (o *Office) showForm(w http.ResponseWriter, r *http.Request, status int, d editData, p *model.Procedure, bad []problem.Field) {
	l := web.LangOf(r)
	errors := o.Site.Explain(l, &problem.Error{Fields: bad})
	for _, f := range bad {
		d.Errors = append(d.Errors, blockView{f.Path, errors[f.Path]})
	}
	blocking := p.Blocking(o.Catalogue.Rules())
	sentences := o.Site.Explain(l, &problem.Error{Fields: blocking})
	for _, f := range blocking {
		d.Blocking = append(d.Blocking, blockView{f.Path, sentences[f.Path]})
	}
	d.base, d.Form = o.base(r), o.builder(errors).build(p)
	d.Administrations = o.Catalogue.Snapshot().Administrations
	t := o.Site.Printer(r)
	title, path := t.T("office.new"), "/office/procedures/new"
	if !d.New {
		name, _ := d.Name.In(l, o.Site.Country.Order())
		title, path = t.T("office.edit")+" · "+name, "/office/procedures/"+d.ID+"/edit"
	}
	if len(d.Errors) > 0 {
		title = t.T("form.error.prefix") + " " + title
	}
	o.Site.Show(w, r, status, web.Page{Template: "catalogue/office-edit", Title: title, Path: path, Hidden: true, Data: d})
}

func (o *Office) saveNew(w http.ResponseWriter, r *http.Request) {
	if a := o.Actor(r); !a.Has(gov.RoleEditor) && !a.Has(gov.RoleSteward) {
		o.Site.Fail(w, r, problem.New(problem.Forbidden, "forbidden"))
		return
	}
	p := blank(o.Actor(r))
	p.ID = cleanLine(r.PostFormValue("id"))
	o.save(w, r, editData{New: true, ID: p.ID}, p)
}

func (o *Office) saveEdit(w http.ResponseWriter, r *http.Request) {
	v, err := o.editable(r)
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	o.save(w, r, editData{ID: v.Procedure.ID, Based: r.PostFormValue("based"), Name: v.Procedure.Name}, copyOf(v.Procedure))
}

// copyOf returns a procedure that shares nothing with p.
func copyOf(p *model.Procedure) *model.Procedure {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // it came out of JSON
	}
	c := new(model.Procedure)
	if err := json.Unmarshal(b, c); err != nil {
		panic(err)
	}
	return c
}

// save reads the form; the buttons that add and remove rows show it again with
// nothing lost and nothing saved.
func (o *Office) save(w http.ResponseWriter, r *http.Request, d editData, p *model.Procedure) {
	if err := r.ParseForm(); err != nil {
		o.Site.Fail(w, r, problem.Wrap(err, problem.TooLarge, "too_large", "limit", "1 MB"))
		return
	}
	rd := reader{r.PostForm, o.Site.Country.Languages, map[string]string{}}
	rd.read(p)
	var bad []problem.Field
	for name, code := range rd.bad {
		bad = append(bad, problem.At(name, code))
	}
	if r.PostForm.Has("add") || r.PostForm.Has("remove") || len(bad) > 0 {
		status := http.StatusOK
		if len(bad) > 0 {
			status = http.StatusUnprocessableEntity
		}
		o.showForm(w, r, status, d, p, bad)
		return
	}
	v, err := o.Catalogue.SaveOver(r.Context(), o.Actor(r), p, d.Based)
	if err != nil {
		e := problem.From(err)
		if e.Kind == problem.Invalid && e.Code == "procedure.id" {
			o.showForm(w, r, http.StatusUnprocessableEntity, d, p, []problem.Field{problem.At("id", "procedure.id", "id", p.ID)})
			return
		}
		if e.Kind == problem.Conflict {
			// What was typed is shown again, so that it can be copied over.
			o.showForm(w, r, http.StatusConflict, d, p, []problem.Field{problem.At("based", e.Code, "id", p.ID)})
			return
		}
		o.Site.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+"/office/procedures/"+v.Procedure.ID, http.StatusSeeOther)
}
