package casework

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
)

func ignoreNoRows(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// Outcome is what became of one case of a batch.
type Outcome struct {
	Number string
	To     string // who got it
	Err    error  // nil when it was done
}

// Load is how much somebody has to do.
type Load struct {
	gov.Actor
	Open int  // cases, up to a thousand
	Away bool // today
	// Delegate gets their cases meanwhile; Until is the last day.
	Absence *Absence
}

// Loads lists those who study cases of an administration, or of one of its units,
// with what each has, by name.
func (w *Casework) Loads(ctx context.Context, administration, unit string) ([]Load, error) {
	if w.Workers == nil {
		return nil, nil
	}
	all, err := w.Workers(ctx, administration)
	if err != nil {
		return nil, err
	}
	away, err := w.Absences(ctx, administration)
	if err != nil {
		return nil, err
	}
	var out []Load
	for _, a := range all {
		if !MayWork(a) || unit != "" && a.Unit != "" && a.Unit != unit {
			continue
		}
		l := Load{Actor: a}
		if l.Open, err = w.Count(ctx, Filter{Administration: administration, Assigned: a.ID}); err != nil {
			return nil, err
		}
		for i := range away {
			if away[i].Account == a.ID && l.Absence == nil {
				l.Absence = &away[i]
				l.Away = !w.today().Before(away[i].From)
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// distributeAtOnce bounds one distribution.
const distributeAtOnce = 200

// Distribute gives the cases that nobody has to those who study them and are there,
// always to the one who has the fewest. Those due first go first. Each case is
// its own action, with its own outcome.
func (w *Casework) Distribute(ctx context.Context, by gov.Actor, unit string) ([]Outcome, error) {
	if err := w.May(ctx, by, MayAssign, &Case{Administration: by.Administration, Unit: unit}); err != nil {
		return nil, err
	}
	loads, err := w.Loads(ctx, by.Administration, unit)
	if err != nil {
		return nil, err
	}
	loads = slices.DeleteFunc(loads, func(l Load) bool { return l.Away || !l.Has(gov.RoleStudy) })
	if len(loads) == 0 {
		return nil, problem.New(problem.Conflict, "case.nobody_there")
	}
	list, _, err := w.Inbox(ctx, Filter{Administration: by.Administration, Unit: unit, Nobody: true, Size: distributeAtOnce})
	if err != nil {
		return nil, err
	}
	var out []Outcome
	for _, c := range list {
		l := lightest(loads, c)
		if l == nil {
			out = append(out, Outcome{Number: c.Number, Err: problem.New(problem.Conflict, "case.nobody_there")})
			continue
		}
		_, err := w.Act(ctx, by, c.Number, Action{Type: Assigned, To: l.ID, Version: c.Version})
		if err == nil {
			l.Open++
		}
		out = append(out, Outcome{c.Number, l.ID, err})
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
	}
	return out, nil
}

// lightest is who has the fewest cases and may have this one: nobody works on a case
// of their own, and one of a unit goes to that unit.
func lightest(loads []Load, c *Case) (best *Load) {
	for i := range loads {
		l := &loads[i]
		if l.ID == c.Person || l.ID == c.Filer || c.Unit != "" && l.Unit != "" && l.Unit != c.Unit {
			continue
		}
		if best == nil || l.Open < best.Open || l.Open == best.Open && strings.Compare(l.Login, best.Login) < 0 {
			best = l
		}
	}
	return best
}

// batched are the actions that can be done to several cases at once.
var batched = []string{Assigned, Noted}

// Batch does one action to several cases, each on its own: what can't be done to
// one does not keep it from the others.
func (w *Casework) Batch(ctx context.Context, by gov.Actor, numbers []string, a Action) ([]Outcome, error) {
	switch {
	case !slices.Contains(batched, a.Type):
		return nil, problem.New(problem.Invalid, "case.action_unknown", "action", a.Type)
	case len(numbers) == 0 || len(numbers) > maxBatch:
		return nil, problem.New(problem.Invalid, "case.batch_size")
	}
	if a.Type == Assigned {
		if _, err := w.worker(ctx, by.Administration, a.To); err != nil {
			return nil, err
		}
	}
	var out []Outcome
	for _, n := range slices.Compact(slices.Clone(numbers)) {
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		c, err := w.Act(ctx, by, n, a)
		o := Outcome{Number: n, Err: err}
		if err == nil && a.Type == Assigned {
			o.To = c.Assigned
		}
		out = append(out, o)
	}
	return out, nil
}
