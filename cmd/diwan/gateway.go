package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"diwan/internal/app"
)

var gatewayCommand = command{"gateway", "--config FILE", "run an administration's gateway to the exchange, or set it up", nil}

const gatewayHelp = `run an administration's gateway to the exchange, or set it up

  diwan gateway --config FILE                       run it
  diwan gateway init --join CODE --address HOST:PORT [--dir DIR]
                                                    join the exchange: makes the keys and writes DIR/gateway.toml
  diwan gateway test --config FILE                  say in plain words what is right and what is wrong
  diwan gateway offer --config FILE SUBSYSTEM --name fr=…          register an information system
  diwan gateway offer --config FILE SUBSYSTEM/CODE --name fr=… --openapi FILE --classification personal --basis /akn/…
                                                    register a service of it
  diwan gateway contract --config FILE list         contracts of this administration
  diwan gateway contract --config FILE propose TERMS.json
  diwan gateway contract --config FILE accept|reject|revoke HASH
  diwan gateway maintenance --config FILE on --reason WHY [--by NAME]
  diwan gateway maintenance --config FILE off       close this node for maintenance, over restarts, and open it again
  diwan gateway keys --config FILE recipient|export RECIPIENT|import FILE
                                                    let another node of this administration sign its log too
  diwan gateway viewer --config FILE --officer NAME   make a sign-in code for an officer who is to look into the log`

// listed is a flag that may be given several times.
type listed []string

func (l *listed) String() string     { return strings.Join(*l, ", ") }
func (l *listed) Set(s string) error { *l = append(*l, s); return nil }

func gatewayMain(ctx context.Context, env environment, args []string) error {
	part, own := choose(args, map[string]runner{"init": gatewayInit, "test": gatewayTest, "offer": gatewayOffer, "contract": gatewayContract, "keys": gatewayKeys, "maintenance": gatewayMaintenance, "viewer": gatewayViewer})
	if part != nil {
		return part(ctx, env, own)
	}
	return gatewayRun(ctx, env, args)
}

// gatewayFlags are those of every part of the command.
func gatewayFlags(env environment) (flags, *string) {
	c := gatewayCommand
	c.about = gatewayHelp
	fs := flagSet(env, c)
	return fs, fs.String("config", "gateway.toml", "the gateway's configuration file")
}

func gatewayRun(ctx context.Context, env environment, args []string) error {
	fs, config := gatewayFlags(env)
	level := fs.String("log-level", "info", "debug, info, warn or error")
	rest, err := parse(fs, args)
	if err == nil {
		err = noArgs(rest)
	}
	if err != nil {
		return err
	}
	c := app.Defaults()
	c.LogLevel = *level
	return app.RunGateway(ctx, *config, app.NewLogger(c, os.Stderr), func(edge string) {
		fmt.Fprintf(env.stdout, "ready for information systems on %s\n", edge)
	})
}

func gatewayInit(ctx context.Context, env environment, args []string) error {
	fs, _ := gatewayFlags(env)
	join := fs.String("join", "", "the join code that the exchange desk gave you")
	dir := fs.String("dir", ".", "folder of the gateway")
	var addresses listed
	fs.Var(&addresses, "address", "host:port under which other gateways reach this one; may be given several times")
	database := fs.String("database", "", "sqlite:PATH or postgres://…; empty is a file in the folder")
	edge := fs.String("edge", "127.0.0.1:8180", "where your information systems call, on this machine")
	link := fs.String("link", ":5500", "where other gateways come in")
	admin := fs.String("admin", "127.0.0.1:8182", "figures and health, on this machine")
	rest, err := parse(fs, args)
	if err == nil {
		err = noArgs(rest)
	}
	switch {
	case err != nil:
		return err
	case *join == "":
		return fmt.Errorf("%w: give the join code with --join; the exchange desk makes one", errUsage)
	case len(addresses) == 0:
		return fmt.Errorf("%w: say with --address HOST:PORT how other gateways reach this one", errUsage)
	}
	if err := os.MkdirAll(*dir, 0o700); err != nil {
		return err
	}
	config := filepath.Join(*dir, "gateway.toml")
	member, err := app.JoinExchange(ctx, *join, app.GatewayJoin{Config: config, Data: filepath.Join(*dir, "data"), Database: *database, Addresses: addresses, Edge: *edge, Link: *link, Admin: *admin})
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%s has joined the exchange.\nSettings are in %s; keep a copy of its data folder in a safe place.\nNext: diwan gateway test --config %s\n", member, config, config)
	return nil
}

func gatewayTest(ctx context.Context, env environment, args []string) error {
	fs, config := gatewayFlags(env)
	asJSON := fs.Bool("json", false, "print the checks as JSON")
	rest, err := parse(fs, args)
	if err == nil {
		err = noArgs(rest)
	}
	if err != nil {
		return err
	}
	checks, ok, err := app.TestGateway(ctx, *config)
	if err != nil {
		return err
	}
	if *asJSON {
		if err := json.NewEncoder(env.stdout).Encode(checks); err != nil {
			return err
		}
	} else {
		for _, c := range checks {
			fmt.Fprintf(env.stdout, "%-6s %-34s %s\n", c.Verdict, c.Code, c.Text)
		}
	}
	if !ok {
		return fmt.Errorf("not everything is right; see the lines that begin with bad")
	}
	return nil
}

func gatewayOffer(ctx context.Context, env environment, args []string) error {
	fs, config := gatewayFlags(env)
	var names, basis, events listed
	fs.Var(&names, "name", "name in a language, such as fr=Registre; may be given several times")
	fs.Var(&basis, "basis", "address of an article that allows it; may be given several times")
	fs.Var(&events, "event", "event type that the service publishes; may be given several times")
	openapi := fs.String("openapi", "", "OpenAPI 3 file of the service")
	class := fs.String("classification", "", "public, internal, personal or sensitive")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 || len(names) == 0 {
		return fmt.Errorf("%w: it goes `offer SUBSYSTEM[/CODE] --name LANG=NAME`", errUsage)
	}
	byLang := map[string]string{}
	for _, n := range names {
		l, name, ok := strings.Cut(n, "=")
		if !ok {
			return fmt.Errorf("%w: a name goes LANG=NAME, such as fr=Registre", errUsage)
		}
		byLang[l] = name
	}
	desk, err := app.OpenGatewayDesk(*config)
	if err != nil {
		return err
	}
	subsystem, code, _ := strings.Cut(rest[0], "/")
	if err := desk.Offer(ctx, subsystem, code, *openapi, byLang, app.Offer{Classification: *class, LegalBasis: basis, Events: events}); err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%s is registered; other gateways see it with the next directory.\n", rest[0])
	return nil
}

func gatewayContract(ctx context.Context, env environment, args []string) error {
	fs, config := gatewayFlags(env)
	asJSON := fs.Bool("json", false, "with list: print JSON")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	desk, err := app.OpenGatewayDesk(*config)
	if err != nil {
		return err
	}
	switch {
	case len(rest) == 1 && rest[0] == "list":
		return contractList(ctx, env, desk, *asJSON)
	case len(rest) == 2 && rest[0] == "propose":
		in, err := open(env, rest[1])
		if err != nil {
			return err
		}
		defer in.Close()
		hash, err := desk.ProposeTerms(ctx, in)
		if err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "%s\nis proposed; the other side accepts it with `diwan gateway contract accept`.\n", hash)
		return nil
	case len(rest) == 2 && (rest[0] == "accept" || rest[0] == "reject" || rest[0] == "revoke"):
		if err := desk.AnswerContract(ctx, rest[1], rest[0]); err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "signed: %s\n", rest[0])
		return nil
	}
	return fmt.Errorf("%w: it goes `contract list`, `contract propose TERMS.json` or `contract accept|reject|revoke HASH`", errUsage)
}

func contractList(ctx context.Context, env environment, desk *app.GatewayDesk, asJSON bool) error {
	list, err := desk.ListContracts(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(env.stdout).Encode(list)
	}
	if len(list) == 0 {
		fmt.Fprintln(env.stdout, "no contract yet")
		return nil
	}
	w := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STATE\tUNTIL\tCLIENT\tSERVICE\tHASH")
	for _, c := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", c.State, c.Until, c.Client, c.Service, c.Hash)
	}
	return w.Flush()
}
