package casework

import (
	"net/http"
	"slices"

	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// beginData is the page before the first question: what is asked, what is not,
// and to whom one applies.
type beginData struct {
	Who     gov.Actor
	For     Subject
	Terms   Terms
	Brings  []Document
	Fetched []Document
	Offices []Office
	Drafts  []Draft // of the same procedure, already begun
	Title   gov.Text
	Error   string
	Demo    bool
}

func (m *Mine) begin(w http.ResponseWriter, r *http.Request) { m.beginWith(w, r, http.StatusOK, "") }

func (m *Mine) beginWith(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	ctx, id := r.Context(), r.PathValue("procedure")
	f, err := m.Form(ctx, id, "")
	var t Terms
	if err == nil {
		t, err = m.Procedures.Terms(ctx, id)
	}
	d := beginData{Who: m.Actor(r), For: m.Acting(r), Terms: t, Error: wrong}
	if err == nil {
		d.Offices, err = m.Procedures.Offices(ctx, id)
	}
	var drafts []Draft
	if err == nil {
		drafts, err = m.Drafts(ctx, d.Who.ID)
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	d.Title, d.Demo = f.Doc().Title, f.Doc().Demonstration
	for _, x := range drafts {
		if x.Procedure == id && x.Person == d.For.ID {
			d.Drafts = append(d.Drafts, x)
		}
	}
	asks := documentsOf(f)
	for _, x := range t.Documents {
		switch {
		case x.ByAdministration:
			d.Fetched = append(d.Fetched, x)
		case slices.Contains(asks, x.ID):
			d.Brings = append(d.Brings, x)
		}
	}
	title, _ := t.Name.In(web.LangOf(r), m.Country.Order())
	m.show(w, r, status, "begin", title, m.root()+"/apply/"+id, d)
}

// start opens a draft at an office and leads to its first question.
func (m *Mine) start(w http.ResponseWriter, r *http.Request) {
	ctx, id, subject := r.Context(), r.PathValue("procedure"), m.Acting(r)
	if len(subject.Procedures) > 0 && !slices.Contains(subject.Procedures, id) {
		m.Site.Fail(w, r, problem.New(problem.Forbidden, "case.mandate"))
		return
	}
	offices, err := m.Procedures.Offices(ctx, id)
	var f *form.Form
	if err == nil {
		f, err = m.Form(ctx, id, "")
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	office := r.PostFormValue("office")
	if office == "" && len(offices) == 1 {
		office = offices[0].ID
	}
	if !slices.ContainsFunc(offices, func(o Office) bool { return o.ID == office }) {
		m.beginWith(w, r, http.StatusUnprocessableEntity, m.Site.Printer(r).T("casework.begin.office_missing"))
		return
	}
	answers := form.Answers{}
	if m.Known != nil {
		answers, _ = f.Prefill(answers, m.Known(ctx, r, subject), m.world(r))
	}
	b, err := answers.JSON()
	var d Draft
	if err == nil {
		d, err = m.Begin(ctx, Draft{Person: subject.ID, Filer: m.Actor(r).ID, Administration: office, Procedure: id, Form: f.Doc().Version, Answers: b})
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	to(w, r, m.root()+"/drafts/"+d.ID)
}

// world is what a form needs to know of the place and the moment.
func (m *Mine) world(r *http.Request) form.World {
	return form.World{Country: m.Country, Places: m.Places, Today: m.today(), Lang: web.LangOf(r)}
}

// writing is a draft with its form and answers.
type writing struct {
	Draft
	root    string // of the space in which it is written
	form    *form.Form
	answers form.Answers
}

// open reads the draft of the request; false means that the answer is written.
func (m *Mine) open(w http.ResponseWriter, r *http.Request) (*writing, bool) {
	d, err := m.Draft(r.Context(), m.Actor(r).ID, r.PathValue("draft"))
	if err == nil && d.Filed != "" {
		to(w, r, m.root()+"/cases/"+d.Filed)
		return nil, false
	}
	x := &writing{Draft: d, root: m.root()}
	if err == nil {
		x.form, err = m.Form(r.Context(), d.Procedure, d.Form)
	}
	if err == nil {
		x.answers, err = form.Decode(d.Answers)
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return nil, false
	}
	return x, true
}

// resume leads to where the person left.
func (m *Mine) resume(w http.ResponseWriter, r *http.Request) {
	x, ok := m.open(w, r)
	if !ok {
		return
	}
	pages := x.form.Pages(x.answers)
	switch {
	case slices.Contains(pages, x.Page):
		to(w, r, x.at(x.Page))
	case x.Page == "" && len(pages) > 0:
		to(w, r, x.at(pages[0]))
	default:
		to(w, r, m.root()+"/drafts/"+x.ID+"/check")
	}
}

func (m *Mine) root() string {
	if m.Root == "" {
		return "/me"
	}
	return m.Root
}

func (m *Mine) channel() string {
	if m.Channel == "" {
		return Online
	}
	return m.Channel
}

func (x *writing) at(page string) string { return x.root + "/drafts/" + x.ID + "/pages/" + page }

// look is how a page of the draft is shown.
func (m *Mine) look(r *http.Request, x *writing) form.Look {
	lang := web.LangOf(r)
	base := "/" + string(lang)
	upload := ""
	if m.Files != nil {
		upload = UploadPath + "?draft=" + x.ID
	}
	return form.Look{Upload: upload, Picture: m.pictures(r, x), Routes: m.routes, World: m.world(r), Words: m.Site.Words.Printer(string(lang)), Format: m.Site.Formats[lang],
		Change: func(page, field string) string { return base + x.at(page) + "?back=check#" + field }}
}

func (m *Mine) page(w http.ResponseWriter, r *http.Request) {
	if x, ok := m.open(w, r); ok {
		m.showPage(w, r, http.StatusOK, x, m.look(r, x))
	}
}

func (m *Mine) showPage(w http.ResponseWriter, r *http.Request, status int, x *writing, look form.Look) {
	id, base := r.PathValue("page"), "/"+string(web.LangOf(r))
	look.Action = base + x.at(id)
	if r.URL.Query().Get("back") == "check" {
		look.Action += "?back=check"
	}
	if p := x.form.Previous(x.answers, id); p != "" {
		look.Back = base + x.at(p)
	} else {
		look.Back = base + m.root() + "/apply/" + x.Procedure
	}
	v, ok := x.form.View(id, x.answers, look)
	if !ok {
		to(w, r, m.root()+"/drafts/"+x.ID)
		return
	}
	title, _ := v.Title.In(web.LangOf(r), m.Country.Order())
	if len(v.Errors) > 0 {
		title = m.Site.Printer(r).T("ask.error") + " " + title
	}
	m.show(w, r, status, "form-page", title, x.at(id), v)
}

// answer takes what was posted for one page and leads on.
func (m *Mine) answer(w http.ResponseWriter, r *http.Request) {
	x, ok := m.open(w, r)
	if !ok {
		return
	}
	id, world := r.PathValue("page"), m.world(r)
	uploads, err := m.receive(w, r, x)
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	world.Uploads = uploads
	answers, wrong := x.form.Read(id, r.PostForm, x.answers, world)
	x.answers, x.Page = answers, id
	next := x.form.Next(answers, id)
	leads := len(form.Blocking(wrong)) == 0 && !form.Stays(r.PostForm) && !form.Leaves(r.PostForm)
	if leads {
		x.Page = next
	}
	if x.Answers, err = answers.JSON(); err == nil {
		err = m.SaveDraft(r.Context(), &x.Draft)
	}
	switch {
	case err != nil:
		m.Site.Fail(w, r, err)
	case form.Leaves(r.PostForm):
		to(w, r, m.root()+"/?kept=1")
	case form.Stays(r.PostForm) && len(wrong) == 0:
		to(w, r, x.at(id))
	case !leads:
		look := m.look(r, x)
		look.Problems, look.Typed = wrong, r.PostForm
		m.showPage(w, r, http.StatusUnprocessableEntity, x, look)
	case m.leadsToEvidence(w, r, x, id):
	case next == "" || r.URL.Query().Get("back") == "check":
		to(w, r, m.root()+"/drafts/"+x.ID+"/check")
	default:
		to(w, r, x.at(next))
	}
}

// leadsToEvidence sends the person to the document that this page's answers leave
// to be fetched, so that they consent where they chose it.
func (m *Mine) leadsToEvidence(w http.ResponseWriter, r *http.Request, x *writing, page string) bool {
	list, err := m.evidenceOf(r.Context(), x)
	if err != nil {
		return false
	}
	for _, p := range x.form.Pieces(x.answers) {
		if p.Page != page {
			continue
		}
		for i := range list {
			if list[i].Document.ID == p.Evidence && waiting(list[i:i+1]) != nil {
				to(w, r, list[i].Link)
				return true
			}
		}
	}
	return false
}

// checkData is the page on which all answers are looked at before filing.
type checkData struct {
	*form.Summary
	Draft    *writing
	Office   gov.Text
	Evidence []evidenceView
}

func (m *Mine) check(w http.ResponseWriter, r *http.Request) {
	x, ok := m.open(w, r)
	if !ok {
		return
	}
	m.showCheck(w, r, http.StatusOK, x, nil)
}

func (m *Mine) showCheck(w http.ResponseWriter, r *http.Request, status int, x *writing, problems []form.Problem) {
	base := "/" + string(web.LangOf(r))
	look := m.look(r, x)
	look.Action, look.Problems = base+m.root()+"/drafts/"+x.ID+"/check", problems
	if last := x.form.Previous(x.answers, ""); last != "" {
		look.Back = base + x.at(last)
	}
	d := checkData{Summary: x.form.Summary(x.answers, look), Draft: x, Office: m.OfficeName(x.Administration)}
	var err error
	if d.Evidence, err = m.evidenceOf(r.Context(), x); err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	m.show(w, r, status, "check", m.Site.Printer(r).T("ask.check"), m.root()+"/drafts/"+x.ID+"/check", d)
}

// file hands the draft in.
func (m *Mine) file(w http.ResponseWriter, r *http.Request) {
	x, ok := m.open(w, r)
	if !ok {
		return
	}
	if wrong := form.Blocking(x.form.Check(x.answers, m.world(r))); len(wrong) > 0 {
		m.showCheck(w, r, http.StatusUnprocessableEntity, x, wrong)
		return
	}
	list, err := m.evidenceOf(r.Context(), x)
	if v := waiting(list); err == nil && v != nil {
		to(w, r, v.Link)
		return
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	c, err := m.handIn(r, x)
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	to(w, r, m.root()+"/cases/"+c.Number+"?filed=1")
}

func (m *Mine) handIn(r *http.Request, x *writing) (*Case, error) {
	t, err := m.Procedures.Terms(r.Context(), x.Procedure)
	if err != nil {
		return nil, err
	}
	t.Form = x.Form
	answers, err := x.form.Document(x.answers)
	if err != nil {
		return nil, err
	}
	who, subject := m.Actor(r), m.Acting(r)
	f := Filing{Draft: x.ID, Administration: x.Administration, Person: x.Person, By: who, Channel: m.channel(), Lang: web.LangOf(r),
		Applicant: subject.Name, Terms: t, Answers: answers}
	if subject.ID != x.Person { // the draft was begun for somebody else, or for oneself
		return nil, problem.New(problem.Conflict, "draft.other_person")
	}
	if subject.Lang != "" {
		f.Lang = subject.Lang
	}
	if subject.For {
		f.For = who.Name
	}
	for _, p := range x.form.Pieces(x.answers) {
		switch {
		case p.Missing:
			f.Missing = append(f.Missing, p.Evidence)
		case p.Route == form.RouteFetch, p.Route == form.RouteWallet:
			f.Fetching = append(f.Fetching, p.Evidence)
		}
	}
	return m.File(r.Context(), f)
}

// documentsOf lists the documents that a form asks for.
func documentsOf(f *form.Form) []string {
	var out []string
	for _, p := range f.Doc().Pages {
		for _, q := range p.Questions {
			if q.Evidence != "" {
				out = append(out, q.Evidence)
			}
		}
	}
	return out
}

func (m *Mine) drop(w http.ResponseWriter, r *http.Request) {
	if err := m.DropDraft(r.Context(), m.Actor(r).ID, r.PathValue("draft")); err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	to(w, r, m.root()+"/")
}
