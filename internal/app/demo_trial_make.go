package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"diwan/country"
	"diwan/internal/exchange"
	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/gateway"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/xroad"
)

// trialMaking is one registration under way.
type trialMaking struct {
	*demoTrials
	*trial
	plan    demoPlan
	setup   *DemoSetup
	nodes   map[string]DemoNode // by member, those that the trial needs
	offices map[string]*gateway.Office
	ports   *portChooser // of members that are taken in: one, for none of them listens yet
}

// register takes a trial from what was said to gateways that carry it.
func (d *demoTrials) register(ctx context.Context, t *trial) (edges, error) {
	setup, err := readSetup(d.dir)
	if err != nil {
		return nil, err
	}
	m := &trialMaking{demoTrials: d, trial: t, setup: setup, nodes: map[string]DemoNode{}, offices: map[string]*gateway.Office{}}
	if err := country.Decode(d.a.pack.Files, demoExchangeFile, &m.plan); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{m.own, m.members, m.tell, m.agree, m.wake} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return m.edges(), nil
}

// own keeps the demonstration's own services as they are, and waits for nobody:
// its gateways run before anything can be tried.
func (m *trialMaking) own(context.Context) error {
	for _, p := range m.plan.Members {
		for _, sub := range p.Subsystems {
			for _, v := range sub.Services {
				id := p.ID + "/" + sub.Code + "/" + v.Code
				if slices.ContainsFunc(m.Services, func(s trialService) bool { return s.ID == id }) {
					return problem.New(problem.Conflict, "demo.exchange.taken", "id", id)
				}
			}
		}
		if i := m.node(p.ID); i >= 0 && !answers(m.setup.Nodes[i].Admin) {
			return problem.New(problem.Unavailable, "demo.exchange.starting")
		}
	}
	return nil
}

func (m *trialMaking) node(member string) int {
	return slices.IndexFunc(m.setup.Nodes, func(n DemoNode) bool { return n.Member == member })
}

// needed are the members of a trial, the clients' first.
func (m *trialMaking) needed() []string {
	var out []string
	for _, s := range m.Services {
		for _, c := range s.clients {
			out = append(out, c.MemberID().String())
		}
	}
	for _, s := range m.Services {
		out = append(out, s.id.Provider.MemberID().String())
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(out, func(id string) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
}

// members finds the gateways of the trial, and takes in members that are not there.
func (m *trialMaking) members(ctx context.Context) error {
	for _, id := range m.needed() {
		i := m.node(id)
		if i < 0 {
			if err := m.join(ctx, id); err != nil {
				return err
			}
			i = len(m.setup.Nodes) - 1
		}
		m.nodes[id] = m.setup.Nodes[i]
		cfg, err := gateway.ReadConfig(m.nodes[id].Config)
		if err != nil {
			return err
		}
		if m.offices[id], err = gateway.OpenOffice(cfg, gov.SystemClock{}); err != nil {
			return err
		}
	}
	return nil
}

// join takes a member in as any is taken in. Its gateway is kept with the
// demonstration at once, so that a registration that fails later can be repeated.
func (m *trialMaking) join(ctx context.Context, id string) error {
	parsed, err := xroad.ParseClientID(id)
	known := slices.ContainsFunc(m.a.Exchange.Settings().Classes, func(c exchange.MemberClass) bool { return c.Code == parsed.Class })
	if err != nil || !known || parsed.Instance != m.a.Exchange.Settings().Instance || m.runner == nil {
		return problem.New(problem.Invalid, "demo.exchange.member", "id", id)
	}
	if len(m.setup.Nodes) >= len(m.plan.Members)+maxTrialMembers {
		return problem.New(problem.TooMany, "demo.exchange.members")
	}
	if m.ports == nil {
		m.ports = newPortChooser(m.address)
		m.ports.port += firstPort // the ones before are the demonstration's own
		if m.ports.held, err = m.setup.heldPorts(); err != nil {
			return err
		}
	}
	d := &demoMaking{a: m.a, dir: m.dir, portal: "http://" + m.address, trial: true, ports: m.ports, setup: m.setup, offices: map[string]*gateway.Office{},
		plan: &demoPlan{Members: []demoMember{{ID: id, Name: m.label(parsed.Member)}}}}
	// An attempt that did not end well leaves keys that the directory knows; only
	// the settings are written anew.
	if err := os.Remove(filepath.Join(d.folder(id), gatewaySettings)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := d.join(ctx, 0, d.ports.next()); err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	return writeSetup(m.dir, m.setup)
}

// heldPorts are those in the settings of the gateways that are there: one that was
// taken in by a registration that failed later does not run yet.
func (s *DemoSetup) heldPorts() (map[int]bool, error) {
	out := map[int]bool{}
	for _, n := range s.Nodes {
		c, err := gateway.ReadConfig(n.Config)
		if err != nil {
			return nil, err
		}
		for _, l := range []string{c.Edge.HTTP, c.Link.Listen, c.HTTP.Listen, c.Admin.Listen} {
			if _, port, err := net.SplitHostPort(l); err == nil {
				n, _ := strconv.Atoi(port)
				out[n] = true
			}
		}
	}
	return out, nil
}

// label names what was registered, as a trial.
func (m *trialMaking) label(code string) gov.Text {
	out := gov.Text{}
	for l, name := range m.plan.Trial.Name {
		out[l] = name + " " + code
	}
	return out
}

// tell writes the trial into the settings of its gateways and into the directory.
func (m *trialMaking) tell(ctx context.Context) error {
	for _, s := range m.Services {
		if err := m.offer(ctx, &s); err != nil {
			return err
		}
		for _, c := range s.clients {
			if err := m.subsystem(ctx, c); err != nil {
				return err
			}
		}
	}
	for id, node := range m.nodes {
		if err := changeTrials(node.Config, func(base, trials *trialSystems) error { return m.systems(id, base, trials) }); err != nil {
			return err
		}
	}
	return nil
}

func (m *trialMaking) offer(ctx context.Context, s *trialService) error {
	if err := m.subsystem(ctx, s.id.Provider); err != nil {
		return err
	}
	o := exchange.Offer{Type: "REST", Title: plainText(m.label(s.id.Code)), Classification: "public", LegalBasis: m.plan.Trial.LegalBasis}
	if s.text != "" {
		o.Type, o.OpenAPI = "OPENAPI", s.text
	} else {
		for _, a := range s.Allow {
			o.Endpoints = append(o.Endpoints, xroad.Endpoint{Method: a.Method, Path: a.Path})
		}
	}
	return m.a.Exchange.SetService(ctx, operator, s.id.Provider.MemberID().String(), s.id.Provider.Subsystem, s.id.Code, o)
}

// subsystem registers an information system that is not there.
func (m *trialMaking) subsystem(ctx context.Context, id xroad.ClientID) error {
	member, err := m.a.Exchange.Member(ctx, id.MemberID().String())
	if err != nil {
		return err
	}
	if slices.ContainsFunc(member.Subsystems, func(s exchange.Subsystem) bool { return s.Code == id.Subsystem }) {
		return nil
	}
	return m.a.Exchange.SetSubsystem(ctx, operator, member.ID, id.Subsystem, m.label(id.Subsystem))
}

// systems adds the trial's part of one member to the settings of its gateway.
func (m *trialMaking) systems(member string, base, trials *trialSystems) error {
	for _, s := range m.Services {
		for _, c := range s.clients {
			is := func(k gateway.ClientConfig) bool { return k.Subsystem == c.Subsystem }
			if c.MemberID().String() == member && !slices.ContainsFunc(base.Clients, is) && !slices.ContainsFunc(trials.Clients, is) {
				trials.Clients = append(trials.Clients, gateway.ClientConfig{Subsystem: c.Subsystem, Plain: true})
			}
		}
		if s.id.Provider.MemberID().String() != member {
			continue
		}
		is := func(k gateway.ServiceConfig) bool {
			return k.Subsystem == s.id.Provider.Subsystem && k.Code == s.id.Code
		}
		if slices.ContainsFunc(base.Services, is) {
			return problem.New(problem.Conflict, "demo.exchange.taken", "id", s.ID)
		}
		trials.Services = append(slices.DeleteFunc(trials.Services, is), gateway.ServiceConfig{Subsystem: s.id.Provider.Subsystem, Code: s.id.Code, URL: m.Backend})
	}
	if len(trials.Services) > maxTrialsPerMember || len(trials.Clients) > maxTrialsPerMember {
		return problem.New(problem.TooMany, "demo.exchange.many")
	}
	return nil
}

// trialSystems are clients and services as a gateway's settings name them.
type trialSystems struct {
	Clients  []gateway.ClientConfig  `toml:"client"`
	Services []gateway.ServiceConfig `toml:"service"`
}

// trialMark stands before what registrations have written.
const trialMark = "\n# Registered to try things out; each registration writes this part anew.\n"

// changeTrials changes the part of a gateway's settings that registrations write.
func changeTrials(config string, change func(base, trials *trialSystems) error) error {
	b, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	text, rest, _ := strings.Cut(string(b), trialMark)
	var base, trials trialSystems
	_, err = toml.Decode(text, &base)
	if err == nil {
		_, err = toml.Decode(rest, &trials)
	}
	if err == nil {
		err = change(&base, &trials)
	}
	if err != nil {
		return err
	}
	var out bytes.Buffer
	out.WriteString(text + trialMark)
	for _, c := range trials.Clients {
		writeClient(&out, c.Subsystem)
	}
	for _, s := range trials.Services {
		writeService(&out, s.Subsystem, s.Code, s.URL, "")
	}
	return replaceFile(config, out.Bytes())
}

func writeClient(w io.Writer, subsystem string) {
	fmt.Fprintf(w, "\n[[client]]\nsubsystem = %q\nplain = true\n", subsystem)
}

func writeService(w io.Writer, subsystem, code, url, openapi string) {
	fmt.Fprintf(w, "\n[[service]]\nsubsystem = %q\ncode = %q\nurl = %q\n", subsystem, code, url)
	if openapi != "" {
		fmt.Fprintf(w, "openapi = %q\n", openapi)
	}
}

// agree leaves each client of the trial's services with one contract that says what
// was said last, and those who are no client any more with none.
func (m *trialMaking) agree(ctx context.Context) error {
	for _, s := range m.Services {
		answers := m.offices[s.id.Provider.MemberID().String()]
		list, err := answers.Contracts(ctx)
		if err != nil {
			return err
		}
		wanted := map[string]xroad.ClientID{}
		for _, c := range s.clients {
			wanted[c.String()] = c
		}
		for _, c := range list {
			p := c.Grants[0].Data.Properties
			if state := c.State(time.Now()); p.Service != s.ID || state != contract.Live && state != contract.Proposed {
				continue
			}
			if _, ok := wanted[p.Client]; ok && c.State(time.Now()) == contract.Live && slices.Equal(p.Operations, s.Allow) {
				delete(wanted, p.Client)
				continue
			}
			if err := answers.Answer(ctx, c.Hash, contract.Revoke); err != nil {
				return err
			}
		}
		for _, id := range slices.Sorted(maps.Keys(wanted)) {
			if err := m.contract(ctx, &s, wanted[id], answers); err != nil {
				return err
			}
		}
	}
	return nil
}

// trialDays is how long the contract of a trial holds.
const trialDays = 365

func (m *trialMaking) contract(ctx context.Context, s *trialService, client xroad.ClientID, answers *gateway.Office) error {
	asks, now := m.offices[client.MemberID().String()], time.Now()
	content, err := asks.Draft(ctx, gateway.Terms{Client: client.String(), Service: s.ID, From: now.Add(-time.Minute), Until: now.AddDate(0, 0, trialDays),
		Properties: contract.Properties{Operations: s.Allow, Purpose: m.plan.Trial.Purpose, LegalBasis: m.plan.Trial.LegalBasis}})
	if err != nil {
		return err
	}
	hash, err := asks.Propose(ctx, content)
	if err != nil {
		return err
	}
	return answers.Answer(ctx, hash, contract.Accept)
}

// wake starts the gateways that do not run and tells the others to read their
// settings, the directory and the contracts anew.
func (m *trialMaking) wake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for _, n := range m.nodes {
		if !answers(n.Admin) {
			fmt.Fprintln(m.runner, wantedGateway+n.Config)
		}
	}
	client := &http.Client{Timeout: 20 * time.Second}
	for _, n := range m.setup.Nodes { // those that have no part in it learn of new members
		if _, needed := m.nodes[n.Member]; !needed && !answers(n.Admin) {
			continue
		}
		if err := reload(ctx, client, n.Admin); err != nil {
			return fmt.Errorf("the gateway of %s: %w", n.Member, err)
		}
	}
	return nil
}

// reload waits until a gateway answers and has read everything anew.
func reload(ctx context.Context, client *http.Client, admin string) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, admin+"/reload", nil)
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err == nil {
			io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(res.Status)
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (m *trialMaking) edges() edges {
	out := edges{"": m.setup.Nodes[0].Edge}
	for id, n := range m.nodes {
		out[id] = n.Edge
	}
	for _, s := range m.Services {
		if len(s.clients) > 0 {
			out[""] = out[s.clients[0].MemberID().String()]
			break
		}
	}
	return out
}
