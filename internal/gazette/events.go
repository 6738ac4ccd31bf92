package gazette

import (
	"context"
	"fmt"
	"time"

	"diwan/internal/db"
	"diwan/internal/gazette/model"
)

// The types of events. They are stable: they stand in feeds, in webhooks and in
// what other parts of the program are told.
const (
	EventPublished = "published" // a new work
	EventAmended   = "amended"
	EventRepealed  = "repealed"
	EventCorrected = "corrected" // a person mended what was read
)

// Event is something that happened to a work.
type Event struct {
	N     int64      `json:"n"` // they are counted; the number is a cursor
	At    time.Time  `json:"at"`
	Type  string     `json:"type"`
	Work  string     `json:"work"`
	EID   string     `json:"eid,omitempty"`
	By    string     `json:"by,omitempty"`    // the work that caused it
	Issue string     `json:"issue,omitempty"` // the issue it came with
	Day   model.Date `json:"day,omitempty"`   // from which it holds
}

const eventColumns = `n, at, type, work, eid, by_work, issue, day`

// putEvents appends events to the record.
func (g *Gazette) putEvents(ctx context.Context, tx *db.Tx, events []Event, now time.Time) error {
	if len(events) == 0 {
		return nil
	}
	var last int64
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(max(n), 0) FROM gazette_event`).Scan(&last); err != nil {
		return err
	}
	rows := make([][]any, len(events))
	for i, e := range events {
		rows[i] = []any{last + int64(i) + 1, db.Micros(now), e.Type, e.Work, e.EID, e.By, e.Issue, e.Day}
	}
	return g.store.insert(ctx, tx, "gazette_event", eventColumns, rows)
}

// Events returns what happened after a cursor, the oldest first.
func (g *Gazette) Events(ctx context.Context, after int64, limit int) ([]Event, error) {
	return g.events(ctx, `WHERE n > $1 ORDER BY n LIMIT $2`, after, limit)
}

// RecentEvents returns what happened since a day of the law, the newest first.
func (g *Gazette) RecentEvents(ctx context.Context, since model.Date, limit, offset int) ([]Event, error) {
	return g.events(ctx, `WHERE day >= $1 ORDER BY day DESC, n DESC LIMIT $2 OFFSET $3`, since, limit, offset)
}

// EventsOf returns what happened to a work, the newest first.
func (g *Gazette) EventsOf(ctx context.Context, work string, limit int) ([]Event, error) {
	return g.events(ctx, `WHERE work = $1 ORDER BY n DESC LIMIT $2`, work, limit)
}

func (g *Gazette) events(ctx context.Context, where string, args ...any) ([]Event, error) {
	rows, err := g.store.db.Reader().QueryContext(ctx, `SELECT `+eventColumns+` FROM gazette_event `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	defer rows.Close()
	var out []Event
	for rows.Next() {
		var e Event
		var at int64
		if err := rows.Scan(&e.N, &at, &e.Type, &e.Work, &e.EID, &e.By, &e.Issue, &e.Day); err != nil {
			return nil, fmt.Errorf("reading events: %w", err)
		}
		e.At = db.Time(at)
		out = append(out, e)
	}
	return out, rows.Err()
}

// countEvents counts what RecentEvents lists.
func (g *Gazette) countEvents(ctx context.Context) (int, error) {
	var n int
	if err := g.store.db.Reader().QueryRowContext(ctx, `SELECT count(*) FROM gazette_event`).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting events: %w", err)
	}
	return n, nil
}
