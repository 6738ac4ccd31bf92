package app

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"diwan/internal/gov"
	"diwan/internal/identity"
	"diwan/internal/problem"
)

// DemoClock is the machine's clock, moved forward by whoever tries out what
// happens when a legal period ends.
type DemoClock struct{ ahead atomic.Int64 }

// Now returns the demonstration's time.
func (c *DemoClock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// maxAhead bounds the demonstration's future, so that no sum of days overflows.
const maxAhead = 50 * 366 * 24 * time.Hour

// Advance moves the clock forward. It never goes back: what is signed and
// logged must stay in order.
func (c *DemoClock) Advance(d time.Duration) error {
	if d < 0 || time.Duration(c.ahead.Load())+d > maxAhead {
		return problem.New(problem.Invalid, "demo.advance")
	}
	c.ahead.Add(int64(d))
	return nil
}

// sampleRoles are the labelled accounts of the demonstration. Their names and
// offices come from the messages and the catalogue, so that each country's own
// languages are spoken.
var sampleRoles = []struct {
	login string
	roles []gov.Role
	// office is the place where they work; see sampleOffice.
	office int
}{
	{"editor.demo", []gov.Role{gov.RoleEditor}, 0},
	{"commission.demo", []gov.Role{gov.RoleCommission}, 0},
	{"steward.demo", []gov.Role{gov.RoleSteward}, 0},
	{"exchange.demo", []gov.Role{gov.RoleExchange}, 0},
	{"receive.demo", []gov.Role{gov.RoleReceive}, 1},
	{"study.demo", []gov.Role{gov.RoleStudy}, 1},
	{"sign.demo", []gov.Role{gov.RoleSign}, 1},
	{"supervise.demo", []gov.Role{gov.RoleSupervise}, 1},
	{"counter.demo", []gov.Role{gov.RoleCounter}, 1},
	{"neighbour.demo", []gov.Role{gov.RoleStudy, gov.RoleSign}, 2},
	{"hear.demo", []gov.Role{gov.RoleSign}, 1},
	{"governor.demo", []gov.Role{gov.RoleStudy, gov.RoleSign}, above},
}

// above is the place of the administration above the first.
const above = -1

// sampleOffice is the n-th place at which one applies for what people ask for most,
// "" for 0.
func (a *App) sampleOffice(n int) string {
	if n == above {
		if first := a.sampleOffice(1); first != "" && a.Casework != nil {
			return a.Casework.Above(first)
		}
		return ""
	}
	s := a.Catalogue.Snapshot()
	for _, p := range s.Popular() {
		if adm := s.Administration(p.Competent); adm != nil && n > 0 && len(adm.Offices) >= n {
			return adm.Offices[n-1].ID
		}
	}
	return ""
}

func (a *App) addSampleAccounts(ctx context.Context) error {
	words, err := Words(a.pack)
	if err != nil {
		return err
	}
	for _, s := range sampleRoles {
		if _, err := a.Accounts.ByLogin(ctx, s.login); err == nil {
			continue
		}
		name := gov.Text{}
		for _, l := range a.Country.Order() {
			name[l] = words.Printer(string(l)).T("demo.account." + strings.TrimSuffix(s.login, ".demo"))
		}
		acc := identity.Account{Actor: gov.Actor{Login: s.login, Name: name, Administration: a.sampleOffice(s.office), Roles: s.roles}, Sample: true}
		if err := a.Accounts.Put(ctx, gov.Actor{}, acc); err != nil {
			return err
		}
	}
	return nil
}

// registerDemo adds the addresses that exist only in a demonstration.
func (a *App) registerDemo(mux *http.ServeMux) {
	mux.HandleFunc("GET /demo.json", a.demoJSON)
	mux.HandleFunc("GET /demo/clock", a.demoClock)
	mux.HandleFunc("POST /demo/clock", a.demoAdvance)
	a.registerDemoGazette(mux)
	a.registerDemoMail(mux)
	a.registerDemoDocuments(mux)
	mux.HandleFunc("POST /demo/exchange", a.demoRegister)
	mux.HandleFunc("POST /demo/offers", a.demoOffers)
	mux.HandleFunc("POST /demo/revoke", a.demoRevoke)
}

type demoOfficer struct {
	Login          string     `json:"login"`
	Name           gov.Text   `json:"name"`
	Administration string     `json:"administration"`
	Roles          []gov.Role `json:"roles"`
}

// demoPerson is a sample person. The reference is how administrations name them
// in the exchange.
type demoPerson struct {
	Login     string   `json:"login"`
	Name      gov.Text `json:"name"`
	About     string   `json:"about"`
	Reference string   `json:"reference,omitempty"`
}

// referencesShown is how many people of /demo.json are named by their reference
// too: the first, which have a story.
const referencesShown = 50

func (a *App) demoPerson(ctx context.Context, acc identity.Account, about string, shown int) (p demoPerson, err error) {
	p = demoPerson{Login: acc.Login, Name: acc.Name, About: about}
	if shown < referencesShown {
		p.Reference, err = a.personReference(ctx, acc.ID)
	}
	return p, err
}

func (a *App) demoJSON(w http.ResponseWriter, r *http.Request) {
	accounts, err := a.Accounts.List(r.Context())
	if err != nil {
		a.Site.Fail(w, a.Site.WithLang(r), err)
		return
	}
	base := "http://" + r.Host
	officers, people, invented := []demoOfficer{}, []demoPerson{}, toldPeople(a.Config.DemoPeople)
	slices.SortStableFunc(accounts, func(x, y identity.Account) int { return invented[x.Login].place - invented[y.Login].place })
	for _, acc := range accounts {
		switch {
		case acc.Sample && acc.Has(gov.RolePerson):
			p, err := a.demoPerson(r.Context(), acc, invented[acc.Login].about, len(people))
			if err != nil {
				a.Site.Fail(w, a.Site.WithLang(r), err)
				return
			}
			people = append(people, p)
		case acc.Sample:
			officers = append(officers, demoOfficer{acc.Login, acc.Name, acc.Administration, acc.Roles})
		}
	}
	out := map[string]any{
		"portal": base, "people": people, "officers": officers,
		"clock": base + "/demo/clock", "mail": base + "/demo/mail", "offers": base + "/demo/offers", "revoke": base + "/demo/revoke", "pids": map[string]int{"serve": os.Getpid()},
	}
	if a.Gazette != nil && a.Config.Country == "" {
		out["gazette"] = demoGazette(base)
	}
	if x := a.demoExchangeJSON(base); x != nil {
		out["exchange"] = x
	}
	writeJSON(w, out)
}

func (a *App) demoClock(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]string{"now": a.clock.Now().In(a.Country.Zone()).Format(time.RFC3339)})
}

func (a *App) demoAdvance(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Advance string `json:"advance"`
	}
	clock, ok := a.clock.(*DemoClock)
	err := json.NewDecoder(r.Body).Decode(&in)
	d, derr := time.ParseDuration(in.Advance)
	if !ok || err != nil || derr != nil {
		a.Site.Fail(w, a.Site.WithLang(r), problem.New(problem.Invalid, "demo.advance"))
		return
	}
	if err := clock.Advance(d); err != nil {
		a.Site.Fail(w, a.Site.WithLang(r), err)
		return
	}
	if a.Casework != nil { // whoever turned the clock wants to see what it brings
		if _, err := a.Casework.Sweep(r.Context()); err != nil {
			a.Site.Fail(w, a.Site.WithLang(r), err)
			return
		}
		a.sendNotices(r.Context())
	}
	a.demoClock(w, r)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	e.Encode(v)
}
