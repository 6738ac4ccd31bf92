package gazette

import (
	"context"
	"net/http"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/jobs"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// Office is the desk of those who keep the gazette: what is imported, what was
// read with doubt, which amendments nobody could apply. Every page stands behind
// a sign-in.
type Office struct {
	Law
	// Actor returns who is signed in.
	Actor func(*http.Request) gov.Actor
	// NameOf returns the name of somebody who acted, by id.
	NameOf func(r *http.Request, id string) gov.Text
	// Queue takes the work that an officer orders.
	Queue Queue
}

// Queue takes jobs in the transaction that orders them.
type Queue interface {
	Insert(ctx context.Context, tx *db.Tx, args jobs.Args) error
}

// Register adds the pages to the mux of the office.
func (o *Office) Register(mux *http.ServeMux) {
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /office/gazette":                                  o.imports,
		"POST " + UploadPath:                                   o.upload,
		"GET /office/gazette/imports/{id}":                     o.importPage,
		"POST /office/gazette/imports/{id}/again":              o.importAgain,
		"GET /office/gazette/queue":                            o.queue,
		"GET /office/gazette/correct":                          o.correctPage,
		"POST /office/gazette/correct":                         o.correct,
		"POST /office/gazette/pages/{source}/{number}/checked": o.pageChecked,
		"GET /office/gazette/operations":                       o.operations,
		"GET /office/gazette/operations/{id}":                  o.operationPage,
		"POST /office/gazette/operations/{id}":                 o.decide,
		"GET /office/gazette/differences":                      o.differences,
		"GET /office/gazette/differences.csv":                  o.differencesCSV,
		"GET /office/gazette/confirm":                          o.unconfirmed,
		"GET /office/gazette/confirm/{short}":                  o.confirmPage,
		"POST /office/gazette/confirm/{short}":                 o.confirm,
	} {
		mux.HandleFunc(pattern, o.allowed(handler))
	}
}

// allowed keeps the desk to those who may work at it.
func (o *Office) allowed(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !o.Gazette.MayEdit(o.Actor(r)) {
			o.Site.Fail(w, r, problem.New(problem.Forbidden, "forbidden"))
			return
		}
		next(w, r)
	}
}

// desk is what every page of the office knows.
type desk struct {
	Who   gov.Actor
	Here  string   // the part of the desk
	Saved bool     // what was sent was kept
	Error string   // what is wrong with what was sent
	Parts []string // the parts, for the bar
}

func (o *Office) desk(r *http.Request, here string) desk {
	return desk{Who: o.Actor(r), Here: here, Saved: r.URL.Query().Get("saved") == "1", Parts: []string{"imports", "queue", "operations", "differences", "confirm"}}
}

func (o *Office) show(w http.ResponseWriter, r *http.Request, status int, template, title, path string, data any) {
	if status >= 400 {
		title = o.Site.Printer(r).T("form.error.prefix") + " " + title
	}
	o.Site.Show(w, r, status, web.Page{Template: "gazette/" + template, Title: title, Path: path, Hidden: true, Data: data})
}

// sentence says what is wrong with what was sent, or "" when the error is not
// one that the page can show beside its form.
func (o *Office) sentence(r *http.Request, err error) (string, int) {
	e := problem.From(err)
	if e.Kind == problem.Internal || e.Kind == problem.NotFound || e.Kind == problem.Forbidden {
		return "", 0
	}
	return o.Site.Sentence(web.LangOf(r), e), e.Kind.Status()
}

// done sends the officer on after something was kept.
func (o *Office) done(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, "/"+string(web.LangOf(r))+path, http.StatusSeeOther)
}

// relinkLater orders the citations, amendments and states to be computed anew.
func (o *Office) relinkLater(ctx context.Context) func(*db.Tx) error {
	return func(tx *db.Tx) error {
		rev, err := o.Gazette.store.revision(ctx, tx)
		if err != nil {
			return err
		}
		return o.Queue.Insert(ctx, tx, relinkArgs{After: rev})
	}
}
