package identity

import (
	"net/http"
	"net/url"
	"time"

	"diwan/internal/problem"
	"diwan/internal/web"
)

// confirmFor is how long a confirmation holds where nothing else is said.
const confirmFor = 10 * time.Minute

// Confirm sends the reader to show a second factor and then to an address of this
// part of the site: "/office/cases/7". It answers a request that was not fresh
// enough; what the request carried is not kept, so that the page it came from is
// the place to return to.
func (p *Pages) Confirm(w http.ResponseWriter, r *http.Request, to string) {
	p.redirect(w, r, p.Root+"/confirm?"+url.Values{"to": {SafeReturn(p.Root, to)}}.Encode())
}

// RequireFresh lets only those pass who have shown a second factor within maxAge;
// others show it first and come back, for reading where they were, for writing to
// the page that sent them.
func (p *Pages) RequireFresh(maxAge time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.Sessions.Fresh(r, maxAge) {
			next.ServeHTTP(w, r)
			return
		}
		to := r.URL.RequestURI()
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			to = p.cameFrom(r)
		}
		p.Confirm(w, r, to)
	})
}

// cameFrom is the page of this part of the site that a form was on.
func (p *Pages) cameFrom(r *http.Request) string {
	u, err := url.Parse(r.Referer())
	if err != nil || u.Host != r.Host {
		return p.Root + "/"
	}
	prefix := "/" + string(web.LangOf(r))
	if len(u.Path) <= len(prefix) || u.Path[:len(prefix)] != prefix {
		return p.Root + "/"
	}
	u.Path = u.Path[len(prefix):]
	return SafeReturn(p.Root, u.RequestURI())
}

type confirmData struct {
	page
	To        string
	Keys      bool
	Sample    bool
	Providers []*Provider
}

func (p *Pages) registerConfirm(mux *http.ServeMux) {
	mux.Handle("GET "+p.Root+"/confirm", p.signedIn(p.confirmPage))
	mux.Handle("POST "+p.Root+"/confirm/sample", p.signedIn(p.confirmSample))
}

func (p *Pages) confirmPage(w http.ResponseWriter, r *http.Request) {
	v := visitOf(r)
	d := confirmData{page: p.page(r, ""), To: SafeReturn(p.Root, r.URL.Query().Get("to")), Sample: p.Site.Demo && v.account.Sample}
	if p.Passkeys != nil && p.Root == Office {
		keys, err := p.Passkeys.List(r.Context(), v.account.ID)
		if err != nil {
			p.Site.Fail(w, r, err)
			return
		}
		d.Keys = len(keys) > 0
	}
	for _, x := range p.providers() {
		if x.Confirms && v.signIn.Issuer == x.Issuer {
			d.Providers = append(d.Providers, x)
		}
	}
	p.display(w, r, "confirm", "identity.confirm", d)
}

// confirmSample takes a sample account's word. It exists in a demonstration only,
// and for accounts that nobody could sign in with elsewhere; an account that has a
// passkey shows it.
func (p *Pages) confirmSample(w http.ResponseWriter, r *http.Request) {
	v := visitOf(r)
	if !p.Site.Demo || !v.account.Sample {
		p.Site.NoPage(w, r)
		return
	}
	if p.Passkeys != nil && p.Root == Office {
		if keys, err := p.Passkeys.List(r.Context(), v.account.ID); err != nil || len(keys) > 0 {
			if err == nil {
				err = problem.New(problem.Forbidden, "confirm.needed")
			}
			p.Site.Fail(w, r, err)
			return
		}
	}
	if err := p.Sessions.confirmed(r, waySample); err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	p.redirect(w, r, SafeReturn(p.Root, r.PostFormValue("to")))
}
