package casework

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"net/url"

	"diwan/internal/gov"
	"diwan/internal/web"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed messages/*.json
var messageFiles embed.FS

// Templates returns the pages of casework.
func Templates() web.TemplateSet {
	return web.TemplateSet{Slice: "casework", Files: web.Folder(templateFiles, "templates")}
}

// Messages returns the words of this slice.
func Messages() fs.FS { return web.Folder(messageFiles, "messages") }

// Subject is for whom somebody acts: themselves, or a person or firm that they
// represent.
type Subject struct {
	ID   string // whose key seals what is said
	Name gov.Text
	// For says that somebody else acts for them.
	For bool
	// Lang is the language in which they are written to; empty is that of the page.
	Lang gov.Lang
	// Procedures bounds what may be done for them; empty is everything.
	Procedures []string
}

// Mine are the pages of a person's own space. All stand behind their sign-in.
type Mine struct {
	*Casework
	Site   *web.Site
	Actor  func(*http.Request) gov.Actor
	Acting func(*http.Request) Subject
	// Known are facts about the person that need not be asked again, by the names
	// that forms use.
	Known func(ctx context.Context, r *http.Request, s Subject) map[string]any
	// Root is where the pages stand, Channel by which way what is written there is
	// filed; empty are a person's own space and Online.
	Root, Channel string
	// Base is this installation's address as the reader knows it.
	Base func(*http.Request) string
	// Session names the reader's browser session, for what is tied to it; empty of none.
	Session func(*http.Request) string
	// Script is the address of what makes a page that waits for a wallet follow by itself.
	Script string
	// MayData is the policy on taking a person's data out and erasing them; nil leaves
	// it to the rule that nobody does so for another.
	MayData func(r *http.Request, action string) error
	// Close forgets the account itself, when nothing has to stay. It answers the reader,
	// whose session ends with it; nil where accounts are not kept here.
	Close func(w http.ResponseWriter, r *http.Request) error
}

// What a person does with all that is held about them.
const (
	exportData = "person.export"
	eraseData  = "person.erase"
)

// Register adds the pages to the mux of the person's space.
func (m *Mine) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /me/{$}", m.home)
	m.registerAfter(mux)
	mux.HandleFunc("GET /me/apply/{procedure}", m.begin)
	mux.HandleFunc("POST /me/apply/{procedure}", m.start)
	mux.HandleFunc("GET /me/drafts/{draft}", m.resume)
	mux.HandleFunc("POST /me/drafts/{draft}/drop", m.drop)
	mux.HandleFunc("GET /me/drafts/{draft}/pages/{page}", m.page)
	mux.HandleFunc("POST /me/drafts/{draft}/pages/{page}", m.answer)
	mux.HandleFunc("GET /me/drafts/{draft}/files/{file}/preview", m.draftPreview)
	mux.HandleFunc("GET /me/drafts/{draft}/check", m.check)
	mux.HandleFunc("POST /me/drafts/{draft}/check", m.file)
	mux.HandleFunc("GET /me/drafts/{draft}/evidence/{evidence}", m.evidencePage)
	mux.HandleFunc("POST /me/drafts/{draft}/evidence/{evidence}", m.evidenceAct)
	mux.HandleFunc("GET /me/drafts/{draft}/evidence/{evidence}/state", m.presentState)
	mux.HandleFunc("GET /me/drafts/{draft}/evidence/{evidence}/back", m.presentBack)
	mux.HandleFunc("GET /me/consents", m.consents)
	mux.HandleFunc("POST /me/consents/{id}", m.withdrawConsent)
	mux.HandleFunc("GET /me/cases/{number}", m.caseOf)
	mux.HandleFunc("POST /me/cases/{number}", m.act)
	mux.HandleFunc("POST /me/cases/{number}/files", m.sendFiles)
	mux.HandleFunc("GET /me/cases/{number}/files/{file}", m.serveFile(m.Site, m.Actor))
	mux.HandleFunc("GET /me/cases/{number}/files/{file}/preview", m.previewFile(m.Site, m.Actor))
	m.registerPay(mux)
	m.registerBook(mux)
}

// show answers with a page of the person's space.
func (m *Mine) show(w http.ResponseWriter, r *http.Request, status int, template, title, path string, data any) {
	m.Site.Show(w, r, status, web.Page{Template: "casework/" + template, Title: title, Path: path, Hidden: true, Data: data})
}

// asked is a page's path with what it was asked, as names and values in turn: the
// same page in another language shows the same. Empty values are left out.
func asked(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// to sends on to another page of this language, after something was done.
func to(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, "/"+string(web.LangOf(r))+path, http.StatusSeeOther)
}
