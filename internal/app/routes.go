package app

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"diwan/internal/casework"
	"diwan/internal/catalogue"
	"diwan/internal/gazette"
	"diwan/internal/identity"
	"diwan/internal/problem"
	"diwan/internal/verifier"
	"diwan/internal/wallet"
	"diwan/internal/web"
)

// maxBody bounds what a request may send, unless its route allows more.
const maxBody = 1 << 20

// navigation is the bar on every page; a capability adds its entry here.
func (a *App) navigation() []web.NavItem {
	nav := []web.NavItem{
		{ID: "services", Path: "/", Key: "nav.services"},
		{ID: "administrations", Path: "/administrations", Key: "nav.administrations"},
		{ID: "map", Path: "/map", Key: "nav.map"},
		{ID: "help", Path: "/help", Key: "nav.help"},
	}
	if a.Gazette != nil { // four entries are what fits a phone; the map is on the home page
		nav = slices.Delete(slices.Insert(nav, 1, web.NavItem{ID: "law", Path: "/law", Key: "nav.law"}), 3, 4)
	}
	return nav
}

// footer are the links at the foot of every page that not every country has.
func (a *App) footer() []web.NavItem {
	foot := []web.NavItem{{ID: "verify", Path: "/verify", Key: "verify.title"}}
	if a.Exchange == nil {
		return foot
	}
	foot = append(foot, []web.NavItem{{ID: "mine", Path: "/me/data", Key: "web.foot.mine"}, {ID: "exchange", Path: "/exchange", Key: "exchange.title"}}...)
	if a.Casework != nil {
		foot = append(foot, web.NavItem{ID: "indicators", Path: "/casework/indicators", Key: "cases.indicators"})
	}
	return foot
}

// routes mounts every slice. Public pages are the same for everybody and never
// see a session, but those on which documents are asked for; the office stands behind one.
func (a *App) routes() http.Handler {
	site, m := a.Site, a.metrics
	mux := http.NewServeMux()

	pages := http.NewServeMux()
	portal := a.portal()
	portal.Register(pages)
	a.registerLaw(mux, pages)
	a.registerCaseworkPages(pages)
	verify := a.verifierPages()
	pages.HandleFunc("/", site.Otherwise(web.ErrNoPage, pages))
	secure := a.Config.TLSCert != "" || strings.HasPrefix(a.Config.PublicURL, "https://")
	sessions := identity.NewSessions(a.DB, a.Accounts, a.clock, secure)
	doors := a.openDoors(sessions)
	a.mountVerify(pages, verify, sessions)
	holder, err := a.openWallet(sessions.Load, a.fewTries)
	if err != nil {
		panic(err) // the files of the wallet are part of the program
	}
	holder.Register(mux)
	pages.Handle("/office/", m.wrap("office", a.office(sessions, doors)))
	pages.Handle("/me/", m.wrap("me", a.mine(sessions, doors, holder)))
	a.registerExchangePages(pages)
	if a.Casework != nil {
		a.receipts().Register(pages)
		if err := a.registerUploads(mux, sessions); err != nil {
			a.log.Error("files can't be sent in parts", "error", err)
		}
	}
	site.Mount(mux, m.wrap("pages", fewWrites(web.NewRateLimit(writeRate, writeRate/4, a.clock.Now, site.Fail), pages)))

	if a.Casework != nil {
		mux.Handle("POST /payments/{provider}/notifications", m.wrap("payments", a.fewTries(a.Casework.PaymentNotices(site))))
	}
	mux.Handle("/sign-in/", m.wrap("sign-in", a.fewTries(doors.Handler(site))))

	api := http.NewServeMux()
	a.registerAPI(api)
	limit := web.NewRateLimit(a.Config.APIRate, a.Config.APIRate, a.clock.Now, site.Fail)
	forPrograms := m.wrap("api", web.AnyOrigin(limit.Wrap(api)))
	mux.Handle("/api/", forPrograms)
	mux.Handle("/ns", forPrograms)
	a.registerStamps(mux)

	mux.Handle("GET /static/", site.Assets)
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.HandleFunc("GET /robots.txt", a.robots)
	if a.Config.Demo {
		a.registerDemo(mux)
	}

	cross := http.NewCrossOriginProtection()
	a.registerCredentials(mux, cross, limit.Wrap)
	a.registerVerifier(mux, cross, verify)
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site.Fail(w, site.WithLang(r), problem.New(problem.Forbidden, "cross_origin"))
	}))
	bounded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody && !takesFiles(r.URL.Path) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		mux.ServeHTTP(w, r)
	})
	return web.SecureHeaders(strings.HasPrefix(a.Config.PublicURL, "https://"),
		site.Hot(portal.Moment, m.counter("cached"), cross.Handler(bounded)))
}

// writeRate is how many times a minute one address may send us something from
// the public pages: plenty for a reader's remarks, little for a script that
// would fill the disk and drown what others say.
const writeRate = 60

// personRate is how many times a minute one person may send us something from their
// space: a form has a page for each question, and one who knows the answers is quick.
const personRate = 240

// fewWrites puts what the public sends under a limit. Where people are signed in they
// are not counted by their address, behind which there may be many: their space counts
// each of them, and the office none, for who works there is known.
func fewWrites(limit *web.RateLimit, pages http.Handler) http.Handler {
	limited := limit.Wrap(pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		known := strings.HasPrefix(path, "/office/") && !strings.HasPrefix(path, "/office/sign-in/passkey") ||
			strings.HasPrefix(path, "/me/") && !strings.HasPrefix(path, "/me/sign-in")
		if r.Method == http.MethodPost && !known || strings.Contains(path, "/sign-in/with/") {
			limited.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// takesFiles tells the addresses that bound what they take themselves.
func takesFiles(path string) bool {
	return strings.HasPrefix(path, casework.UploadPath) || strings.Contains(path, "/me/drafts/") || strings.Contains(path, casework.CounterRoot+"/drafts/") || strings.Contains(path, "/me/cases/") || strings.HasSuffix(path, verifier.CheckPath) || strings.HasSuffix(path, catalogue.UploadPath) || strings.HasSuffix(path, gazette.UploadPath)
}

// office is the space of those who work here.
func (a *App) office(sessions *identity.Sessions, doors *identity.Doors) http.Handler {
	signIn := a.signInPages(sessions, doors, identity.Office)
	mux := http.NewServeMux()
	signIn.Register(mux)
	desk := http.NewServeMux()
	a.registerOffice(desk)
	a.registerGazetteOffice(desk)
	a.registerExchangeOffice(desk)
	a.registerCaseworkOffice(desk, sessions)
	a.registerBuilder(desk)
	a.registerDocumentOffice(desk)
	a.registerVerifierOffice(desk)
	desk.HandleFunc("/", a.Site.Otherwise(web.ErrNoPage, desk, mux))
	mux.Handle("/office/", signIn.Require(a.toCases(desk)))
	return sessions.Load(mux)
}

// mine is the space of a person, behind their own sign-in.
func (a *App) mine(sessions *identity.Sessions, doors *identity.Doors, holder *wallet.App) http.Handler {
	signIn := a.signInPages(sessions, doors, identity.Me)
	mux := http.NewServeMux()
	signIn.Register(mux)
	space := http.NewServeMux()
	a.registerExchangeSpace(space, sessions)
	a.registerDocuments(space)
	holder.RegisterPages(space)
	a.registerVerifierSpace(space)
	space.HandleFunc("/", a.Site.Otherwise(web.ErrNoPage, space, mux))
	limit := web.NewRateLimit(personRate, personRate/4, a.clock.Now, a.Site.Fail)
	limit.By = func(r *http.Request) string { return identity.Actor(r).ID }
	limited := limit.Wrap(space)
	mux.Handle("/me/", signIn.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			limited.ServeHTTP(w, r)
			return
		}
		space.ServeHTTP(w, r)
	})))
	return sessions.Load(mux)
}

// healthz says that the process runs.
func (a *App) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("ok\n"))
}

// readyz says that readers can be sent here: everything is loaded and the
// database answers. It tells the public no more than that.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !a.ready.Load() || a.DB.Reader().PingContext(ctx) != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		w.Write([]byte("not ready\n"))
		return
	}
	w.Write([]byte("ready\n"))
}

func (a *App) robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("User-agent: *\nDisallow: /*/office/\nDisallow: /*/me/\n"))
}
