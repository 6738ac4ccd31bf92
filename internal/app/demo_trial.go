package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"diwan/internal/exchange/contract"
	"diwan/internal/problem"
	"diwan/protocol/xroad"
)

// demoTrials registers in the demonstration what somebody wants to try out: a
// provider of their own on this machine, its services and who may call them.
type demoTrials struct {
	a       *App
	dir     string // of the demonstration's exchange
	address string // of the portal
	runner  io.Writer

	mu sync.Mutex // two registrations at once would write the same files
}

// trial is what is registered at once.
type trial struct {
	Backend  string         `json:"backend"`
	Services []trialService `json:"services"`
}

type trialService struct {
	ID      string               `json:"id"`
	Clients []string             `json:"clients"`
	Allow   []contract.Operation `json:"allow"` // empty: everything
	OpenAPI json.RawMessage      `json:"openapi"`

	id      xroad.ServiceID
	clients []xroad.ClientID
	text    string // of the OpenAPI file, "" when there is none
}

// Bounds of a trial.
const (
	maxTrialServices   = 20  // of one registration
	maxTrialPairs      = 40  // of a client and a service, of one registration
	maxTrialAllow      = 100 // operations of one service
	maxTrialsPerMember = 100 // services that one gateway answers for
	maxTrialMembers    = 8   // that a demonstration takes in beside its own
)

// demoRegister registers a trial. Doing so again with the same identifiers replaces
// what was said of them.
func (a *App) demoRegister(w http.ResponseWriter, r *http.Request) {
	fail := func(err error) { a.Site.Fail(w, a.Site.WithLang(r), err) }
	d := a.trials.Load()
	if d == nil {
		fail(problem.New(problem.Unavailable, "demo.exchange.starting"))
		return
	}
	var t trial
	if err := json.NewDecoder(r.Body).Decode(&t); err != nil {
		fail(problem.Wrap(err, problem.Invalid, "demo.exchange"))
		return
	}
	if err := t.read(r.Context()); err != nil {
		fail(err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	edges, err := d.register(r.Context(), &t)
	if err != nil {
		fail(err)
		return
	}
	writeJSON(w, map[string]any{"edge": edges[""], "edges": edges.named()})
}

// edges are the addresses at which members ask; under "" the one that serves the
// client that was named first.
type edges map[string]string

func (e edges) named() map[string]string {
	out := map[string]string{}
	for m, at := range e {
		if m != "" {
			out[m] = at
		}
	}
	return out
}

// read checks what can be told without the demonstration's own state.
func (t *trial) read(ctx context.Context) error {
	if err := checkBackend(t.Backend); err != nil {
		return err
	}
	if len(t.Services) == 0 || len(t.Services) > maxTrialServices {
		return problem.New(problem.Invalid, "demo.exchange.many")
	}
	pairs, seen := 0, map[string]bool{}
	for i := range t.Services {
		s := &t.Services[i]
		if err := s.read(ctx); err != nil {
			return err
		}
		pairs += len(s.clients)
		if seen[s.ID] || pairs > maxTrialPairs {
			return problem.New(problem.Invalid, "demo.exchange.many")
		}
		seen[s.ID] = true
	}
	return nil
}

// checkBackend lets through what this machine answers itself: a demonstration is no
// way into a network.
func checkBackend(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Port() == "" || !isLoopback(u.Hostname()) ||
		strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
		return problem.New(problem.Invalid, "demo.exchange.backend")
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *trialService) read(ctx context.Context) (err error) {
	s.id, err = xroad.ParseServiceID(s.ID)
	if err != nil || s.id.Registrable() != nil || s.id.Provider.Subsystem == "" {
		return problem.New(problem.Invalid, "demo.exchange.id", "id", s.ID)
	}
	for _, c := range s.Clients {
		id, err := xroad.ParseClientID(c)
		if err != nil || id.Registrable() != nil || id.Subsystem == "" {
			return problem.New(problem.Invalid, "demo.exchange.id", "id", c)
		}
		if id.MemberID() == s.id.Provider.MemberID() {
			return problem.New(problem.Invalid, "demo.exchange.same_member", "id", c)
		}
		if !slices.Contains(s.clients, id) {
			s.clients = append(s.clients, id)
		}
	}
	if len(s.Allow) == 0 {
		s.Allow = []contract.Operation{{Method: "*", Path: "**"}}
	}
	for i := range s.Allow {
		o := &s.Allow[i]
		if o.Method = strings.ToUpper(o.Method); o.Method == "" {
			o.Method = "*"
		}
		if _, err := xroad.ParseGlob(o.Path); err != nil || o.Path == "" || o.Method != "*" && !xroad.ValidMethod(o.Method) || len(s.Allow) > maxTrialAllow {
			return problem.Wrap(err, problem.Invalid, "demo.exchange.allow", "id", s.ID)
		}
	}
	s.text, err = readDescription(ctx, s.OpenAPI)
	return err
}

// readDescription takes a description as an object, as text, or from an address of
// this machine.
func readDescription(ctx context.Context, raw json.RawMessage) (string, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	if raw[0] == '{' {
		return string(raw), nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", problem.Wrap(err, problem.Invalid, "exchange.openapi")
	}
	if !strings.HasPrefix(text, "http://") {
		return text, nil
	}
	if err := checkBackend(text); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, text, nil)
	if err != nil {
		return "", problem.Wrap(err, problem.Invalid, "exchange.openapi")
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return "", problem.Wrap(err, problem.Invalid, "exchange.openapi")
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	if err != nil {
		return "", problem.Wrap(err, problem.Invalid, "exchange.openapi")
	}
	return string(b), nil
}
