package casework

import (
	"encoding/json"
	"net/http"

	"diwan/internal/casework/form"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// session ties what a wallet answers to this browser, this draft and this document.
func (m *Mine) session(r *http.Request, x *writing, v *evidenceView) string {
	if m.Session == nil {
		return ""
	}
	s := m.Session(r)
	if s == "" {
		return ""
	}
	return hashOf("presentation", s, x.ID, v.Document.ID)
}

// presentable tells whether the document may come from a wallet.
func (m *Mine) presentable(o *form.Once) bool {
	return m.Presenter != nil && m.Session != nil && m.Base != nil && m.Presenter.Takes(o.Service, o.Fields)
}

// routes are the ways by which a document may come that this portal has.
func (m *Mine) routes(o *form.Once) []string {
	var out []string
	if m.fetches(o) {
		out = append(out, form.RouteFetch)
	}
	if m.presentable(o) {
		out = append(out, form.RouteWallet)
	}
	return append(out, form.RouteBring)
}

// presentFrom begins a request to a wallet: here on the same device, or on another.
func (m *Mine) presentFrom(r *http.Request, x *writing, v *evidenceView, here bool) error {
	l := web.LangOf(r)
	_, err := m.Present(r.Context(), &x.Draft, v.Document.ID, v.Once, PresentAsk{Here: here, Lang: l, Session: m.session(r, x, v),
		Return: m.Base(r) + "/" + string(l) + v.Link + "/back"})
	return err
}

// waits fills in how the request stands for which the page waits.
func (m *Mine) waits(r *http.Request, x *writing, d *evidenceData) error {
	d.Wallet = m.presentable(d.Once)
	for _, p := range x.form.Pieces(x.answers) {
		d.First = d.First || p.Evidence == d.Document.ID && p.Route == form.RouteWallet
	}
	if d.Evidence == nil || d.Evidence.State != EvidenceAsked {
		return nil
	}
	p, err := m.Presenting(r.Context(), d.Evidence, m.session(r, x, &d.evidenceView), web.LangOf(r))
	if err != nil {
		return err
	}
	d.Asked, d.Script = p, m.Script
	if !p.Until.IsZero() {
		d.Until = p.Until.In(m.Country.Zone()).Format("15:04")
	}
	return nil
}

// presentState tells the script of the page whether the wallet has answered, and nothing
// of the answer.
func (m *Mine) presentState(w http.ResponseWriter, r *http.Request) {
	x, v, ok := m.openEvidence(w, r)
	if !ok {
		return
	}
	state, text := PresentEnded, ""
	if v.Evidence != nil && v.Evidence.State == EvidenceAsked {
		p, err := m.Presenting(r.Context(), v.Evidence, m.session(r, x, v), web.LangOf(r))
		if err != nil {
			m.Site.Fail(w, r, err)
			return
		}
		state = p.State
		if p.Code {
			state = PresentWaits // the answer is read where the wallet leads to
		}
		text = m.Site.Printer(r).T("casework.evidence.wallet.waits")
	}
	b, err := json.Marshal(map[string]string{"state": state, "text": text})
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b)
}

// presentBack is where a wallet on the same device leads: the code stands behind "#", from
// where the script takes it.
func (m *Mine) presentBack(w http.ResponseWriter, r *http.Request) {
	x, v, ok := m.openEvidence(w, r)
	if !ok {
		return
	}
	if v.Evidence == nil || v.Evidence.State != EvidenceAsked {
		to(w, r, v.Link)
		return
	}
	title, _ := v.Document.Name.In(web.LangOf(r), m.Country.Order())
	m.show(w, r, http.StatusOK, "evidence-back", title, v.Link+"/back", evidenceData{evidenceView: *v, Draft: x.ID, Script: m.Script})
}

// collect takes the answer for the person who waits for it.
func (m *Mine) collect(r *http.Request, x *writing, v *evidenceView) error {
	if v.Evidence == nil {
		return problem.New(problem.Conflict, "evidence.changed")
	}
	code := r.PostFormValue("text")
	if len(code) > maxCode {
		return problem.New(problem.Invalid, "evidence.changed")
	}
	return m.Collect(r.Context(), m.Actor(r).ID, v.Evidence.ID, m.session(r, x, v), code)
}

// maxCode bounds what a person pastes of the address to which their wallet leads.
const maxCode = 4096
