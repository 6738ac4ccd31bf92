package exchange

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// Mine is what a person sees of exchanges about them. Every page stands behind
// their own sign-in.
type Mine struct {
	Exchange *Exchange
	Site     *web.Site
	Actor    func(*http.Request) gov.Actor
	// Reference returns how a person is named in the exchange.
	Reference func(ctx context.Context, account string) (string, error)
}

// Register adds the pages to the mux of the person's space.
func (m *Mine) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /me/data", m.data)
	mux.HandleFunc("POST /me/data/{request}", m.ask)
}

// accessesPage is how many exchanges one page shows.
const accessesPage = 20

// accessView is one exchange as it is shown.
type accessView struct {
	Access
	Asker, Owner gov.Text
	Title        gov.Text // of the service
	Day          gov.Date
	Time         string
	Purpose      gov.Text
	Basis        []lawRef
	Fields       []string
	Done         bool
	Questions    []*Question
}

type dataPage struct {
	Who                gov.Actor
	Items              []accessView
	Total, Page, Pages int
	Reference          string
	Error              string
	Sent               bool
}

// Previous is the page before this one.
func (d dataPage) Previous() int { return d.Page - 1 }

// Next is the page after this one.
func (d dataPage) Next() int { return d.Page + 1 }

func (m *Mine) data(w http.ResponseWriter, r *http.Request) { m.show(w, r, http.StatusOK, "") }

func (m *Mine) show(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	ctx := r.Context()
	d := dataPage{Who: m.Actor(r), Error: wrong, Sent: r.URL.Query().Get("sent") == "1", Page: 1}
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 && n < 10_000 {
		d.Page = n
	}
	subject, err := m.Reference(ctx, d.Who.ID)
	if err == nil {
		d.Reference = subject
		err = m.fill(ctx, &d, subject)
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	m.Site.Show(w, r, status, web.Page{Template: "exchange/me-data", Title: m.Site.Printer(r).T("exchange.me.title"), Path: "/me/data", Hidden: true, Data: d})
}

func (m *Mine) fill(ctx context.Context, d *dataPage, subject string) error {
	list, total, err := m.Exchange.Accesses(ctx, subject, accessesPage, (d.Page-1)*accessesPage)
	if err != nil {
		return err
	}
	d.Total, d.Pages = total, (total+accessesPage-1)/accessesPage
	names, err := m.Exchange.memberNames(ctx)
	if err != nil {
		return err
	}
	titles, err := m.Exchange.serviceTitles(ctx)
	if err != nil {
		return err
	}
	asked, err := m.Exchange.QuestionsOf(ctx, subject)
	if err != nil {
		return err
	}
	for _, a := range list {
		v := accessView{Access: *a, Asker: names[memberOf(a.Client)], Owner: names[memberOf(a.Service)], Title: titles[a.Service], Done: a.Status < 400}
		v.Day, v.Time = momentParts(a.At, m.Site)
		if a.Agreement != nil {
			for _, g := range a.Agreement.Contract.Grants {
				if q := g.Data.Properties; q.Service == a.Service && q.Client == a.Client {
					v.Purpose, v.Basis, v.Fields = textOf(q.Purpose), m.Exchange.lawRefs(ctx, q.LegalBasis), q.Fields
				}
			}
		}
		for _, q := range asked {
			if q.Request == a.Request {
				v.Questions = append(v.Questions, q)
			}
		}
		d.Items = append(d.Items, v)
	}
	return nil
}

func momentParts(t time.Time, s *web.Site) (gov.Date, string) {
	local := t.In(s.Country.Zone())
	return gov.DateOf(t, s.Country.Zone()), local.Format("15:04")
}

func (m *Mine) ask(w http.ResponseWriter, r *http.Request) {
	who := m.Actor(r)
	subject, err := m.Reference(r.Context(), who.ID)
	if err == nil {
		err = m.Exchange.Ask(r.Context(), who, subject, r.PathValue("request"), r.PostFormValue("kind"), r.PostFormValue("words"))
	}
	if p := problem.From(err); err != nil && (p.Kind == problem.Invalid || p.Kind == problem.TooMany) {
		m.show(w, r, p.Kind.Status(), m.Site.Sentence(web.LangOf(r), p))
		return
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+"/me/data?sent=1", http.StatusSeeOther)
}

// memberNames are the names of members by identifier, those who left included:
// what they did stays named.
func (x *Exchange) memberNames(ctx context.Context) (map[string]gov.Text, error) {
	list, err := x.store.members(ctx, x.store.db.Reader(), "")
	out := make(map[string]gov.Text, len(list))
	for _, m := range list {
		out[m.ID] = m.Name
	}
	return out, err
}

func (x *Exchange) serviceTitles(ctx context.Context) (map[string]gov.Text, error) {
	out := map[string]gov.Text{}
	err := x.store.services(ctx, x.store.db.Reader(), "", nil, func(s Service) { out[s.ID] = s.Title })
	return out, err
}
