package main

import (
	"context"
	"fmt"
	"os"

	"diwan/internal/app"
)

var demoCommand = command{"demo", "[--data DIR] [--listen ADDR] [--people N]", "everything on this machine, with labelled demonstration data", nil}

// demoConfig reads the settings of a demonstration.
func demoConfig(env environment, c command, args []string) (app.Config, error) {
	fs := flagSet(env, c)
	defaults := app.Defaults()
	defaults.Data, defaults.AdminListen, defaults.LogLevel = "diwan-demo", "", "warn"
	config := app.Flags(fs.FlagSet, defaults, "data", "listen", "admin_listen", "country", "database", "log_level")
	people := fs.Int("people", 0, "how many invented people there are, at least those with a story")
	rest, err := parse(fs, args)
	if err == nil {
		err = noArgs(rest)
	}
	if err != nil {
		return app.Config{}, err
	}
	conf, err := config()
	conf.Demo, conf.DemoPeople = true, *people
	if err == nil && (*people < 0 || *people > app.MaxDemoPeople) {
		err = fmt.Errorf("--people must be a number from 0 to %d", app.MaxDemoPeople)
	}
	if conf.PublicURL == "" {
		conf.PublicURL = "http://" + conf.Listen
	}
	return conf, err
}

func demo(ctx context.Context, env environment, args []string) error {
	c, err := demoConfig(env, demoCommand, args)
	if err != nil {
		return err
	}
	return app.RunDemo(ctx, app.DemoOptions{Command: demoPartCommand.name, Args: args, Data: c.Data, Listen: c.Listen, People: c.DemoPeople, Out: env.stdout, Stderr: env.stderr})
}

// demoPartCommand runs one process of a demonstration; `diwan demo` calls it, and
// no list names it.
var demoPartCommand = command{"demo-part", "portal|gateway|sample|sign-in|payment …", "one process of a demonstration", nil}

func demoPart(ctx context.Context, env environment, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: it goes `portal`, `gateway`, `sample`, `sign-in` or `payment`", errUsage)
	}
	ctx, stop := app.WithParent(ctx, env.stdin)
	defer stop()
	switch args[0] {
	case app.PartPortal:
		return demoPortal(ctx, env, args[1:])
	case app.PartGateway:
		return gatewayRun(ctx, env, args[1:])
	case app.PartSample:
		return app.RunSample(ctx, args[1:], env.stdout)
	case app.PartPayment:
		return app.RunPayment(ctx, args[1:], env.stdout)
	case app.PartSignIn:
		return app.RunSignIn(ctx, args[1:], env.stdout)
	}
	return fmt.Errorf("%w: there is no part %q", errUsage, args[0])
}

// demoPortal runs the portal of a demonstration, and prepares what stands beside
// it once it answers.
func demoPortal(ctx context.Context, env environment, args []string) error {
	c, err := demoConfig(env, demoCommand, args)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "Diwan demonstration. Data is kept in %s.\n", c.Data)
	a, err := app.Open(ctx, c, app.NewLogger(c, os.Stderr), new(app.DemoClock))
	if err != nil {
		return err
	}
	defer a.Close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	err = a.Serve(ctx, func(address string) {
		if _, err := a.DemoExchange(ctx, address, env.stdout); err != nil {
			stop(err)
			return
		}
		for _, l := range a.Country.Languages {
			fmt.Fprintf(env.stdout, "  %-12s http://%s/%s/\n", l.Name, address, l.Code)
		}
		fmt.Fprintf(env.stdout, "  %-12s http://%s/%s/office/  (sample accounts, no password)\n", "office", address, a.Country.Languages[0].Code)
		fmt.Fprintf(env.stdout, "  %-12s http://%s/%s/me/  (sample people, no password)\n", "my space", address, a.Country.Languages[0].Code)
		fmt.Fprintf(env.stdout, "  %-12s http://%s/demo.json\n", "for scripts", address)
		fmt.Fprintf(env.stdout, "ready in http://%s/ ; Ctrl-C stops\n", address)
	})
	if cause := context.Cause(ctx); err == nil && cause != nil && cause != context.Canceled {
		return cause
	}
	return err
}
