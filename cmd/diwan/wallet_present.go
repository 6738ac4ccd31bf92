package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"diwan/internal/app"
)

// errUnanswered means that the holder said no when they were asked.
var errUnanswered = errors.New("nothing was shown")

func walletPresent(ctx context.Context, env environment, args []string) error {
	f := newWalletFlags(env)
	yes := f.Bool("yes", false, "show without asking")
	claims := f.String("claims", "", "what may be disclosed, separated by commas; default: what is asked for")
	var documents listed
	f.Var(&documents, "document", "id of a document that may be shown; may be given several times")
	w, rest, err := f.open(args, 1, "the link of a request")
	if err != nil {
		return err
	}
	q, err := w.Ask(ctx, rest[0])
	if err != nil {
		return err
	}
	o := app.WalletPresent{Documents: documents}
	if *claims != "" {
		o.Claims = strings.Split(*claims, ",")
	}
	p, err := w.Plan(ctx, q, o)
	if err != nil {
		sayAsker(env.stderr, q.Name, q.Host, q.Vouched)
		return err
	}
	if !*yes || !*f.json {
		sayAsker(env.stderr, q.Name, q.Host, q.Vouched)
		sayPlan(env.stderr, p, *f.lang)
	}
	if !*yes {
		fmt.Fprint(env.stderr, "Show this? [y/N] ")
		said, err := line(env.stdin)
		if err != nil {
			return err
		}
		if said = strings.ToLower(strings.TrimSpace(said)); said != "y" && said != "yes" {
			return errUnanswered
		}
	}
	r, err := w.Present(ctx, p)
	if err != nil {
		return err
	}
	return f.sayAnswered(env, "shown", r.RedirectURI)
}

func walletDecline(ctx context.Context, env environment, args []string) error {
	f := newWalletFlags(env)
	w, rest, err := f.open(args, 1, "the link of a request")
	if err != nil {
		return err
	}
	q, err := w.Ask(ctx, rest[0])
	if err != nil {
		return err
	}
	r, err := w.Decline(ctx, q)
	if err != nil {
		return err
	}
	return f.sayAnswered(env, "declined", r.RedirectURI)
}

func (f *walletFlags) sayAnswered(env environment, outcome, next string) error {
	if *f.json {
		return printJSON(env, map[string]string{"outcome": outcome, "redirect_uri": next})
	}
	fmt.Fprintf(env.stdout, "%s\n", outcome)
	if next != "" {
		fmt.Fprintf(env.stdout, "Go on at %s\n", clean(next))
	}
	return nil
}
