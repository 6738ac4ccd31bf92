package identity

import (
	"net/http"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// keyPending is where a session holds the token of a code on its way.
const keyPending = "pending_address"

type preferenceData struct {
	page
	Preferences
	Languages []gov.Language
	Channels  []string
	Rhythms   []string
	Waiting   bool // for a code
	Saved     bool
	Error     string
}

func (p *Pages) registerPreferences(mux *http.ServeMux) {
	if p.Root != Me {
		return
	}
	mux.Handle("GET "+p.Root+"/preferences", p.signedIn(func(w http.ResponseWriter, r *http.Request) { p.preferences(w, r, http.StatusOK, nil) }))
	mux.Handle("POST "+p.Root+"/preferences", p.signedIn(p.savePreferences))
	mux.Handle("POST "+p.Root+"/preferences/address", p.signedIn(p.sendCode))
	mux.Handle("POST "+p.Root+"/preferences/code", p.signedIn(p.checkCode))
}

func (p *Pages) preferences(w http.ResponseWriter, r *http.Request, status int, wrong error) {
	prefs, err := p.Accounts.Preferences(r.Context(), visitOf(r).account.ID)
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	if prefs.Language == "" {
		prefs.Language = web.LangOf(r)
	}
	d := preferenceData{page: p.page(r, "preferences"), Preferences: prefs, Languages: p.Site.Country.Languages, Rhythms: []string{RhythmNow, RhythmDaily},
		Waiting: p.Sessions.manager.GetString(r.Context(), keyPending) != "", Saved: r.URL.Query().Get("saved") == "1"}
	for _, c := range []string{ChannelMail, ChannelSMS} {
		if p.Messenger != nil && p.Messenger.Sends(c) {
			d.Channels = append(d.Channels, c)
		}
	}
	if wrong != nil {
		d.Error = p.Site.Sentence(web.LangOf(r), problem.From(wrong))
	}
	p.displayStatus(w, r, status, "preferences", "identity.preferences", d)
}

// sayOr shows what was wrong on the page where it can be mended.
func (p *Pages) sayOr(w http.ResponseWriter, r *http.Request, err error, show func(http.ResponseWriter, *http.Request, int, error), then string) {
	switch k := problem.From(err).Kind; {
	case err == nil:
		p.redirect(w, r, then)
	case k == problem.Invalid || k == problem.TooMany || k == problem.Forbidden || k == problem.Conflict:
		show(w, r, k.Status(), err)
	default:
		p.Site.Fail(w, r, err)
	}
}

func (p *Pages) savePreferences(w http.ResponseWriter, r *http.Request) {
	lang := gov.Lang(r.PostFormValue("language"))
	_, known := p.Site.Country.Language(lang)
	err := error(problem.New(problem.Invalid, "preference.choice"))
	if known {
		err = p.Accounts.SetPreferences(r.Context(), visitOf(r).account.Actor, lang, r.PostFormValue("channel"), r.PostFormValue("rhythm"))
	}
	p.sayOr(w, r, err, p.preferences, p.Root+"/preferences?saved=1")
}

func (p *Pages) sendCode(w http.ResponseWriter, r *http.Request) {
	channel := r.PostFormValue("channel")
	address, err := ReadAddress(channel, r.PostFormValue("address"), p.Site.Country.Code)
	if err == nil && (p.Messenger == nil || !p.Messenger.Sends(channel)) {
		err = problem.New(problem.Invalid, "preference.choice")
	}
	var token, code string
	if err == nil {
		token, code, err = p.Accounts.BeginVerify(r.Context(), visitOf(r).account.ID, channel, address)
	}
	if err == nil {
		say := p.Site.Printer(r)
		err = p.Messenger.SendCode(r.Context(), channel, address, web.LangOf(r), say.T("identity.code.subject"), say.T("identity.code.text", "code", code))
		if err != nil {
			err = problem.Wrap(err, problem.Unavailable, "preference.not_sent")
		}
	}
	if err == nil {
		p.Sessions.manager.Put(r.Context(), keyPending, token)
	}
	p.sayOr(w, r, err, p.preferences, p.Root+"/preferences#code")
}

func (p *Pages) checkCode(w http.ResponseWriter, r *http.Request) {
	m := p.Sessions.manager
	next, err := p.Accounts.FinishVerify(r.Context(), visitOf(r).account.Actor, m.GetString(r.Context(), keyPending), r.PostFormValue("code"))
	m.Remove(r.Context(), keyPending)
	if next != "" {
		m.Put(r.Context(), keyPending, next)
	}
	p.sayOr(w, r, err, p.preferences, p.Root+"/preferences?saved=1")
}
