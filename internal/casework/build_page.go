package casework

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"diwan/internal/casework/clock"
	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// What the policy decides on forms.
const (
	MayEditForm    = "form.edit"
	MayPublishForm = "form.publish"
)

// Builder are the pages on which officers make forms. They work without JavaScript:
// every change is a page posted, and the preview stands beside it.
type Builder struct {
	*Casework
	Site  *web.Site
	Actor func(*http.Request) gov.Actor
	// MayForm is the policy: nil when the actor may do the action to the form of a
	// procedure in which an account had a hand ("" none).
	MayForm func(ctx context.Context, actor gov.Actor, action, procedure, hand string) error
	// Mine lists the procedures of the actor's administration.
	Mine func(actor gov.Actor) []Office
	// Facts are what a first form of a procedure is made from, its documents apart.
	Facts func(procedure string) (form.Facts, error)
	// Sources are the data services of an administration from which a form may fetch;
	// nil where there are none.
	Sources func(from string) ([]Source, error)
}

const builderRoot = "/office/forms"

// Register adds the pages to the mux of the office.
func (b *Builder) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+builderRoot, b.list)
	mux.HandleFunc("POST "+builderRoot, b.start)
	mux.HandleFunc("GET "+builderRoot+"/{procedure}/{version}", b.overview)
	mux.HandleFunc("POST "+builderRoot+"/{procedure}/{version}", b.change)
	mux.HandleFunc("GET "+builderRoot+"/{procedure}/{version}/pages/{page}", b.editPage)
	mux.HandleFunc("POST "+builderRoot+"/{procedure}/{version}/pages/{page}", b.changePage)
	mux.HandleFunc("POST "+builderRoot+"/{procedure}/{version}/try/{page}", b.tryPage)
}

// may tells whether somebody may see the forms of a procedure here: those who edit
// them and those who publish them.
func (b *Builder) may(r *http.Request, procedure string) (edit, publish bool) {
	who := b.Actor(r)
	return b.MayForm(r.Context(), who, MayEditForm, procedure, "") == nil, b.MayForm(r.Context(), who, MayPublishForm, procedure, "") == nil
}

func (b *Builder) show(w http.ResponseWriter, r *http.Request, status int, template, title, path string, data any) {
	b.Site.Show(w, r, status, web.Page{Template: "casework/" + template, Title: title, Path: path, Hidden: true, Data: data})
}

var errForbidden = problem.New(problem.Forbidden, "forbidden")

type formRow struct {
	FormRow
	Name gov.Text
	Who  gov.Text
}

type formsData struct {
	deskPage
	Rows  []formRow
	Start []Office // procedures without a form yet, and all others
}

func (b *Builder) list(w http.ResponseWriter, r *http.Request) { b.showList(w, r, http.StatusOK, nil) }

func (b *Builder) showList(w http.ResponseWriter, r *http.Request, status int, wrong []string) {
	who := b.Actor(r)
	data := formsData{deskPage: deskPage{Who: who, Saved: r.URL.Query().Get("saved") == "1", Error: strings.Join(wrong, " ")}}
	mine := b.Mine(who)
	names := map[string]gov.Text{}
	edits := false
	for _, p := range mine {
		edit, publish := b.may(r, p.ID)
		if edit || publish {
			names[p.ID] = p.Name
		}
		if edit {
			edits = true
			data.Start = append(data.Start, p)
		}
	}
	if !edits && len(names) == 0 {
		b.Site.Fail(w, r, errForbidden)
		return
	}
	all, err := b.Forms(r.Context(), "")
	if err != nil {
		b.Site.Fail(w, r, err)
		return
	}
	for _, f := range all {
		if name, ok := names[f.Procedure]; ok {
			data.Rows = append(data.Rows, formRow{f, name, b.AccountName(r.Context(), f.By)})
		}
	}
	b.show(w, r, status, "forms", b.Site.Printer(r).T("build.forms"), builderRoot, data)
}

// start makes a new draft, from the procedure or from an earlier version.
func (b *Builder) start(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		b.Site.Fail(w, r, tooLarge(err))
		return
	}
	procedure := r.PostFormValue("procedure")
	if edit, _ := b.may(r, procedure); !edit {
		b.Site.Fail(w, r, errForbidden)
		return
	}
	facts, err := b.Facts(procedure)
	var version string
	if err == nil {
		version, err = b.NewForm(r.Context(), b.Actor(r), procedure, r.PostFormValue("from"), facts)
	}
	if wrong, ok := b.sentences(r, err); ok {
		b.showList(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		b.Site.Fail(w, r, err)
		return
	}
	to(w, r, builderRoot+"/"+procedure+"/"+version)
}

// sentences says what the builder can mend, and where it stands in the form.
func (b *Builder) sentences(r *http.Request, err error) ([]string, bool) {
	if faults, ok := errors.AsType[form.Faults](err); ok {
		var out []string
		for _, f := range faults {
			s := b.Site.Sentence(web.LangOf(r), &problem.Error{Kind: problem.Invalid, Code: f.Code, Args: f.Args})
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
		return out, true
	}
	if s, ok := readers(b.Site, r, err); ok {
		return []string{s}, true
	}
	return nil, false
}

// findingRow is a finding in words.
type findingRow struct {
	Text     string
	Warns    bool
	Page     string // on which it is mended
	Articles []string
}

func (b *Builder) findings(r *http.Request, f *form.Form) (out []findingRow, stops bool, err error) {
	all, err := b.Findings(r.Context(), f)
	if err != nil {
		return nil, false, err
	}
	doc := f.Doc()
	for _, x := range all {
		kv := make([]string, 0, 2*len(x.Args))
		for k, v := range x.Args {
			kv = append(kv, k, v)
		}
		row := findingRow{Text: b.Site.Printer(r).T("ask.lint."+x.Code, kv...), Warns: x.Warns, Page: pageOfPath(doc, x.Path)}
		for _, a := range x.Articles {
			row.Articles = append(row.Articles, clock.ArticleNumber(a))
		}
		stops = stops || !x.Warns
		out = append(out, row)
	}
	return out, stops, nil
}

// pageOfPath is the page that a path in a document lies in: "pages[2].questions[0]".
func pageOfPath(d form.Doc, path string) string {
	rest, ok := strings.CutPrefix(path, "pages[")
	n := 0
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int(c-'0')
		if n > len(d.Pages) {
			return ""
		}
	}
	if !ok || n >= len(d.Pages) {
		return ""
	}
	return d.Pages[n].ID
}

// langInput is a text in one language as an input.
type langInput struct {
	Name, ID string
	Lang     gov.Lang
	Dir      string
	Language string
	Value    string
	Long     bool
	Required bool
}

func (b *Builder) inputs(doc form.Doc, name string, t gov.Text, long, required bool) []langInput {
	var out []langInput
	for _, l := range doc.Languages {
		lang, _ := b.Country.Language(l)
		out = append(out, langInput{name + "." + string(l), "b-" + name + "-" + string(l), l, lang.Dir, lang.Name, t[l], long, required})
	}
	return out
}

// typedText reads a text in all languages of a form.
func typedText(r *http.Request, doc form.Doc, name string) gov.Text {
	t := gov.Text{}
	for _, l := range doc.Languages {
		if s := strings.TrimSpace(r.PostFormValue(name + "." + string(l))); s != "" {
			t[l] = s
		}
	}
	if len(t) == 0 {
		return nil
	}
	return t
}
