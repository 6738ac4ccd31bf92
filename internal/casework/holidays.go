package casework

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// law is the clock's rules with the holidays as they are known now.
func (w *Casework) law() *clock.Rules {
	if r := w.current.Load(); r != nil {
		return r
	}
	return &w.Rules
}

// HolidayRow is a day on which offices are closed, or one that was taken out of the
// country's table.
type HolidayRow struct {
	On          gov.Date
	Name        gov.Text
	Closed      bool
	Edited      bool // here, and not in the country's table
	Approximate bool
}

// Holidays lists the days of a year, edited ones among them.
func (w *Casework) Holidays(ctx context.Context, year int) ([]HolidayRow, error) {
	all, err := w.holidays(ctx)
	if err != nil {
		return nil, err
	}
	var out []HolidayRow
	for _, h := range all {
		if h.On.Year == year {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b HolidayRow) int { return strings.Compare(a.On.String(), b.On.String()) })
	return out, nil
}

// holidays is the country's table with what was edited here.
func (w *Casework) holidays(ctx context.Context) (map[gov.Date]HolidayRow, error) {
	all := map[gov.Date]HolidayRow{}
	for _, h := range w.Country.Holidays {
		all[h.Date] = HolidayRow{On: h.Date, Name: h.Name, Closed: true, Approximate: h.Approximate}
	}
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT on_day, name, closed FROM casework_holiday`)
	if err != nil {
		return nil, fmt.Errorf("reading the holidays: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var on, name string
		h := HolidayRow{Edited: true}
		if err := rows.Scan(&on, &name, &h.Closed); err != nil {
			return nil, err
		}
		h.On = dayOf(on)
		h.Name = gov.Text{"": name}
		if had, ok := all[h.On]; ok && name == "" {
			h.Name = had.Name
		}
		all[h.On] = h
	}
	return all, rows.Err()
}

// LoadHolidays takes the holidays as they are in the database, and tells whether
// they changed since they were taken last.
func (w *Casework) LoadHolidays(ctx context.Context) (changed bool, err error) {
	all, err := w.holidays(ctx)
	if err != nil {
		return false, err
	}
	cal := w.Country.Calendar()
	closed := map[gov.Date]gov.Text{}
	for d, h := range all {
		if h.Closed {
			closed[d] = h.Name
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	same := func(a, b gov.Text) bool { return true }
	if w.closed != nil && maps.EqualFunc(w.closed, closed, same) {
		return false, nil
	}
	cal.Holidays = closed
	rules := w.Rules.In(cal)
	w.current.Store(&rules)
	first := w.closed == nil
	w.closed = closed
	return !first, nil
}

// maxHolidayName bounds a holiday's name, in bytes.
const maxHolidayName = 300

// SetHoliday closes offices on a day, or opens them on one that the country's table
// closes. The open cases are counted again: a period that ended on that day ends on
// another.
func (w *Casework) SetHoliday(ctx context.Context, by gov.Actor, on gov.Date, name string, closed bool) error {
	name = strings.TrimSpace(name)
	if on.IsZero() || len(name) > maxHolidayName || closed && name == "" {
		return problem.New(problem.Invalid, "holiday.incomplete")
	}
	err := w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO casework_holiday (on_day, name, closed, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (on_day) DO UPDATE SET name = excluded.name, closed = excluded.closed, changed_by = excluded.changed_by, changed_at = excluded.changed_at`,
			on.String(), name, closed, by.ID, db.Micros(w.Clock.Now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping a holiday: %w", err)
	}
	return w.FollowHolidays(ctx)
}

// FollowHolidays takes what this or another copy of the program changed, and counts
// the open cases again.
func (w *Casework) FollowHolidays(ctx context.Context) error {
	changed, err := w.LoadHolidays(ctx)
	if err != nil || !changed {
		return err
	}
	_, _, err = w.Recount(ctx)
	return err
}
