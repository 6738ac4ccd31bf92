package identity

import (
	"encoding/json"
	"io"
	"net/http"

	"diwan/internal/problem"
	"diwan/internal/web"
)

// maxAnswer bounds what an authenticator's answer may take.
const maxAnswer = 64 << 10

// registerPasskeys adds the pages and the addresses that their script calls. They
// are of the office alone: people sign in through a provider that knows them.
func (p *Pages) registerPasskeys(mux *http.ServeMux) {
	if p.Passkeys == nil || p.Root != Office {
		return
	}
	mux.HandleFunc("POST "+p.Root+"/sign-in/passkey/begin", p.passkeyBegin)
	mux.HandleFunc("POST "+p.Root+"/sign-in/passkey", p.passkeySignIn)
	mux.Handle("GET "+p.Root+"/security", p.signedIn(p.securityPage))
	mux.Handle("POST "+p.Root+"/security/passkeys/begin", p.signedIn(p.enrolBegin))
	mux.Handle("POST "+p.Root+"/security/passkeys", p.signedIn(p.enrol))
	mux.Handle("POST "+p.Root+"/security/passkeys/{id}/remove", p.signedIn(p.removePasskey))
	mux.Handle("POST "+p.Root+"/confirm/passkey/begin", p.signedIn(p.confirmBegin))
	mux.Handle("POST "+p.Root+"/confirm/passkey", p.signedIn(p.confirmPasskey))
}

// keyAnswer is what the page's script sends back.
type keyAnswer struct {
	Token      string          `json:"token"`
	Name       string          `json:"name"`
	To         string          `json:"to"`
	Credential json.RawMessage `json:"credential"`
}

func readAnswer(w http.ResponseWriter, r *http.Request) (a keyAnswer, err error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil {
		return a, refusedKey(err)
	}
	return a, nil
}

// answer sends what a page's script works on.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, v any, err error) {
	if err != nil {
		r.Header.Set("Accept", "application/json") // a script reads it, whatever it says
		p.Site.Fail(w, r, err)
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(b)
}

type goTo struct {
	To string `json:"to"`
}

func (p *Pages) address(r *http.Request, path string) goTo {
	return goTo{"/" + string(web.LangOf(r)) + path}
}

func (p *Pages) passkeyBegin(w http.ResponseWriter, r *http.Request) {
	o, err := p.Passkeys.begin(r, nil, p.Sessions.binding(r.Context()))
	p.answer(w, r, o, err)
}

func (p *Pages) passkeySignIn(w http.ResponseWriter, r *http.Request) {
	in, err := readAnswer(w, r)
	if err != nil {
		p.answer(w, r, nil, err)
		return
	}
	a, err := p.Passkeys.finish(r, p.Sessions.binding(r.Context()), in.Token, in.Credential)
	if err == nil && !p.admits(a.Actor) {
		err = problem.New(problem.Forbidden, "forbidden")
	}
	if err == nil {
		// A passkey is two factors at once: the device, and what opens it.
		err = p.Sessions.signIn(r, a, newSignIn{way: wayPasskey, confirmed: true})
	}
	p.answer(w, r, p.address(r, SafeReturn(p.Root, in.To)), err)
}

type passkeyView struct {
	Passkey
	Added, Last moment
}

type securityData struct {
	page
	Keys      []passkeyView
	Providers []*Provider
	Changed   bool
}

func (p *Pages) securityPage(w http.ResponseWriter, r *http.Request) {
	v := visitOf(r)
	keys, err := p.Passkeys.List(r.Context(), v.account.ID)
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	d := securityData{page: p.page(r, "security"), Providers: p.providers(), Changed: r.URL.Query().Get("changed") == "1"}
	for _, k := range keys {
		d.Keys = append(d.Keys, passkeyView{k, p.moment(k.Created), p.moment(k.Used)})
	}
	p.display(w, r, "security", "identity.security", d)
}

// passkeyFresh is how recently somebody must have shown one key to add or remove
// another.
const passkeyFresh = confirmFor

// mayChangeKeys lets a first key be added by who is signed in; afterwards only by
// who shows one they have.
func (p *Pages) mayChangeKeys(r *http.Request) error {
	v := visitOf(r)
	keys, err := p.Passkeys.List(r.Context(), v.account.ID)
	if err == nil && len(keys) > 0 && !p.Sessions.Fresh(r, passkeyFresh) {
		err = problem.New(problem.Forbidden, "confirm.needed")
	}
	return err
}

func (p *Pages) enrolBegin(w http.ResponseWriter, r *http.Request) {
	err := p.mayChangeKeys(r)
	var o offer
	if err == nil {
		o, err = p.Passkeys.beginEnrol(r, visitOf(r).account, p.Sessions.binding(r.Context()))
	}
	p.answer(w, r, o, err)
}

func (p *Pages) enrol(w http.ResponseWriter, r *http.Request) {
	in, err := readAnswer(w, r)
	if err == nil {
		err = p.mayChangeKeys(r)
	}
	if err == nil {
		err = p.Passkeys.enrol(r, visitOf(r).account, p.Sessions.binding(r.Context()), in.Token, in.Name, in.Credential)
	}
	p.answer(w, r, p.address(r, p.Root+"/security?changed=1"), err)
}

func (p *Pages) removePasskey(w http.ResponseWriter, r *http.Request) {
	if !p.Sessions.Fresh(r, passkeyFresh) {
		p.Confirm(w, r, p.Root+"/security")
		return
	}
	v := visitOf(r)
	if err := p.Passkeys.Remove(r.Context(), v.account.Actor, v.account.ID, r.PathValue("id")); err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	p.redirect(w, r, p.Root+"/security?changed=1")
}

func (p *Pages) confirmBegin(w http.ResponseWriter, r *http.Request) {
	o, err := p.Passkeys.begin(r, &visitOf(r).account, p.Sessions.binding(r.Context()))
	p.answer(w, r, o, err)
}

func (p *Pages) confirmPasskey(w http.ResponseWriter, r *http.Request) {
	in, err := readAnswer(w, r)
	if err != nil {
		p.answer(w, r, nil, err)
		return
	}
	a, err := p.Passkeys.finish(r, p.Sessions.binding(r.Context()), in.Token, in.Credential)
	if err == nil && a.ID != visitOf(r).account.ID {
		err = errFlow
	}
	if err == nil {
		err = p.Sessions.confirmed(r, wayPasskey)
	}
	p.answer(w, r, p.address(r, SafeReturn(p.Root, in.To)), err)
}
