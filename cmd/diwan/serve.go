package main

import (
	"context"
	"fmt"
	"os"

	"diwan/internal/app"
	"diwan/internal/gov"
)

var serveCommand = command{"serve", "[--config FILE]", "run the portal for the public", nil}

func serve(ctx context.Context, env environment, args []string) error {
	fs := flagSet(env, serveCommand)
	config := app.Flags(fs.FlagSet, app.Defaults())
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if err := noArgs(rest); err != nil {
		return err
	}
	c, err := config()
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, c, app.NewLogger(c, os.Stderr), gov.SystemClock{})
	if err != nil {
		return err
	}
	defer a.Close()
	return a.Serve(ctx, nil)
}

var demoCommand = command{"demo", "[--data DIR] [--listen ADDR]", "everything on this machine, with labelled demonstration data", nil}

func demo(ctx context.Context, env environment, args []string) error {
	fs := flagSet(env, demoCommand)
	defaults := app.Defaults()
	defaults.Data, defaults.AdminListen, defaults.LogLevel = "diwan-demo", "", "warn"
	config := app.Flags(fs.FlagSet, defaults, "data", "listen", "admin_listen", "country", "database", "log_level")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if err := noArgs(rest); err != nil {
		return err
	}
	c, err := config()
	if err != nil {
		return err
	}
	c.Demo = true
	if c.PublicURL == "" {
		c.PublicURL = "http://" + c.Listen
	}
	fmt.Fprintf(env.stdout, "Diwan demonstration. Data is kept in %s.\n", c.Data)
	a, err := app.Open(ctx, c, app.NewLogger(c, os.Stderr), new(app.DemoClock))
	if err != nil {
		return err
	}
	defer a.Close()
	return a.Serve(ctx, func(address string) {
		for _, l := range a.Country.Languages {
			fmt.Fprintf(env.stdout, "  %-12s http://%s/%s/\n", l.Name, address, l.Code)
		}
		fmt.Fprintf(env.stdout, "  %-12s http://%s/%s/office/  (sample accounts, no password)\n", "office", address, a.Country.Languages[0].Code)
		fmt.Fprintf(env.stdout, "  %-12s http://%s/demo.json\n", "for scripts", address)
		fmt.Fprintf(env.stdout, "ready in http://%s/ ; Ctrl-C stops\n", address)
	})
}
