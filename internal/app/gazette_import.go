package app

import (
	"context"
	"io"

	"diwan/internal/gazette"
)

// GazetteImport says how the import command works.
type GazetteImport struct {
	Workers int
	Again   bool
}

// GazetteExportFormats are those that `gazette export` writes.
var GazetteExportFormats = gazette.ExportFormats

// ImportGazette reads files and folders into the gazette and shows on progress
// how far it is.
func (a *App) ImportGazette(ctx context.Context, paths []string, opts GazetteImport, progress io.Writer) (gazette.ImportReport, error) {
	inputs, err := GazetteInputs(paths)
	if err != nil {
		return gazette.ImportReport{}, err
	}
	bar := NewBar(progress, len(inputs), "reading")
	defer bar.Close()
	return a.Gazette.Import(ctx, inputs, gazette.ImportOptions{Actor: operator, Workers: opts.Workers, Again: opts.Again,
		Progress: func(p gazette.Progress) { bar.Set(p.Done) }})
}

// ExportGazette writes every text into a folder.
func (a *App) ExportGazette(ctx context.Context, format, dir string, progress io.Writer) (gazette.ExportReport, error) {
	var bar *Bar
	defer func() {
		if bar != nil {
			bar.Close()
		}
	}()
	return a.Gazette.Export(ctx, format, dir, func(done, total int) {
		if bar == nil {
			bar = NewBar(progress, total, "writing")
		}
		bar.Set(done)
	})
}
