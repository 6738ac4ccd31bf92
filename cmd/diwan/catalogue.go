package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"diwan/internal/app"
	"diwan/internal/gov"
)

var catalogueCommand = command{"catalogue", "import|export …", "bring procedures in, or take them out", nil}

const catalogueHelp = `bring procedures into the catalogue, or take them out

  diwan catalogue import decrees FILE…            the annex tables of decrees
  diwan catalogue import csv|json|jsonld|ttl FILE procedures, as drafts of a steward
  diwan catalogue export --format jsonld|ttl|csv|json FILE
  FILE may be - for standard input or output`

func catalogue(ctx context.Context, env environment, args []string) error {
	c := catalogueCommand
	c.about = catalogueHelp
	fs := flagSet(env, c)
	config := app.Flags(fs.FlagSet, app.Defaults(), "data", "database", "country", "log_level")
	asJSON := fs.Bool("json", false, "print the report as JSON")
	dry := fs.Bool("dry-run", false, "read and report, write nothing")
	partial := fs.Bool("partial", false, "import what could be read even when some rows could not")
	format := fs.String("format", "", "jsonld, ttl, csv or json")
	starter := fs.String("starter", "", "with import decrees: write the rows as a country pack's file instead of importing")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return fmt.Errorf("%w: say import or export", errUsage)
	}
	conf, err := config()
	if err != nil {
		return err
	}
	switch {
	case rest[0] == "import" && len(rest) > 2 && rest[1] == "decrees" && *starter != "":
		return writeStarter(conf, rest[2:], *starter)
	case rest[0] == "import" && len(rest) > 2:
		return catalogueImport(ctx, env, conf, rest[1], rest[2:], *asJSON, *partial, *dry)
	case rest[0] == "export" && len(rest) == 2:
		return catalogueExport(ctx, env, conf, *format, rest[1])
	}
	return fmt.Errorf("%w: it goes `import KIND FILE…` or `export --format FORMAT FILE`", errUsage)
}

func catalogueImport(ctx context.Context, env environment, conf app.Config, kind string, files []string, asJSON, partial, dry bool) error {
	if !slices.Contains(app.ImportKinds, kind) {
		return fmt.Errorf("%w: there is no kind %q; the kinds are %v", errUsage, kind, app.ImportKinds)
	}
	a, err := app.OpenStores(ctx, conf, app.NewLogger(conf, os.Stderr), gov.SystemClock{})
	if err != nil {
		return err
	}
	defer a.Close()
	if kind != "decrees" {
		return bulkImport(ctx, env, a, kind, files, asJSON)
	}
	report, err := a.ImportDecrees(ctx, files, partial, dry)
	if asJSON {
		e := json.NewEncoder(env.stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		e.Encode(report)
		return err
	}
	w := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "decree\tlist\trows\tdeleted\tlive\tdeadlines\tunread")
	for _, t := range report.Tables {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\n", t.Decree, t.List, t.Rows, t.Deleted, t.Live, t.Values, len(t.Faults))
	}
	w.Flush()
	for _, t := range report.Tables {
		for _, f := range t.Faults {
			fmt.Fprintf(env.stderr, "%s:%d:%d: row %s: %s: %s\n", t.File, f.Line, f.Column, f.Row, f.Code, f.Text)
		}
	}
	if err == nil {
		fmt.Fprintf(env.stdout, "%d acts, %d in more than one list, %d described already, %d new or changed\n",
			report.Acts, report.Linked, report.Covered, report.Changed)
	}
	return err
}

func writeStarter(conf app.Config, files []string, name string) error {
	pack, err := app.LoadCountry(conf.Country)
	if err != nil {
		return err
	}
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	err = app.WriteStarter(out, pack, files, gov.DateOf(gov.SystemClock{}.Now(), pack.Country.Zone()))
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}
func bulkImport(ctx context.Context, env environment, a *app.App, kind string, files []string, asJSON bool) error {
	for _, name := range files {
		in, err := open(env, name)
		if err != nil {
			return err
		}
		report, err := a.ImportBulk(ctx, kind, name, in)
		in.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if asJSON {
			json.NewEncoder(env.stdout).Encode(report)
			continue
		}
		fmt.Fprintf(env.stdout, "%s: %d created, %d changed, %d the same\n", name, report.Created, report.Changed, report.Same)
	}
	return nil
}

func catalogueExport(ctx context.Context, env environment, conf app.Config, format, name string) error {
	if !slices.Contains(app.ExportFormats, format) {
		return fmt.Errorf("%w: --format must be one of %v", errUsage, app.ExportFormats)
	}
	a, err := app.OpenStores(ctx, conf, app.NewLogger(conf, os.Stderr), gov.SystemClock{})
	if err != nil {
		return err
	}
	defer a.Close()
	if name == "-" {
		return a.Export(ctx, format, env.stdout)
	}
	return app.WriteFile(name, func(w io.Writer) error { return a.Export(ctx, format, w) })
}
