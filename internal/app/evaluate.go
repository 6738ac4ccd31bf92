package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"diwan/internal/catalogue/evaluation"
	"diwan/internal/catalogue/search"
	"diwan/internal/gov"
)

// StarterDocs returns what can be found in the starter catalogue of a country
// pack, the built-in one when dir is empty, exactly as a new portal would index
// it. It works in a temporary folder and leaves nothing behind.
func StarterDocs(ctx context.Context, dir string) (docs []search.Doc, err error) {
	tmp, err := os.MkdirTemp("", "diwan-evaluate-")
	if err != nil {
		return nil, fmt.Errorf("making a temporary folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	c := Defaults()
	c.Data, c.Country, c.Database = tmp, dir, "sqlite:"+filepath.Join(tmp, "starter.db")
	a, err := OpenStores(ctx, c, slog.New(slog.DiscardHandler), gov.SystemClock{})
	if err != nil {
		return nil, err
	}
	defer a.Close()
	if err := a.Catalogue.Refresh(ctx); err != nil {
		return nil, err
	}
	return a.Catalogue.Snapshot().SearchDocs(a.Country.Languages[0].Code), nil
}

// EvaluateCatalogue measures the search over the starter catalogue with the
// committed questions.
func EvaluateCatalogue(ctx context.Context, dir string) (*evaluation.Report, error) {
	docs, err := StarterDocs(ctx, dir)
	if err != nil {
		return nil, err
	}
	questions, err := evaluation.Questions()
	if err != nil {
		return nil, err
	}
	if unknown := evaluation.Unknown(questions, docs); len(unknown) > 0 {
		return nil, fmt.Errorf("the catalogue does not have %d of the right answers, among them %s", len(unknown), unknown[0].ID)
	}
	index, err := search.Open("")
	if err != nil {
		return nil, err
	}
	defer index.Close()
	if err := index.Update(1, docs); err != nil {
		return nil, err
	}
	r, err := evaluation.Run(ctx, index, questions)
	if err != nil {
		return nil, err
	}
	r.Documents = len(docs)
	return r, nil
}
