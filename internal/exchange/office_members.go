package exchange

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"diwan/internal/exchange/contract"
	"diwan/internal/gov"
)

type membersData struct {
	deskBar
	Members []*Member
	Classes []MemberClass
	Langs   []gov.Language
	Country string
}

func (d *Desk) members(w http.ResponseWriter, r *http.Request) {
	list, err := d.Exchange.Members(r.Context())
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	d.show(w, r, "office-members", "exchange.office.members", "/office/exchange/members",
		membersData{d.bar(r, "members"), list, d.Exchange.settings.Classes, d.Site.Country.Languages, d.Exchange.settings.Instance})
}

func (d *Desk) addMember(w http.ResponseWriter, r *http.Request) {
	name := gov.Text{}
	for _, l := range d.Site.Country.Languages {
		if s := strings.TrimSpace(r.PostFormValue("name-" + string(l.Code))); s != "" {
			name[l.Code] = s
		}
	}
	id := d.Exchange.settings.Instance + "/" + r.PostFormValue("class") + "/" + strings.TrimSpace(r.PostFormValue("code"))
	err := d.Exchange.AddMember(r.Context(), d.Actor(r), Member{ID: id, Name: name, Contact: strings.TrimSpace(r.PostFormValue("contact"))})
	d.done(w, r, err, "/office/exchange/members/"+id)
}

type keyView struct {
	Key
	From, Until gov.Date
	Over        bool
}

type memberData struct {
	deskBar
	*Member
	Nodes      []nodeView
	Keys       []keyView
	Agreements []agreementView
	Invitation string // shown once
}

func (d *Desk) member(w http.ResponseWriter, r *http.Request) {
	d.showMember(w, r, r.PathValue("id"), "")
}

func (d *Desk) showMember(w http.ResponseWriter, r *http.Request, id, invitation string) {
	m, err := d.Exchange.Member(r.Context(), id)
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	data := memberData{deskBar: d.bar(r, "members"), Member: m, Invitation: invitation}
	data.Nodes = d.nodeViews(m, d.Exchange.clock.Now())
	zone := d.Site.Country.Zone()
	for _, k := range m.Keys {
		data.Keys = append(data.Keys, keyView{k, gov.DateOf(k.NotBefore, zone), gov.DateOf(k.NotAfter, zone), expired(k.NotAfter, d.Exchange.clock.Now())})
	}
	agreements, err := d.Exchange.Agreements(r.Context(), id, 500, 0)
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	for _, a := range agreements {
		data.Agreements = append(data.Agreements, d.agreementView(a))
	}
	d.show(w, r, "office-member", "exchange.office.member", "/office/exchange/members/"+id, data)
}

// invite shows the code on the page that answers, once: it is kept nowhere.
func (d *Desk) invite(w http.ResponseWriter, r *http.Request) {
	id := r.PostFormValue("member")
	i, err := d.Exchange.Invite(r.Context(), d.Actor(r), id, strings.TrimSpace(r.PostFormValue("node")), d.Base(r))
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	d.showMember(w, r, id, i.String())
}

func (d *Desk) revoke(w http.ResponseWriter, r *http.Request) {
	err := d.Exchange.Revoke(r.Context(), d.Actor(r), r.PostFormValue("key"), r.PostFormValue("reason"))
	d.done(w, r, err, "/office/exchange/members/"+r.PostFormValue("member"))
}

func (d *Desk) suspend(w http.ResponseWriter, r *http.Request) {
	err := d.Exchange.Suspend(r.Context(), d.Actor(r), r.PostFormValue("member"), r.PostFormValue("reason"), r.PostFormValue("out") == "1")
	d.done(w, r, err, "/office/exchange/members/"+r.PostFormValue("member"))
}

// agreementView is a contract as it is shown.
type agreementView struct {
	*Agreement
	Client, Service string
	Purpose         gov.Text
	From, Until     gov.Date
	Soon            bool
	Missing         []string
}

// StateName is the state as a plain text.
func (v agreementView) StateName() string { return string(v.State) }

func (d *Desk) agreementView(a *Agreement) agreementView {
	p := a.Contract.Grants[0].Data.Properties
	zone := d.Site.Country.Zone()
	return agreementView{a, p.Client, p.Service, textOf(p.Purpose), gov.DateOf(time.Unix(a.Contract.Validity.NotBefore, 0), zone), gov.DateOf(time.Unix(a.Contract.Validity.NotAfter, 0), zone),
		a.EndsSoon(d.Exchange.clock.Now()), a.Contract.Missing()}
}

type contractsData struct {
	deskBar
	Agreements []agreementView
}

func (d *Desk) contracts(w http.ResponseWriter, r *http.Request) {
	list, err := d.Exchange.Agreements(r.Context(), "", 500, 0)
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	data := contractsData{deskBar: d.bar(r, "contracts")}
	for _, a := range list {
		data.Agreements = append(data.Agreements, d.agreementView(a))
	}
	d.show(w, r, "office-contracts", "exchange.office.contracts", "/office/exchange/contracts", data)
}

type grantView struct {
	contract.Properties
	Purposes gov.Text
	Basis    []lawRef
}

type signatureView struct {
	contract.Signature
	Day  gov.Date
	Time string
}

type contractData struct {
	deskBar
	agreementView
	Grants     []grantView
	Signatures []signatureView
	Failures   int
}

func (d *Desk) contract(w http.ResponseWriter, r *http.Request) {
	a, err := d.Exchange.Agreement(r.Context(), r.PathValue("hash"))
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	data := contractData{deskBar: d.bar(r, "contracts"), agreementView: d.agreementView(a), Failures: len(a.Contract.Failures)}
	for _, g := range a.Contract.Grants {
		data.Grants = append(data.Grants, grantView{g.Data.Properties, textOf(g.Data.Properties.Purpose), d.Exchange.lawRefs(r.Context(), g.Data.Properties.LegalBasis)})
	}
	for _, s := range a.Contract.Signatures {
		v := signatureView{Signature: s}
		v.Day, v.Time = momentParts(s.SignedAt, d.Site)
		data.Signatures = append(data.Signatures, v)
	}
	d.show(w, r, "office-contract", "exchange.office.contract", "/office/exchange/contracts/"+a.Hash, data)
}

// contractJSON gives the exact content that was signed, with its signatures.
func (d *Desk) contractJSON(w http.ResponseWriter, r *http.Request) {
	a, err := d.Exchange.Agreement(r.Context(), r.PathValue("hash"))
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	if err := e.Encode(map[string]any{"hash": a.Hash, "content": json.RawMessage(a.Signed.Content), "signatures": a.Signed.Signatures}); err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="contract.json"`)
	w.Write(b.Bytes())
}

type questionView struct {
	*Question
	Day  gov.Date
	Time string
}

type questionsData struct {
	deskBar
	Questions []questionView
}

func (d *Desk) questions(w http.ResponseWriter, r *http.Request) {
	list, err := d.Exchange.OpenQuestions(r.Context(), 200)
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	data := questionsData{deskBar: d.bar(r, "questions")}
	for _, q := range list {
		v := questionView{Question: q}
		v.Day, v.Time = momentParts(q.Asked, d.Site)
		data.Questions = append(data.Questions, v)
	}
	d.show(w, r, "office-questions", "exchange.office.questions", "/office/exchange/questions", data)
}

func (d *Desk) reply(w http.ResponseWriter, r *http.Request) {
	err := d.Exchange.Reply(r.Context(), d.Actor(r), r.PathValue("id"), r.PostFormValue("words"))
	d.done(w, r, err, "/office/exchange/questions")
}
