package main

import (
	"context"
	"fmt"

	"diwan/internal/app"
)

func gatewayKeys(_ context.Context, env environment, args []string) error {
	fs, config := gatewayFlags(env)
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	switch {
	case len(rest) == 1 && rest[0] == "recipient":
		to, err := app.GatewayKeysRecipient(*config)
		if err == nil {
			fmt.Fprintln(env.stdout, to)
		}
		return err
	case len(rest) == 2 && rest[0] == "export":
		b, err := app.ShareGatewayKeys(*config, rest[1])
		if err == nil {
			_, err = env.stdout.Write(b)
		}
		return err
	case len(rest) == 2 && rest[0] == "import":
		in, err := open(env, rest[1])
		if err != nil {
			return err
		}
		defer in.Close()
		if err := app.TakeGatewayKeys(*config, in); err != nil {
			return err
		}
		fmt.Fprintln(env.stdout, "this node signs the member's log too, from its next start on")
		return nil
	}
	return fmt.Errorf("%w: it goes `keys recipient`, `keys export RECIPIENT` or `keys import FILE`", errUsage)
}
