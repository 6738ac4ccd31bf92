package verifier

import (
	"context"
	_ "embed"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/verifier/check"
	"diwan/internal/web"
)

// Pages are those that everybody may open.
type Pages struct {
	*Verifier
	Site *web.Site
	// May is the policy on asking as a verifier, for one of its people; its error is shown.
	May func(ctx context.Context, who gov.Actor, verifier string) error
	// Secure tells that the portal is reached over https, so that the cookie is sent
	// over nothing else.
	Secure bool

	kitMu    sync.Mutex
	kitBytes []byte
	kitMade  time.Time
}

// Addresses outside the languages.
const (
	pathShort = "/v"
)

// ScriptPath is the script of these pages, for others of the portal that wait for a wallet.
const ScriptPath = "/verify.js"

// CheckPath is where files are posted, for whoever bounds what is posted elsewhere: it
// bounds them itself.
const CheckPath = "/verify/check"

//go:embed static/verify.js
var script []byte

// Register adds the pages under a language.
func (p *Pages) Register(mux *http.ServeMux) {
	for pattern, do := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /verify":                       p.home,
		"POST " + CheckPath:                 p.check,
		"GET /verify/code":                  p.code,
		"POST /verify/code":                 p.checkCode,
		"GET /verify/kit":                   p.kit,
		"POST /verify/ask":                  p.ask,
		"GET /verify/requests/{id}":         p.request,
		"GET /verify/requests/{id}/state":   p.state,
		"POST /verify/requests/{id}/result": p.result,
		"GET /verify/back/{id}":             p.back,
		"POST /verify/back/{id}":            p.returned,
		"GET /verify/{number}":              p.number,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := do(w, r); err != nil {
				p.Site.Fail(w, r, err)
			}
		})
	}
}

// RegisterShort adds the addresses outside the languages: the short one that printed
// pages show, and the script of these pages.
func (p *Pages) RegisterShort(mux *http.ServeMux) {
	file := web.NewRendered("text/javascript; charset=utf-8", script)
	mux.Handle("GET "+ScriptPath, file)
	mux.HandleFunc("GET "+pathShort, func(w http.ResponseWriter, r *http.Request) {
		// Browsers carry what stands behind "#" over to the page, and never send it.
		w.Header().Set("Vary", "Accept-Language")
		http.Redirect(w, r, "/"+string(p.Site.NegotiateLang(r))+"/verify/code", http.StatusFound)
	})
}

// common is what all pages show.
type common struct {
	Script string
	Error  string
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, template, title, path string, data any) {
	p.Site.Show(w, r, status, web.Page{Template: "verifier/" + template, Title: title, Path: path, Nav: "verify", Hidden: template != "verify", Data: data})
}

type homePage struct {
	common
	Askers  []asker // in a demonstration the invented ones
	Own     []asker // those of whose people the reader is
	As      *asker  // the one of them that is chosen
	People  string  // where somebody begins to be one of them
	Numbers bool
	Demo    bool
	PDF     bool
}

// asker is a verifier as which the reader may ask.
type asker struct {
	*Party
	Machine bool // the words are machine-made in the reader's language
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request) error {
	// A form without a script asks for a number by the query.
	if n := strings.TrimSpace(r.URL.Query().Get("number")); n != "" {
		if !plainNumber(n) {
			return p.homeWith(w, r, http.StatusUnprocessableEntity, problem.New(problem.Invalid, "verification.number"))
		}
		http.Redirect(w, r, "/"+string(web.LangOf(r))+"/verify/"+n, http.StatusSeeOther)
		return nil
	}
	return p.homeWith(w, r, http.StatusOK, nil)
}

func (p *Pages) homeWith(w http.ResponseWriter, r *http.Request, status int, wrong error) error {
	d := homePage{common: common{Script: ScriptPath}, Numbers: p.Numbers != nil, Demo: p.Demo, PDF: p.Render != nil, People: MinePath}
	parties, err := p.askers(r)
	if err != nil {
		return err
	}
	as, path := r.URL.Query().Get("as"), "/verify"
	for _, x := range parties {
		a := asker{x.Party, machine(x.Party, web.LangOf(r))}
		if !x.Own {
			d.Askers = append(d.Askers, a)
			continue
		}
		d.Own = append(d.Own, a)
		if d.As == nil || x.ID == as {
			d.As = &a
		}
		if x.ID == as {
			path += "?as=" + as
		}
	}
	if wrong != nil {
		d.Error = p.Site.Sentence(web.LangOf(r), problem.From(wrong))
	}
	p.show(w, r, status, "verify", p.Site.Printer(r).T("verify.title"), path, d)
	return nil
}

func machine(x *Party, l gov.Lang) bool { return slices.Contains(x.Review, l) }

func (p *Pages) who(r *http.Request) gov.Actor {
	if p.Site.Who == nil {
		return gov.Actor{}
	}
	return p.Site.Who(r)
}

// maxForm bounds a posted text.
const maxForm = check.MaxText + 64<<10

// check looks at what was pasted or sent as a file. It is shown and not kept.
func (p *Pages) check(w http.ResponseWriter, r *http.Request) error {
	text, file, err := posted(w, r)
	if err != nil {
		return p.homeWith(w, r, problem.From(err).Kind.Status(), err)
	}
	if len(file) == 0 {
		if strings.TrimSpace(text) == "" {
			return p.homeWith(w, r, http.StatusUnprocessableEntity, problem.New(problem.Invalid, "verification.nothing"))
		}
		p.showResult(w, r, p.Kit.Document(r.Context(), text))
		return nil
	}
	if check.IsPicture(file) {
		done, err := p.alone(r)
		if err != nil {
			return err
		}
		defer done()
	}
	found, err := p.Kit.File(r.Context(), file, p.Render)
	switch {
	case errors.Is(err, check.ErrNoCode):
		return p.homeWith(w, r, http.StatusUnprocessableEntity, problem.New(problem.Invalid, "verification.no_code"))
	case err != nil:
		return p.homeWith(w, r, http.StatusUnprocessableEntity, problem.Wrap(err, problem.Invalid, "verification.picture"))
	}
	p.showResult(w, r, found)
	return nil
}

// alone waits until no other picture is looked at.
func (p *Pages) alone(r *http.Request) (done func(), err error) {
	wait := time.NewTimer(15 * time.Second)
	defer wait.Stop()
	select {
	case p.images <- struct{}{}:
		return func() { <-p.images }, nil
	case <-r.Context().Done():
	case <-wait.C:
	}
	return nil, problem.New(problem.Unavailable, "verification.busy")
}

// posted reads a form with a text and a file, both held in memory and nowhere else.
func posted(w http.ResponseWriter, r *http.Request) (text string, file []byte, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, check.MaxFile+maxForm)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		if err := r.ParseForm(); err != nil {
			return "", nil, tooLarge(err)
		}
		return r.PostForm.Get("text"), nil, nil
	}
	m, err := r.MultipartReader()
	if err != nil {
		return "", nil, problem.Wrap(err, problem.Invalid, "form.malformed")
	}
	for range 8 {
		part, err := m.NextPart()
		if errors.Is(err, io.EOF) {
			return text, file, nil
		}
		if err != nil {
			return "", nil, tooLarge(err)
		}
		most := int64(check.MaxFile)
		if part.FormName() == "text" {
			most = maxForm
		}
		b, err := io.ReadAll(io.LimitReader(part, most+1))
		if err != nil {
			return "", nil, tooLarge(err)
		}
		if int64(len(b)) > most {
			return "", nil, problem.New(problem.TooLarge, "verification.file_large")
		}
		switch part.FormName() {
		case "text":
			text = string(b)
		case "file": // of several fields the last that holds one
			if len(b) > 0 {
				file = b
			}
		}
	}
	return "", nil, problem.New(problem.Invalid, "form.malformed")
}

func tooLarge(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problem.New(problem.TooLarge, "verification.file_large")
	}
	return problem.Wrap(err, problem.Invalid, "form.malformed")
}

// code is the page that phone cameras open: its script reads what stands behind "#".
func (p *Pages) code(w http.ResponseWriter, r *http.Request) error {
	p.show(w, r, http.StatusOK, "verify-code", p.Site.Printer(r).T("verify.code.title"), "/verify/code", common{Script: ScriptPath})
	return nil
}

func (p *Pages) checkCode(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return tooLarge(err)
	}
	p.showResult(w, r, p.Kit.Document(r.Context(), r.PostForm.Get("text")))
	return nil
}

// kitFor is how long one file for checking without a network is given to everybody: it
// is large, and its lists are good for longer.
const kitFor = time.Minute

// kit gives the file for checking without a network.
func (p *Pages) kit(w http.ResponseWriter, r *http.Request) error {
	b, err := p.kitFile(r)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="verification-kit.json"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(b)
	return nil
}

func (p *Pages) kitFile(r *http.Request) ([]byte, error) {
	p.kitMu.Lock()
	defer p.kitMu.Unlock()
	now := p.Clock.Now()
	if since := now.Sub(p.kitMade); p.kitBytes != nil && since >= 0 && since < kitFor {
		return p.kitBytes, nil
	}
	if err := p.Kit.Load(r.Context()); err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "verification.kit")
	}
	b, err := p.Kit.Export()
	if err == nil {
		p.kitBytes, p.kitMade = b, now
	}
	return b, err
}
