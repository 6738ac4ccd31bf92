package gazette

import (
	"context"
	"fmt"
	"sync/atomic"
)

// Counts are what the gazette did since the program started, for those who watch
// over the machine.
type Counts struct {
	Read, Failed   int64 // files
	Pages          int64
	Changes        int64 // events that were handed on
	Sent, NotSent  int64 // messages to those who follow the law; each attempt counts
	Waiting        int64 // uploaded files that are not read yet
	ToDo, Doubtful int64 // amending clauses, and works with doubtful digits, that wait for an officer
}

type counters struct{ read, failed, pages, changes, sent, notSent atomic.Int64 }

// Counts returns the counts, with what waits in the tables.
func (g *Gazette) Counts(ctx context.Context) (Counts, error) {
	n := &g.counters
	c := Counts{Read: n.read.Load(), Failed: n.failed.Load(), Pages: n.pages.Load(), Changes: n.changes.Load(), Sent: n.sent.Load(), NotSent: n.notSent.Load()}
	for _, one := range []struct {
		into  *int64
		query string
		args  []any
	}{
		{&c.Waiting, `SELECT count(*) FROM gazette_source WHERE state IN ($1, $2)`, []any{SourceWaiting, SourceReading}},
		{&c.ToDo, `SELECT count(*) FROM gazette_operation WHERE state = $1`, []any{OpManual}},
		{&c.Doubtful, `SELECT count(*) FROM gazette_work WHERE suspect`, nil},
	} {
		if err := g.store.db.Reader().QueryRowContext(ctx, one.query, one.args...).Scan(one.into); err != nil {
			return c, fmt.Errorf("counting what waits: %w", err)
		}
	}
	return c, nil
}
