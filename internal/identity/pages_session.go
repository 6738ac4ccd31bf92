package identity

import (
	"net/http"
	"net/url"
	"time"

	"diwan/internal/gov"
	"diwan/internal/web"
)

// page is what every page behind a sign-in shows of who is there.
type page struct {
	Root, Current string
	Who           gov.Actor
	Acting        Subject
	Mine, Keys    bool // which links of the bar exist
	// Elsewhere is the origin of the same page at which passkeys work; empty where they
	// work here, or are not for this part of the site.
	Elsewhere string
}

func (p *Pages) page(r *http.Request, current string) page {
	return page{Root: p.Root, Current: current, Who: Actor(r), Acting: Acting(r), Mine: p.Root == Me, Keys: p.Root == Office && p.Passkeys != nil, Elsewhere: p.elsewhere(r)}
}

func (p *Pages) elsewhere(r *http.Request) string {
	if p.Passkeys == nil || p.Root != Office || !p.Site.Demo {
		return ""
	}
	return p.Passkeys.Elsewhere(r)
}

// moment is a time as readers write it.
type moment struct {
	Day  gov.Date
	Time string
}

func (p *Pages) moment(t time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	zone := p.Site.Country.Zone()
	return moment{gov.DateOf(t, zone), t.In(zone).Format("15:04")}
}

func (p *Pages) display(w http.ResponseWriter, r *http.Request, template, title string, data any) {
	p.displayStatus(w, r, http.StatusOK, template, title, data)
}

func (p *Pages) displayStatus(w http.ResponseWriter, r *http.Request, status int, template, title string, data any) {
	path := p.Root + "/" + template
	if to := r.URL.Query().Get("to"); to != "" { // where the reader goes afterwards, in every language
		path += "?" + url.Values{"to": {SafeReturn(p.Root, to)}}.Encode()
	}
	p.Site.Show(w, r, status, web.Page{Template: "identity/" + template, Title: p.Site.Printer(r).T(title), Path: path, Hidden: true, Data: data})
}

// redirect sends to an address of the site without its language.
func (p *Pages) redirect(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, "/"+string(web.LangOf(r))+path, http.StatusSeeOther)
}

// signedIn is Require for one page.
func (p *Pages) signedIn(page http.HandlerFunc) http.Handler { return p.Require(page) }

type signInView struct {
	SignIn
	Live, Here       bool
	Began, Last, End moment
	Provider         gov.Text
}

type sessionsData struct {
	page
	Live, Past []signInView
	Ended      bool
}

// historyShown is how many sign-ins the page lists.
const historyShown = 60

func (p *Pages) registerSessions(mux *http.ServeMux) {
	mux.Handle("GET "+p.Root+"/sessions", p.signedIn(p.sessionsPage))
	mux.Handle("POST "+p.Root+"/sessions/{id}/end", p.signedIn(p.endSession))
	mux.Handle("POST "+p.Root+"/sessions/end-all", p.signedIn(p.endSessions))
}

func (p *Pages) sessionsPage(w http.ResponseWriter, r *http.Request) {
	v := visitOf(r)
	list, err := p.Accounts.History(r.Context(), v.account.ID, historyShown)
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	d := sessionsData{page: p.page(r, "sessions"), Ended: r.URL.Query().Get("ended") == "1"}
	now := p.Site.Clock.Now()
	for _, s := range list {
		x := signInView{s, s.Live(now), s.ID == v.signIn.ID, p.moment(s.Started), p.moment(s.Seen), p.moment(s.Ended), p.providerName(s.Issuer)}
		if x.Live {
			d.Live = append(d.Live, x)
		} else {
			d.Past = append(d.Past, x)
		}
	}
	p.display(w, r, "sessions", "identity.sessions", d)
}

func (p *Pages) endSession(w http.ResponseWriter, r *http.Request) {
	v := visitOf(r)
	if r.PathValue("id") == v.signIn.ID {
		p.signOut(w, r)
		return
	}
	if err := p.Accounts.End(r.Context(), v.account.Actor, v.account.ID, r.PathValue("id"), endedElsewhere); err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	p.redirect(w, r, p.Root+"/sessions?ended=1")
}

// endSessions signs out everywhere, here too.
func (p *Pages) endSessions(w http.ResponseWriter, r *http.Request) {
	v := visitOf(r)
	if _, err := p.Accounts.EndAll(r.Context(), v.account.Actor, v.account.ID, v.signIn.ID, endedElsewhere); err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	p.signOut(w, r)
}
