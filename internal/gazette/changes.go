package gazette

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"diwan/internal/blob"
	"diwan/internal/db"
	"diwan/internal/gazette/model"
)

// EventCited says that another work named this one for the first time.
const EventCited = "cited"

// sentDays is how old a change may be to be told to those who follow the law.
// Old law that is imported today is recorded, and sent to nobody.
const sentDays = 90

// Fresh reports an event that is sent: its day is known and lies at most sentDays
// before it was recorded. What a person corrected is always news.
func (e *Event) Fresh() bool {
	if e.Type == EventCorrected {
		return true
	}
	return fresh(e.Day, e.At)
}

func fresh(day model.Date, at time.Time) bool {
	t, err := time.Parse(time.DateOnly, string(day))
	return err == nil && at.Sub(t) <= sentDays*24*time.Hour
}

// published notes that a work is new, to be recorded with what was read.
func (w *writer) published(r *result, work string, day model.Date) {
	e := Event{Type: EventPublished, Work: work, Day: day}
	if r.issue != nil && r.issue.Number > 0 {
		e.Issue = issueAddress(w.g.country.Code, r.issue.IssueRef)
	}
	w.events = append(w.events, e)
}

// repealed records the works that ended since the last time.
func (ix *index) repealed() {
	for _, id := range sortedKeys(ix.works) {
		s := ix.works[id].Status
		if s.State == model.Repealed && ix.states[id] != model.Repealed && s.By != "" {
			ix.events = append(ix.events, Event{Type: EventRepealed, Work: id, By: s.By, Day: s.Since})
		}
	}
}

// newlyCited records which works are named by one that did not name them before.
// Only citations in recent acts are news; those of old law would be counted in
// tens of thousands.
func (ix *index) newlyCited(now time.Time) {
	before := map[string]bool{}
	for i, l := range ix.links {
		before[l.From+" "+firstWord(ix.old[i])] = true
	}
	for _, l := range ix.links {
		pair := l.From + " " + l.To
		if l.To == "" || l.To == l.From || before[pair] || l.Relation == model.Promulgates {
			continue
		}
		before[pair] = true
		day := model.Date("")
		if t := ix.texts[l.Text]; t != nil {
			day = t.Version
		}
		if fresh(day, now) {
			ix.events = append(ix.events, Event{Type: EventCited, Work: l.To, EID: l.ToEID, By: l.From, Day: day})
		}
	}
}

func firstWord(s string) string {
	for i := range s {
		if s[i] == ' ' {
			return s[:i]
		}
	}
	return s
}

// unknownEvents leaves out what is on record: a file that is read again makes no
// news.
func (g *Gazette) unknownEvents(ctx context.Context, tx *db.Tx, events []Event) ([]Event, error) {
	var out []Event
	for _, e := range events {
		var n int64
		err := tx.QueryRowContext(ctx, `SELECT n FROM gazette_event WHERE work = $1 AND type = $2 AND by_work = $3 AND day = $4 LIMIT 1`,
			e.Work, e.Type, e.By, e.Day).Scan(&n)
		if errors.Is(err, sql.ErrNoRows) {
			out = append(out, e)
		} else if err != nil {
			return nil, fmt.Errorf("looking up events: %w", err)
		}
	}
	return out, nil
}

// Held reports whether a file with these bytes was read.
func (g *Gazette) Held(ctx context.Context, data []byte) (bool, error) {
	src, err := g.store.sourceByHash(ctx, g.store.db.Reader(), blob.Key(data))
	return src != nil && src.State == SourceDone, err
}

// changesAtOnce is how many events one call of a listener gets.
const changesAtOnce = 500

// listener is somebody inside the program who is told what changed in the law.
type listener struct {
	name string
	fn   func(context.Context, []Event) error
}

// OnChange has fn told what changed in the law, in order, after it is committed
// and at least once: the cursor of name is moved on when fn returns without an
// error, and fn gets the same events again when it did not. Call it before Watch.
func (g *Gazette) OnChange(name string, fn func(context.Context, []Event) error) {
	g.listeners = append(g.listeners, listener{name, fn})
}

// Watch tells the listeners, looking for new events at each interval, until ctx
// ends.
func (g *Gazette) Watch(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := g.Tell(ctx); err != nil && ctx.Err() == nil {
			g.log.ErrorContext(ctx, "telling what changed in the law failed; it is tried again", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Tell gives every listener what it has not been told.
func (g *Gazette) Tell(ctx context.Context) error {
	var errs error
	for _, l := range g.listeners {
		errs = errors.Join(errs, g.tell(ctx, l))
	}
	return errs
}

func (g *Gazette) tell(ctx context.Context, l listener) error {
	for {
		at, err := g.cursor(ctx, g.store.db.Reader(), l.name)
		if err != nil {
			return err
		}
		events, err := g.Events(ctx, at, changesAtOnce)
		if err != nil || len(events) == 0 {
			return err
		}
		if err := l.fn(ctx, events); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		err = g.store.db.RunTx(ctx, func(tx *db.Tx) error { return g.setCursor(ctx, tx, l.name, events[len(events)-1].N) })
		if err != nil {
			return err
		}
	}
}

// cursor is the number of the last event that a listener was told.
func (g *Gazette) cursor(ctx context.Context, q querier, name string) (int64, error) {
	var n int64
	err := q.QueryRowContext(ctx, `SELECT n FROM gazette_revision WHERE id = $1`, "cursor:"+name).Scan(&n)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("reading the cursor of %s: %w", name, err)
	}
	return n, nil
}

// setCursor never moves a cursor back: two copies of the program may tell at
// once.
func (g *Gazette) setCursor(ctx context.Context, tx *db.Tx, name string, n int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO gazette_revision (id, n) VALUES ($1, $2)
		ON CONFLICT (id) DO UPDATE SET n = CASE WHEN gazette_revision.n > excluded.n THEN gazette_revision.n ELSE excluded.n END`, "cursor:"+name, n)
	if err != nil {
		return fmt.Errorf("moving the cursor of %s: %w", name, err)
	}
	return nil
}
