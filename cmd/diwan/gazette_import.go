package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"diwan/internal/app"
	"diwan/internal/gov"
)

// errNoGazette is said where the country pack describes no gazette.
var errNoGazette = errors.New("this country pack describes no gazette")

// withGazette opens the stores for a command that works on the gazette.
func withGazette(ctx context.Context, conf app.Config, fn func(a *app.App) error) error {
	a, err := app.OpenStores(ctx, conf, app.NewLogger(conf, os.Stderr), gov.SystemClock{})
	if err != nil {
		return err
	}
	defer a.Close()
	if a.Gazette == nil {
		return errNoGazette
	}
	return fn(a)
}

// gazetteImport reads files and folders into the gazette.
func gazetteImport(ctx context.Context, env environment, conf app.Config, paths []string, opts app.GazetteImport, asJSON bool) error {
	return withGazette(ctx, conf, func(a *app.App) error {
		report, err := a.ImportGazette(ctx, paths, opts, env.stderr)
		if asJSON {
			e := json.NewEncoder(env.stdout)
			e.SetEscapeHTML(false)
			e.SetIndent("", " ")
			return errors.Join(err, e.Encode(report))
		}
		for _, n := range report.Notices {
			fmt.Fprintf(env.stderr, "%s: %s: %s\n", n.Name, n.Code, n.Detail)
		}
		if err != nil {
			return err
		}
		l := report.Linked
		fmt.Fprintf(env.stdout, "%d files: %d read, %d known already, %d failed\n", report.Files, report.Read, report.Known, report.Failed)
		fmt.Fprintf(env.stdout, "%d texts of %d new works, %d articles, %d texts there already\n", report.Texts, report.Works, report.Articles, report.Duplicates)
		if report.Texts > 0 || opts.Again {
			fmt.Fprintf(env.stdout, "%d citations, %d lead to %d texts held here, %d within their own text\n", l.Citations, l.Resolved, l.Targets, l.Own)
			fmt.Fprintf(env.stdout, "%d amendments applied or held already, %d for an editor, %d of texts not held\n", l.Applied, l.Manual, l.Absent)
		}
		if report.Failed > 0 && report.Failed == report.Files {
			return errors.New("no file could be read")
		}
		return nil
	})
}

// gazetteExport writes every text into a folder.
func gazetteExport(ctx context.Context, env environment, conf app.Config, format, dir string) error {
	if !slices.Contains(app.GazetteExportFormats, format) {
		return fmt.Errorf("%w: say --format %v", errUsage, app.GazetteExportFormats)
	}
	return withGazette(ctx, conf, func(a *app.App) error {
		report, err := a.ExportGazette(ctx, format, dir, env.stderr)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.stdout, "%d texts in %d files, %d bytes; the list is manifest.csv\n", report.Texts, report.Files, report.Bytes)
		return err
	})
}
