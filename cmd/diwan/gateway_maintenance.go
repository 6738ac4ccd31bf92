package main

import (
	"context"
	"fmt"
	"os/user"

	"diwan/internal/app"
)

func gatewayMaintenance(ctx context.Context, env environment, args []string) error {
	fs, config := gatewayFlags(env)
	reason := fs.String("reason", "", "why it is closed, for those who keep the exchange")
	by := fs.String("by", "", "who closes it; empty is the name of this account")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	on := len(rest) == 1 && rest[0] == "on"
	if !on && (len(rest) != 1 || rest[0] != "off") || on == (*reason == "") {
		return fmt.Errorf("%w: it goes `maintenance on --reason WHY` or `maintenance off`", errUsage)
	}
	if u, err := user.Current(); err == nil && *by == "" {
		*by = u.Username
	}
	running, err := app.GatewayMaintenance(ctx, *config, *reason, *by)
	if err != nil {
		return err
	}
	what := "open"
	if on {
		what = "closed for maintenance"
	}
	if running {
		fmt.Fprintf(env.stdout, "this node is %s\n", what)
		return nil
	}
	fmt.Fprintf(env.stdout, "no gateway runs here now; when it starts, this node is %s\n", what)
	return nil
}
