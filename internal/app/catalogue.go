package app

import (
	"log/slog"
	"net/http"
	"path/filepath"

	"diwan/internal/catalogue"
	"diwan/internal/catalogue/search"
	"diwan/internal/gazette"
	"diwan/internal/gov"
	"diwan/internal/identity"
)

// openSearch opens the search index, a local replica that follows the
// catalogue's revision: it is kept in the data folder and rebuilt when it lags
// behind or is damaged.
func (a *App) openSearch() error {
	index, err := search.Open(filepath.Join(a.Config.Data, "search"))
	if err != nil {
		return err
	}
	a.search = index
	f := &follower{index: index, first: a.Country.Languages[0].Code, log: a.log, next: make(chan *catalogue.Snapshot, 1),
		quit: make(chan struct{}), done: make(chan struct{})}
	a.Catalogue.OnChange(f.follow)
	go f.run()
	a.closers = append(a.closers, index.Close, f.close)
	return nil
}

// follower keeps the index behind the catalogue. The first snapshot is indexed
// before anyone is served; later ones in the background, because whoever
// publishes must not wait for it, and only the newest of several counts.
type follower struct {
	index *search.Index
	first gov.Lang
	log   *slog.Logger

	started bool // written by follow alone, which the catalogue never runs twice at once
	next    chan *catalogue.Snapshot
	quit    chan struct{}
	done    chan struct{}
}

func (f *follower) follow(s *catalogue.Snapshot) {
	if !f.started {
		f.started = true
		f.update(s)
		return
	}
	select {
	case <-f.next: // an older one that nobody indexed yet
	default:
	}
	f.next <- s
}

func (f *follower) run() {
	defer close(f.done)
	for {
		select {
		case s := <-f.next:
			f.update(s)
		case <-f.quit:
			return
		}
	}
}

func (f *follower) update(s *catalogue.Snapshot) {
	if err := f.index.Update(s.Revision, s.SearchDocs(f.first)); err != nil {
		f.log.Error("bringing the search index up to date failed; the last one stays", "error", err)
	}
}

func (f *follower) close() error {
	close(f.quit)
	<-f.done
	return nil
}

// portal is the public's side of the catalogue.
func (a *App) portal() *catalogue.Portal {
	p := &catalogue.Portal{Catalogue: a.Catalogue, Site: a.Site, Searcher: a.search}
	if a.Gazette != nil {
		p.HoldsLaw = (&heldLaw{gazette: a.Gazette, log: a.log}).holds
	}
	if a.Casework != nil {
		p.Applies, p.Forms = a.Casework.HasForm, a.Casework.FormsChanged
	}
	return p
}

// registerOffice mounts the desks of those who work here.
func (a *App) registerOffice(mux *http.ServeMux) {
	desk := &catalogue.Office{Catalogue: a.Catalogue, Site: a.Site, Actor: identity.Actor, NameOf: a.nameOf, Desks: a.desks}
	desk.Register(mux)
	desk.RegisterBulk(mux)
}

// nameOf says who an id of the audit trail is.
func (a *App) nameOf(r *http.Request, id string) gov.Text {
	key := ""
	switch id {
	case "":
		key = "history.program"
	case operator.ID:
		key = "history.operator"
	}
	if key != "" {
		t := gov.Text{}
		for _, l := range a.Country.Order() {
			t[l] = a.Site.Words.Printer(string(l)).T(key)
		}
		return t
	}
	acc, err := a.Accounts.ByID(r.Context(), id)
	if err != nil {
		return gov.Text{"": id}
	}
	return acc.Name
}

// operator is who acts on the command line: whoever can run the program on the
// data folder may do anything with it, and the audit trail says it was done so.
var operator = gov.Actor{ID: "operator", Login: "operator", Roles: []gov.Role{gov.RoleSteward}}

// registerAPI mounts the JSON interface.
func (a *App) registerAPI(mux *http.ServeMux) {
	api := &catalogue.API{Catalogue: a.Catalogue, Site: a.Site, Searcher: a.search, Document: a.openAPI()}
	api.Register(mux)
	if a.Gazette != nil {
		law := &gazette.API{Gazette: a.Gazette, Site: a.Site}
		law.Register(mux)
		a.lawFinder().RegisterAPI(mux)
	}
	a.registerExchangeAPI(mux)
	a.registerCaseworkAPI(mux)
	a.registerVerifierAPI(mux)
}
