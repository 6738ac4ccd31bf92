package gazette

import (
	"context"
	"embed"
	"io/fs"
	"net/http"

	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/web"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed messages/*.json
var messageFiles embed.FS

// Templates returns the pages of the gazette.
func Templates() web.TemplateSet {
	return web.TemplateSet{Slice: "gazette", Files: web.Folder(templateFiles, "templates")}
}

// Messages returns the words of the gazette's pages.
func Messages() fs.FS { return web.Folder(messageFiles, "messages") }

// Law is the public's side of the gazette. Its pages are the same for everybody
// and need no JavaScript.
type Law struct {
	Gazette *Gazette
	Site    *web.Site
}

// Register adds the pages to the mux under a language.
func (l *Law) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /akn/{path...}", l.address)
	mux.HandleFunc("GET /law/compare", l.compare)
	l.registerBrowse(mux)
}

// cached answers with a page that depends on nothing but what is published and
// the day.
func (l *Law) cached(w http.ResponseWriter, r *http.Request, make func() (web.Page, error)) {
	rev, err := l.Gazette.Revision(r.Context())
	if err != nil {
		l.Site.Fail(w, r, err)
		return
	}
	if r.URL.RawQuery != "" { // the cache knows addresses without their queries
		page, err := make()
		if err != nil {
			l.Site.Fail(w, r, err)
			return
		}
		l.Site.Uncached(w, r, http.StatusOK, page)
		return
	}
	// Revisions of the law are counted below zero, so that no moment of another
	// slice is taken for one of the law.
	l.Site.Cached(w, r, web.Moment{Revision: -1 - rev, Day: l.Site.Today()}, make)
}

// workView is a work in a list or at the head of a page.
type workView struct {
	*model.Work
	Title string
	Lang  string // of the title, two letters
	Dir   string
	Kind  gov.Text
	Named string // kind and number, as the language of the page writes them
	Day   gov.Date
}

// view names a work for readers of a language.
func (l *Law) view(w *model.Work, lang gov.Lang) workView {
	v := workView{Work: w, Kind: l.Gazette.KindName(w.Kind)}
	v.Named, _ = v.Kind.In(lang, l.Site.Country.Order())
	if v.Named == "" {
		v.Named = l.Site.Words.Printer(string(lang)).T("law.kind.none")
	}
	if w.Number != "" {
		v.Named = l.Site.Words.Printer(string(lang)).T("law.named", "kind", v.Named, "number", l.Gazette.PrintNumber(w.Number, lang))
	}
	for _, code := range l.Gazette.LawLangs(lang) {
		if t := w.Titles[code]; t != "" {
			v.Title, v.Lang, v.Dir = t, twoLetters(code), l.dir(twoLetters(code))
			break
		}
	}
	if v.Title == "" {
		v.Title, v.Lang, v.Dir = w.ID, "en", "ltr"
	}
	if !w.Suspect {
		v.Day = dateOf(w.Signed)
	}
	return v
}

// Named is the kind and number of a text in every language, as the head of its page has
// them; nil when it is not held.
func (l *Law) Named(ctx context.Context, work gov.Address) (gov.Text, error) {
	works, err := l.Gazette.Works(ctx, []string{string(work)})
	w := works[string(work)]
	if err != nil || w == nil {
		return nil, err
	}
	out := gov.Text{}
	for _, lang := range l.Site.Country.Order() {
		out[lang] = l.view(w, lang).Named
	}
	return out, nil
}

// dir is the direction in which a language is written.
func (l *Law) dir(code string) string {
	if lang, ok := l.Site.Country.Language(gov.Lang(code)); ok {
		return lang.Dir
	}
	return "ltr"
}

// dateOf turns a whole day into a date; anything else is no date.
func dateOf(d model.Date) gov.Date {
	day, err := gov.ParseDate(string(d))
	if err != nil {
		return gov.Date{}
	}
	return day
}
