package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"diwan/internal/app"
)

var evaluateCommand = command{"evaluate", "catalogue|retrieval [--json]", "measure how well the search answers questions whose answers are known", nil}

func evaluate(ctx context.Context, env environment, args []string) error {
	fs := flagSet(env, evaluateCommand)
	asJSON := fs.Bool("json", false, "print JSON instead of a table")
	misses := fs.Bool("misses", false, "list the questions whose answer was not among the first five")
	data := fs.String("data", "", "retrieval: folder of the development sets; empty looks beside the working directory")
	country := fs.String("country", "", "folder of a country pack; empty is the built-in one")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) == 1 && rest[0] == "retrieval" {
		return evaluateRetrieval(env, *data, *asJSON)
	}
	if len(rest) != 1 || rest[0] != "catalogue" {
		return fmt.Errorf("%w: say what to evaluate: catalogue or retrieval", errUsage)
	}
	r, err := app.EvaluateCatalogue(ctx, *country)
	if err != nil {
		return err
	}
	missed := r.Misses
	if !*misses {
		r.Misses = nil
	}
	if *asJSON {
		enc := json.NewEncoder(env.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	fmt.Fprintf(env.stdout, "%d things can be found\n", r.Documents)
	if err := r.Print(env.stdout); err != nil {
		return err
	}
	for _, m := range r.Misses {
		fmt.Fprintf(env.stdout, "%s %s %q: wanted %s at place %d, got %s\n", m.Set, m.Lang, m.Query,
			strings.Join(m.Want, " "), m.Place, strings.Join(m.Got, " "))
	}
	if !*misses && len(missed) > 0 {
		fmt.Fprintf(env.stdout, "%d questions missed; --misses lists them\n", len(missed))
	}
	return nil
}

func evaluateRetrieval(env environment, data string, asJSON bool) error {
	figures, err := app.EvaluateRetrieval(data)
	if err != nil {
		return err
	}
	if !asJSON {
		return app.PrintRetrieval(env.stdout, figures)
	}
	enc := json.NewEncoder(env.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(figures)
}
