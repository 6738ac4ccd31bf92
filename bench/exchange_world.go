package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing/fstest"
	"time"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/exchange"
	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/gateway"
	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/gov"
	"diwan/internal/i18n"
	"diwan/internal/web"
)

// exchangeWorld is a directory as the portal runs it, on the loopback, and members
// that join it as any other would.
type exchangeWorld struct {
	b      *bench
	x      *exchange.Exchange
	portal string
	short  string // address of the service
	long   string
}

// newExchangeWorld opens the directory. It answers until the run ends.
func newExchangeWorld(ctx context.Context, b *bench) (*exchangeWorld, func(), error) {
	d, err := db.Open(ctx, "sqlite:"+filepath.Join(b.work, "directory.db"))
	if err != nil {
		return nil, nil, err
	}
	if _, err := d.Migrate(ctx, []db.Migrations{audit.Migrations(), exchange.Migrations()}, time.Now()); err != nil {
		return nil, nil, err
	}
	authority, aerr := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	signer, serr := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	words, werr := i18n.Load([]string{"en"}, []fs.FS{fstest.MapFS{"en.json": {Data: []byte(`{"problem.internal":"failed"}`)}}})
	l, lerr := net.Listen("tcp", "127.0.0.1:0")
	if err := errors.Join(aerr, serr, werr, lerr); err != nil {
		return nil, nil, err
	}
	clock := gov.SystemClock{}
	x, err := exchange.New(ctx, d, audit.New(d, clock), clock, exchange.Settings{Instance: "XX", ValidHours: 24, Classes: []exchange.MemberClass{{Code: "GOV"}}},
		exchange.Keys{Authority: authority, Directory: signer}, errorsOnly)
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	(&exchange.API{Exchange: x, Site: &web.Site{Country: &gov.Country{}, Words: words, Clock: clock, Log: errorsOnly}}).Register(mux)
	s := &http.Server{Handler: mux}
	go s.Serve(l)
	w := &exchangeWorld{b: b, x: x, portal: "http://" + l.Addr().String()}
	return w, func() { s.Close(); d.Close() }, nil
}

// member lets an administration join and writes its configuration.
func (w *exchangeWorld) member(ctx context.Context, id, before, after string) (config string, office *gateway.Office, err error) {
	by := gov.Actor{ID: "bench"}
	if err := w.x.AddMember(ctx, by, exchange.Member{ID: id, Name: gov.Text{"fr": id}}); err != nil {
		return "", nil, err
	}
	invitation, err := w.x.Invite(ctx, by, id, "node-1", w.portal)
	if err != nil {
		return "", nil, err
	}
	var at [3]string
	for i := range at {
		if at[i], err = freePort(); err != nil {
			return "", nil, err
		}
	}
	dir := filepath.Join(w.b.work, strings.ReplaceAll(id, "/", "-"))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	config = filepath.Join(dir, "gateway.toml")
	if _, err := gateway.Join(ctx, invitation.String(), gateway.JoinOptions{Config: config, Addresses: []string{at[0]}, Link: at[0], Edge: at[1], Admin: at[2]}); err != nil {
		return "", nil, err
	}
	text, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, bytes.Join([][]byte{[]byte(before), text, []byte(after)}, []byte("\n")), 0o600)
	}
	if err != nil {
		return "", nil, err
	}
	cfg, err := gateway.ReadConfig(config)
	if err != nil {
		return "", nil, err
	}
	office, err = gateway.OpenOffice(cfg, gov.SystemClock{})
	return config, office, err
}

// gatewayPair is a member that asks and one that answers, under a contract.
type gatewayPair struct {
	asks, answers *gatewayProcess
	client        string
	service       string // five parts, without its code
}

// gatewayProcess is a gateway that runs.
type gatewayProcess struct {
	*process
	edge, admin string
	member      string
	profile     string // address, when it runs in this binary
}

// pair makes two members, their contracts and their gateways. perMessage is the
// signing mode of both.
func (w *exchangeWorld) pair(ctx context.Context, name string, perMessage bool) (*gatewayPair, error) {
	asker, answerer := "XX/GOV/ASK"+name, "XX/GOV/ANSWER"+name
	p := &gatewayPair{client: asker + "/DESK", service: answerer + "/REGISTRY"}
	mode := fmt.Sprintf("per_message = %v\n", perMessage)
	askConfig, asking, err := w.member(ctx, asker, mode, "[[client]]\nsubsystem = \"DESK\"\nplain = true\n")
	if err != nil {
		return nil, err
	}
	services := ""
	for code, address := range map[string]string{"short": w.short, "large": w.long} {
		services += fmt.Sprintf("\n[[service]]\nsubsystem = \"REGISTRY\"\ncode = %q\nurl = %q\n", code, "http://"+address+"/v1")
	}
	answerConfig, answering, err := w.member(ctx, answerer, mode, services)
	if err != nil {
		return nil, err
	}
	if err := asking.Directory().SetSubsystem(ctx, "DESK", map[string]string{"fr": "guichet"}); err != nil {
		return nil, err
	}
	if err := answering.Directory().SetSubsystem(ctx, "REGISTRY", map[string]string{"fr": "registre"}); err != nil {
		return nil, err
	}
	for _, code := range []string{"short", "large"} {
		o := directory.Offer{Type: "REST", Title: map[string]string{"fr": code}, Classification: "personal", LegalBasis: []string{"/akn/xx/act/loi/2020/1#art_1"}}
		if err := answering.Directory().SetService(ctx, "REGISTRY", code, o); err != nil {
			return nil, err
		}
	}
	time.Sleep(1100 * time.Millisecond) // the directory answers from memory for a second
	for _, code := range []string{"short", "large"} {
		if err := agreeOn(ctx, asking, answering, p.client, p.service+"/"+code); err != nil {
			return nil, err
		}
	}
	if p.answers, err = w.start(ctx, answerConfig); err != nil {
		return nil, err
	}
	p.asks, err = w.start(ctx, askConfig)
	return p, err
}

// agreeOn makes a contract that both sides have signed.
func agreeOn(ctx context.Context, asking, answering *gateway.Office, client, service string) error {
	now := time.Now()
	content, err := asking.Draft(ctx, gateway.Terms{Client: client, Service: service, From: now.Add(-time.Minute), Until: now.AddDate(1, 0, 0), Properties: contract.Properties{
		Operations: []contract.Operation{{Method: "GET", Path: "/items/*"}, {Method: "POST", Path: "/items"}}, Purpose: map[string]string{"fr": "mesurer"}, LegalBasis: []string{"/akn/xx/act/loi/2020/1#art_1"}}})
	if err != nil {
		return err
	}
	hash, err := asking.Propose(ctx, content)
	if err != nil {
		return err
	}
	return answering.Answer(ctx, hash, contract.Accept)
}

// start starts the program as the gateway of a configuration.
func (w *exchangeWorld) start(ctx context.Context, config string) (*gatewayProcess, error) {
	cfg, err := gateway.ReadConfig(config)
	if err != nil {
		return nil, err
	}
	g := &gatewayProcess{edge: cfg.Edge.HTTP, admin: cfg.Admin.Listen}
	if *exchangeProfile != "" {
		var at []string
		g.process, at, err = startPart(ctx, 1, "-exchange-part", "gateway", "-exchange-target", config)
		if err == nil {
			g.profile, g.member = at[0], cfg.Member
		}
		return g, err
	}
	g.process = &process{cmd: exec.CommandContext(ctx, w.b.program, "gateway", "--config", config, "--log-level", "warn")}
	g.cmd.Env = append(append(os.Environ(), sharedSettings...), "GOGC=") // a gateway sees to it itself, as it does anywhere
	g.cmd.Stderr, g.cmd.Stdout = &g.log, &g.log
	return g, g.process.start()
}

// settled waits until a call through both gateways is answered.
func (p *gatewayPair) settled(ctx context.Context) error {
	var last string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if p.asks.gone() || p.answers.gone() {
			return fmt.Errorf("a gateway has ended: %s %s", p.asks.log.String(), p.answers.log.String())
		}
		res, err := p.call(ctx, http.MethodGet, "short", "/items/1", nil)
		if err != nil {
			last = err.Error()
			continue
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode == http.StatusOK && len(b) == answerBytes && res.Header.Get("X-Road-Request-Hash") != "" {
			return nil
		}
		last = res.Status + " " + string(b[:min(len(b), 300)])
	}
	return fmt.Errorf("the gateways do not answer: %s", last)
}

// call asks as an information system would.
func (p *gatewayPair) call(ctx context.Context, method, code, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+p.asks.edge+"/r1/"+p.service+"/"+code+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.ContentLength = largeBytes
	}
	req.Header.Set("X-Road-Client", p.client)
	return http.DefaultClient.Do(req)
}
