package identity

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// withoutVisit forgets who asks, for the page after signing out.
func withoutVisit(ctx context.Context) context.Context {
	return context.WithValue(ctx, visitKey{}, (*visit)(nil))
}

// Handler serves the addresses that providers send people and messages to. They
// have no language in them, because they are registered with the provider once:
//
//	/sign-in/{provider}/callback       people come back here
//	/sign-in/{provider}/signed-out     and here after signing out there
//	/sign-in/{provider}/end            leads there to sign out
//	/sign-in/{provider}/front-channel  front-channel logout
//	/sign-in/{provider}/back-channel   back-channel logout
func (d *Doors) Handler(site *web.Site) http.Handler {
	h := &doorPages{d, site}
	people := http.NewServeMux()
	people.HandleFunc("GET /sign-in/{provider}/callback", h.callback)
	mux := http.NewServeMux()
	mux.Handle("/sign-in/{provider}/callback", d.Sessions.Load(people))
	mux.HandleFunc("GET /sign-in/{provider}/signed-out", h.signedOut)
	mux.HandleFunc("GET /sign-in/{provider}/end", h.end)
	mux.HandleFunc("GET /sign-in/{provider}/front-channel", h.frontChannel)
	mux.HandleFunc("POST /sign-in/{provider}/back-channel", h.backChannel)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { site.NoPage(w, site.WithLang(r)) })
	return mux
}

type doorPages struct {
	*Doors
	site *web.Site
}

// in gives a request the language in which an exchange began.
func (h *doorPages) in(r *http.Request, lang string) *http.Request {
	if _, known := h.site.Country.Language(gov.Lang(lang)); known {
		u := *r.URL
		u.RawQuery = url.Values{"lang": {lang}}.Encode()
		r = r.Clone(r.Context())
		r.URL = &u
	}
	return h.site.WithLang(r)
}

func (h *doorPages) callback(w http.ResponseWriter, r *http.Request) {
	p, err := h.Provider(r.PathValue("provider"))
	if err != nil {
		h.site.Fail(w, h.site.WithLang(r), err)
		return
	}
	a, err := h.arrive(r, p)
	// No other site learns from where the reader came with which code.
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	lang := h.in(r, a.flow.Lang)
	if err == nil {
		err = h.open(r, a)
	}
	if err != nil {
		h.site.Fail(w, lang, err)
		return
	}
	http.Redirect(w, r, "/"+string(web.LangOf(lang))+SafeReturn(a.flow.Root, a.flow.To), http.StatusSeeOther)
}

// maxHint is how long a provider's token may be to be kept for signing out there.
const maxHint = 4 << 10

// open lets in who has come back.
func (h *doorPages) open(r *http.Request, a arrival) error {
	switch a.flow.Purpose {
	case purposeConfirm:
		return h.Sessions.confirmed(r, wayProvider)
	case purposeLink:
		return nil
	}
	if a.flow.Root == Office && !a.account.Works() || a.flow.Root == Me && !a.account.Has(gov.RolePerson) {
		return problem.New(problem.Forbidden, "forbidden")
	}
	if err := h.Sessions.signIn(r, a.account, a.sign); err != nil {
		return err
	}
	if len(a.idToken) <= maxHint {
		h.Sessions.manager.Put(r.Context(), keyHint, a.idToken)
	}
	return nil
}

func (h *doorPages) signedOut(w http.ResponseWriter, r *http.Request) {
	lang := h.in(r, r.URL.Query().Get("state"))
	http.Redirect(w, r, "/"+string(web.LangOf(lang))+"/", http.StatusSeeOther)
}

// end leads to the provider to sign out there, once.
func (h *doorPages) end(w http.ResponseWriter, r *http.Request) {
	p, err := h.Provider(r.PathValue("provider"))
	var e endSession
	if err == nil {
		err = h.Accounts.takeFlow(r.Context(), flowSignOut, p.ID, r.URL.Query().Get("t"), &e)
	}
	to := ""
	if err == nil {
		to, err = h.leaveForGood(r, p, e)
	}
	if err == nil && to == "" {
		err = errors.New("the provider has no address to sign out at")
	}
	if err != nil {
		h.site.Fail(w, h.in(r, e.Lang), err)
		return
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// frontChannel is shown in a frame of the provider's page, of which nothing is
// seen; only the provider may frame it.
func (h *doorPages) frontChannel(w http.ResponseWriter, r *http.Request) {
	p, err := h.Provider(r.PathValue("provider"))
	if err == nil {
		err = h.Doors.frontChannel(r, p)
	}
	if err != nil {
		h.site.Fail(w, h.site.WithLang(r), err)
		return
	}
	u, _ := url.Parse(p.Issuer)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors "+u.Scheme+"://"+u.Host)
	w.Header().Set("Cache-Control", "no-cache, no-store")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write([]byte("<!doctype html>"))
}

// backChannel answers 200 when the sessions are over, 400 to a token that does not
// hold (section 2.8 of the specification).
func (h *doorPages) backChannel(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	p, err := h.Provider(r.PathValue("provider"))
	if err == nil {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		err = h.Doors.backChannel(r, p)
	}
	if err != nil {
		r.Header.Set("Accept", "application/json")
		h.site.Fail(w, h.site.WithLang(r), err)
	}
}
