package casework

import (
	"net/http"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/web"
)

// homeData is the first page of a person's space.
type homeData struct {
	Who    gov.Actor
	For    Subject
	Cases  []caseRow
	Turn   int // cases that wait for the person
	Drafts []draftRow
	Kept   bool
}

// caseRow is a case in a list.
type caseRow struct {
	*Case
	Name     gov.Text
	Office   gov.Text
	Tone     string
	Icon     string
	DaysLeft int
	Late     bool
	Risk     string // of lateness: high, medium, low, stopped
	Who      gov.Text
	Agent    gov.Text
}

type draftRow struct {
	Draft
	Name   gov.Text
	Office gov.Text
	Day    gov.Date
}

// row fills what a list shows of a case.
func (w *Casework) row(r *http.Request, c *Case) (caseRow, error) {
	t, err := w.TermsOf(r.Context(), c)
	if err != nil {
		return caseRow{}, err
	}
	out := caseRow{Case: c, Name: t.Name, Office: w.OfficeName(c.Administration), Tone: tones[c.State][0], Icon: tones[c.State][1]}
	if !c.Due.IsZero() {
		out.DaysLeft = daysBetween(w.today(), c.Due)
		out.Late = out.DaysLeft < 0
	}
	return out, nil
}

func (m *Mine) home(w http.ResponseWriter, r *http.Request) {
	who, subject := m.Actor(r), m.Acting(r)
	d := homeData{Who: who, For: subject, Kept: r.URL.Query().Get("kept") == "1"}
	list, err := m.CasesOf(r.Context(), subject.ID)
	for _, c := range list {
		var row caseRow
		if row, err = m.row(r, c); err != nil {
			break
		}
		if row.Tone == "turn" {
			d.Turn++
		}
		d.Cases = append(d.Cases, row)
	}
	var drafts []Draft
	if err == nil {
		drafts, err = m.Drafts(r.Context(), who.ID)
	}
	for _, x := range drafts {
		if x.Person != subject.ID {
			continue
		}
		t, terr := m.Procedures.Terms(r.Context(), x.Procedure)
		if terr != nil { // withdrawn since; the draft can still be dropped
			t.Name = gov.Text{"": x.Procedure}
		}
		d.Drafts = append(d.Drafts, draftRow{x, t.Name, m.OfficeName(x.Administration), gov.DateOf(x.Updated, m.Country.Zone())})
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	m.show(w, r, http.StatusOK, "me", m.Site.Printer(r).T("casework.me"), "/me/", d)
}

// caseData is a case as the person sees it.
type caseData struct {
	*View
	Who     gov.Actor
	Title   string
	Filed1  bool // just now
	Error   string
	May     map[string]bool
	Proofs  []evidenceView
	Money   payPanel
	Officer bool // who looks; here it is the person
	Typed   typed
}

func (m *Mine) caseOf(w http.ResponseWriter, r *http.Request) { m.showCase(w, r, http.StatusOK, "") }

func (m *Mine) showCase(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	c, err := m.Find(r.Context(), m.Actor(r), r.PathValue("number"))
	var v *View
	if err == nil {
		v, err = m.view(r.Context(), m.Site, web.LangOf(r), c, false)
	}
	var proofs []*Evidence
	if err == nil {
		proofs, err = m.EvidenceOfCase(r.Context(), c.Number)
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	d := caseData{View: v, Who: m.Actor(r), Filed1: r.URL.Query().Get("filed") == "1", Error: wrong, May: map[string]bool{}, Typed: typedIn(r)}
	for kind, rule := range rules {
		if code, known := v.Out.May[clockType(kind)]; rule.person && (!known || code == "") {
			d.May[kind] = true
		}
	}
	for _, e := range proofs {
		p := m.evidenceView(e)
		p.Document, _ = v.Terms.Document(e.Document)
		d.Proofs = append(d.Proofs, p)
	}
	if d.Money, err = m.payPanel(r.Context(), d.Who, c); err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	d.Title, _ = v.Terms.Name.In(web.LangOf(r), m.Country.Order())
	m.show(w, r, status, "case", d.Title, "/me/cases/"+c.Number, d)
}

// act does what the person's page offers.
func (m *Mine) act(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPost)
	if err := r.ParseForm(); err != nil {
		m.Site.Fail(w, r, tooLarge(err))
		return
	}
	a := Action{Type: r.PostFormValue("do"), Text: r.PostFormValue("words"), Items: r.PostForm["item"]}
	if rule, ok := rules[a.Type]; !ok || !rule.person {
		a.Type = ""
	}
	next := r.PathValue("number")
	var err error
	if a.Type == string(clock.Appealed) {
		var appeal *Case
		if _, appeal, err = m.Appeal(r.Context(), m.Actor(r), next, a); err == nil {
			next = appeal.Number + "?filed=1"
		}
	} else {
		_, err = m.Act(r.Context(), m.Actor(r), next, a)
	}
	if wrong, ok := readers(m.Site, r, err); ok {
		m.showCase(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/me/cases/"+next)
}
