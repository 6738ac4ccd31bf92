package verifier

import (
	"net/http"
	"slices"
	"time"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/verifier/check"
	"diwan/internal/web"
)

// reasonWords are the sentences of the reasons.
var reasonWords = map[check.Reason]string{
	check.Unreadable: "verify.reason.unreadable", check.Unsupported: "verify.reason.unsupported", check.UntrustedIssuer: "verify.reason.untrusted_issuer",
	check.BadSignature: "verify.reason.bad_signature", check.NotYetValid: "verify.reason.not_yet_valid", check.Expired: "verify.reason.expired",
	check.Suspended: "verify.reason.suspended", check.Revoked: "verify.reason.revoked", check.HolderNotProved: "verify.reason.holder_not_proved",
	check.StatusUnknown: "verify.reason.status_unknown", check.WrongNonce: "verify.reason.wrong_nonce", check.QueryNotMet: "verify.reason.query_not_met",
	check.OverAsked: "verify.reason.over_asked", check.OtherHolder: "verify.reason.other_holder",
}

type resultPage struct {
	common
	State   check.State
	Verdict string
	Reasons []string
	Request bool // it answers a request
	Told    bool // what was disclosed has been told and is not kept
	Docs    []documentView
}

// documentView is a document in the reader's language.
type documentView struct {
	Name, Issuer        string
	Number              string
	Demonstration       bool
	Holder              bool
	Good                bool
	Issued, From, Until gov.Date
	Trust, Status       string
	Claims              []claimView
}

type claimView struct {
	Label, Value string
	Picture      bool
	// Entries are those of a list, each with what its members say.
	Entries [][]claimView
}

var verdicts = map[check.State]string{check.Accepted: "verify.verdict.accepted", check.Refused: "verify.verdict.refused", check.Unknown: "verify.verdict.unknown"}

func (p *Pages) showResult(w http.ResponseWriter, r *http.Request, found check.Result) {
	d := p.resultPage(r, found.State, found.Reasons)
	if found.Type != "" {
		d.Docs = append(d.Docs, p.document(r, &found))
	}
	p.show(w, r, http.StatusOK, "verify-result", d.Verdict, "/verify", d)
}

func (p *Pages) resultPage(r *http.Request, state check.State, reasons []check.Reason) resultPage {
	say := p.Site.Printer(r)
	d := resultPage{common: common{Script: ScriptPath}, State: state, Verdict: say.T(verdicts[state])}
	for _, x := range reasons {
		d.Reasons = append(d.Reasons, say.T(reasonWords[x]))
	}
	return d
}

// showAnswer tells a settled request.
func (p *Pages) showAnswer(w http.ResponseWriter, r *http.Request, q *Request) error {
	if q.State != Accepted && q.State != Refused {
		return problem.New(problem.Conflict, "verification.not_yet")
	}
	q, shown, err := p.tell(r.Context(), q.ID)
	if err != nil {
		return err
	}
	d := p.resultPage(r, check.State(q.State), q.Reasons)
	if q.WalletError == "access_denied" {
		d.Reasons = []string{p.Site.Printer(r).T("verify.declined")}
	}
	d.Request, d.Told = true, shown == nil
	for i := range shown {
		d.Docs = append(d.Docs, p.document(r, &shown[i].Result))
	}
	p.show(w, r, http.StatusOK, "verify-result", d.Verdict, "/verify", d)
	return nil
}

func (p *Pages) document(r *http.Request, x *check.Result) documentView {
	d := documentView{Name: p.in(r, x.Names, x.Type), Issuer: p.in(r, x.Issuer.Names, x.Issuer.ID), Number: x.Number, Demonstration: x.Issuer.Demonstration, Holder: x.Holder, Good: x.State == check.Accepted,
		Issued: p.day(x.Issued), From: p.day(x.From), Until: p.day(x.Until)}
	if !x.TrustMade.IsZero() {
		d.Trust = p.age(r, x.TrustAge())
	}
	if !x.StatusMade.IsZero() {
		d.Status = p.age(r, x.StatusAge())
	}
	d.Claims = p.claims(r, x.Claims)
	return d
}

// claims tells what a document says. The entries of a list stand below its name.
func (p *Pages) claims(r *http.Request, all []check.Claim) (out []claimView) {
	list, entry := "", ""
	for _, c := range all {
		of, within := c.List()
		if of == nil || len(within) == 1 {
			list, entry = "", ""
			out = append(out, p.claim(r, &c))
			continue
		}
		if of.String() != list {
			list, entry = of.String(), ""
			out = append(out, claimView{Label: p.in(r, c.Of, check.Claim{Path: of}.Name())})
		}
		row := &out[len(out)-1]
		if at := within[:1].String(); at != entry {
			entry, row.Entries = at, append(row.Entries, nil)
		}
		last := &row.Entries[len(row.Entries)-1]
		*last = append(*last, p.claim(r, &c))
	}
	return out
}

func (p *Pages) claim(r *http.Request, c *check.Claim) claimView {
	say := p.Site.Printer(r)
	v := claimView{Label: p.in(r, c.Labels, c.Name())}
	v.Value, v.Picture = c.Text()
	if b, ok := c.Value.(bool); ok {
		v.Value = say.T("verify.no")
		if b {
			v.Value = say.T("verify.yes")
		}
	}
	if on, err := gov.ParseDate(v.Value); err == nil {
		v.Value = p.Site.Formats[web.LangOf(r)].Day(on)
	}
	return v
}

// in chooses the words of the reader's language, or of the next that has any.
func (p *Pages) in(r *http.Request, m map[string]string, other string) string {
	t := gov.Text{}
	for l, s := range m {
		t[gov.Lang(l)] = s
	}
	if s, _ := t.In(web.LangOf(r), p.Country.Order()); s != "" {
		return s
	}
	return other
}

func (p *Pages) day(t time.Time) gov.Date {
	if t.IsZero() {
		return gov.Date{}
	}
	return gov.DateOf(t, p.Country.Zone())
}

// age says how old a list is.
func (p *Pages) age(r *http.Request, d time.Duration) string {
	say, f := p.Site.Printer(r), p.Site.Formats[web.LangOf(r)]
	switch {
	case d < time.Minute:
		return say.T("verify.age.now")
	case d < 2*time.Hour:
		n := int(d / time.Minute)
		return say.N("verify.age.minutes", n, f.Number(n))
	case d < 48*time.Hour:
		n := int(d / time.Hour)
		return say.N("verify.age.hours", n, f.Number(n))
	}
	n := int(d / (24 * time.Hour))
	return say.N("verify.age.days", n, f.Number(n))
}

type numberPage struct {
	common
	Number  string
	Verdict string
	Good    bool
	Standing
}

var standings = map[string]string{"valid": "verify.standing.valid", "suspended": "verify.standing.suspended", "revoked": "verify.standing.revoked", "expired": "verify.standing.expired"}

// plainNumber tells whether a text can be the number of a document.
func plainNumber(s string) bool {
	return s != "" && len(s) <= 64 && !slices.ContainsFunc([]byte(s), func(c byte) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '.' && c != '_'
	})
}

// number tells how a document stands by its number: nothing about a person.
func (p *Pages) number(w http.ResponseWriter, r *http.Request) error {
	n := r.PathValue("number")
	if p.Numbers == nil || !plainNumber(n) {
		return problem.New(problem.NotFound, "verification.number_none")
	}
	s, err := p.Numbers.Standing(r.Context(), n)
	if problem.Is(err, problem.NotFound) {
		return problem.New(problem.NotFound, "verification.number_none")
	}
	if err != nil {
		return err
	}
	word, ok := standings[s.State]
	if !ok {
		return problem.New(problem.Internal, "internal")
	}
	d := numberPage{common: common{Script: ScriptPath}, Number: n, Verdict: p.Site.Printer(r).T(word), Good: s.State == "valid", Standing: s}
	p.show(w, r, http.StatusOK, "verify-number", d.Verdict, "/verify/"+n, d)
	return nil
}
