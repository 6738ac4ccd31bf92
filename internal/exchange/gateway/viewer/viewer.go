// Package viewer is where authorised officers of a member look into the log of
// their gateway: search it, see what proves one exchange, take that proof away, and
// see whether the journal as a whole holds.
//
// What it promises:
//
//   - Nobody gets in without a code that somebody with the gateway's own folder made
//     for them by name. A code is good once and for a short time; codes and sessions
//     are kept as hashes.
//   - Who looked for what is in the journal, durably, before anything is shown.
//   - It shows no content of messages, for the gateway keeps none.
//
// It is mounted on the admin listener, which listens on the loopback alone, answers
// to no other name than this machine's, and refuses what a web page of elsewhere
// makes a browser send.
package viewer

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/gateway"
	"diwan/internal/i18n"
	"diwan/internal/web"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed messages/*.json
var messageFiles embed.FS

// Migrations returns the tables of codes and sessions.
func Migrations() db.Migrations { return db.Embedded("viewer", migrationFiles) }

// Gateway is what the viewer shows; a *gateway.Gateway is one.
type Gateway interface {
	Identity() (member, node string)
	Now() time.Time
	Exchanges(context.Context, gateway.Search) ([]gateway.Exchange, error)
	Evidence(ctx context.Context, request string) (*gateway.Evidence, *gateway.EvidenceReport, error)
	CheckWhole(context.Context) (*gateway.Whole, error)
	LastCheck(context.Context) (*gateway.Whole, error)
	ProofFault() string
	NoteAccess(ctx context.Context, officer, action, query string) error
}

// Root is where the pages begin.
const Root = "/viewer/"

// langs are the languages of the pages, the first one for those who name none.
var langs = []string{"ar", "fr", "en"}

var names = map[string]string{"fr": "Français", "en": "English"}

// Viewer serves the pages.
type Viewer struct {
	g       Gateway
	door    door
	prepare func() error // done once
	assets  *web.Assets
	words   *i18n.Catalog
	pages   map[string]*template.Template // by language
}

// New returns the viewer over the gateway's database, whose tables it makes. The
// pages are prepared when somebody first asks for one: most gateways run for long
// without, and should neither start later nor hold more for it.
func New(ctx context.Context, g Gateway, d *db.DB) (*Viewer, error) {
	if _, err := d.Migrate(ctx, []db.Migrations{Migrations()}, g.Now()); err != nil {
		return nil, err
	}
	v := &Viewer{g: g, door: door{d, g.Now}, pages: map[string]*template.Template{}}
	v.prepare = sync.OnceValue(v.build)
	return v, nil
}

func (v *Viewer) build() (err error) {
	if v.assets, err = web.NewAssets(); err != nil {
		return err
	}
	if v.words, err = i18n.Load(langs, []fs.FS{web.Folder(messageFiles, "messages")}); err != nil {
		return err
	}
	for _, l := range langs {
		if v.pages[l], err = v.parse(l); err != nil {
			return fmt.Errorf("the viewer's pages: %w", err)
		}
	}
	return nil
}

// prepared serves once the pages are there.
func (v *Viewer) prepared(next func(http.ResponseWriter, *http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := v.prepare(); err != nil {
			http.Error(w, "the pages can't be made", http.StatusInternalServerError)
			return
		}
		next(w, r)
	})
}

// Mount adds the viewer to a gateway's admin listener.
func Mount(ctx context.Context, g *gateway.Gateway) error {
	v, err := New(ctx, g, g.DB())
	if err != nil {
		return err
	}
	g.Mount(Root, v.Handler())
	g.Mount("GET /static/", v.prepared(func(w http.ResponseWriter, r *http.Request) { v.assets.ServeHTTP(w, r) }))
	return nil
}

func (v *Viewer) parse(lang string) (*template.Template, error) {
	p := v.words.Printer(lang)
	dir := "ltr"
	if lang == langs[0] {
		dir = "rtl"
	}
	return template.New("").Funcs(template.FuncMap{
		"t": p.T, "asset": v.assets.URL, "lang": func() string { return lang }, "dir": func() string { return dir },
		"when":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"slashes": slashes,
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
	}).ParseFS(templateFiles, "templates/*.html")
}

// slashes lets identifiers, paths and error types break where a reader would break
// them, before anything else gives way.
func slashes(id string) template.HTML {
	return template.HTML(breaks.Replace(template.HTMLEscapeString(id)))
}

var breaks = strings.NewReplacer("/", "/<wbr>", ".", ".<wbr>", "_", "_<wbr>")

// Handler serves everything below Root.
func (v *Viewer) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Root+"{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, Root+langs[0]+"/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET "+Root+"exchanges.json", v.list)
	for _, l := range langs {
		at := Root + l + "/"
		mux.HandleFunc("GET "+at+"sign-in", v.public(l, v.signInPage))
		mux.HandleFunc("POST "+at+"sign-in", v.public(l, v.signIn))
		mux.HandleFunc("POST "+at+"sign-out", v.public(l, v.signOut))
		mux.HandleFunc("GET "+at+"{$}", v.inside(l, v.search))
		mux.HandleFunc("GET "+at+"exchanges/{request}", v.inside(l, v.exchange))
		mux.HandleFunc("GET "+at+"exchanges/{request}/proof.json", v.inside(l, v.download))
		mux.HandleFunc("GET "+at+"verification", v.inside(l, v.verification))
		mux.HandleFunc("POST "+at+"verification", v.inside(l, v.verify))
	}
	return web.SecureHeaders(false, v.prepared(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		mux.ServeHTTP(w, r)
	}))
}
