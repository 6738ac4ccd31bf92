package credential

import (
	"context"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/qr"
	"diwan/internal/web"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed messages/*.json
var messageFiles embed.FS

// Templates returns the pages of credentials.
func Templates() web.TemplateSet {
	return web.TemplateSet{Slice: "credential", Files: web.Folder(templateFiles, "templates")}
}

// Messages returns the words of this slice.
func Messages() fs.FS { return web.Folder(messageFiles, "messages") }

// Mine are the pages on which people see and fetch their documents. They stand behind
// a sign-in.
type Mine struct {
	*Credentials
	Site  *web.Site
	Actor func(*http.Request) gov.Actor
	// Acting is the account for which the reader acts: their own, or that of whom they
	// represent.
	Acting func(*http.Request) string
	// Print makes and seals the paper form; nil where nothing can be printed.
	Print func(r *http.Request, p *Printed) ([]byte, error)
	// Wallet is the path of the installation's own wallet; empty without one.
	Wallet string
}

// Register mounts the pages below /me/.
func (m *Mine) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /me/documents", m.list)
	mux.HandleFunc("GET /me/documents/{id}", m.show)
	mux.HandleFunc("GET /me/documents/{id}/picture/{claim}", m.picture)
	mux.HandleFunc("POST /me/documents/{id}/offer", m.offer)
	mux.HandleFunc("GET /me/documents/{id}/paper", m.paper)
	mux.HandleFunc("GET /me/wallet/requests/{id}", m.ask)
	mux.HandleFunc("POST /me/wallet/requests/{id}", m.decide)
}

func (m *Mine) page(w http.ResponseWriter, r *http.Request, status int, name, title, path string, data any) {
	m.Site.Show(w, r, status, web.Page{Template: "credential/" + name, Title: title, Path: path, Hidden: true, Data: data})
}

// row is a document in a list.
type row struct {
	*Document
	Name   gov.Text
	Office gov.Text
	Tone   string
	Icon   string
	Stand  string // message of how it stands
}

// standing says how a document stands on a day, and how that looks.
func standing(d *Document, today gov.Date) (stand, tone, icon string) {
	switch {
	case d.State == Ready && !d.Until.IsZero() && d.Until.Before(today):
		return "expired", "bad", "clock"
	case d.State == Ready:
		return Ready, "good", "tick"
	case d.State == Revoked:
		return Revoked, "bad", "cross"
	case d.State == Suspended:
		return Suspended, "turn", "warning"
	case d.State == Faulty:
		return Faulty, "turn", "warning"
	}
	return d.State, "wait", "clock"
}

func (s *Credentials) row(r *http.Request, d *Document) (row, error) {
	t, err := s.TypeVersion(r.Context(), d.Type, d.Version)
	if err != nil {
		return row{}, err
	}
	x := row{Document: d, Name: t.Name, Office: s.OfficeName(d.Administration)}
	x.Stand, x.Tone, x.Icon = standing(d, s.today())
	return x, nil
}

type listData struct {
	Who    gov.Actor
	Rows   []row
	Wallet string
}

func (m *Mine) list(w http.ResponseWriter, r *http.Request) {
	d := listData{Who: m.Actor(r), Wallet: m.Wallet}
	all, err := m.Held(r.Context(), m.Acting(r))
	for _, x := range all {
		var one row
		if one, err = m.row(r, x); err != nil {
			break
		}
		d.Rows = append(d.Rows, one)
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	m.page(w, r, http.StatusOK, "documents", m.Site.Printer(r).T("credential.mine"), "/me/documents", d)
}

// told is an event of a document as a page tells it, in local time.
type told struct {
	Event
	On   gov.Date
	Time string
}

func (s *Credentials) story(ctx context.Context, d *Document) ([]told, error) {
	all, err := s.History(ctx, d)
	out := make([]told, len(all))
	for i, e := range all {
		at := e.At.In(s.Country.Zone())
		out[i] = told{e, gov.DateOf(at, s.Country.Zone()), at.Format("15:04")}
	}
	return out, err
}

// Said is one thing that a document says, as a page shows it.
type Said struct {
	Label gov.Text
	Kind  string
	Text  string
	Day   gov.Date
	Yes   bool
	Image string // where the picture lies, on this page's own site
	Open  bool   // it can't be hidden
	// Entries are those of a list, each with what its members say.
	Entries [][]Said
}

// said lists what a document says in the order of its type. page is the path of the
// document's page, below which its pictures lie.
func (s *Credentials) said(r *http.Request, d *Document, page string) (*Type, []Said, error) {
	t, err := s.TypeVersion(r.Context(), d.Type, d.Version)
	if err != nil {
		return nil, nil, err
	}
	v, err := s.Values(r.Context(), d)
	if err != nil {
		return nil, nil, err
	}
	var out []Said
	for _, k := range t.Claims {
		x, ok := v[k.Name]
		if !ok {
			continue
		}
		one := Said{Label: k.Label, Kind: k.Kind, Open: k.Open}
		switch k.Kind {
		case Image:
			one.Image = "/" + string(web.LangOf(r)) + page + picturePath + k.Name
		case List:
			one.Entries, err = k.entries(x)
		default:
			err = one.take(x)
		}
		if err != nil {
			return nil, nil, err
		}
		out = append(out, one)
	}
	return t, out, nil
}

type documentData struct {
	Who gov.Actor
	row
	Says    []Said
	History []told
	Can     bool // it can be fetched
	Error   string
	Wallet  string
}

func (m *Mine) show(w http.ResponseWriter, r *http.Request) {
	d, err := m.Find(r.Context(), m.Actor(r), MayHold, r.PathValue("id"))
	data := documentData{Who: m.Actor(r), Wallet: m.Wallet}
	if err == nil {
		data.row, err = m.row(r, d)
	}
	if err == nil {
		data.Can = d.Valid(m.today())
		_, data.Says, err = m.said(r, d, minePath+d.ID)
	}
	if err == nil {
		data.History, err = m.story(r.Context(), d)
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	title, _ := data.Name.In(web.LangOf(r), m.Country.Order())
	m.page(w, r, http.StatusOK, "document", title, "/me/documents/"+d.ID, data)
}

type offerData struct {
	Who   gov.Actor
	ID    string
	Name  gov.Text
	Link  template.URL
	Here  string // the same for the wallet of this installation
	Code  template.HTML
	Tx    string
	Until string
}

// offer makes a fresh offer and shows it, once: it is not kept in a form that could
// be shown again.
func (m *Mine) offer(w http.ResponseWriter, r *http.Request) {
	d, err := m.Find(r.Context(), m.Actor(r), MayHold, r.PathValue("id"))
	var one row
	if err == nil {
		one, err = m.row(r, d)
	}
	var o *Offer
	if err == nil {
		o, err = m.OfferOf(r.Context(), d)
	}
	var link string
	if err == nil {
		link, err = m.Link(o, true)
	}
	data := offerData{Who: m.Actor(r)}
	if err == nil {
		data.Code, err = qr.SVG(link, m.Site.Printer(r).T("credential.offer.qr"))
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	data.ID, data.Name, data.Tx = d.ID, one.Name, o.TxCode
	data.Link = template.URL(link) //nolint:gosec // made here, of this installation's own address
	if m.Wallet != "" {
		if u, err := url.Parse(link); err == nil {
			data.Here = m.Wallet + "?" + u.RawQuery
		}
	}
	data.Until = o.Ends.In(m.Country.Zone()).Format("15:04")
	w.Header().Set("Cache-Control", "no-store")
	m.page(w, r, http.StatusOK, "offer", m.Site.Printer(r).T("credential.offer"), "/me/documents/"+d.ID, data)
}

type askData struct {
	Who gov.Actor
	*Request
	Host string // where the documents go
}

// ask shows what a wallet wants, for the person to decide.
func (m *Mine) ask(w http.ResponseWriter, r *http.Request) {
	req, err := m.Wish(r.Context(), r.PathValue("id"))
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	d := askData{Who: m.Actor(r), Request: req}
	if u, err := url.Parse(req.Redirect); err == nil {
		d.Host = u.Host
		if d.Host == "" {
			d.Host = u.Scheme
		}
	}
	m.page(w, r, http.StatusOK, "request", m.Site.Printer(r).T("credential.request.title"), "/me/wallet/requests/"+req.ID, d)
}

func (m *Mine) decide(w http.ResponseWriter, r *http.Request) {
	who := m.Actor(r)
	who.ID = m.Acting(r)
	where, err := m.Answer(r.Context(), who, r.PathValue("id"), r.FormValue("do") == "yes")
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, where, http.StatusSeeOther)
}

// Authorize answers the authorization endpoint: it takes the pushed request and leads
// the browser to the page on which its reader decides, behind their sign-in.
func (s *Credentials) Authorize(site *web.Site) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("client_id") == "" || q.Get("request_uri") == "" {
			site.Fail(w, site.WithLang(r), problem.New(problem.Invalid, "credential.request"))
			return
		}
		id, err := s.Open(r.Context(), q.Get("client_id"), q.Get("request_uri"))
		if err != nil {
			site.Fail(w, site.WithLang(r), err)
			return
		}
		http.Redirect(w, r, "/"+string(web.LangOf(site.WithLang(r)))+"/me/wallet/requests/"+id, http.StatusSeeOther)
	}
}
