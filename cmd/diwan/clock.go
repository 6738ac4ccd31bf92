package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"diwan/internal/app"
)

var clockCommand = command{"clock", "[--json] FILE|-", "tell from the events of a case when the answer is due, and why", nil}

const clockHelp = `tell from the events of a case when the answer is due, and why

  The case is JSON: {"deadline_days": 30, "lists": ["silence"], "authority": "central",
   "holidays": ["2026-05-01"], "settings": {"roll": true}, "as_of": "2026-03-20",
   "events": [{"on": "2026-03-02", "type": "filed", "complete": true}]}
  docs/clock.md lists the events, the states, the codes and the settings.
  Events after as_of are not looked at; what the law does not allow is listed as not accepted.
  FILE may be - for standard input`

func clock(_ context.Context, env environment, args []string) error {
	c := clockCommand
	c.about = clockHelp
	fs := flagSet(env, c)
	asJSON := fs.Bool("json", false, "print JSON")
	lang := fs.String("lang", "en", "language of the explanation")
	country := fs.String("country", "", "folder of a country pack; empty is the built-in one")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return fmt.Errorf("%w: it takes one file, or - for standard input", errUsage)
	}
	in, err := open(env, rest[0])
	if err != nil {
		return err
	}
	defer in.Close()
	answer, err := app.Clock(*country, *lang, in)
	switch {
	case errors.Is(err, app.ErrNoLanguage):
		return fmt.Errorf("%w: --lang: %v", errUsage, err)
	case err != nil:
		err = fmt.Errorf("%s: %w", rest[0], err)
	}
	if answer == nil {
		return err
	}
	return errors.Join(printClock(env, answer, *asJSON), err)
}

func printClock(env environment, a *app.ClockAnswer, asJSON bool) error {
	if !asJSON {
		return a.Print(env.stdout)
	}
	e := json.NewEncoder(env.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(a)
}
