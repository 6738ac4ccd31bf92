package exchange

import (
	"embed"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"diwan/internal/exchange/contract"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed messages/*.json
var messageFiles embed.FS

// Templates returns the pages of the exchange.
func Templates() web.TemplateSet {
	return web.TemplateSet{Slice: "exchange", Files: web.Folder(templateFiles, "templates")}
}

// Messages returns the words of the exchange's pages.
func Messages() fs.FS { return web.Folder(messageFiles, "messages") }

// Pages is the public's side of the exchange: who shares what with whom, and on
// what legal basis. It names administrations, never people.
type Pages struct {
	Exchange *Exchange
	Site     *web.Site
}

// Register adds the pages to the mux under a language.
func (p *Pages) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /exchange", p.home)
	mux.HandleFunc("GET /exchange/join", p.join)
	mux.HandleFunc("GET /exchange/services/{id...}", p.service)
}

// serviceView is a service in a list or at the head of a page.
type serviceView struct {
	Service
	Owner gov.Text
}

// use is one live contract as the public may see it.
type use struct {
	Client  string
	Name    gov.Text // of the member that asks
	Purpose gov.Text
	Basis   []lawRef
	Fields  []string
	Until   gov.Date
}

type homeData struct {
	Query    string
	Services []serviceView
	Members  int
	All      int
	Live     int
	Calls    int64
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request) {
	d := homeData{Query: strings.TrimSpace(r.URL.Query().Get("q"))}
	members, err := p.Exchange.Members(r.Context())
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	for _, m := range members {
		if !m.Suspended.IsZero() {
			continue
		}
		d.Members++
		for _, s := range m.Services {
			d.All++
			v := serviceView{s, m.Name}
			if matches(d.Query, v) {
				d.Services = append(d.Services, v)
			}
		}
	}
	agreements, err := p.Exchange.Agreements(r.Context(), "", 1000, 0)
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	for _, a := range agreements {
		if a.State == contract.Live {
			d.Live++
		}
	}
	traffic, err := p.Exchange.Traffic(r.Context(), p.Exchange.clock.Now().Add(-30*24*time.Hour), 1000)
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	for _, u := range traffic {
		d.Calls += u.Calls
	}
	path := "/exchange"
	if d.Query != "" {
		path += "?" + url.Values{"q": {d.Query}}.Encode()
	}
	p.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "exchange/home", Title: p.Site.Printer(r).T("exchange.title"), Path: path, Hidden: d.Query != "", Nav: "administrations", Data: d})
}

// matches tells whether a service has the words that somebody looks for.
func matches(query string, v serviceView) bool {
	text := strings.ToLower(v.ID)
	for _, names := range []gov.Text{v.Title, v.Owner} {
		for _, n := range names {
			text += " " + strings.ToLower(n)
		}
	}
	for w := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

func (p *Pages) join(w http.ResponseWriter, r *http.Request) {
	p.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "exchange/join", Title: p.Site.Printer(r).T("exchange.join.title"), Path: "/exchange/join", Nav: "administrations", Data: struct{}{}})
}

type serviceData struct {
	serviceView
	Basis []lawRef
	Uses  []use
}

func (p *Pages) service(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	m, err := p.Exchange.Member(r.Context(), memberOf(id))
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	i := slices.IndexFunc(m.Services, func(s Service) bool { return s.ID == id })
	if i < 0 || !m.Suspended.IsZero() {
		p.Site.Fail(w, r, problem.New(problem.NotFound, "exchange.not_found"))
		return
	}
	d := serviceData{serviceView: serviceView{m.Services[i], m.Name}, Basis: p.Exchange.lawRefs(r.Context(), m.Services[i].LegalBasis)}
	if d.Uses, err = p.uses(r, m.ID, id); err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	title, _ := m.Services[i].Title.In(web.LangOf(r), p.Site.Country.Order())
	p.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "exchange/service", Title: title, Path: "/exchange/services/" + id, Nav: "administrations", Data: d})
}

// uses lists who may use a service now.
func (p *Pages) uses(r *http.Request, member, service string) ([]use, error) {
	agreements, err := p.Exchange.Agreements(r.Context(), member, 1000, 0)
	if err != nil {
		return nil, err
	}
	names, err := p.Exchange.memberNames(r.Context())
	if err != nil {
		return nil, err
	}
	var out []use
	for _, a := range agreements {
		if a.State != contract.Live {
			continue
		}
		for _, g := range a.Contract.Grants {
			if q := g.Data.Properties; q.Service == service {
				out = append(out, use{Client: q.Client, Name: names[memberOf(q.Client)], Purpose: textOf(q.Purpose), Basis: p.Exchange.lawRefs(r.Context(), q.LegalBasis), Fields: q.Fields,
					Until: gov.DateOf(time.Unix(a.Contract.Validity.NotAfter, 0), p.Site.Country.Zone())})
			}
		}
	}
	return out, nil
}
