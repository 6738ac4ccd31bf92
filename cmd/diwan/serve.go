package main

import (
	"context"
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
