package casework

import (
	"net/http"
	"slices"
	"strings"

	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// CounterDesk is where an officer files for somebody who is present, with the same
// pages that people fill in by themselves.
type CounterDesk struct {
	*Desk
	// Pages are those of a form, standing under CounterRoot.
	Pages *Mine
	// Registry finds accounts by number; nil finds none.
	Registry Registry
	// Procedures lists what can be filed at an office.
	Procedures func(administration string) []Office
}

// CounterRoot is where the pages of the counter stand.
const CounterRoot = "/office/counter"

// Register adds the pages to the mux of the office.
func (x *CounterDesk) Register(mux *http.ServeMux) {
	m := x.Pages
	m.Root, m.Channel = CounterRoot, Counter
	m.Acting = x.acting
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET " + CounterRoot:                                               x.counter,
		"POST " + CounterRoot:                                              x.find,
		"POST " + CounterRoot + "/begin":                                   x.begin,
		"GET " + CounterRoot + "/{$}":                                      x.back,
		"GET " + CounterRoot + "/apply/{procedure}":                        x.back,
		"GET " + CounterRoot + "/drafts/{draft}":                           m.resume,
		"POST " + CounterRoot + "/drafts/{draft}/drop":                     m.drop,
		"GET " + CounterRoot + "/drafts/{draft}/pages/{page}":              m.page,
		"POST " + CounterRoot + "/drafts/{draft}/pages/{page}":             m.answer,
		"GET " + CounterRoot + "/drafts/{draft}/files/{file}/preview":      m.draftPreview,
		"GET " + CounterRoot + "/drafts/{draft}/check":                     m.check,
		"POST " + CounterRoot + "/drafts/{draft}/check":                    m.file,
		"GET " + CounterRoot + "/drafts/{draft}/evidence/{evidence}":       m.evidencePage,
		"POST " + CounterRoot + "/drafts/{draft}/evidence/{evidence}":      m.evidenceAct,
		"GET " + CounterRoot + "/drafts/{draft}/evidence/{evidence}/state": m.presentState,
		"GET " + CounterRoot + "/drafts/{draft}/evidence/{evidence}/back":  m.presentBack,
		"GET " + CounterRoot + "/cases/{number}":                           x.filed,
	} {
		mux.HandleFunc(pattern, x.behindCounter(handler))
	}
}

func (x *CounterDesk) behindCounter(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if a := x.Actor(r); a.Administration == "" || !a.Has(gov.RoleCounter) {
			x.Site.Fail(w, r, problem.New(problem.Forbidden, "forbidden"))
			return
		}
		handler(w, r)
	}
}

// acting is the person present whose draft the address names.
func (x *CounterDesk) acting(r *http.Request) Subject {
	p, err := x.PresentOf(r.Context(), x.Actor(r), r.PathValue("draft"))
	if err != nil {
		return Subject{} // whose drafts nobody has
	}
	return Subject{ID: p.ID, Name: p.Name, Lang: p.Lang}
}

func (x *CounterDesk) back(w http.ResponseWriter, r *http.Request) { to(w, r, CounterRoot) }

type counterData struct {
	deskPage
	Office     gov.Text
	Found      []Present
	Searched   bool
	Number     string
	Name       string
	Procedures []Office
	Drafts     []draftRow
	Languages  []gov.Language
	Lang       gov.Lang // of the page
}

func (x *CounterDesk) counter(w http.ResponseWriter, r *http.Request) {
	x.showCounter(w, r, http.StatusOK, counterData{})
}

func (x *CounterDesk) showCounter(w http.ResponseWriter, r *http.Request, status int, data counterData) {
	data.Who = x.Actor(r)
	data.Office, data.Procedures = x.OfficeName(data.Who.Administration), x.Procedures(data.Who.Administration)
	data.Languages, data.Lang = x.Country.Languages, web.LangOf(r)
	drafts, err := x.Drafts(r.Context(), data.Who.ID)
	if err != nil {
		x.Site.Fail(w, r, err)
		return
	}
	for _, d := range drafts {
		p, err := x.PresentOf(r.Context(), data.Who, d.ID)
		if err != nil {
			continue // begun elsewhere
		}
		data.Drafts = append(data.Drafts, draftRow{d, p.Name, x.OfficeName(d.Administration), gov.DateOf(d.Updated, x.Country.Zone())})
	}
	x.show(w, r, status, "counter", x.Site.Printer(r).T("office.counter"), CounterRoot, data)
}

// find looks for the account of who is present. Nothing tells more of it than the
// name, and the search is written down.
func (x *CounterDesk) find(w http.ResponseWriter, r *http.Request) {
	if !x.posted(w, r) {
		return
	}
	data := counterData{Number: strings.TrimSpace(r.PostFormValue("number")), Searched: true}
	if data.Number == "" || len(data.Number) > 40 || x.Registry == nil {
		data.Error = x.Site.Printer(r).T("office.counter.number_missing")
		x.showCounter(w, r, http.StatusUnprocessableEntity, data)
		return
	}
	var err error
	if data.Found, err = x.Registry.FindPresent(r.Context(), x.Actor(r), data.Number); err != nil {
		x.Site.Fail(w, r, err)
		return
	}
	for i := range data.Found {
		if data.Found[i].Lang == "" {
			data.Found[i].Lang = web.LangOf(r)
		}
	}
	x.showCounter(w, r, http.StatusOK, data)
}

// begin starts a form with somebody: the account that the number finds again, so
// that no page is believed about whose account it is, or a name.
func (x *CounterDesk) begin(w http.ResponseWriter, r *http.Request) {
	if !x.posted(w, r) {
		return
	}
	who := x.Actor(r)
	p, err := x.present(r)
	p.Lang = gov.Lang(r.PostFormValue("lang"))
	procedure := r.PostFormValue("procedure")
	if err == nil && !slices.ContainsFunc(x.Procedures(who.Administration), func(o Office) bool { return o.ID == procedure }) {
		err = problem.New(problem.Invalid, "case.counter_procedure")
	}
	var f *form.Form
	if err == nil {
		f, err = x.Form(r.Context(), procedure, "")
	}
	var answers []byte
	if err == nil {
		answers, err = x.known(r, f, p)
	}
	var d Draft
	if err == nil {
		d, err = x.BeginPresent(r.Context(), who, p, Draft{Procedure: procedure, Form: f.Doc().Version, Answers: answers})
	}
	if wrong, ok := readers(x.Site, r, err); ok {
		x.showCounter(w, r, http.StatusUnprocessableEntity, counterData{deskPage: deskPage{Error: wrong}, Number: r.PostFormValue("number"), Name: r.PostFormValue("name")})
		return
	}
	if err != nil {
		x.Site.Fail(w, r, err)
		return
	}
	to(w, r, CounterRoot+"/drafts/"+d.ID)
}

// known fills in what is known of who is present: the number that they showed, and
// what they said here before.
func (x *CounterDesk) known(r *http.Request, f *form.Form, p Present) ([]byte, error) {
	facts, err := x.KnownHere(r.Context(), x.Actor(r), p)
	if err != nil {
		return nil, err
	}
	if _, said := facts["person"]; p.Account && !said {
		facts["person"] = map[string]any{"identity": strings.TrimSpace(r.PostFormValue("number"))}
	}
	answers, _ := f.Prefill(form.Answers{}, facts, x.Pages.world(r))
	return answers.JSON()
}

func (x *CounterDesk) present(r *http.Request) (Present, error) {
	id := r.PostFormValue("person")
	if id == "" {
		return NamedPresent(r.PostFormValue("name"))
	}
	if x.Registry != nil {
		found, err := x.Registry.FindPresent(r.Context(), x.Actor(r), r.PostFormValue("number"))
		if err != nil {
			return Present{}, err
		}
		for _, p := range found {
			if p.ID == id {
				return p, nil
			}
		}
	}
	return Present{}, problem.New(problem.Invalid, "case.present_gone")
}

type filedData struct {
	deskPage
	*View
}

// filed shows the receipt of what was filed just now, to be printed.
func (x *CounterDesk) filed(w http.ResponseWriter, r *http.Request) {
	c, err := x.Find(r.Context(), x.Actor(r), r.PathValue("number"))
	data := filedData{deskPage: x.page(r, "")}
	if err == nil {
		data.View, err = x.view(r.Context(), x.Site, web.LangOf(r), c, true)
	}
	if err != nil {
		x.Site.Fail(w, r, err)
		return
	}
	x.show(w, r, http.StatusOK, "counter-filed", x.Site.Printer(r).T("casework.receipt"), CounterRoot+"/cases/"+c.Number, data)
}
