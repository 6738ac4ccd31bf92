package verifier

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/qr"
	"diwan/internal/web"
)

func (p *Pages) cookieName() string {
	if p.Secure {
		return "__Host-diwan-verify"
	}
	return "diwan-verify"
}

// session returns the browser's secret for requests that it begins, "" when it has none.
func (p *Pages) session(r *http.Request) string {
	c, err := r.Cookie(p.cookieName())
	if err != nil || len(c.Value) != 64 {
		return ""
	}
	return c.Value
}

// ask begins a request and sends the browser to its page.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		return tooLarge(err)
	}
	ctx, l := r.Context(), web.LangOf(r)
	as, err := p.mayAsk(r, r.PostForm.Get("verifier"))
	if err != nil {
		return err
	}
	session := p.session(r)
	if session == "" {
		session = newSecret()
		http.SetCookie(w, &http.Cookie{Name: p.cookieName(), Value: session, Path: "/", HttpOnly: true, Secure: p.Secure, SameSite: http.SameSiteLaxMode})
	}
	b, err := p.Begin(ctx, as.Party, Ask{Template: r.PostForm.Get("template"), Flow: r.PostForm.Get("flow"), Session: session, By: p.who(r), Person: as.Own, Lang: l})
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(l)+"/verify/requests/"+b.ID, http.StatusSeeOther)
	return nil
}

// askers lists the verifiers as which the reader may ask.
func (p *Pages) askers(r *http.Request) ([]Asker, error) {
	ctx, who := r.Context(), p.who(r)
	list, err := p.Askers(ctx, who)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(x Asker) bool { return x.Own && p.May(ctx, who, x.ID) != nil }), nil
}

func (p *Pages) mayAsk(r *http.Request, id string) (*Asker, error) {
	list, err := p.askers(r)
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		if x.ID == id {
			return &x, nil
		}
	}
	return nil, errNotAs
}

type requestPage struct {
	common
	*Request
	Party   *Party
	Why     gov.Text
	Machine bool
	Link    template.URL // opens a wallet
	QR      template.HTML
	Until   string
	Here    bool // the wallet is on this device
	Open    bool
	Settled bool
	State   string
	Said    string
	Keep    string
}

var stateWords = map[string]string{Waiting: "verify.state.waiting", Fetched: "verify.state.fetched", Accepted: "verify.state.answered", Refused: "verify.state.answered", Expired: "verify.state.expired"}

// own returns a request that this browser began. One of a verifier's people has to be
// signed in still, and to be one of them: a browser that others use after them, or an
// account that was removed, reads nothing.
func (p *Pages) own(r *http.Request) (*Request, error) {
	q, err := p.load(r.Context(), p.DB.Reader(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if !same(q.session, p.session(r)) {
		return nil, errNoRequest
	}
	if q.AskedBy == "" {
		return q, nil
	}
	as, err := p.mayAsk(r, q.Verifier)
	if err != nil && !problem.Is(err, problem.Forbidden) {
		return nil, err
	}
	if err != nil || !as.Own || p.who(r).ID != q.AskedBy {
		return nil, errNoRequest
	}
	return q, nil
}

// told is the state that a page may tell: of an answer on the same device only that it
// is under way, until the person is back with the code.
func (q *Request) told() string {
	if q.Flow == SameDevice && q.codeHash != "" {
		return Fetched
	}
	return q.State
}

func (p *Pages) request(w http.ResponseWriter, r *http.Request) error {
	q, err := p.own(r)
	if err != nil {
		return err
	}
	party, err := p.Party(r.Context(), q.Verifier)
	if err != nil {
		return err
	}
	say := p.Site.Printer(r)
	d := requestPage{common: common{Script: ScriptPath}, Request: q, Party: party, Why: party.Purpose, Machine: machine(party, web.LangOf(r)), Here: q.Flow == SameDevice,
		State: q.told(), Until: q.Ends.In(p.Country.Zone()).Format("15:04")}
	d.Open, d.Settled, d.Said = d.State == Waiting || d.State == Fetched, d.State == Accepted || d.State == Refused, say.T(stateWords[d.State])
	if t := party.Template(q.Template); t != nil {
		d.Why, d.Keep = t.Why, keeps(p.Site, r, t)
	}
	link, err := p.link(q)
	if err != nil {
		return err
	}
	// The link is made here, of our own address.
	d.Link = template.URL(link) // #nosec G203 -- see above
	if d.Open && !d.Here {
		if d.QR, err = qr.SVG(link, say.T("verify.qr")); err != nil {
			return err
		}
	}
	p.show(w, r, http.StatusOK, "verify-request", say.T("verify.request.title"), "/verify/requests/"+q.ID, d)
	return nil
}

// keeps says what is kept of an answer.
func keeps(site *web.Site, r *http.Request, t *Template) string {
	say, f := site.Printer(r), site.Formats[web.LangOf(r)]
	switch t.Keep {
	case KeepClaims:
		return say.N("verify.keep.claims", t.Minutes, f.Number(t.Minutes))
	case KeepOutcome:
		return say.N("verify.keep.outcome", t.Minutes, f.Number(t.Minutes))
	}
	return say.T("verify.keep.nothing")
}

// state tells the script of the page how the request stands, and nothing of the answer.
func (p *Pages) state(w http.ResponseWriter, r *http.Request) error {
	q, err := p.own(r)
	if err != nil {
		return err
	}
	state := q.told()
	writeJSON(w, http.StatusOK, map[string]string{"state": state, "text": p.Site.Printer(r).T(stateWords[state])})
	return nil
}

// result tells the answer. It is posted: what is not to be kept is told once, and no
// browser that looks ahead may use that up.
func (p *Pages) result(w http.ResponseWriter, r *http.Request) error {
	q, err := p.own(r)
	if err != nil {
		return err
	}
	if q.Flow == SameDevice && q.codeHash != "" {
		return problem.New(problem.Forbidden, "verification.elsewhere")
	}
	return p.showAnswer(w, r, q)
}

type backPage struct {
	common
	ID string
}

// back is where a wallet on the same device sends the person: the code stands behind
// "#", from where the script takes it.
func (p *Pages) back(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.own(r); err != nil {
		return problem.New(problem.Forbidden, "verification.elsewhere")
	}
	p.show(w, r, http.StatusOK, "verify-back", p.Site.Printer(r).T("verify.back.title"), "/verify/back/"+r.PathValue("id"), backPage{common{Script: ScriptPath}, r.PathValue("id")})
	return nil
}

// returned tells the answer to the browser that began, when it brings the code that the
// wallet was given: who was sent a stranger's request shows them nothing, and who has
// another's code learns nothing.
func (p *Pages) returned(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		return tooLarge(err)
	}
	q, err := p.own(r)
	if err != nil || !same(q.codeHash, responseCode(r.PostForm.Get("text"))) {
		return problem.New(problem.Forbidden, "verification.elsewhere")
	}
	return p.showAnswer(w, r, q)
}

// responseCode takes the code out of what a person pasted: the address of the page, what
// stands behind its "#", or the code.
func responseCode(s string) string {
	s = strings.TrimSpace(s)
	if _, fragment, found := strings.Cut(s, "#"); found {
		s = fragment
	}
	if v, err := url.ParseQuery(s); err == nil && v.Has("response_code") {
		return v.Get("response_code")
	}
	return s
}
