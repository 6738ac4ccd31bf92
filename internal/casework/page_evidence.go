package casework

import (
	"context"
	"net/http"
	"slices"

	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// evidenceView is a document that is fetched or presented, as pages show it.
type evidenceView struct {
	*Evidence
	Document Document
	Once     *form.Once
	From     gov.Text // the administration that holds it
	Day      gov.Date // of the consent
	ShownOn  gov.Date // of a presentation, with its time of day
	ShownAt  string
	Link     string
}

// evidenceView is what pages show of what was had, without the document's own name.
func (w *Casework) evidenceView(e *Evidence) evidenceView {
	v := evidenceView{Evidence: e, From: w.OfficeName(e.Source), Day: gov.DateOf(e.Consented, w.Country.Zone())}
	if p := e.Copy.Proof; p != nil {
		v.ShownOn, v.ShownAt = gov.DateOf(p.At, w.Country.Zone()), p.At.In(w.Country.Zone()).Format("15:04")
	}
	return v
}

// evidenceOf lists the documents that the answers leave to be fetched or
// presented.
func (m *Mine) evidenceOf(ctx context.Context, x *writing) ([]evidenceView, error) {
	have, err := m.EvidenceOf(ctx, x.ID)
	if err != nil {
		return nil, err
	}
	t, err := m.Procedures.Terms(ctx, x.Procedure)
	if err != nil {
		return nil, err
	}
	var out []evidenceView
	for _, p := range x.form.Pieces(x.answers) {
		if p.Route != form.RouteFetch && p.Route != form.RouteWallet {
			continue
		}
		v := evidenceView{Once: x.form.Once(p.Evidence), Link: m.root() + "/drafts/" + x.ID + "/evidence/" + p.Evidence}
		v.Document, _ = t.Document(p.Evidence)
		if v.Once != nil {
			v.From = m.OfficeName(v.Once.From)
		}
		if i := slices.IndexFunc(have, func(e *Evidence) bool { return e.Document == p.Evidence }); i >= 0 {
			y := m.evidenceView(have[i])
			v.Evidence, v.Day, v.ShownOn, v.ShownAt = y.Evidence, y.Day, y.ShownOn, y.ShownAt
		}
		out = append(out, v)
	}
	return out, nil
}

// waiting returns the first document that still needs the person: their consent,
// or their word on the copy.
func waiting(list []evidenceView) *evidenceView {
	for i := range list {
		if e := list[i].Evidence; e == nil || e.State == EvidenceFetched || e.State == EvidenceRejected || e.State == EvidenceAsked || e.State == EvidenceRefused {
			return &list[i]
		}
	}
	return nil
}

type evidenceData struct {
	evidenceView
	Draft  string
	Next   string
	Home   string
	Fields []gov.Text // as people read them
	// Wallet tells that it may be presented, First that the person chose that before.
	Wallet, First bool
	Fetches       bool        // another administration can be asked for it
	Asked         *Presenting // while a wallet is asked
	Until         string
	Script        string
}

func (m *Mine) evidencePage(w http.ResponseWriter, r *http.Request) {
	x, v, ok := m.openEvidence(w, r)
	if !ok {
		return
	}
	title, _ := v.Document.Name.In(web.LangOf(r), m.Country.Order())
	d := evidenceData{evidenceView: *v, Draft: x.ID, Next: m.root() + "/drafts/" + x.ID + "/check", Home: m.root() + "/drafts/" + x.ID}
	d.Fetches = m.fetches(v.Once)
	for _, f := range v.Once.Fields {
		d.Fields = append(d.Fields, m.FieldLabel(v.Once.Service, f))
	}
	if err := m.waits(r, x, &d); err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	m.show(w, r, http.StatusOK, "evidence", title, v.Link, d)
}

func (m *Mine) openEvidence(w http.ResponseWriter, r *http.Request) (*writing, *evidenceView, bool) {
	x, ok := m.open(w, r)
	if !ok {
		return nil, nil, false
	}
	list, err := m.evidenceOf(r.Context(), x)
	if err != nil {
		m.Site.Fail(w, r, err)
		return nil, nil, false
	}
	for i := range list {
		if list[i].Document.ID == r.PathValue("evidence") && list[i].Once != nil {
			return x, &list[i], true
		}
	}
	m.Site.Fail(w, r, problem.New(problem.NotFound, "evidence.not_found"))
	return nil, nil, false
}

// evidenceAct takes the person's word: fetch it, ask my wallet for it, use the copy, the copy is wrong,
// or I bring it myself.
func (m *Mine) evidenceAct(w http.ResponseWriter, r *http.Request) {
	x, v, ok := m.openEvidence(w, r)
	if !ok {
		return
	}
	var err error
	next := v.Link
	switch r.PostFormValue("do") {
	case "fetch":
		_, err = m.Consent(r.Context(), &x.Draft, v.Document.ID, v.Once, x.answers)
	case "wallet-here", "wallet-other":
		err = m.presentFrom(r, x, v, r.PostFormValue("do") == "wallet-here")
	case "collect":
		err = m.collect(r, x, v)
	case "use", "wrong":
		if v.Evidence == nil {
			err = problem.New(problem.Conflict, "evidence.changed")
			break
		}
		right := r.PostFormValue("do") == "use"
		err = m.Agree(r.Context(), m.Actor(r).ID, v.Evidence.ID, right)
		if right {
			next = m.root() + "/drafts/" + x.ID
		}
	case "bring":
		for _, p := range x.form.Pieces(x.answers) {
			if p.Evidence == v.Document.ID {
				next = x.at(p.Page)
			}
		}
		if v.Evidence != nil {
			err = m.WithdrawConsent(r.Context(), m.Actor(r).ID, v.Evidence.ID)
		}
	default:
		err = problem.New(problem.Invalid, "case.action_unknown", "action", r.PostFormValue("do"))
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	to(w, r, next)
}

type consentsData struct {
	Who   gov.Actor
	Items []consentView
}

type consentView struct {
	evidenceView
	Office gov.Text
	Live   bool
}

// consents lists what the person allowed, to take it back.
func (m *Mine) consents(w http.ResponseWriter, r *http.Request) {
	list, err := m.Consents(r.Context(), m.Acting(r).ID)
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	d := consentsData{Who: m.Actor(r)}
	for _, e := range list {
		v := consentView{m.evidenceView(e), m.OfficeName(e.Administration),
			e.State != EvidenceWithdrawn && !e.Until.Before(m.today())}
		if t, err := m.Procedures.Terms(r.Context(), e.Procedure); err == nil {
			v.Document, _ = t.Document(e.Document)
		}
		d.Items = append(d.Items, v)
	}
	m.show(w, r, http.StatusOK, "consents", m.Site.Printer(r).T("casework.consents"), "/me/consents", d)
}

func (m *Mine) withdrawConsent(w http.ResponseWriter, r *http.Request) {
	if err := m.WithdrawConsent(r.Context(), m.Actor(r).ID, r.PathValue("id")); err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/me/consents")
}
