package casework

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

//go:embed openapi.json
var openapiFile []byte

// OpenAPI describes the interface for programs of administrations.
func OpenAPI() []byte { return openapiFile }

// Programs is the interface for administrations that keep software of their own. The
// rules are those of the pages: the same service does the work, the same policy is
// asked, and the journal names the token that acted.
type Programs struct {
	*Casework
	Site *web.Site
}

// Register adds the addresses.
func (a *Programs) Register(mux *http.ServeMux) {
	for pattern, x := range map[string]struct {
		scope string
		do    func(r *http.Request, t *Token) (status int, body any, err error)
	}{
		"GET /api/v1/cases":                   {ScopeRead, a.list},
		"POST /api/v1/cases":                  {ScopeFile, a.open},
		"POST /api/v1/cases/import":           {ScopeImport, a.takeOver},
		"GET /api/v1/cases/{number}":          {ScopeRead, a.read},
		"POST /api/v1/cases/{number}/actions": {"", a.act},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			status, body, err := a.answer(w, r, x.scope, x.do)
			if err != nil {
				a.fail(w, r, err)
				return
			}
			write(w, status, body)
		})
	}
}

func (a *Programs) answer(w http.ResponseWriter, r *http.Request, scope string, do func(*http.Request, *Token) (int, any, error)) (int, any, error) {
	kind, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return 0, nil, errToken
	}
	t, err := a.Bearer(r.Context(), strings.TrimSpace(secret))
	if err != nil {
		return 0, nil, err
	}
	if scope != "" && !slices.Contains(t.Scopes, scope) {
		return 0, nil, problem.New(problem.Forbidden, "program.scope", "scope", scope)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxOwnBody)
	return do(r, t)
}

// maxOwnBody bounds what a program sends at once.
const maxOwnBody = 1 << 20

func (a *Programs) fail(w http.ResponseWriter, r *http.Request, err error) {
	if problem.Is(err, problem.Unauthenticated) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="cases"`)
	}
	a.Site.Fail(w, r, err)
}

func write(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if c, ok := body.(apiCase); ok && status == http.StatusCreated {
		h.Set("Location", "/api/v1/cases/"+c.Number)
	}
	w.WriteHeader(status)
	w.Write(b)
}

// take reads what a program sent: one JSON object with no names that we don't know.
func take(r *http.Request, v any) error {
	b, err := io.ReadAll(r.Body)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problem.New(problem.TooLarge, "program.too_large")
	}
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "program.json")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return problem.Wrap(err, problem.Invalid, "program.json")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return problem.New(problem.Invalid, "program.json")
	}
	return nil
}

// apiCase is a case as programs see it. Days that there are not are absent.
type apiCase struct {
	Number         string   `json:"number"`
	Administration string   `json:"administration"`
	Unit           string   `json:"unit,omitempty"`
	Procedure      string   `json:"procedure"`
	State          string   `json:"state"`
	Open           bool     `json:"open"`
	Filed          gov.Date `json:"filed"`
	Due            gov.Date `json:"due,omitzero"`
	ToChange       bool     `json:"to_change,omitempty"`
	SilenceFrom    gov.Date `json:"silence_from,omitzero"`
	Next           gov.Date `json:"next,omitzero"`
	Assigned       string   `json:"assigned,omitempty"`
	Person         string   `json:"person_reference"`
	Channel        string   `json:"channel"`
	Lang           gov.Lang `json:"lang"`
	Earlier        string   `json:"earlier,omitempty"`
	Version        int64    `json:"version"`
}

func plainCase(c *Case) apiCase {
	return apiCase{c.Number, c.Administration, c.Unit, c.Procedure, string(c.State), c.Open, c.Filed, c.Due, c.ToChange, c.SilenceFrom, c.Next, c.Assigned, c.Reference,
		c.Channel, c.Lang, c.Earlier, c.Version}
}

type apiEvent struct {
	Seq   int64    `json:"seq"`
	Type  string   `json:"type"`
	On    gov.Date `json:"on"`
	At    string   `json:"at"`
	Actor string   `json:"actor,omitempty"`
	Clear
	Text string `json:"text,omitempty"`
	Hash string `json:"hash"`
}

func plainEvent(e Event) apiEvent {
	return apiEvent{e.Seq, e.Type, e.On, e.At.Format("2006-01-02T15:04:05.000000Z07:00"), e.Actor, e.Clear, e.Text, e.Hash}
}

func (a *Programs) list(r *http.Request, t *Token) (int, any, error) {
	q := r.URL.Query()
	f := Filter{Administration: t.Administration, Unit: q.Get("unit"), Assigned: q.Get("assigned"), State: clock.State(q.Get("state")), Procedure: q.Get("procedure"),
		Nobody: q.Get("nobody") == "true", Closed: q.Get("closed") == "true", Late: q.Get("late") == "true", ToChange: q.Get("to_change") == "true", Page: q.Get("page_token")}
	if t.Unit != "" {
		f.Unit = t.Unit
	}
	if !plain(string(f.State), f.Unit, f.Assigned, f.Procedure) {
		return 0, nil, problem.New(problem.Invalid, "case.filter")
	}
	for name, into := range map[string]*int{"page_size": &f.Size, "due_within": &f.Soon} {
		if v := q.Get(name); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil || n < 1 || n > 366 {
				return 0, nil, problem.New(problem.Invalid, "case.filter")
			}
			*into = n
		}
	}
	list, next, err := a.Inbox(r.Context(), f)
	out := struct {
		Items []apiCase `json:"items"`
		Next  string    `json:"next_page_token"`
	}{Items: []apiCase{}, Next: next}
	for _, c := range list {
		out.Items = append(out.Items, plainCase(c))
	}
	return http.StatusOK, out, err
}

func (a *Programs) open(r *http.Request, t *Token) (int, any, error) {
	var in Incoming
	if err := take(r, &in); err != nil {
		return 0, nil, err
	}
	if len(in.Events) > 0 {
		return 0, nil, problem.New(problem.Invalid, "program.events_import")
	}
	return a.bring(r, t, in)
}

func (a *Programs) takeOver(r *http.Request, t *Token) (int, any, error) {
	var in Incoming
	if err := take(r, &in); err != nil {
		return 0, nil, err
	}
	if len(in.Events) == 0 {
		return 0, nil, problem.New(problem.Invalid, "program.events")
	}
	return a.bring(r, t, in)
}

func (a *Programs) bring(r *http.Request, t *Token, in Incoming) (int, any, error) {
	c, there, err := a.Bring(r.Context(), t, in)
	if err != nil {
		return 0, nil, err
	}
	if there {
		return http.StatusOK, plainCase(c), nil
	}
	return http.StatusCreated, plainCase(c), nil
}

func (a *Programs) read(r *http.Request, t *Token) (int, any, error) {
	ctx := r.Context()
	c, err := a.Find(ctx, t.actor(), r.PathValue("number"))
	if err != nil {
		return 0, nil, err
	}
	content, err := a.Content(ctx, c)
	if err != nil && !problem.Is(err, problem.NotFound) { // erased: the days remain
		return 0, nil, err
	}
	journal, err := a.Journal(ctx, c)
	if err != nil {
		return 0, nil, err
	}
	out := struct {
		apiCase
		Applicant gov.Text        `json:"applicant,omitempty"`
		For       gov.Text        `json:"filed_by,omitempty"`
		Answers   json.RawMessage `json:"answers,omitempty"`
		Journal   []apiEvent      `json:"journal"`
	}{plainCase(c), content.Applicant, content.For, content.Answers, nil}
	for _, e := range journal {
		out.Journal = append(out.Journal, plainEvent(e))
	}
	return http.StatusOK, out, nil
}

// apiAction is what a program does to a case.
type apiAction struct {
	Type     string   `json:"type"`
	Complete *bool    `json:"complete"`
	Days     int      `json:"days"`
	Ground   string   `json:"ground"`
	Items    []string `json:"items"`
	To       string   `json:"to"`
	Text     string   `json:"text"`
	Version  int64    `json:"version"`
}

func (a *Programs) act(r *http.Request, t *Token) (int, any, error) {
	var in apiAction
	if err := take(r, &in); err != nil {
		return 0, nil, err
	}
	scope := ScopeAct
	if decides[in.Type] || in.Type == string(clock.Delivered) {
		scope = ScopeDecide
	}
	if !slices.Contains(t.Scopes, scope) {
		return 0, nil, problem.New(problem.Forbidden, "program.scope", "scope", scope)
	}
	number, ok := ReadNumber(r.PathValue("number"))
	if !ok {
		return 0, nil, errNoCase
	}
	c, err := a.Act(r.Context(), t.actor(), number, Action{Type: in.Type, Complete: in.Complete, Days: in.Days, Ground: in.Ground, Items: in.Items, To: in.To, Text: in.Text, Version: in.Version})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, plainCase(c), nil
}
