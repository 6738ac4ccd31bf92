package identity

import (
	"embed"
	"io/fs"
	"net/http"
	"net/url"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed messages/*.json
var messageFiles embed.FS

// Templates returns the pages of signing in.
func Templates() web.TemplateSet {
	return web.TemplateSet{Slice: "identity", Files: web.Folder(templateFiles, "templates")}
}

// Messages returns the words of this slice.
func Messages() fs.FS { return web.Folder(messageFiles, "messages") }

// Pages are the pages of signing in and out, and of what somebody keeps here about
// themselves.
type Pages struct {
	Site     *web.Site
	Accounts *Accounts
	Sessions *Sessions
	// Root is the part of the site that they open: Office or Me.
	Root string
	// NameOf says the name of an administration.
	NameOf func(id string) gov.Text
	// Doors are the sign-in providers; nil has none.
	Doors *Doors
	// Passkeys open the office; nil has none.
	Passkeys *Passkeys
	// Messenger sends codes to addresses; nil offers no channel.
	Messenger Messenger
	// Procedure tells whether there is a procedure of this id, for the scope of
	// mandates; nil believes it.
	Procedure func(id string) bool
}

// The parts of the site that one signs in to.
const (
	Office = "/office"
	Me     = "/me"
)

// admits tells whether an account may enter this part of the site.
func (p *Pages) admits(a gov.Actor) bool {
	if p.Root == Me {
		return a.Has(gov.RolePerson)
	}
	return a.Works()
}

// Register adds the pages to the mux of their part of the site, which stands
// behind Sessions.Load.
func (p *Pages) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+p.Root+"/sign-in", p.signInPage)
	mux.HandleFunc("POST "+p.Root+"/sign-in", p.signInSample)
	mux.HandleFunc("GET "+p.Root+"/sign-in/{token}", p.linkPage)
	mux.HandleFunc("POST "+p.Root+"/sign-in/{token}", p.redeem)
	mux.HandleFunc("POST "+p.Root+"/sign-out", p.signOut)
	mux.HandleFunc("GET "+p.Root+"/sign-in/with/{provider}", p.signInWith)
	mux.Handle("GET "+p.Root+"/confirm/with/{provider}", p.signedIn(p.confirmWith))
	mux.Handle("GET "+p.Root+"/security/with/{provider}", p.signedIn(p.tieWith))
	p.registerPasskeys(mux)
	p.registerConfirm(mux)
	p.registerSessions(mux)
	p.registerPreferences(mux)
	p.registerMandates(mux)
}

// Require lets only those pass who are signed in and may be here; others are sent
// to sign in, and then to where they were going. Who acts for somebody and may not
// any more is told so before anything is done in the wrong name.
func (p *Pages) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		if !p.admits(Actor(r)) {
			if reads {
				to := p.Root + "/sign-in"
				if back := SafeReturn(p.Root, r.URL.RequestURI()); back != p.Root+"/" {
					to += "?" + url.Values{"to": {back}}.Encode()
				}
				p.redirect(w, r, to)
				return
			}
			p.Site.Fail(w, r, problem.New(problem.Unauthenticated, "unauthenticated"))
			return
		}
		if v := visitOf(r); v.lapsed {
			p.Sessions.manager.Remove(r.Context(), keyActing)
			if reads {
				p.redirect(w, r, Me+"/representation?ended=1")
				return
			}
			p.Site.Fail(w, r, problem.New(problem.Conflict, "mandate.over"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

type sampleAccount struct {
	Account
	Office gov.Text
}

type signInData struct {
	Root      string
	Title     string
	To        string
	Samples   []sampleAccount
	Providers []*Provider
	Passkeys  bool
	Elsewhere string // where passkeys work, when not here
	Token     string
	Demo      bool
}

// providers returns those that serve this part of the site.
func (p *Pages) providers() []*Provider {
	if p.Doors == nil {
		return nil
	}
	var out []*Provider
	for _, x := range p.Doors.Providers {
		if x.serves(p.Root) {
			out = append(out, x)
		}
	}
	return out
}

func (p *Pages) signInPage(w http.ResponseWriter, r *http.Request) {
	d := signInData{Demo: p.Site.Demo, To: SafeReturn(p.Root, r.URL.Query().Get("to")), Providers: p.providers(), Passkeys: p.Passkeys != nil && p.Root == Office, Elsewhere: p.elsewhere(r)}
	// People of a demonstration sign in through its provider, as anybody would.
	if p.Site.Demo && (p.Root == Office || len(d.Providers) == 0) {
		all, err := p.Accounts.List(r.Context())
		if err != nil {
			p.Site.Fail(w, r, err)
			return
		}
		for _, a := range all {
			if !a.Sample || a.Disabled || !p.admits(a.Actor) {
				continue
			}
			s := sampleAccount{Account: a}
			if a.Administration != "" && p.NameOf != nil {
				s.Office = p.NameOf(a.Administration)
			}
			d.Samples = append(d.Samples, s)
		}
	}
	p.show(w, r, d)
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, d signInData) {
	title := p.Site.Printer(r).T("identity.sign_in")
	if p.Root == Me {
		title = p.Site.Printer(r).T("identity.sign_in.person")
	}
	d.Root, d.Title = p.Root, title
	p.Site.Show(w, r, http.StatusOK, web.Page{Template: "identity/sign-in", Title: title, Path: p.Root + "/sign-in", Hidden: true, Data: d})
}

// signInSample signs in with a sample account. Outside a demonstration there is
// no such way in.
func (p *Pages) signInSample(w http.ResponseWriter, r *http.Request) {
	if !p.Site.Demo {
		p.Site.NoPage(w, r)
		return
	}
	a, err := p.Accounts.ByLogin(r.Context(), r.PostFormValue("login"))
	if err == nil && (!a.Sample || a.Disabled) {
		err = problem.New(problem.Forbidden, "forbidden")
	}
	p.enter(w, r, a, newSignIn{way: waySample}, r.PostFormValue("to"), err)
}

// linkPage asks for one click more: mail programs that open links to look at
// them must not use the link up.
func (p *Pages) linkPage(w http.ResponseWriter, r *http.Request) {
	p.show(w, r, signInData{Token: r.PathValue("token")})
}

func (p *Pages) redeem(w http.ResponseWriter, r *http.Request) {
	a, err := p.Accounts.Redeem(r.Context(), r.PathValue("token"))
	p.enter(w, r, a, newSignIn{way: wayLink}, "", err)
}

func (p *Pages) enter(w http.ResponseWriter, r *http.Request, a Account, n newSignIn, to string, err error) {
	if err == nil && !p.admits(a.Actor) {
		err = problem.New(problem.Forbidden, "forbidden")
	}
	if err == nil {
		err = p.Sessions.signIn(r, a, n)
	}
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	p.redirect(w, r, SafeReturn(p.Root, to))
}

// signInWith sends the reader to a provider. It is a link and not a form: the
// answer goes to another host, where no form of ours may lead.
func (p *Pages) signInWith(w http.ResponseWriter, r *http.Request) {
	p.goTo(w, r, providerFlow{Purpose: purposeSignIn, To: SafeReturn(p.Root, r.URL.Query().Get("to"))})
}

func (p *Pages) confirmWith(w http.ResponseWriter, r *http.Request) {
	p.goTo(w, r, providerFlow{Purpose: purposeConfirm, Account: Actor(r).ID, To: SafeReturn(p.Root, r.URL.Query().Get("to"))})
}

// tieWith lets somebody who is signed in say who they are at a provider. Only who
// has just shown a second factor may: it opens another door to the account.
func (p *Pages) tieWith(w http.ResponseWriter, r *http.Request) {
	if p.Root != Office || !p.Sessions.Fresh(r, confirmFor) {
		p.Confirm(w, r, p.Root+"/security")
		return
	}
	p.goTo(w, r, providerFlow{Purpose: purposeLink, Account: Actor(r).ID, To: p.Root + "/security?changed=1"})
}

func (p *Pages) goTo(w http.ResponseWriter, r *http.Request, f providerFlow) {
	for _, x := range p.providers() {
		if x.ID != r.PathValue("provider") {
			continue
		}
		f.Root, f.Lang = p.Root, string(web.LangOf(r))
		to, err := p.Doors.leave(r, x, f)
		if err != nil {
			p.Site.Fail(w, r, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	p.Site.NoPage(w, r)
}

type signedOutData struct {
	Provider *Provider
	Token    string
}

// signOut ends the session here. Who came through a provider that they can sign
// out of is offered to do that too.
func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) {
	v := visitOf(r)
	hint := p.Sessions.manager.GetString(r.Context(), keyHint)
	if err := p.Sessions.signOut(r); err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	if v != nil && p.Doors != nil {
		for _, x := range p.Doors.Providers {
			if x.Issuer == v.signIn.Issuer {
				p.signedOutPage(w, r, x, hint)
				return
			}
		}
	}
	p.redirect(w, r, "/")
}

func (p *Pages) signedOutPage(w http.ResponseWriter, r *http.Request, x *Provider, hint string) {
	d := signedOutData{Provider: x}
	found, err := x.discover(r.Context())
	if err == nil && found.endSession != "" {
		d.Token, err = p.Accounts.openFlow(r.Context(), flowSignOut, x.ID, flowLife, endSession{x.ID, hint, string(web.LangOf(r))})
	}
	if err != nil || d.Token == "" { // signed out here all the same
		p.redirect(w, r, "/")
		return
	}
	p.Site.Show(w, r.WithContext(withoutVisit(r.Context())), http.StatusOK, web.Page{Template: "identity/signed-out", Title: p.Site.Printer(r).T("identity.signed_out"), Path: p.Root + "/sign-in", Hidden: true, Data: d})
}
