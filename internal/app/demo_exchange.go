package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"diwan/country"
	"diwan/examples/agencies/civil"
	"diwan/examples/agencies/land"
	"diwan/examples/agencies/social"
	"diwan/internal/exchange"
	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/gateway"
	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/gov"
)

// demoExchangeFile describes the invented members of the demonstration.
const demoExchangeFile = "exchange-demo.json"

// demoPlan is that file.
type demoPlan struct {
	Members   []demoMember `json:"members"`
	Contracts []struct {
		Client     string               `json:"client"`
		Service    string               `json:"service"`
		Days       int                  `json:"days"`
		Operations []contract.Operation `json:"operations"`
		Fields     []string             `json:"fields"`
		Events     []string             `json:"events"`
		Calls      int                  `json:"calls_per_minute"`
		Purpose    map[string]string    `json:"purpose"`
		LegalBasis []string             `json:"legal_basis"`
	} `json:"contracts"`
	Calls []demoCall `json:"calls"`
	// Trial labels what somebody registers to try the exchange out.
	Trial struct {
		Name       gov.Text          `json:"name"`
		Purpose    map[string]string `json:"purpose"`
		LegalBasis []string          `json:"legal_basis"`
	} `json:"trial"`
}

// demoMember is one invented member.
type demoMember struct {
	ID         string   `json:"id"`
	Name       gov.Text `json:"name"`
	Witness    bool     `json:"witness"`
	Subsystems []struct {
		Code     string   `json:"code"`
		Name     gov.Text `json:"name"`
		Services []struct {
			Code           string   `json:"code"`
			Sample         string   `json:"sample"`
			Title          gov.Text `json:"title"`
			Classification string   `json:"classification"`
			LegalBasis     []string `json:"legal_basis"`
			Events         []string `json:"events"`
		} `json:"services"`
	} `json:"subsystems"`
}

// demoCall is one that somebody can try.
type demoCall struct {
	ID     string `json:"id"`
	Method string `json:"method"`
	Path   string `json:"path"`
	About  string `json:"about"`
}

// DemoNode is one gateway of the demonstration.
type DemoNode struct {
	Member  string `json:"member"`
	Edge    string `json:"edge"`
	DataDir string `json:"data_dir"`
	PID     int    `json:"pid"`
	Config  string `json:"config"`
	Admin   string `json:"admin"`
}

// DemoSetup is what the demonstration starts beside the portal.
type DemoSetup struct {
	Client      string     `json:"client"`
	OtherClient string     `json:"other_client"`
	Calls       []demoCall `json:"services"`
	Nodes       []DemoNode `json:"nodes"`
	// Samples are the arguments of the sample administrations' processes.
	Samples [][]string `json:"samples"`
}

// sampleNames are the processes of the sample administrations, each with the
// place of its port after the first.
var sampleNames = []string{"civil", "social", "social-adapter", "land-adapter"}

// sampleDescriptions are the OpenAPI files of the samples that have one.
var sampleDescriptions = map[string][]byte{"civil": civil.OpenAPI, "social-adapter": social.OpenAPI, "land-adapter": land.OpenAPI}

// DemoExchange takes the invented members from nothing to gateways that can be
// started: it makes them members, lets their gateways join as any would, registers
// what they offer and signs the contracts of both sides with their own keys. What
// an earlier start has made is kept. It returns nil when the country has no such
// demonstration. The portal must be answering at address; runner is where it asks
// for further gateways (see demoRun), nil when nobody would start them.
func (a *App) DemoExchange(ctx context.Context, address string, runner io.Writer) (*DemoSetup, error) {
	if a.Exchange == nil {
		return nil, nil
	}
	s, err := a.demoExchange(ctx, address)
	if err == nil && s != nil {
		a.trials.Store(&demoTrials{a: a, dir: filepath.Join(a.Config.Data, "exchange"), address: address, runner: runner})
	}
	return s, err
}

func (a *App) demoExchange(ctx context.Context, address string) (*DemoSetup, error) {
	dir := filepath.Join(a.Config.Data, "exchange")
	if kept, err := readSetup(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return kept, err
	}
	var plan demoPlan
	switch err := country.Decode(a.pack.Files, demoExchangeFile, &plan); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	d := &demoMaking{a: a, dir: dir, portal: "http://" + address, plan: &plan, offices: map[string]*gateway.Office{}}
	if err := d.make(ctx, address); err != nil {
		return nil, fmt.Errorf("preparing the exchange of the demonstration: %w; remove %s to begin anew", err, dir)
	}
	return d.setup, writeSetup(dir, d.setup)
}

// demoMaking is the making of the demonstration's exchange.
type demoMaking struct {
	a       *App
	dir     string
	portal  string
	plan    *demoPlan
	ports   *portChooser
	setup   *DemoSetup
	trial   bool              // the member was named by whoever tries things out
	samples map[string]string // address by name
	offices map[string]*gateway.Office
}

func (d *demoMaking) make(ctx context.Context, address string) error {
	d.ports = newPortChooser(address)
	edge := d.ports.next() // the first one is the edge that people try
	d.setup = &DemoSetup{Calls: d.plan.Calls}
	if err := d.chooseSamples(); err != nil {
		return err
	}
	for i, m := range d.plan.Members {
		if i > 0 {
			edge = d.ports.next()
		}
		if err := d.join(ctx, i, edge); err != nil {
			return fmt.Errorf("%s: %w", m.ID, err)
		}
	}
	for i := range d.plan.Contracts {
		if err := d.agree(ctx, i); err != nil {
			return err
		}
	}
	first := d.plan.Members[0]
	d.setup.Client = first.ID + "/" + first.Subsystems[0].Code
	d.setup.OtherClient = first.ID + "/" + first.Subsystems[len(first.Subsystems)-1].Code
	return nil
}

// chooseSamples gives each sample administration its address.
func (d *demoMaking) chooseSamples() error {
	d.samples = map[string]string{}
	drop := filepath.Join(d.dir, "land-drop")
	for _, n := range sampleNames {
		d.samples[n] = "127.0.0.1:" + strconv.Itoa(d.ports.next())
	}
	args := map[string][]string{"social-adapter": {"--legacy", "http://" + d.samples["social"] + "/soap"}, "land-adapter": {"--dir", drop}}
	for _, n := range sampleNames {
		d.setup.Samples = append(d.setup.Samples, append([]string{n, "--listen", d.samples[n]}, args[n]...))
	}
	return land.Drop(drop)
}

// join takes one member from the portal's desk to a gateway with its settings.
func (d *demoMaking) join(ctx context.Context, i, edge int) error {
	m := &d.plan.Members[i]
	if _, err := d.a.Exchange.Member(ctx, m.ID); err != nil {
		if err := d.a.Exchange.AddMember(ctx, operator, exchange.Member{ID: m.ID, Name: m.Name}); err != nil {
			return err
		}
	}
	invitation, err := d.a.Exchange.Invite(ctx, operator, m.ID, "node-1", d.portal)
	if err != nil {
		return err
	}
	dir := d.folder(m.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	link, admin := "127.0.0.1:"+strconv.Itoa(d.ports.next()), "127.0.0.1:"+strconv.Itoa(d.ports.next())
	config := filepath.Join(dir, gatewaySettings)
	second := "127.0.0.1:" + strconv.Itoa(d.ports.next())
	_, err = gateway.Join(ctx, invitation.String(), gateway.JoinOptions{Config: config, Data: filepath.Join(dir, "data"), Addresses: []string{link}, Link: link, Admin: admin, HTTP: "https://" + second, HTTPListen: second, Witness: m.Witness, Stamps: d.stamps(), StampEvery: 5 * time.Second,
		Edge: "127.0.0.1:" + strconv.Itoa(edge), Clock: gov.SystemClock{}})
	if err != nil {
		return err
	}
	if err := d.describe(config, dir, i); err != nil {
		return err
	}
	cfg, err := gateway.ReadConfig(config)
	if err != nil {
		return err
	}
	office, err := gateway.OpenOffice(cfg, gov.SystemClock{})
	if err != nil {
		return err
	}
	d.offices[m.ID] = office
	d.setup.Nodes = append(d.setup.Nodes, DemoNode{Member: m.ID, Edge: "http://127.0.0.1:" + strconv.Itoa(edge), DataDir: cfg.Data, Config: config, Admin: "http://" + admin})
	return d.register(ctx, office, i)
}

// gatewaySettings is the name of a gateway's settings in its folder.
const gatewaySettings = "gateway.toml"

// folder is where a member's gateway has its files. Codes that others chose may
// differ in class or in case alone.
func (d *demoMaking) folder(member string) string {
	if d.trial {
		return filepath.Join(d.dir, "trial-"+strings.ReplaceAll(member, "/", "-"))
	}
	return filepath.Join(d.dir, strings.ToLower(member[strings.LastIndex(member, "/")+1:]))
}

// stamps is where the gateways have their logs time-stamped.
func (d *demoMaking) stamps() string {
	if d.a.Stamps == nil {
		return ""
	}
	return d.portal + stampPath
}

// describe adds the member's systems to the settings of its gateway.
func (d *demoMaking) describe(config, dir string, i int) error {
	f, err := os.OpenFile(config, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, s := range d.plan.Members[i].Subsystems {
		writeClient(f, s.Code)
		for _, v := range s.Services {
			name := filepath.Join(dir, v.Code+".json")
			if err := os.WriteFile(name, sampleDescriptions[v.Sample], 0o600); err != nil {
				return err
			}
			writeService(f, s.Code, v.Code, "http://"+d.samples[v.Sample], name)
		}
	}
	return f.Close()
}

// register tells the directory what the member offers, signed by its gateway.
func (d *demoMaking) register(ctx context.Context, office *gateway.Office, i int) error {
	dir := office.Directory()
	for _, s := range d.plan.Members[i].Subsystems {
		if err := dir.SetSubsystem(ctx, s.Code, plainText(s.Name)); err != nil {
			return err
		}
		for _, v := range s.Services {
			if err := dir.SetService(ctx, s.Code, v.Code, directory.Offer{Type: "OPENAPI", Title: plainText(v.Title), Classification: v.Classification, LegalBasis: v.LegalBasis,
				Events: v.Events, OpenAPI: string(sampleDescriptions[v.Sample])}); err != nil {
				return err
			}
		}
	}
	return nil
}

// agree proposes one contract and accepts it, each side with its own key.
func (d *demoMaking) agree(ctx context.Context, i int) error {
	c := &d.plan.Contracts[i]
	now := time.Now()
	asks, answers := d.offices[memberPart(c.Client)], d.offices[memberPart(c.Service)]
	if asks == nil || answers == nil {
		return fmt.Errorf("a contract of %s with %s names no member", c.Client, c.Service)
	}
	content, err := asks.Draft(ctx, gateway.Terms{Client: c.Client, Service: c.Service, From: now.Add(-time.Minute), Until: now.AddDate(0, 0, c.Days),
		Properties: contract.Properties{Operations: c.Operations, Fields: c.Fields, Events: c.Events, Purpose: c.Purpose, LegalBasis: c.LegalBasis, CallsPerMinute: c.Calls}})
	if err != nil {
		return err
	}
	hash, err := asks.Propose(ctx, content)
	if err != nil {
		return err
	}
	return answers.Answer(ctx, hash, contract.Accept)
}

func memberPart(id string) string { return strings.Join(strings.SplitN(id, "/", 4)[:3], "/") }

func plainText(t gov.Text) map[string]string {
	out := make(map[string]string, len(t))
	for l, s := range t {
		out[string(l)] = s
	}
	return out
}

// portChooser gives ports out: those after the portal's own by a hundred, so that
// they are easy to remember, and any free one where one of these is taken.
type portChooser struct {
	port int
	held map[int]bool // of gateways that may not listen just now
}

func newPortChooser(address string) *portChooser {
	_, p, _ := net.SplitHostPort(address)
	n, err := strconv.Atoi(p)
	if err != nil {
		n = 8080
	}
	return &portChooser{port: n + firstPort}
}

// firstPort is how far the edge of the demonstration is from its portal.
const firstPort = 100

func (p *portChooser) next() int {
	for p.held[p.port] {
		p.port++
	}
	n := p.port
	p.port++
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(n))
	if err != nil {
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return n
		}
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

const (
	setupFile = "demo.json"
	pidsFile  = "pids.json"
)

func readSetup(dir string) (*DemoSetup, error) {
	b, err := os.ReadFile(filepath.Join(dir, setupFile))
	if err != nil {
		return nil, err
	}
	var s DemoSetup
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("reading %s: %w", setupFile, err)
	}
	var pids map[string]int
	if b, err := os.ReadFile(filepath.Join(dir, pidsFile)); err == nil && json.Unmarshal(b, &pids) == nil {
		for i := range s.Nodes {
			s.Nodes[i].PID = pids[s.Nodes[i].Member]
		}
	}
	return &s, nil
}

func writeSetup(dir string, s *DemoSetup) error {
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, setupFile), b)
}

// replaceFile writes a file that others may read at the same time.
func replaceFile(name string, b []byte) error {
	if err := os.WriteFile(name+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// demoExchangeJSON is what /demo.json says of the exchange, nil when none runs.
func (a *App) demoExchangeJSON(base string) map[string]any {
	s, err := readSetup(filepath.Join(a.Config.Data, "exchange"))
	if err != nil || len(s.Nodes) == 0 {
		return nil
	}
	nodes := []map[string]any{}
	for _, n := range s.Nodes {
		nodes = append(nodes, map[string]any{"member": n.Member, "edge": n.Edge, "data_dir": n.DataDir, "pid": n.PID, "admin": n.Admin, "config": n.Config})
	}
	return map[string]any{"register": base + "/demo/exchange", "edge": s.Nodes[0].Edge, "client": s.Client, "other_client": s.OtherClient, "services": s.Calls, "nodes": nodes}
}

// answers tells whether something accepts connections at an address.
func answers(address string) bool {
	c, err := net.DialTimeout("tcp", strings.TrimPrefix(address, "http://"), time.Second)
	if err == nil {
		c.Close()
	}
	return err == nil
}
