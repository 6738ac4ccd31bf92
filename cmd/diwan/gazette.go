package main

import (
	"context"
	"encoding/json"
	"fmt"

	"diwan/internal/app"
)

var gazetteCommand = command{"gazette", "import|export|segment …", "bring the law in, take it out, or look at one text", nil}

const gazetteHelp = `bring the law in, take it out, or look at one text

  diwan gazette import PATH…                      files and folders: PDF, scans, DOCX, HTML, text, Akoma Ntoso;
                                                  run again after a break, it goes on where it stopped.
                                                  A folder may hold a list manifest.csv: file, title, source_url, category, flags
  diwan gazette export --format akn|jsonl|txt DIR every text as it reads today, with a list manifest.csv
  diwan gazette segment [--lang ar|fr] [--labels] FILE   the acts and articles found in one text, as JSON;
                                                  places are bytes of the repaired text (--text adds it)
  FILE may be - for standard input`

func gazette(ctx context.Context, env environment, args []string) error {
	c := gazetteCommand
	c.about = gazetteHelp
	fs := flagSet(env, c)
	config := app.Flags(fs.FlagSet, app.Defaults(), "data", "database", "country", "log_level")
	lang := fs.String("lang", "", "with segment: language of the text; empty lets the text tell")
	labels := fs.Bool("labels", false, "with segment: print only the labels of the articles, one a line")
	text := fs.Bool("text", false, "with segment: add the repaired text to the JSON")
	asJSON := fs.Bool("json", false, "with import: print the report as JSON")
	again := fs.Bool("again", false, "with import: read files again that were read before")
	workers := fs.Int("workers", 0, "with import: how many files at once; 0 as many as cores")
	format := fs.String("format", "akn", "with export: akn, jsonl or txt")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	conf, err := config()
	if err != nil {
		return err
	}
	switch {
	case len(rest) == 2 && rest[0] == "segment":
		return gazetteSegment(env, conf.Country, rest[1], *lang, *labels, *text)
	case len(rest) > 1 && rest[0] == "import":
		return gazetteImport(ctx, env, conf, rest[1:], app.GazetteImport{Workers: *workers, Again: *again}, *asJSON)
	case len(rest) == 2 && rest[0] == "export":
		return gazetteExport(ctx, env, conf, *format, rest[1])
	}
	return fmt.Errorf("%w: it goes `import PATH…`, `export DIR` or `segment FILE`", errUsage)
}

// gazetteSegment prints the structure of one text.
func gazetteSegment(env environment, country, name, lang string, labels, text bool) error {
	in, err := open(env, name)
	if err != nil {
		return err
	}
	defer in.Close()
	s, err := app.Segment(country, lang, in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if labels {
		for _, a := range s.Articles {
			if _, err := fmt.Fprintln(env.stdout, a.Label); err != nil {
				return err
			}
		}
		return nil
	}
	if !text {
		s.Text = ""
	}
	e := json.NewEncoder(env.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(s)
}
