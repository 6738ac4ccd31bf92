package identity

import (
	"embed"
	"io/fs"
	"net/http"

	"diwan/internal/db"
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

// Pages are the pages of signing in and out.
type Pages struct {
	Site     *web.Site
	Accounts *Accounts
	Sessions *Sessions
	// Root is the part of the site that they open: Office or Me.
	Root string
	// NameOf says the name of an administration.
	NameOf func(id string) gov.Text
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
}

// Require lets only those pass who are signed in and may be here; others are sent
// to sign in.
func (p *Pages) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.admits(Actor(r)) {
			if r.Method == http.MethodGet {
				http.Redirect(w, r, "/"+string(web.LangOf(r))+p.Root+"/sign-in", http.StatusSeeOther)
				return
			}
			p.Site.Fail(w, r, problem.New(problem.Unauthenticated, "unauthenticated"))
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
	Root    string
	Title   string
	Samples []sampleAccount
	Token   string
	Demo    bool
}

func (p *Pages) signInPage(w http.ResponseWriter, r *http.Request) {
	d := signInData{Demo: p.Site.Demo}
	if p.Site.Demo {
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
			if a.Administration != "" {
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
	if err == nil {
		err = p.Accounts.db.RunTx(r.Context(), func(tx *db.Tx) error {
			return p.Accounts.audit.Append(r.Context(), tx, chain, a.Actor, "account.sign_in", a.ID, map[string]string{"by": "sample"})
		})
	}
	p.enter(w, r, a, err)
}

// linkPage asks for one click more: mail programs that open links to look at
// them must not use the link up.
func (p *Pages) linkPage(w http.ResponseWriter, r *http.Request) {
	p.show(w, r, signInData{Token: r.PathValue("token")})
}

func (p *Pages) redeem(w http.ResponseWriter, r *http.Request) {
	a, err := p.Accounts.Redeem(r.Context(), r.PathValue("token"))
	p.enter(w, r, a, err)
}

func (p *Pages) enter(w http.ResponseWriter, r *http.Request, a Account, err error) {
	if err == nil && !p.admits(a.Actor) {
		err = problem.New(problem.Forbidden, "forbidden")
	}
	if err == nil {
		err = p.Sessions.signIn(r, a)
	}
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+p.Root+"/", http.StatusSeeOther)
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) {
	if err := p.Sessions.signOut(r); err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+"/", http.StatusSeeOther)
}
