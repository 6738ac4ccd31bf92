package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
)

// recountPage is how many cases a recount reads at once.
const recountPage = 2000

// counted is what a recount needs of a case.
type counted struct {
	dueCase
	terms, state, due string
}

// Recount counts every open case again from its events, and brings those that
// stand otherwise to where the clock puts them: after the table of holidays has
// changed, or a reading of the law. It returns how many it looked at and changed.
// Like a sweep it may run at any time, and on several copies of the program.
func (w *Casework) Recount(ctx context.Context) (looked, changed int, err error) {
	day := w.today()
	clears := map[string]Clear{}
	var after dueCase
	for {
		list, err := w.countedPage(ctx, after)
		if err != nil || len(list) == 0 {
			return looked, changed, err
		}
		wrong, err := w.recountPage(ctx, list, day, clears)
		if err != nil {
			return looked, changed, err
		}
		looked += len(list)
		for _, d := range wrong {
			if err := w.pass(ctx, d.number); err == nil {
				changed++
			} else if err := w.passed(ctx, d, err); err != nil {
				return looked, changed, err
			}
		}
		after = list[len(list)-1].dueCase
	}
}

func (w *Casework) countedPage(ctx context.Context, after dueCase) (list []counted, err error) {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT administration, id, number, terms, state, due, next_on FROM casework_case
		WHERE open AND (administration, id) > ($1, $2) ORDER BY administration, id LIMIT $3`, after.administration, after.id, recountPage)
	if err != nil {
		return nil, fmt.Errorf("reading the open cases: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var c counted
		if err := rows.Scan(&c.administration, &c.id, &c.number, &c.terms, &c.state, &c.due, &c.next); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// maxClears bounds how many forms of the clear part of events are at hand. Nearly
// all events share a few.
const maxClears = 10_000

// recountPage finds the cases of a page that stand otherwise than the clock says.
// Their events come in one query, in the order of the cases.
func (w *Casework) recountPage(ctx context.Context, list []counted, day gov.Date, clears map[string]Clear) (wrong []dueCase, err error) {
	first, last := list[0], list[len(list)-1]
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT administration, case_id, type, on_day, clear FROM casework_event
		WHERE (administration, case_id) >= ($1, $2) AND (administration, case_id) <= ($3, $4) ORDER BY administration, case_id, seq`,
		first.administration, first.id, last.administration, last.id)
	if err != nil {
		return nil, fmt.Errorf("reading the journals of the open cases: %w", err)
	}
	defer rows.Close()
	at := make(map[string]*counted, len(list))
	for i := range list {
		at[list[i].administration+" "+list[i].id] = &list[i]
	}
	var c *counted // whose events are coming, nil when it has ended
	var key string
	in := clock.Input{AsOf: day}
	ended := func() error {
		if c == nil {
			return nil
		}
		stands, err := w.stands(ctx, c, &in)
		if err == nil && !stands {
			wrong = append(wrong, c.dueCase)
		}
		return err
	}
	for rows.Next() {
		var administration, id, kind, on, clear string
		if err := rows.Scan(&administration, &id, &kind, &on, &clear); err != nil {
			return nil, err
		}
		if this := administration + " " + id; this != key {
			if err := ended(); err != nil {
				return nil, err
			}
			c, key, in = at[this], this, clock.Input{AsOf: day, Events: in.Events[:0]}
		}
		if c == nil {
			continue
		}
		e, err := countedEvent(kind, on, clear, clears)
		if err != nil {
			return nil, err
		}
		if in.AsOf.Before(e.On) { // the machine's clock was set back
			in.AsOf = e.On
		}
		if clockTypes[kind] {
			in.Events = append(in.Events, e)
		}
	}
	if err := errors.Join(rows.Err(), ended()); err != nil {
		return nil, err
	}
	return wrong, nil
}

func countedEvent(kind, on, clear string, clears map[string]Clear) (clock.Event, error) {
	c, err := clearOf(clear, clears)
	if err != nil {
		return clock.Event{}, err
	}
	return clock.Event{On: dayOf(on), Type: clock.EventType(kind), Complete: c.Complete, Days: c.Days, Reason: c.Ground}, nil
}

// clearOf reads the clear part of an event, those that are common once.
func clearOf(clear string, clears map[string]Clear) (Clear, error) {
	c, known := clears[clear]
	if known {
		return c, nil
	}
	if err := json.Unmarshal([]byte(clear), &c); err != nil {
		return c, fmt.Errorf("the journal of a case: %w", err)
	}
	if len(clears) < maxClears {
		clears[clear] = c
	}
	return c, nil
}

// stands tells whether a case is kept as the clock sees it.
func (w *Casework) stands(ctx context.Context, c *counted, in *clock.Input) (bool, error) {
	t, err := w.termsBy(ctx, w.DB.Reader(), c.terms)
	if err != nil {
		return false, err
	}
	in.DeadlineDays, in.Lists, in.Authority, in.Appeal = t.DeadlineDays, t.Lists, t.Authority, t.Appeal
	b, err := clock.Look(w.law(), in)
	if err != nil {
		return false, fmt.Errorf("the clock of case %s: %w", c.number, err)
	}
	due := !b.State.Pending() || b.Due.IsZero() || b.Due.String() == c.due
	next := ""
	if !b.Change.IsZero() {
		next = b.Change.String()
	}
	return due && b.ToChange == (c.due == foremost) && string(b.State) == c.state && next == c.next, nil
}
