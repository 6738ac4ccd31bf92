package casework

import (
	"net/http"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
	"diwan/internal/webhook"
)

// apiPage is where an administration lets its programs in and out.
type apiPage struct {
	deskPage
	Office gov.Text
	Tokens []tokenRow
	Hooks  []Hook
	Scopes []string
	Today  gov.Date
	Last   gov.Date
	Secret string // just made: shown this once
	Named  string
	Whole  bool // the officer's role holds for the whole administration
}

type tokenRow struct {
	*Token
	Good  bool
	Maker gov.Text
}

// registerPrograms adds the page of programs.
func (d *Desk) registerPrograms(mux *http.ServeMux) {
	mux.HandleFunc("GET /office/programs", d.behind(d.programs))
	mux.HandleFunc("POST /office/programs", d.behind(d.changePrograms))
}

func (d *Desk) programs(w http.ResponseWriter, r *http.Request) {
	d.showPrograms(w, r, http.StatusOK, apiPage{deskPage: d.page(r, "")})
}

func (d *Desk) showPrograms(w http.ResponseWriter, r *http.Request, status int, p apiPage) {
	ctx := r.Context()
	tokens, err := d.Tokens(ctx, p.Who)
	if err == nil {
		p.Hooks, err = d.Hooks(ctx, p.Who)
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	p.Today = d.today()
	for _, t := range tokens {
		p.Tokens = append(p.Tokens, tokenRow{t, t.Revoked.IsZero() && !t.Until.Before(p.Today), d.AccountName(ctx, t.By)})
	}
	p.Office, p.Scopes, p.Last, p.Whole = d.OfficeName(p.Who.Administration), Scopes(), p.Today.AddDays(maxTokenAge-1), p.Who.Unit == ""
	d.show(w, r, status, "office-programs", d.Site.Printer(r).T("cases.programs"), "/office/programs", p)
}

func (d *Desk) changePrograms(w http.ResponseWriter, r *http.Request) {
	if !d.posted(w, r) {
		return
	}
	ctx, p := r.Context(), apiPage{deskPage: d.page(r, "")}
	var err error
	switch r.PostForm.Get("do") {
	case "token":
		t := Token{Name: r.PostForm.Get("name"), Unit: p.Who.Unit, Scopes: r.PostForm["scope"]}
		if day := r.PostForm.Get("until"); day != "" {
			if t.Until, err = gov.ParseDate(day); err != nil {
				err = problem.New(problem.Invalid, "program.token_until", "days", "366")
			}
		}
		if err == nil {
			p.Secret, t, err = d.MakeToken(ctx, p.Who, t)
			p.Named = t.Name
		}
	case "token-rotate":
		var t *Token
		if p.Secret, t, err = d.RotateToken(ctx, p.Who, r.PostForm.Get("id")); err == nil {
			p.Named = t.Name
		}
	case "hook-rotate":
		secret := webhook.NewSecret()
		if p.Named, err = d.RotateHook(ctx, p.Who, r.PostForm.Get("id"), secret); err == nil {
			p.Secret = secret
		}
	case "revoke":
		err = d.RevokeToken(ctx, p.Who, r.PostForm.Get("id"))
	case "hook":
		secret, address := webhook.NewSecret(), r.PostForm.Get("address")
		if err = d.MakeHook(ctx, p.Who, address, secret, d.CheckHook); err == nil {
			p.Secret, p.Named = secret, address
		}
	case "retry":
		err = d.RetryHook(ctx, p.Who, r.PostForm.Get("id"))
	case "end":
		err = d.EndHook(ctx, p.Who, r.PostForm.Get("id"))
	default:
		err = problem.New(problem.Invalid, "form.malformed")
	}
	if wrong, ok := readers(d.Site, r, err); ok {
		p.Error = wrong
		d.showPrograms(w, r, http.StatusUnprocessableEntity, p)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	if p.Secret != "" { // shown in the answer itself: it stands in no address and no log
		w.Header().Set("Cache-Control", "no-store")
		d.showPrograms(w, r, http.StatusOK, p)
		return
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+"/office/programs?saved=1", http.StatusSeeOther)
}
