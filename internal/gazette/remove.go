package gazette

import (
	"context"

	"diwan/internal/blob"
	"diwan/internal/db"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Remove takes a source that was invented for a demonstration out again, with its
// texts, and the works that no other text is of. Real law is never removed.
func (g *Gazette) Remove(ctx context.Context, actor gov.Actor, source string) error {
	texts, works, err := g.InSource(ctx, source)
	if err != nil {
		return err
	}
	if len(texts) == 0 {
		return problem.New(problem.NotFound, "law.source_not_found")
	}
	for _, w := range works {
		if !w.Demo {
			return problem.New(problem.Forbidden, "law.source_not_found")
		}
	}
	err = g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		if err := g.store.clearSource(ctx, tx, source); err != nil {
			return err
		}
		for _, id := range sortedKeys(works) {
			for _, query := range []string{
				`DELETE FROM gazette_work WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM gazette_text WHERE work = $1)`,
				`DELETE FROM gazette_event WHERE work = $1 AND NOT EXISTS (SELECT 1 FROM gazette_work WHERE id = $1)`,
			} {
				if _, err := tx.ExecContext(ctx, query, id); err != nil {
					return err
				}
			}
		}
		for _, query := range []string{`DELETE FROM gazette_page WHERE source = $1`, `DELETE FROM gazette_issue WHERE source = $1`, `DELETE FROM gazette_source WHERE id = $1`} {
			if _, err := tx.ExecContext(ctx, query, source); err != nil {
				return err
			}
		}
		if err := g.audit.Append(ctx, tx, chain, actor, "remove", source, map[string]string{"texts": itoa(len(texts))}); err != nil {
			return err
		}
		return g.store.bump(ctx, tx)
	})
	if err != nil {
		return err
	}
	_, err = g.Relink(ctx)
	return err
}

// SourceOf returns the id of the source with these bytes and what was read from
// it.
func (g *Gazette) SourceOf(ctx context.Context, data []byte) (string, []*Text, map[string]*model.Work, error) {
	src, err := g.store.sourceByHash(ctx, g.store.db.Reader(), blob.Key(data))
	if err != nil {
		return "", nil, nil, err
	}
	if src == nil {
		return "", nil, nil, problem.New(problem.NotFound, "law.source_not_found")
	}
	texts, works, err := g.InSource(ctx, src.ID)
	return src.ID, texts, works, err
}
