package catalogue

import (
	"net/http"
	"slices"
	"unicode/utf8"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// procedureData is everything the page of a procedure says.
type procedureData struct {
	*Entry
	Owner       gov.Text
	OwnerID     string
	Theme       *model.Theme
	Terms       []termView
	SilenceFrom gov.Date // the first day on which silence counts
	AppealDays  int
	Bring       []evidenceView
	Fetch       []evidenceView
	Where       []place
	Online      []*model.OnlineService
	Applies     bool // here
	Events      []*model.LifeEvent
	Related     []*Entry
	Basis       []legalView
	Lists       []listView
	LawChecked  gov.Date    // the day on which every text of the basis was checked, zero when one was not
	Elsewhere   []sourceDay // the sources that are not the texts of the basis
	Bans        []gov.Address
	Law         gov.Text
	Unknown     map[string]bool // facts that are missing
	Doubtful    bool            // something on the page is unverified
	Machine     bool            // the words in this language await a reviewer
	// Thanks is set after feedback was given.
	Thanks bool
}

type termView struct {
	model.Term
	Due gov.Date // the last day, when a complete request is filed today
}

type evidenceView struct {
	model.Evidence
	FromName gov.Text
	Obtain   *Entry // the procedure by which one gets it
}

type place struct {
	ID   string
	Name gov.Text
	Does []string // message keys of the parts it takes
}

// legalView is a text with the articles of it that the procedure rests on.
type legalView struct {
	Work     gov.Address
	Held     bool // its text can be read here
	Title    gov.Text
	Articles int    // how many
	List     string // one after the other, as the page's language writes a list
	Notes    []gov.Text
}

// sourceDay are the sources that were checked on one day.
type sourceDay struct {
	Checked gov.Date
	Sources []model.Source
}

type listView struct {
	gov.List
	Number string
	Text   gov.Text // the name as the list prints it, in the country's first language
	// Other are the deadlines of this list where they contradict the page's: the
	// reader may rely on either, and must know of both.
	Other []model.Term
}

func (p *Portal) procedure(w http.ResponseWriter, r *http.Request) {
	p.cached(w, r, func(s *Snapshot, today gov.Date) (web.Page, error) {
		e := s.Procedure(r.PathValue("id"))
		if e == nil {
			return web.Page{}, problem.New(problem.NotFound, "procedure.not_found", "id", short(r.PathValue("id")))
		}
		return p.procedurePage(r, s, e, today, false), nil
	})
}

// short keeps an address that somebody made up from filling a page.
func short(s string) string {
	if utf8.RuneCountInString(s) <= 60 {
		return s
	}
	return string([]rune(s)[:60]) + "…"
}

func (p *Portal) procedurePage(r *http.Request, s *Snapshot, e *Entry, today gov.Date, thanks bool) web.Page {
	d := p.describe(s, e, today, web.LangOf(r))
	d.Thanks = thanks
	name, _ := e.Name.In(web.LangOf(r), p.Site.Country.Order())
	about, _ := e.Summary.In(web.LangOf(r), p.Site.Country.Order())
	return web.Page{Template: "catalogue/procedure", Title: name, Description: about, Path: "/procedures/" + e.ID, Nav: "services",
		Data: d, JSONLD: p.procedureLD(s, e, web.LangOf(r))}
}

func (p *Portal) describe(s *Snapshot, e *Entry, today gov.Date, l gov.Lang) *procedureData {
	c := p.Site.Country
	d := &procedureData{Entry: e, Owner: s.AdministrationName(e.Competent), AppealDays: c.Law.Days["appeal"],
		Online: s.ServicesFor(e.ID), Applies: p.Applies != nil && p.Applies(e.ID), Events: s.EventsFor(e.ID), Bans: c.Law.Articles["bans"], Law: c.Law.Short,
		Unknown: map[string]bool{}, Doubtful: len(e.Unverified) > 0, Machine: slices.Contains(e.Translated, l)}
	if s.Administration(e.Competent) != nil {
		d.OwnerID = e.Competent
	}
	if len(e.Themes) > 0 {
		d.Theme = s.Theme(e.Themes[0])
	}
	for _, m := range e.Missing {
		d.Unknown[m] = true
	}
	cal := c.Calendar()
	for _, t := range e.Deadline.Terms {
		d.Terms = append(d.Terms, termView{t, cal.Last(today, t.Days)})
	}
	if len(d.Terms) > 0 {
		d.SilenceFrom = d.Terms[len(d.Terms)-1].Due.AddDays(1)
	}
	for _, ev := range e.Evidence {
		v := evidenceView{Evidence: ev, Obtain: s.Procedure(ev.Produced)}
		if ev.From != "" {
			v.FromName = s.AdministrationName(ev.From)
		}
		if ev.By == model.ByAdministration {
			d.Fetch = append(d.Fetch, v)
		} else {
			d.Bring = append(d.Bring, v)
		}
	}
	d.Where = places(s, e)
	for _, id := range e.Procedure.Related {
		if o := s.Procedure(id); o != nil {
			d.Related = append(d.Related, o)
		}
	}
	d.Basis = basis(e.LegalBasis, p.Site.Words.Printer(string(l)).T("web.comma")+" ")
	for i := range d.Basis {
		d.Basis[i].Held = d.Basis[i].Work != "" && p.HoldsLaw != nil && p.HoldsLaw(d.Basis[i].Work)
	}
	d.LawChecked, d.Elsewhere = provenance(d.Basis, e.Sources)
	for _, li := range e.Listed {
		if list, ok := c.List(li.List); ok {
			d.Lists = append(d.Lists, listView{list, li.Number, printed(li.Name, c), li.Terms})
		}
	}
	return d
}

func printed(name string, c *gov.Country) gov.Text {
	if name == "" {
		return nil
	}
	return gov.Text{c.Languages[0].Code: name}
}

// basis gathers the articles of each text, so that a text is named once.
func basis(refs []model.LegalRef, comma string) []legalView {
	var out []legalView
	for _, r := range refs {
		i := slices.IndexFunc(out, func(v legalView) bool { return v.Work != "" && v.Work == r.Address.Work() })
		if i < 0 {
			i = len(out)
			out = append(out, legalView{Work: r.Address.Work(), Title: r.Title})
		}
		if a := articleLabel(r.Address); a != "" {
			if out[i].Articles++; out[i].Articles > 1 {
				out[i].List += comma
			}
			out[i].List += a
		}
		if !r.Note.Empty() {
			out[i].Notes = append(out[i].Notes, r.Note)
		}
	}
	return out
}

// provenance separates the sources that are the texts of the legal basis, which
// the page names already, from the others. The texts are said to be checked
// only when each of them is, and on one day.
func provenance(texts []legalView, sources []model.Source) (gov.Date, []sourceDay) {
	days := map[gov.Address]gov.Date{}
	for _, s := range sources {
		days[s.Address.Work()] = s.Checked
	}
	var checked gov.Date
	whole := len(texts) > 0
	for i, t := range texts {
		day, ok := days[t.Work]
		whole = whole && ok && t.Work != "" && (i == 0 || day == checked)
		checked = day
	}
	if !whole {
		checked = gov.Date{}
	}
	var out []sourceDay
	for _, s := range sources {
		if whole && s.Address != "" && slices.ContainsFunc(texts, func(t legalView) bool { return t.Work == s.Address.Work() }) {
			continue
		}
		i := slices.IndexFunc(out, func(d sourceDay) bool { return d.Checked == s.Checked })
		if i < 0 {
			i = len(out)
			out = append(out, sourceDay{Checked: s.Checked})
		}
		out[i].Sources = append(out[i].Sources, s)
	}
	return checked, out
}

// places lists the administrations, each once, with the parts it takes.
func places(s *Snapshot, e *Entry) []place {
	var out []place
	add := func(ids []string, does string) {
		for _, id := range ids {
			i := slices.IndexFunc(out, func(p place) bool { return p.ID == id })
			if i < 0 {
				i = len(out)
				out = append(out, place{ID: id, Name: s.AdministrationName(id)})
			}
			out[i].Does = append(out[i].Does, does)
		}
	}
	add(e.Receives, "procedure.receives")
	add(e.Studies, "procedure.studies")
	add(e.Delivers, "procedure.delivers")
	if len(out) == 0 && e.Competent != "" {
		add([]string{e.Competent}, "procedure.competent")
	}
	return out
}

// procedureLD describes the procedure for machines (schema.org).
func (p *Portal) procedureLD(s *Snapshot, e *Entry, l gov.Lang) any {
	order := p.Site.Country.Order()
	name, nameLang := e.Name.In(l, order)
	owner, _ := s.AdministrationName(e.Competent).In(l, append(order, ""))
	ld := map[string]any{
		"@context": "https://schema.org", "@type": "GovernmentService", "name": name, "inLanguage": string(nameLang),
		"url":             p.Site.BaseURL + "/" + string(l) + "/procedures/" + e.ID,
		"identifier":      e.ID,
		"serviceOperator": map[string]any{"@type": "GovernmentOrganization", "name": owner},
		"areaServed":      map[string]any{"@type": "Country", "name": p.Site.Country.Code},
	}
	if about, _ := e.Summary.In(l, order); about != "" {
		ld["description"] = about
	}
	var channels []any
	for _, o := range s.ServicesFor(e.ID) {
		channels = append(channels, map[string]any{"@type": "ServiceChannel", "serviceUrl": o.URL})
	}
	if channels != nil {
		ld["availableChannel"] = channels
	}
	return ld
}

// maxComment bounds what a reader may write to us.
const maxComment = 1000

// feedback takes "was this useful" and an optional remark. Nothing about the
// reader is kept.
func (p *Portal) feedback(w http.ResponseWriter, r *http.Request) {
	e := p.Catalogue.Snapshot().Procedure(r.PathValue("id"))
	if e == nil {
		p.Site.Fail(w, r, problem.New(problem.NotFound, "procedure.not_found", "id", short(r.PathValue("id"))))
		return
	}
	if err := r.ParseForm(); err != nil {
		p.Site.Fail(w, r, problem.Wrap(err, problem.TooLarge, "too_large", "limit", "1 MB"))
		return
	}
	useful, comment := r.PostFormValue("useful"), cleanText(r.PostFormValue("comment"), maxComment)
	if useful != "yes" && useful != "no" {
		p.Site.Fail(w, r, problem.New(problem.Invalid, "feedback.choice"))
		return
	}
	if err := p.Catalogue.Feedback(r.Context(), e.ID, e.Version, web.LangOf(r), useful == "yes", comment); err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+"/procedures/"+e.ID+"/thanks#feedback", http.StatusSeeOther)
}

func (p *Portal) thanks(w http.ResponseWriter, r *http.Request) {
	s := p.Catalogue.Snapshot()
	e := s.Procedure(r.PathValue("id"))
	if e == nil {
		p.Site.NoPage(w, r)
		return
	}
	page := p.procedurePage(r, s, e, p.Site.Today(), true)
	page.Hidden = true
	p.Site.Uncached(w, r, http.StatusOK, page)
}
