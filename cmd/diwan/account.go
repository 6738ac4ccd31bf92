package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"diwan/internal/app"
	"diwan/internal/gov"
)

var accountCommand = command{"account", "add|link|disable|list …", "accounts of those who work here", nil}

const accountHelp = `accounts of those who work here

  diwan account add LOGIN --name NAME --roles editor,study,sign [--administration ID [--unit ID]]
  diwan account link LOGIN       print a sign-in link that works once, for 15 minutes
  diwan account disable LOGIN    end its sessions and refuse its links
  diwan account list`

func account(ctx context.Context, env environment, args []string) error {
	c := accountCommand
	c.about = accountHelp
	fs := flagSet(env, c)
	config := app.Flags(fs.FlagSet, app.Defaults(), "data", "database", "listen", "public_url", "country", "log_level")
	name := fs.String("name", "", "the person's name as others see it")
	roles := fs.String("roles", "", "editor, commission, steward, exchange, receive, study, sign, supervise, counter; several with commas")
	administration := fs.String("administration", "", "id of the administration; empty is all")
	unit := fs.String("unit", "", "unit of the administration; empty is all of it")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	conf, err := config()
	if err != nil {
		return err
	}
	if len(rest) == 0 || (len(rest) != 2 && rest[0] != "list") {
		return fmt.Errorf("%w: it goes `add LOGIN`, `link LOGIN`, `disable LOGIN` or `list`", errUsage)
	}
	// Accounts are made while the portal runs, so the data folder is not taken.
	a, err := app.OpenAccounts(ctx, conf, app.NewLogger(conf, os.Stderr), gov.SystemClock{})
	if err != nil {
		return err
	}
	defer a.Close()
	switch rest[0] {
	case "add":
		err = a.AddAccount(ctx, rest[1], *name, *administration, *unit, strings.Split(*roles, ","))
	case "disable":
		err = a.DisableAccount(ctx, rest[1])
	case "link":
		var link string
		if link, err = a.SignInLink(ctx, rest[1]); err == nil {
			fmt.Fprintln(env.stdout, link)
		}
	case "list":
		return listAccounts(ctx, env, a)
	default:
		err = fmt.Errorf("%w: there is no %q", errUsage, rest[0])
	}
	return err
}

func listAccounts(ctx context.Context, env environment, a *app.App) error {
	all, err := a.Accounts.List(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "login\tadministration\tunit\troles\tdisabled")
	for _, acc := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%v\t%v\n", acc.Login, acc.Administration, acc.Unit, acc.Roles, acc.Disabled)
	}
	return w.Flush()
}
