package gazette

import (
	"errors"
	"net/http"
	"net/url"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/mail"
	"diwan/internal/problem"
	"diwan/internal/web"
	"diwan/internal/webhook"
)

// Register adds the pages and feeds to the mux under a language.
func (f *Following) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /law/feed.atom", f.feed)
	mux.HandleFunc("GET /law/follow", f.page)
	mux.HandleFunc("POST /law/follow", f.order)
	mux.HandleFunc("GET /law/follow/{id}/{token}", f.managePage)
	mux.HandleFunc("POST /law/follow/{id}/{token}/confirm", f.confirmed)
	mux.HandleFunc("POST /law/follow/{id}/{token}/stop", f.stop)
}

// followData is the page on which somebody chooses how to be told.
type followData struct {
	Kind, Target string
	What         string
	Back         string // the page of the text
	Feed         string
	CanMail      bool
	Mail, Hook   followForm
	Recent       []Told
}

type followForm struct{ Value, Error string }

func (f *Following) page(w http.ResponseWriter, r *http.Request) {
	kind, target, err := followed(r.URL.Query())
	if err != nil {
		f.Site.Fail(w, r, err)
		return
	}
	f.show(w, r, http.StatusOK, &followData{Kind: kind, Target: target})
}

// recentShown is how many of the last events the page shows, so that people see
// what they will be told.
const recentShown = 5

func (f *Following) show(w http.ResponseWriter, r *http.Request, status int, d *followData) {
	ctx, lang := r.Context(), web.LangOf(r)
	events, err := f.Gazette.Matching(ctx, d.Kind, d.Target, recentShown)
	if err == nil {
		d.What, err = f.describe(ctx, d.Kind, d.Target, lang)
	}
	if err == nil {
		d.Recent, err = f.tell(ctx, lang, events)
	}
	if err != nil {
		f.Site.Fail(w, r, err)
		return
	}
	query := "?" + url.Values{d.Kind: {d.Target}}.Encode()
	d.Feed, d.CanMail = f.link(lang, "/law/feed.atom"+query), f.Mail != nil
	switch d.Kind {
	case FollowWork, FollowCiting:
		d.Back = "/" + string(lang) + d.Target
	case FollowSubject:
		d.Back = "/" + string(lang) + "/law/subjects/" + url.PathEscape(d.Target)
	default:
		d.Back = "/" + string(lang) + "/law/search" + query
	}
	f.Site.Uncached(w, r, status, web.Page{Template: "gazette/law-follow", Title: f.Site.Printer(r).T("law.follow.title"), Path: "/law/follow" + query, Nav: "law", Data: d})
}

// order takes the wish to be told by mail or webhook.
func (f *Following) order(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		f.Site.Fail(w, r, problem.Wrap(err, problem.Invalid, "form"))
		return
	}
	kind, target, err := followed(r.PostForm)
	if err == nil {
		_, err = f.Gazette.checkTarget(r.Context(), kind, target)
	}
	if err != nil {
		f.Site.Fail(w, r, err)
		return
	}
	s := Subscription{Kind: kind, Target: target, Lang: web.LangOf(r), Channel: r.PostForm.Get("channel"), Address: r.PostForm.Get("address")}
	switch {
	case s.Channel == ChannelMail && f.Mail != nil:
		f.orderMail(w, r, s)
	case s.Channel == ChannelWebhook:
		f.orderHook(w, r, s)
	default:
		f.Site.Fail(w, r, problem.New(problem.Invalid, "law.follow.channel"))
	}
}

// orderMail has the address confirmed by whoever reads its mail. The answer is
// the same whatever is known of the address.
func (f *Following) orderMail(w http.ResponseWriter, r *http.Request, s Subscription) {
	typed := s.Address
	var err error
	if s.Address, err = mail.Address(typed); err != nil {
		f.show(w, r, http.StatusUnprocessableEntity, &followData{Kind: s.Kind, Target: s.Target,
			Mail: followForm{clipRunes(typed, 254), f.Site.Printer(r).T("law.follow.mail.bad")}})
		return
	}
	added, err := f.Gazette.subscribe(r.Context(), s)
	if err == nil && added != nil {
		err = f.Gazette.store.db.RunTx(r.Context(), func(tx *db.Tx) error {
			return f.Queue.Insert(r.Context(), tx, deliverArgs{Subscription: added.ID, Confirm: true})
		})
	}
	if err != nil {
		f.Site.Fail(w, r, err)
		return
	}
	f.done(w, r, s, followDone{Key: "mail", Address: s.Address})
}

// orderHook asks the receiver itself: it must answer a signed message before it
// is sent anything else, so that nobody can have a third party flooded.
func (f *Following) orderHook(w http.ResponseWriter, r *http.Request, s Subscription) {
	fail := func(key string) {
		f.show(w, r, http.StatusUnprocessableEntity, &followData{Kind: s.Kind, Target: s.Target,
			Hook: followForm{clipRunes(s.Address, 500), f.Site.Printer(r).T(key)}})
	}
	if f.Hooks.Check(s.Address) != nil {
		fail("law.follow.hook.bad")
		return
	}
	added, err := f.Gazette.subscribe(r.Context(), s)
	if err != nil {
		f.Site.Fail(w, r, err)
		return
	}
	if added == nil {
		fail("law.follow.hook.known")
		return
	}
	err = f.hook(r.Context(), added, hookCreated, "msg_"+added.ID, hookData{Subscription: added.ID, Follows: s.Kind, Target: s.Target})
	if err != nil {
		gone := f.Gazette.unsubscribe(r.Context(), added.ID)
		switch {
		case gone != nil:
			f.Site.Fail(w, r, gone)
		case errors.Is(err, webhook.ErrAddress):
			fail("law.follow.hook.bad")
		default:
			fail("law.follow.hook.silent")
		}
		return
	}
	if err := f.Gazette.confirm(r.Context(), added); err != nil {
		f.Site.Fail(w, r, err)
		return
	}
	f.done(w, r, s, followDone{Key: "hook", Address: s.Address, Secret: added.Secret, Manage: f.manage(added)})
}

// followDone is the page that says what happened.
type followDone struct {
	Key, Address, What string
	Secret, Manage     string // of a webhook: shown once
	Confirm, Stop      string // where the buttons lead; empty shows none
	Back               string
}

func (f *Following) done(w http.ResponseWriter, r *http.Request, s Subscription, d followDone) {
	lang := web.LangOf(r)
	var err error
	if d.What, err = f.describe(r.Context(), s.Kind, s.Target, lang); err != nil && !problem.Is(err, problem.NotFound) {
		f.Site.Fail(w, r, err)
		return
	}
	d.Back = "/" + string(lang) + "/law"
	if s.Kind == FollowWork || s.Kind == FollowCiting {
		d.Back = "/" + string(lang) + s.Target
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address holds the token
	f.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "gazette/law-follow-done", Title: f.Site.Printer(r).T("law.follow.title"), Path: "/law", Nav: "law", Data: &d})
}

func (f *Following) held(w http.ResponseWriter, r *http.Request) *Subscription {
	s, err := f.Gazette.Subscription(r.Context(), r.PathValue("id"), r.PathValue("token"))
	if err != nil {
		f.Site.Fail(w, r, err)
		return nil
	}
	return s
}

// managePage shows a subscription to whoever holds its link. Nothing changes
// before a button is pressed: programs that look at mail open links too.
func (f *Following) managePage(w http.ResponseWriter, r *http.Request) {
	s := f.held(w, r)
	if s == nil {
		return
	}
	base := "/" + string(web.LangOf(r)) + "/law/follow/" + s.ID + "/" + s.Token()
	d := followDone{Key: "manage", Address: s.Address, Stop: base + "/stop"}
	if !s.Confirmed {
		d.Key, d.Confirm = "confirm", base+"/confirm"
	}
	f.done(w, r, *s, d)
}

func (f *Following) confirmed(w http.ResponseWriter, r *http.Request) {
	s := f.held(w, r)
	if s == nil {
		return
	}
	if s.Channel != ChannelMail {
		f.Site.Fail(w, r, problem.New(problem.Invalid, "law.follow.channel"))
		return
	}
	if err := f.Gazette.confirm(r.Context(), s); err != nil {
		f.Site.Fail(w, r, err)
		return
	}
	f.done(w, r, *s, followDone{Key: "confirmed", Address: s.Address, Stop: "/" + string(web.LangOf(r)) + "/law/follow/" + s.ID + "/" + s.Token() + "/stop"})
}

// stop ends a subscription: by the button of its page, or by the one request that
// mail programs send (RFC 8058).
func (f *Following) stop(w http.ResponseWriter, r *http.Request) {
	s := f.held(w, r)
	if s == nil {
		return
	}
	if err := f.Gazette.unsubscribe(r.Context(), s.ID); err != nil {
		f.Site.Fail(w, r, err)
		return
	}
	f.done(w, r, *s, followDone{Key: "stopped", Address: s.Address})
}

// FollowLink is where a text can be followed.
func FollowLink(l gov.Lang, work string) string {
	return "/" + string(l) + "/law/follow?" + url.Values{FollowWork: {work}}.Encode()
}
