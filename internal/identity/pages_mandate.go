package identity

import (
	"net/http"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

type mandateView struct {
	*Mandate
	Held     bool // by who reads; otherwise they gave it
	Usable   bool // today
	InUse    bool
	Declared bool
	Firm     string // its number, which is public
	Over     bool
	Attester gov.Text // the provider's name
}

type mandateData struct {
	page
	Held, Given []mandateView
	Acting      Subject
	Declarable  []string
	Offered     string // the code of the mandate that was just given
	Lapsed      bool
	Saved       bool
	Error       string
}

func (p *Pages) registerMandates(mux *http.ServeMux) {
	if p.Root != Me {
		return
	}
	at := p.Root + "/representation"
	mux.Handle("GET "+at, p.signedIn(func(w http.ResponseWriter, r *http.Request) { p.mandates(w, r, http.StatusOK, nil) }))
	mux.Handle("POST "+at+"/declare", p.signedIn(p.declareMandate))
	mux.Handle("POST "+at+"/offer", p.signedIn(p.offerMandate))
	mux.Handle("POST "+at+"/accept", p.signedIn(p.acceptMandate))
	mux.Handle("POST "+at+"/act", p.signedIn(p.actFor))
	mux.Handle("POST "+at+"/{id}/end", p.signedIn(p.endMandate))
}

func (p *Pages) mandates(w http.ResponseWriter, r *http.Request, status int, wrong error) {
	d := mandateData{page: p.page(r, "representation"), Lapsed: r.URL.Query().Get("ended") == "1", Saved: r.URL.Query().Get("saved") == "1"}
	if wrong != nil {
		d.Error = p.Site.Sentence(web.LangOf(r), problem.From(wrong))
	}
	p.showMandates(w, r, status, d)
}

func (p *Pages) showMandates(w http.ResponseWriter, r *http.Request, status int, d mandateData) {
	v := visitOf(r)
	list, err := p.Accounts.Mandates(r.Context(), v.account.ID)
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	d.Acting, d.Declarable = Acting(r), []string{KindChild, KindWard, KindFirm}
	today := p.Accounts.Today()
	for _, m := range list {
		x := mandateView{Mandate: m, Held: m.Agent == v.account.ID, Usable: m.On(today), InUse: d.Acting.Mandate == m.ID, Declared: m.subject().Declared,
			Over: m.State == mandateEnded || m.State == mandateRefused || !m.Until.IsZero() && m.Until.Before(today)}
		x.Attester = p.providerName(m.AttestedBy)
		if m.Kind == KindFirm {
			x.Firm = m.Number
		}
		if x.Held {
			d.Held = append(d.Held, x)
		} else {
			d.Given = append(d.Given, x)
		}
	}
	p.displayStatus(w, r, status, "representation", "identity.representation", d)
}

// providerName is the name of the provider of an issuer, the issuer itself for one
// that is not here any more.
func (p *Pages) providerName(issuer string) gov.Text {
	if p.Doors != nil {
		for _, x := range p.Doors.Providers {
			if x.Issuer == issuer {
				return x.Name
			}
		}
	}
	return gov.Text{"": issuer}
}

// readDay reads a date of a form; nothing is no date.
func readDay(s string) (gov.Date, error) {
	var d gov.Date
	if err := d.UnmarshalText([]byte(strings.TrimSpace(s))); err != nil {
		return d, problem.New(problem.Invalid, "mandate.dates")
	}
	return d, nil
}

func (p *Pages) declareMandate(w http.ResponseWriter, r *http.Request) {
	until, err := readDay(r.PostFormValue("until"))
	if err == nil && r.PostFormValue("true") != "yes" {
		err = problem.New(problem.Invalid, "mandate.honour")
	}
	if err == nil {
		name := gov.Text{}
		if s := cleanLine(r.PostFormValue("name"), maxName); s != "" {
			name[""] = s
		}
		_, err = p.Accounts.Declare(r.Context(), visitOf(r).account.Actor, Mandate{Kind: r.PostFormValue("kind"), Name: name, Number: cleanLine(r.PostFormValue("number"), 60), Until: until})
	}
	p.sayOr(w, r, err, p.mandates, p.Root+"/representation?saved=1")
}

func (p *Pages) offerMandate(w http.ResponseWriter, r *http.Request) {
	from, err := readDay(r.PostFormValue("from"))
	var until gov.Date
	if err == nil {
		until, err = readDay(r.PostFormValue("until"))
	}
	var procedures []string
	if r.PostFormValue("scope") == "some" {
		for _, s := range strings.FieldsFunc(r.PostFormValue("procedures"), func(c rune) bool { return c == ',' || c <= ' ' || c == 0x060C }) {
			if p.Procedure != nil && !p.Procedure(s) && err == nil {
				err = problem.New(problem.Invalid, "mandate.procedure", "id", cleanLine(s, 60))
			}
			procedures = append(procedures, s)
		}
		if len(procedures) == 0 && err == nil {
			err = problem.New(problem.Invalid, "mandate.scope")
		}
	}
	var code string
	if err == nil {
		_, code, err = p.Accounts.Offer(r.Context(), visitOf(r).account.Actor, from, until, procedures)
	}
	if err != nil {
		p.sayOr(w, r, err, p.mandates, "")
		return
	}
	// The code is shown once, on the answer itself: it is nowhere else to be found.
	p.showMandates(w, r, http.StatusOK, mandateData{page: p.page(r, "representation"), Offered: code[:4] + "-" + code[4:8] + "-" + code[8:]})
}

func (p *Pages) acceptMandate(w http.ResponseWriter, r *http.Request) {
	_, err := p.Accounts.Accept(r.Context(), visitOf(r).account.Actor, r.PostFormValue("code"), r.PostFormValue("answer") != "refuse")
	p.sayOr(w, r, err, p.mandates, p.Root+"/representation?saved=1")
}

func (p *Pages) endMandate(w http.ResponseWriter, r *http.Request) {
	v := visitOf(r)
	err := p.Accounts.EndMandate(r.Context(), v.account.Actor, r.PathValue("id"))
	if err == nil && v.acting != nil && v.acting.ID == r.PathValue("id") {
		err = p.Sessions.Act(r, "")
	}
	p.sayOr(w, r, err, p.mandates, p.Root+"/representation?saved=1")
}

func (p *Pages) actFor(w http.ResponseWriter, r *http.Request) {
	err := p.Sessions.Act(r, r.PostFormValue("mandate"))
	p.sayOr(w, r, err, p.mandates, SafeReturn(p.Root, p.Root+"/representation?saved=1"))
}
