package catalogue

import (
	"context"
	"fmt"

	"diwan/internal/db"
	"diwan/internal/gov"
)

// Feedback keeps what a reader said of a page. It knows the page and the day,
// and nothing about the reader.
func (c *Catalogue) Feedback(ctx context.Context, procedure string, version int64, lang gov.Lang, useful bool, comment string) error {
	return c.store.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO catalogue_feedback (id, procedure, version, lang, useful, comment, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, gov.NewID(), procedure, version, string(lang), useful, comment, db.Micros(c.clock.Now()))
		if err != nil {
			return fmt.Errorf("keeping feedback: %w", err)
		}
		return nil
	})
}

// Opinion is the sum of what readers said of a procedure.
type Opinion struct {
	Useful, Not int
	Comments    []string // the newest first
}

// Opinions returns what readers said of a procedure.
func (c *Catalogue) Opinions(ctx context.Context, procedure string) (Opinion, error) {
	var o Opinion
	rows, err := c.store.db.Reader().QueryContext(ctx, `SELECT useful, comment FROM catalogue_feedback
		WHERE procedure = $1 ORDER BY at DESC LIMIT 10000`, procedure)
	if err != nil {
		return o, fmt.Errorf("reading feedback: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var useful bool
		var comment string
		if err := rows.Scan(&useful, &comment); err != nil {
			return o, err
		}
		if useful {
			o.Useful++
		} else {
			o.Not++
		}
		if comment != "" && len(o.Comments) < 50 {
			o.Comments = append(o.Comments, comment)
		}
	}
	return o, rows.Err()
}
