package gateway

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/exchange"
	"diwan/internal/exchange/contract"
	"diwan/internal/gov"
	"diwan/internal/i18n"
	"diwan/internal/web"
	"diwan/protocol/xroad"
)

// turnedClock is the machine's clock, moved by a test.
type turnedClock struct{ by atomic.Int64 }

func (c *turnedClock) Now() time.Time       { return time.Now().Add(time.Duration(c.by.Load())) }
func (c *turnedClock) turn(d time.Duration) { c.by.Add(int64(d)) }

// world is a directory, as the portal runs it, and the gateways of a test.
type world struct {
	testing.TB
	x       *exchange.Exchange
	clock   *turnedClock
	portal  *httptest.Server
	down    atomic.Bool // the directory does not answer
	log     *slog.Logger
	lines   *safeBuffer
	members map[string]bool
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, clock: &turnedClock{}, lines: &safeBuffer{}, members: map[string]bool{}}
	w.log = slog.New(slog.NewTextHandler(w.lines, &slog.HandlerOptions{Level: slog.LevelInfo}))
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.lines.String())
		}
	})
	d := dbtest.SQLite(t, []db.Migrations{audit.Migrations(), exchange.Migrations()})
	var err error
	w.x, err = exchange.New(t.Context(), d, audit.New(d, w.clock), w.clock, exchange.Settings{Instance: "XX", ValidHours: 24, Classes: []exchange.MemberClass{{Code: "GOV"}, {Code: "COM"}}},
		exchange.Keys{Authority: newKey(t), Directory: newKey(t)}, slog.New(slog.DiscardHandler))
	w.ok(err)
	words, err := i18n.Load([]string{"en"}, []fs.FS{fstest.MapFS{"en.json": {Data: []byte(`{"problem.internal":"failed"}`)}}})
	w.ok(err)
	mux := http.NewServeMux()
	(&exchange.API{Exchange: w.x, Site: &web.Site{Country: &gov.Country{Languages: []gov.Language{{Code: "en"}}}, Words: words, Clock: w.clock, Log: w.log}}).Register(mux)
	w.portal = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.down.Load() {
			panic(http.ErrAbortHandler)
		}
		mux.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.portal.Close)
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// freePort finds an address that stays free until it is used: below the ports that
// the system gives to outgoing connections, and given to no other test, here or in
// another process, for as long as the test runs.
func freePort(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := 12000 + mrand.IntN(20000)
		if !reserve(t, port) {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// reserve takes a port for the test; a lock on a file ends with the process that
// holds it, whatever ends that.
func reserve(t testing.TB, port int) bool {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "diwan-test-ports")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, fmt.Sprint(port)), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return false // another user's
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		f.Close()
		return false
	}
	t.Cleanup(func() { f.Close() })
	return true
}

var officer = gov.Actor{ID: "officer"}

// joined makes a node of a member and returns the configuration that joining
// wrote.
func (w *world) joined(member, node string) Config {
	w.Helper()
	if !w.members[member] {
		w.members[member] = true
		w.ok(w.x.AddMember(w.Context(), officer, exchange.Member{ID: member, Name: gov.Text{"en": "Office " + member}}))
	}
	inv, err := w.x.Invite(w.Context(), officer, member, node, w.portal.URL)
	w.ok(err)
	file := filepath.Join(w.TempDir(), "gateway.toml")
	link := freePort(w)
	j, err := Join(w.Context(), inv.String(), JoinOptions{Config: file, Addresses: []string{link}, Link: link, Edge: "127.0.0.1:0", Admin: "127.0.0.1:0", Clock: w.clock})
	w.ok(err)
	if j.Member != member || j.Node != node {
		w.Fatalf("joined as %+v", j)
	}
	c, err := ReadConfig(file)
	w.ok(err)
	c.Limits.LookEvery = 50 * time.Millisecond
	c.Limits.SegmentMiB = 1
	if strings.HasSuffix(w.Name(), "/postgres") {
		c.Database = dbtest.Postgres(w, nil).URL()
	}
	return c
}

// engines runs a test of what gateways keep once on each engine; joined gives the
// gateways of a test by the name of postgres a database each.
func engines(t *testing.T, test func(t *testing.T)) {
	t.Run("sqlite", test)
	t.Run("postgres", test)
}

// node is a gateway that runs.
type node struct {
	*Gateway
	w    *world
	cfg  Config
	stop context.CancelFunc
	done chan error
}

// start lets a gateway run until the test ends.
func (w *world) start(c Config) *node {
	w.Helper()
	g, err := Open(w.Context(), c, w.log.With("node", c.Member+"/"+c.Node), w.clock)
	w.ok(err)
	ctx, stop := context.WithCancel(context.Background())
	n := &node{g, w, c, stop, make(chan error, 1)}
	go func() { n.done <- g.Run(ctx) }()
	w.Cleanup(func() { n.end() })
	return n
}

// end stops it as its owner would.
func (n *node) end() {
	n.stop()
	select {
	case err := <-n.done:
		if err != nil {
			n.w.Errorf("%s ended: %v", n.cfg.Member, err)
		}
		n.done <- nil
	case <-time.After(30 * time.Second):
		n.w.Errorf("%s does not end", n.cfg.Member)
	}
}

// office is the member's key at a node.
func (w *world) office(c Config) *Office {
	w.Helper()
	o, err := OpenOffice(c, w.clock)
	w.ok(err)
	return o
}

const (
	town     = "XX/COM/TOWN"
	civil    = "XX/GOV/CIVIL"
	desk     = town + "/DESK"
	births   = civil + "/REGISTRY/births"
	theBasis = "/akn/xx/act/loi/2020/1#art_1"
)

const birthsFile = `{"openapi":"3.0.3","info":{"title":"Births","version":"1"},"servers":[{"url":"https://in.side/v1"}],"paths":{
 "/acts/{number}":{"get":{"parameters":[{"name":"number","in":"path","required":true,"schema":{"type":"string"}}],"responses":{"200":{"description":"an act"}}}},
 "/acts":{"post":{"responses":{"201":{"description":"registered"}}}}}}`

// pairing is the usual case: a town asks the civil registry.
type pairing struct {
	*world
	town, civil         Config
	townOffice, regsOff *Office
	backend             *httptest.Server
	asks, answers       *node
	hash                string // of the contract
}

// terms are the usual contract's.
func (w *world) terms() Terms {
	now := w.clock.Now()
	return Terms{Client: desk, Service: births, From: now.Add(-time.Minute), Until: now.Add(400 * 24 * time.Hour), Properties: contract.Properties{
		Operations: []contract.Operation{{Method: "GET", Path: "/acts/*"}, {Method: "POST", Path: "/acts"}}, Purpose: map[string]string{"en": "to register"}, LegalBasis: []string{theBasis}}}
}

// agree makes a contract that both sides have accepted.
func (w *world) agree(asks, answers *Office, t Terms) string {
	w.Helper()
	w.clock.turn(2 * time.Second) // the directory answers from memory for a second
	raw, err := asks.Draft(w.Context(), t)
	w.ok(err)
	hash, err := asks.Propose(w.Context(), raw)
	w.ok(err)
	w.ok(answers.Answer(w.Context(), hash, contract.Accept))
	return hash
}

// newPair makes a town and a registry. set may change either configuration, and the
// terms, before anything runs.
func newPair(t testing.TB, h http.Handler, set func(p *pairing, terms *Terms)) *pairing {
	t.Helper()
	p := setUp(t, newWorld(t), h, set)
	p.answers, p.asks = p.start(p.civil), p.start(p.town)
	p.settled()
	return p
}

// setUp is newPair up to the moment when the gateways start.
func setUp(t testing.TB, w *world, h http.Handler, set func(p *pairing, terms *Terms)) *pairing {
	t.Helper()
	p := pairing{world: w}
	p.backend = httptest.NewServer(h)
	t.Cleanup(p.backend.Close)
	p.town, p.civil = p.joined(town, "n1"), p.joined(civil, "n1")
	p.townOffice, p.regsOff = p.office(p.town), p.office(p.civil)
	ctx := t.Context()
	p.ok(p.townOffice.Directory().SetSubsystem(ctx, "DESK", map[string]string{"en": "Desk"}))
	p.ok(p.regsOff.Directory().SetSubsystem(ctx, "REGISTRY", map[string]string{"en": "Registry"}))
	p.ok(p.regsOff.Directory().SetService(ctx, "REGISTRY", "births", offer()))
	p.town.Clients = []ClientConfig{{Subsystem: "DESK", Plain: true}}
	p.civil.Services = []ServiceConfig{{Subsystem: "REGISTRY", Code: "births", URL: p.backend.URL + "/v1", Timeout: 5 * time.Second}}
	terms := p.terms()
	if set != nil {
		set(&p, &terms)
	}
	p.hash = p.agree(p.townOffice, p.regsOff, terms)
	return &p
}

// settled waits until both gateways know the directory and the contract.
func (p *pairing) settled() {
	p.Helper()
	p.eventually("both gateways know the contract", func() bool {
		return len(p.asks.Contracts(contract.Live)) > 0 && len(p.answers.Contracts(contract.Live)) > 0
	})
}

func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(end) {
			w.Fatalf("it never came to be: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// answer is what a client system gets.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) errorType() string { return a.header.Get(xroad.ErrorHeader) }

// call asks the edge of a gateway as a client system would. The target goes out
// as it is.
func (n *node) call(method, target string, body io.Reader, header ...string) answer {
	n.w.Helper()
	a, err := n.try(method, target, body, header...)
	if err != nil {
		n.w.Fatalf("%s %s: %v", method, target, err)
	}
	return a
}

func (n *node) try(method, target string, body io.Reader, header ...string) (answer, error) {
	return ask(n.Addresses().Edge, method, target, body, header...)
}

var plainClient = &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func ask(edge, method, target string, body io.Reader, header ...string) (answer, error) {
	req, err := http.NewRequest(method, "http://"+edge, body)
	if err != nil {
		return answer{}, err
	}
	req.URL.Opaque = target
	if len(header)%2 == 1 {
		return answer{}, fmt.Errorf("a header without a value")
	}
	if !strings.Contains(strings.Join(header, "\n"), "X-Road-Client") {
		req.Header.Set("X-Road-Client", desk)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := plainClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(b)}, err
}

// refuses says that an answer must be an error of the exchange.
func (w *world) refuses(what string, a answer, errorType string) {
	w.Helper()
	if a.errorType() != errorType || a.status != 500 {
		w.Errorf("%s: %d %q %s, want %s", what, a.status, a.errorType(), a.body, errorType)
	}
	var e struct{ Type, Message, Detail string }
	if err := json.Unmarshal([]byte(a.body), &e); err != nil || e.Type != errorType || e.Message == "" || len(e.Detail) != 36 {
		w.Errorf("%s: the error's body is %s", what, a.body)
	}
	if w.logged("refused to the client", "detail="+e.Detail) == "" {
		w.Errorf("%s: what was refused is not in the log", what)
	}
}

// logged is the first line of the log that holds all of these, empty when there is
// none.
func (w *world) logged(parts ...string) string {
	for line := range strings.Lines(w.lines.String()) {
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(line, p) }) {
			return line
		}
	}
	return ""
}

// r1 is the target of the births service.
func r1(path string) string { return "/r1/" + births + path }

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		child()
		return
	}
	os.Exit(m.Run())
}
