package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"diwan/examples/agencies/serve"
	"diwan/examples/signin/provider"
	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/gateway"
	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/exchange/gateway/viewer"
	"diwan/internal/gov"
)

// RunGateway runs the gateway of a configuration file until ctx ends. ready is
// called once it listens.
func RunGateway(ctx context.Context, config string, log *slog.Logger, ready func(edge string)) error {
	cfg, err := gateway.ReadConfig(config)
	if err != nil {
		return err
	}
	g, err := gateway.Open(ctx, cfg, log, gov.SystemClock{})
	if err != nil {
		return err
	}
	if err := viewer.Mount(ctx, g); err != nil {
		return errors.Join(err, g.Close())
	}
	if os.Getenv("GOGC") == "" {
		go roomForMessages(ctx, g.Records)
	}
	if ready != nil {
		ready(g.Addresses().Edge)
	}
	return g.Run(ctx)
}

// roomForMessages lets the collector run less often while messages pass. A gateway
// keeps little alive and allocates for each message: to collect as often as by
// default would cost more than the messages, for some megabytes. They are given
// back when it is quiet.
func roomForMessages(ctx context.Context, records func() uint64) {
	const look, busy, percent, calm, again = time.Second, 50, 400, 10, 120
	tick := time.NewTicker(look)
	defer tick.Stop()
	last, roomy, quiet := records(), false, calm-2 // starting up leaves something behind too
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n := records()
		switch {
		case n-last >= busy:
			if quiet = 0; !roomy {
				roomy = true
				debug.SetGCPercent(percent)
			}
		default:
			switch quiet++; {
			case quiet == calm:
				roomy = false
				debug.SetGCPercent(100)
				debug.FreeOSMemory()
				letGoOfProgram()
			case quiet%again == 0: // what runs now and then has touched some of it
				letGoOfProgram()
			}
		}
		last = n
	}
}

// GatewayCheck is one line of a gateway's self-test.
type GatewayCheck = gateway.Check

// TestGateway checks the setup of a gateway. ok tells whether nothing is wrong.
func TestGateway(ctx context.Context, config string) (checks []GatewayCheck, ok bool, err error) {
	cfg, err := gateway.ReadConfig(config)
	if errors.Is(err, fs.ErrNotExist) {
		if checks = gateway.Unfinished(config); checks != nil {
			return checks, false, nil
		}
	}
	if err != nil {
		return nil, false, err
	}
	checks, ok = gateway.SelfTest(ctx, cfg, gov.SystemClock{}), true
	for _, c := range checks {
		ok = ok && c.Verdict != gateway.Bad
	}
	return checks, ok, nil
}

// RunSample runs a sample administration until ctx ends.
func RunSample(ctx context.Context, args []string, out io.Writer) error {
	return serve.Run(ctx, args, out)
}

// RunSignIn runs the development sign-in provider until ctx ends.
func RunSignIn(ctx context.Context, args []string, out io.Writer) error {
	return provider.Run(ctx, args, out)
}

// GatewayJoin is how a new gateway is set up.
type GatewayJoin = gateway.JoinOptions

// JoinExchange takes a new gateway from an invitation to its configuration.
// It returns the member's identifier.
func JoinExchange(ctx context.Context, invitation string, o GatewayJoin) (string, error) {
	j, err := gateway.Join(ctx, invitation, o)
	if err != nil {
		return "", err
	}
	return j.Member, nil
}

// GatewayDesk is what the people of a member do beside their gateway.
type GatewayDesk struct{ *gateway.Office }

// OpenGatewayDesk opens the desk of the gateway of a configuration file.
func OpenGatewayDesk(config string) (*GatewayDesk, error) {
	cfg, err := gateway.ReadConfig(config)
	if err != nil {
		return nil, err
	}
	o, err := gateway.OpenOffice(cfg, gov.SystemClock{})
	return &GatewayDesk{o}, err
}

// GatewayTerms is what a file of terms holds, from which a contract is drafted.
type GatewayTerms struct {
	Client    string `json:"client"`
	Service   string `json:"service"`
	Delegator string `json:"delegator"`
	Days      int    `json:"days"`
	contract.Properties
}

// ProposeTerms drafts a contract from a file of terms, signs it and brings it to
// the directory. It returns the name of the contract.
func (d *GatewayDesk) ProposeTerms(ctx context.Context, terms io.Reader) (string, error) {
	var t GatewayTerms
	dec := json.NewDecoder(io.LimitReader(terms, contract.MaxBytes))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&t); err != nil {
		return "", fmt.Errorf("reading the terms: %w", err)
	}
	if t.Days <= 0 {
		return "", fmt.Errorf("the terms say for how many days the contract is to hold: \"days\"")
	}
	now := time.Now()
	content, err := d.Draft(ctx, gateway.Terms{Client: t.Client, Service: t.Service, Delegator: t.Delegator, From: now.Add(-time.Minute), Until: now.AddDate(0, 0, t.Days), Properties: t.Properties})
	if err != nil {
		return "", err
	}
	return d.Propose(ctx, content)
}

// GatewayContract is a contract as the command line shows it.
type GatewayContract struct {
	Hash    string   `json:"hash"`
	State   string   `json:"state"`
	Client  string   `json:"client"`
	Service string   `json:"service"`
	Until   string   `json:"until"`
	Missing []string `json:"missing,omitempty"`
}

// ListContracts lists the member's contracts as the directory has them now; each
// signature is checked here.
func (d *GatewayDesk) ListContracts(ctx context.Context) ([]GatewayContract, error) {
	list, err := d.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	out := []GatewayContract{}
	for _, c := range list {
		p := c.Grants[0].Data.Properties
		out = append(out, GatewayContract{c.Hash, string(c.State(time.Now())), p.Client, p.Service, time.Unix(c.Validity.NotAfter, 0).UTC().Format(time.DateOnly), c.Missing()})
	}
	return out, nil
}

// AnswerContract accepts, rejects or revokes a contract with the member's key.
func (d *GatewayDesk) AnswerContract(ctx context.Context, hash, kind string) error {
	return d.Answer(ctx, hash, contract.Kind(kind))
}

// Offer registers an information system, and a service of it when file
// names a description of what it offers.
func (d *GatewayDesk) Offer(ctx context.Context, subsystem, code, file string, names map[string]string, o Offer) error {
	if code == "" {
		return d.Directory().SetSubsystem(ctx, subsystem, names)
	}
	o.Type, o.Title = "REST", names
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading the description: %w", err)
		}
		o.Type, o.OpenAPI = "OPENAPI", string(b)
	}
	return d.Directory().SetService(ctx, subsystem, code, o)
}

// Offer is what a member says of a service.
type Offer = directory.Offer
