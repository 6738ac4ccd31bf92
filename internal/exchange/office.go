package exchange

import (
	"net/http"
	"slices"
	"time"

	"diwan/internal/exchange/contract"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// Desk is the place of those who keep the exchange. Every page stands behind a
// sign-in.
type Desk struct {
	Exchange *Exchange
	Site     *web.Site
	Actor    func(*http.Request) gov.Actor
	// Base is the address under which gateways reach the directory.
	Base func(*http.Request) string
}

// MayKeep tells who works at this desk.
func MayKeep(a gov.Actor) bool { return a.Has(gov.RoleExchange) }

// Register adds the pages to the mux of the office.
func (d *Desk) Register(mux *http.ServeMux) {
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /office/exchange":                       d.dashboard,
		"GET /office/exchange/members":               d.members,
		"POST /office/exchange/members":              d.addMember,
		"GET /office/exchange/members/{id...}":       d.member,
		"POST /office/exchange/invite":               d.invite,
		"POST /office/exchange/revoke":               d.revoke,
		"POST /office/exchange/suspend":              d.suspend,
		"GET /office/exchange/contracts":             d.contracts,
		"GET /office/exchange/contracts/{hash}":      d.contract,
		"GET /office/exchange/contracts/{hash}/json": d.contractJSON,
		"GET /office/exchange/questions":             d.questions,
		"POST /office/exchange/questions/{id}":       d.reply,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !MayKeep(d.Actor(r)) {
				d.Site.Fail(w, r, problem.New(problem.Forbidden, "forbidden"))
				return
			}
			handler(w, r)
		})
	}
}

// deskBar is what every page of the desk knows.
type deskBar struct {
	Who   gov.Actor
	Here  string
	Saved bool
	Error string
}

func (d *Desk) bar(r *http.Request, here string) deskBar {
	return deskBar{Who: d.Actor(r), Here: here, Saved: r.URL.Query().Get("saved") == "1"}
}

func (d *Desk) show(w http.ResponseWriter, r *http.Request, template, key, path string, data any) {
	d.Site.Show(w, r, http.StatusOK, web.Page{Template: "exchange/" + template, Title: d.Site.Printer(r).T(key), Path: path, Hidden: true, Data: data})
}

func (d *Desk) done(w http.ResponseWriter, r *http.Request, err error, path string) {
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+path+"?saved=1", http.StatusSeeOther)
}

// trafficView is a service with what passed.
type trafficView struct {
	Usage
	Title         gov.Text
	Mean          int64
	ErrorsPercent int64
}

type ending struct {
	What, ID, Link string
	Day            gov.Date
	Days           int
}

type nodeView struct {
	Node
	ID     string
	Silent bool
	Day    gov.Date
	Time   string
	Since  *instant // of its maintenance
}

// instant is a moment as people read it.
type instant struct {
	Day  gov.Date
	Time string
}

// nodeViews are a member's gateways.
func (d *Desk) nodeViews(m *Member, now time.Time) (out []nodeView) {
	for _, n := range m.Nodes {
		v := nodeView{Node: n, ID: m.ID, Silent: now.Sub(n.Seen) > silentAfter}
		v.Day, v.Time = momentParts(n.Seen, d.Site)
		if !n.MaintenanceSince.IsZero() {
			v.Since = &instant{}
			v.Since.Day, v.Since.Time = momentParts(n.MaintenanceSince, d.Site)
		}
		out = append(out, v)
	}
	return out
}

type dashboardData struct {
	deskBar
	Traffic   []trafficView
	Endings   []ending
	Nodes     []nodeView
	Calls     int64
	Errors    int64
	Live      int
	Proposed  int
	Questions int
	Serial    int64
	Issued    gov.Date
	Print     string
}

// silentAfter is when a node that says nothing is shown as silent.
const silentAfter = 2 * time.Hour

func (d *Desk) dashboard(w http.ResponseWriter, r *http.Request) {
	data := dashboardData{deskBar: d.bar(r, "dashboard"), Print: d.Exchange.Fingerprint()}
	if err := d.fillDashboard(r, &data); err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	d.show(w, r, "office-dashboard", "exchange.office.title", "/office/exchange", data)
}

func (d *Desk) fillDashboard(r *http.Request, data *dashboardData) error {
	ctx, now, zone := r.Context(), d.Exchange.clock.Now(), d.Site.Country.Zone()
	titles, err := d.Exchange.serviceTitles(ctx)
	if err != nil {
		return err
	}
	traffic, err := d.Exchange.Traffic(ctx, now.Add(-24*time.Hour), 50)
	if err != nil {
		return err
	}
	for _, u := range traffic {
		v := trafficView{Usage: u, Title: titles[u.Service]}
		if u.Calls > 0 {
			v.Mean, v.ErrorsPercent = u.MillisTotal/u.Calls, 100*u.Errors/u.Calls
		}
		data.Calls, data.Errors = data.Calls+u.Calls, data.Errors+u.Errors
		data.Traffic = append(data.Traffic, v)
	}
	agreements, err := d.Exchange.Agreements(ctx, "", 5000, 0)
	if err != nil {
		return err
	}
	add := func(what, id, link string, at time.Time) {
		data.Endings = append(data.Endings, ending{what, id, link, gov.DateOf(at, zone), int(at.Sub(now).Hours() / 24)})
	}
	for _, a := range agreements {
		switch a.State {
		case contract.Live:
			data.Live++
		case contract.Proposed:
			data.Proposed++
		}
		if a.EndsSoon(now) {
			add("contract", a.Contract.Grants[0].Data.Properties.Client, "contracts/"+a.Hash, time.Unix(a.Contract.Validity.NotAfter, 0))
		}
	}
	members, err := d.Exchange.Members(ctx)
	if err != nil {
		return err
	}
	for _, m := range members {
		data.Nodes = append(data.Nodes, d.nodeViews(m, now)...)
		for _, n := range m.Nodes {
			if at := lastEnd(m.Keys, n.Name, KeyTLS); !at.IsZero() && at.Sub(now) < endsSoon {
				add("certificate", m.ID+"/"+n.Name, "members/"+m.ID, at)
			}
		}
	}
	slices.SortFunc(data.Endings, func(a, b ending) int { return a.Days - b.Days })
	questions, err := d.Exchange.OpenQuestions(ctx, 1000)
	if err != nil {
		return err
	}
	data.Questions = len(questions)
	last, err := d.Exchange.lastIndex(ctx, d.Exchange.store.db.Reader())
	if last != nil {
		data.Serial, data.Issued = last.serial, gov.DateOf(last.issued, zone)
	}
	return err
}

// lastEnd is when the last of a node's keys of a kind ends.
func lastEnd(keys []Key, node, kind string) (at time.Time) {
	for _, k := range keys {
		if k.Node == node && k.Kind == kind && k.Revoked.IsZero() && k.NotAfter.After(at) {
			at = k.NotAfter
		}
	}
	return at
}
