package viewer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"diwan/internal/exchange/gateway"
)

// visit is one request of a page.
type visit struct {
	lang, officer string
	w             http.ResponseWriter
	r             *http.Request
}

// frame is what every page shows.
type frame struct {
	Title, Member, Node, Officer string
	// Rest is the page's address after its language, for the other languages.
	Rest  string
	Langs []language
	Data  any
}

type language struct{ Code, Name, Dir string }

func (v *Viewer) public(lang string, page func(*visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { page(&visit{lang: lang, w: w, r: r}) }
}

// inside lets officers alone through.
func (v *Viewer) inside(lang string, page func(*visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := &visit{lang: lang, w: w, r: r}
		var err error
		p.officer, err = v.door.who(r)
		switch {
		case err != nil:
			v.fail(p, http.StatusInternalServerError, "viewer.error.failed", err)
		case p.officer == "":
			http.Redirect(w, r, Root+lang+"/sign-in", http.StatusSeeOther)
		default:
			page(p)
		}
	}
}

func (v *Viewer) show(p *visit, status int, page, title string, data any) {
	f := frame{Title: v.words.Printer(p.lang).T(title), Officer: p.officer, Data: data}
	f.Member, f.Node = v.g.Identity()
	f.Rest = strings.TrimPrefix(p.r.URL.RequestURI(), Root+p.lang+"/")
	for _, l := range langs {
		if l == p.lang {
			continue
		}
		one := language{l, names[l], "ltr"}
		if l == langs[0] {
			one.Name, one.Dir = v.words.Printer(l).T("viewer.language"), "rtl"
		}
		f.Langs = append(f.Langs, one)
	}
	var b bytes.Buffer
	if err := v.pages[p.lang].ExecuteTemplate(&b, page, f); err != nil {
		http.Error(p.w, "the page can't be made", http.StatusInternalServerError)
		return
	}
	p.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	p.w.WriteHeader(status)
	p.w.Write(b.Bytes())
}

// trouble is what the error page shows.
type trouble struct{ Message, Detail string }

func (v *Viewer) fail(p *visit, status int, key string, err error) {
	t := trouble{Message: v.words.Printer(p.lang).T(key)}
	if err != nil {
		t.Detail = err.Error()
	}
	v.show(p, status, "error", "viewer.error.title", t)
}

func (v *Viewer) signInPage(p *visit) {
	v.show(p, http.StatusOK, "sign-in", "viewer.signin.title", map[string]bool{"Wrong": false})
}

func (v *Viewer) signIn(p *visit) {
	secret, officer, err := v.door.enter(p.r.Context(), p.r.PostFormValue("code"))
	if errors.Is(err, errCode) {
		v.show(p, http.StatusForbidden, "sign-in", "viewer.signin.title", map[string]bool{"Wrong": true})
		return
	}
	if err == nil {
		err = v.g.NoteAccess(p.r.Context(), officer, "sign-in", "")
	}
	if err != nil {
		v.fail(p, http.StatusInternalServerError, "viewer.error.failed", err)
		return
	}
	setCookie(p.w, secret, sessionLife)
	http.Redirect(p.w, p.r, Root+p.lang+"/", http.StatusSeeOther)
}

func (v *Viewer) signOut(p *visit) {
	if err := v.door.leave(p.r); err != nil {
		v.fail(p, http.StatusInternalServerError, "viewer.error.failed", err)
		return
	}
	setCookie(p.w, "", -time.Second)
	http.Redirect(p.w, p.r, Root+p.lang+"/sign-in", http.StatusSeeOther)
}

// note records what the officer does, and shows an error when it can't.
func (v *Viewer) note(p *visit, action, query string) bool {
	err := v.g.NoteAccess(p.r.Context(), p.officer, action, query)
	if err != nil {
		v.fail(p, http.StatusServiceUnavailable, "viewer.error.note", err)
	}
	return err == nil
}

// found is a search with its results.
type found struct {
	Form  map[string]string
	Asked bool
	Wrong string // the field that can't be read
	List  []gateway.Exchange
	Older string // the address of the next ones
	Last  *gateway.Whole
	Fault string
}

// pageSize is how many exchanges a page lists.
const pageSize = 50

var fields = []string{"from", "to", "client", "service", "request", "message", "subject", "status", "failed", "side"}

func (v *Viewer) search(p *visit) {
	ctx := p.r.Context()
	f := &found{Form: map[string]string{}, Asked: p.r.FormValue("search") != "", Fault: v.g.ProofFault()}
	for _, name := range fields {
		f.Form[name] = strings.TrimSpace(p.r.FormValue(name))
	}
	var err error
	if f.Last, err = v.g.LastCheck(ctx); err != nil {
		v.fail(p, http.StatusInternalServerError, "viewer.error.failed", err)
		return
	}
	if f.Asked {
		s, wrong := readSearch(p.r.FormValue)
		if f.Wrong = wrong; wrong == "" {
			if !v.note(p, "search", p.r.URL.RawQuery) {
				return
			}
			if f.List, err = v.g.Exchanges(ctx, s); err != nil {
				v.fail(p, http.StatusInternalServerError, "viewer.error.failed", err)
				return
			}
			f.Older = older(p.r.URL, f.List)
		}
	}
	v.show(p, http.StatusOK, "search", "viewer.search.title", f)
}

// readSearch reads the form; times are UTC. It names the first field that can't be
// read.
func readSearch(value func(string) string) (s gateway.Search, wrong string) {
	get := func(name string) string { return strings.TrimSpace(value(name)) }
	s = gateway.Search{Side: get("side"), Client: get("client"), Service: get("service"), Request: get("request"), Message: get("message"), Subject: get("subject"),
		Failed: get("failed") != "", Limit: pageSize, BeforeRequest: get("before_request")}
	for _, f := range []struct {
		name, form string
		to         *time.Time
	}{{"from", "2006-01-02T15:04", &s.From}, {"to", "2006-01-02T15:04", &s.To}, {"before", time.RFC3339Nano, &s.Before}} {
		if text := get(f.name); text != "" {
			t, err := time.Parse(f.form, text)
			if err != nil { // a program writes it whole
				t, err = time.Parse(time.RFC3339Nano, text)
			}
			if err != nil {
				return s, f.name
			}
			*f.to = t
		}
	}
	if text := get("status"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 100 || n > 999 {
			return s, "status"
		}
		s.Status = n
	}
	return s, ""
}

// list is search for an officer's program: the same fields, the same session, and
// noted in the same way.
func (v *Viewer) list(w http.ResponseWriter, r *http.Request) {
	officer, err := v.door.who(r)
	s, wrong := readSearch(r.FormValue)
	if text := r.FormValue("limit"); text != "" && wrong == "" {
		if s.Limit, err = strconv.Atoi(text); err != nil || s.Limit < 1 {
			wrong, err = "limit", nil
		}
	}
	switch {
	case err != nil:
		fault(w, http.StatusInternalServerError, "failed")
		return
	case officer == "":
		fault(w, http.StatusUnauthorized, "sign in at "+Root+"en/sign-in with a code of `diwan gateway viewer`")
		return
	case wrong != "":
		fault(w, http.StatusBadRequest, wrong+" can't be read")
		return
	}
	if err := v.g.NoteAccess(r.Context(), officer, "search", r.URL.RawQuery); err != nil {
		fault(w, http.StatusServiceUnavailable, "the access can't be noted, so nothing is shown")
		return
	}
	list, err := v.g.Exchanges(r.Context(), s)
	if err != nil {
		fault(w, http.StatusInternalServerError, "failed")
		return
	}
	answer(w, http.StatusOK, map[string]any{"items": list})
}

func fault(w http.ResponseWriter, status int, what string) {
	answer(w, status, map[string]string{"error": what})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func older(u *url.URL, list []gateway.Exchange) string {
	if len(list) < pageSize {
		return ""
	}
	last := list[len(list)-1]
	q := u.Query()
	q.Set("before", last.At.UTC().Format(time.RFC3339Nano))
	q.Set("before_request", last.Request)
	return "?" + q.Encode()
}

// shown is one exchange with its proof.
type shown struct {
	Sides   []gateway.Exchange
	Report  *gateway.EvidenceReport
	Pending bool
	Problem string
}

func (v *Viewer) exchange(p *visit) {
	ctx, request := p.r.Context(), p.r.PathValue("request")
	sides, err := v.g.Exchanges(ctx, gateway.Search{Request: request, Limit: 4})
	switch {
	case err != nil:
		v.fail(p, http.StatusInternalServerError, "viewer.error.failed", err)
		return
	case len(sides) == 0:
		v.fail(p, http.StatusNotFound, "viewer.error.unknown", nil)
		return
	}
	if !v.note(p, "exchange", request) {
		return
	}
	s := &shown{Sides: sides}
	_, s.Report, err = v.g.Evidence(ctx, request)
	if s.Pending = errors.Is(err, gateway.ErrNotYet); err != nil && !s.Pending {
		s.Problem = err.Error()
	}
	v.show(p, http.StatusOK, "exchange", "viewer.exchange.title", s)
}

func (v *Viewer) download(p *visit) {
	request := p.r.PathValue("request")
	if !v.note(p, "download", request) {
		return
	}
	ev, _, err := v.g.Evidence(p.r.Context(), request)
	switch {
	case errors.Is(err, gateway.ErrNoExchange), errors.Is(err, fs.ErrNotExist):
		v.fail(p, http.StatusNotFound, "viewer.error.unknown", nil)
		return
	case errors.Is(err, gateway.ErrNotYet):
		v.fail(p, http.StatusConflict, "viewer.proof.pending", nil)
		return
	case err != nil:
		v.fail(p, http.StatusInternalServerError, "viewer.error.failed", err)
		return
	}
	h := p.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="exchange-`+ev.Request+`.proof.json"`)
	ev.Write(p.w)
}

// checked is the page of the whole verification.
type checked struct {
	Last  *gateway.Whole
	Fault string
}

func (v *Viewer) verification(p *visit) {
	w, err := v.g.LastCheck(p.r.Context())
	if err != nil {
		v.fail(p, http.StatusInternalServerError, "viewer.error.failed", err)
		return
	}
	v.show(p, http.StatusOK, "verification", "viewer.whole.title", &checked{w, v.g.ProofFault()})
}

// verify verifies now. It goes on when the officer's browser gives up: others wait
// for the same result.
func (v *Viewer) verify(p *visit) {
	if !v.note(p, "verification", "") {
		return
	}
	if _, err := v.g.CheckWhole(context.WithoutCancel(p.r.Context())); err != nil {
		v.fail(p, http.StatusInternalServerError, "viewer.error.failed", err)
		return
	}
	http.Redirect(p.w, p.r, Root+p.lang+"/verification", http.StatusSeeOther)
}
