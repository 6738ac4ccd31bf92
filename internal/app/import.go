package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"diwan/country"
	"diwan/internal/catalogue"
	"diwan/internal/catalogue/decrees"
	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
)

// ParseDecrees reads decree texts by the layouts of a country pack and turns
// their rows into procedures. Nothing is written. The day is the one on which
// the texts are read, which pages show as the day of checking.
func ParseDecrees(files fs.FS, c *gov.Country, names []string, day gov.Date) ([]*model.Procedure, catalogue.DecreeReport, error) {
	var report catalogue.DecreeReport
	layouts, err := decreeLayouts(files)
	if err != nil {
		return nil, report, err
	}
	words, err := catalogue.ReadActWords(files, country.Decode)
	if err != nil {
		return nil, report, err
	}
	starter, err := catalogue.ReadStarter(files, country.Decode)
	if err != nil {
		return nil, report, err
	}
	var tables []*decrees.Table
	for _, name := range names {
		t, err := parseDecree(name, layouts)
		if err != nil {
			return nil, report, err
		}
		tables = append(tables, t)
		report.Tables = append(report.Tables, catalogue.CountTable(filepath.Base(name), t))
	}
	acts := decrees.Link(tables)
	ps := catalogue.ActProcedures(acts, words, starter.Described, c, day)
	report.Acts, report.Covered = len(acts), len(acts)-len(ps)
	for _, a := range acts {
		if len(a.Listed) > 1 {
			report.Linked++
		}
	}
	return ps, report, nil
}

func decreeLayouts(files fs.FS) ([]decrees.Layout, error) {
	lf, err := files.Open("decrees.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("this country pack describes no decrees: it has no decrees.json")
	}
	if err != nil {
		return nil, err
	}
	defer lf.Close()
	layouts, err := decrees.LoadLayouts(lf)
	if err != nil {
		return nil, err
	}
	af, err := files.Open("administrations-decrees.json")
	if err != nil {
		return nil, err
	}
	defer af.Close()
	admins, err := decrees.LoadAdministrations(af)
	if err != nil {
		return nil, err
	}
	return decrees.Join(layouts, admins), nil
}

func parseDecree(name string, layouts []decrees.Layout) (*decrees.Table, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return decrees.Parse(name, f, layouts)
}

// ErrUnread is returned when a decree has places that could not be read: the
// rest is imported only on request, so that nobody takes a part for the whole.
var ErrUnread = errors.New("places could not be read; nothing was imported (--partial imports the rest)")

// ImportDecrees reads decrees into the catalogue.
func (a *App) ImportDecrees(ctx context.Context, names []string, partial, dry bool) (catalogue.DecreeReport, error) {
	ps, report, err := ParseDecrees(a.pack.Files, a.Country, names, gov.DateOf(a.clock.Now(), a.Country.Zone()))
	if err != nil {
		return report, err
	}
	faults := 0
	for _, t := range report.Tables {
		faults += len(t.Faults)
	}
	if faults > 0 && !partial {
		return report, fmt.Errorf("%d %w", faults, ErrUnread)
	}
	if dry {
		return report, nil
	}
	if err := a.Catalogue.Refresh(ctx); err != nil {
		return report, err
	}
	report.Changed, err = a.Catalogue.ImportListed(ctx, gov.Actor{}, ps)
	return report, err
}

// WriteStarter writes what decrees give as the listed procedures of a country
// pack.
func WriteStarter(w io.Writer, pack *country.Pack, names []string, day gov.Date) error {
	ps, report, err := ParseDecrees(pack.Files, pack.Country, names, day)
	if err != nil {
		return err
	}
	for _, t := range report.Tables {
		if len(t.Faults) > 0 {
			return fmt.Errorf("%s: %d %w", t.File, len(t.Faults), ErrUnread)
		}
	}
	return catalogue.WriteLines(w, ps)
}
