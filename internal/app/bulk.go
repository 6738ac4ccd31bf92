package app

import (
	"context"
	"io"

	"diwan/internal/catalogue"
)

// ImportKinds are the kinds that `catalogue import` knows, ExportFormats those
// that `catalogue export` writes.
var (
	ImportKinds   = []string{"decrees", "csv", "json", "jsonld", "ttl"}
	ExportFormats = []string{"jsonld", "ttl", "csv", "json"}
)

// ImportBulk reads a file of procedures as drafts, all or none.
func (a *App) ImportBulk(ctx context.Context, kind, name string, r io.Reader) (catalogue.Report, error) {
	if err := a.Catalogue.Refresh(ctx); err != nil {
		return catalogue.Report{}, err
	}
	return a.Catalogue.ImportFile(ctx, operator, kind, name, r)
}

// Export writes what the public sees.
func (a *App) Export(ctx context.Context, format string, w io.Writer) error {
	if err := a.Catalogue.Refresh(ctx); err != nil {
		return err
	}
	return a.Catalogue.ExportFile(ctx, format, a.Config.PublicURL, w)
}
