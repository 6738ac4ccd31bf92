package casework

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Absence is a time in which an officer's cases go to a colleague. It hands over
// work, never powers: the delegate does what their own roles allow.
type Absence struct {
	ID             string
	Administration string
	Account        string
	Delegate       string
	From, To       gov.Date // both included
	State          string
}

// States of an absence.
const (
	absenceAhead = "ahead" // not begun, or its cases are not handed over yet
	absenceOn    = "on"
	absenceOver  = "over"
)

// Bounds of absences.
const (
	maxAbsenceDays = 366
	maxAbsences    = 20 // ahead, of one officer
	maxDelegates   = 5  // from one who is away to the next, before somebody is there
)

const absenceColumns = `id, administration, account, delegate, from_day, to_day, state`

func absences(ctx context.Context, q querier, where string, args ...any) ([]Absence, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+absenceColumns+` FROM casework_absence WHERE `+where+` ORDER BY from_day, id LIMIT 1000`, args...)
	if err != nil {
		return nil, fmt.Errorf("listing absences: %w", err)
	}
	defer rows.Close()
	var out []Absence
	for rows.Next() {
		var a Absence
		var from, to string
		if err := rows.Scan(&a.ID, &a.Administration, &a.Account, &a.Delegate, &from, &to, &a.State); err != nil {
			return nil, err
		}
		a.From, a.To = dayOf(from), dayOf(to)
		out = append(out, a)
	}
	return out, rows.Err()
}

// Absences lists those of an administration that are not over, the first first.
func (w *Casework) Absences(ctx context.Context, administration string) ([]Absence, error) {
	return absences(ctx, w.DB.Reader(), `administration = $1 AND state <> 'over' AND to_day >= $2`, administration, w.today().String())
}

// mayAbsent tells whether somebody may write down the absence of an officer: their
// own, or that of somebody whose work they distribute.
func (w *Casework) mayAbsent(ctx context.Context, by, who gov.Actor) error {
	if by.ID == who.ID {
		return nil
	}
	return w.May(ctx, by, MayAssign, &Case{Administration: who.Administration, Unit: who.Unit})
}

// worker finds a colleague by account.
func (w *Casework) worker(ctx context.Context, administration, account string) (gov.Actor, error) {
	if w.Workers != nil {
		all, err := w.Workers(ctx, administration)
		if err != nil {
			return gov.Actor{}, err
		}
		for _, a := range all {
			if a.ID == account && MayWork(a) {
				return a, nil
			}
		}
	}
	return gov.Actor{}, problem.New(problem.Invalid, "case.colleague")
}

// SetAbsence writes down that an officer will be away, and who gets their cases.
func (w *Casework) SetAbsence(ctx context.Context, by gov.Actor, a Absence) (Absence, error) {
	who, err := w.worker(ctx, by.Administration, a.Account)
	if err == nil {
		err = w.mayAbsent(ctx, by, who)
	}
	if err == nil {
		_, err = w.worker(ctx, by.Administration, a.Delegate)
	}
	switch {
	case err != nil:
		return a, err
	case a.Account == a.Delegate:
		return a, problem.New(problem.Invalid, "case.absence_self")
	case a.From.IsZero() || a.To.Before(a.From) || a.To.Before(w.today()) || maxAbsenceDays < daysBetween(w.today(), a.To):
		return a, problem.New(problem.Invalid, "case.absence_days", "days", fmt.Sprint(maxAbsenceDays))
	}
	a.ID, a.Administration, a.State = gov.NewID(), by.Administration, absenceAhead
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		has, err := absences(ctx, tx, `account = $1 AND state <> 'over'`, a.Account)
		if err != nil {
			return err
		}
		if len(has) >= maxAbsences || slices.ContainsFunc(has, func(b Absence) bool { return !b.To.Before(a.From) && !a.To.Before(b.From) }) {
			return problem.New(problem.Conflict, "case.absence_twice")
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO casework_absence (`+absenceColumns+`, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			a.ID, a.Administration, a.Account, a.Delegate, a.From.String(), a.To.String(), a.State, by.ID, db.Micros(w.Clock.Now()))
		return err
	})
	if err != nil {
		return a, fmt.Errorf("writing an absence: %w", err)
	}
	return a, w.KeepAbsences(ctx)
}

// EndAbsence ends an absence today: the officer is back.
func (w *Casework) EndAbsence(ctx context.Context, by gov.Actor, id string) error {
	if !isID(id) {
		return problem.New(problem.NotFound, "case.absence_none")
	}
	has, err := absences(ctx, w.DB.Reader(), `id = $1 AND state <> 'over' AND administration = $2`, id, by.Administration)
	if err != nil {
		return err
	}
	if len(has) == 0 {
		return problem.New(problem.NotFound, "case.absence_none")
	}
	if has[0].Account != by.ID {
		if err := w.May(ctx, by, MayAssign, &Case{Administration: by.Administration}); err != nil {
			return err
		}
	}
	return w.comeBack(ctx, has[0])
}

// standIn follows from an officer to the one who is there in their stead on a day;
// it is the officer while they are there. When everybody in the row is away the
// last one gets the case: it must not be lost.
func (w *Casework) standIn(ctx context.Context, q querier, account string, on gov.Date) (string, error) {
	seen := []string{account}
	for range maxDelegates {
		away, err := absences(ctx, q, `account = $1 AND state <> 'over' AND from_day <= $2 AND to_day >= $2`, account, on.String())
		if err != nil {
			return "", err
		}
		if len(away) == 0 || slices.Contains(seen, away[0].Delegate) {
			return account, nil
		}
		account = away[0].Delegate
		seen = append(seen, account)
	}
	return account, nil
}

// delegated puts into the event of an assignment who gets the case in the stead of
// the one it was meant for.
func (w *Casework) delegated(ctx context.Context, tx *db.Tx, c *Case, e *Event) error {
	meant := e.Clear.To
	if meant == "" {
		return nil
	}
	if w.Workers != nil {
		if _, err := w.worker(ctx, c.Administration, meant); err != nil {
			return err
		}
	}
	to, err := w.standIn(ctx, tx, meant, e.On)
	if err == nil && to != meant {
		e.Clear.For, e.Clear.To = meant, to
	}
	return err
}

// signsFor tells in whose stead somebody takes a decision: that of the officer whose
// case they hold while that officer is away. It is empty for who signs for
// themselves.
func (w *Casework) signsFor(ctx context.Context, tx *db.Tx, c *Case, all []Event, actor gov.Actor) (string, error) {
	if c.Assigned != actor.ID {
		return "", nil
	}
	for i := len(all) - 1; i >= 0; i-- {
		e := &all[i]
		if e.Type != Assigned {
			continue
		}
		if e.Clear.For == "" {
			return "", nil
		}
		now, err := w.standIn(ctx, tx, e.Clear.For, w.today())
		if err != nil || now != actor.ID {
			return "", err
		}
		return e.Clear.For, nil
	}
	return "", nil
}

// KeepAbsences hands over the cases of those whose absence has begun, and gives back
// those of whoever returned. Each case moves in a transaction of its own; what
// was moved is not moved twice.
func (w *Casework) KeepAbsences(ctx context.Context) error {
	today := w.today().String()
	over, err := absences(ctx, w.DB.Reader(), `state <> 'over' AND to_day < $1`, today)
	if err != nil {
		return err
	}
	var failed error
	for _, a := range over {
		failed = errors.Join(failed, w.comeBack(ctx, a))
	}
	begun, err := absences(ctx, w.DB.Reader(), `state <> 'over' AND from_day <= $1 AND to_day >= $1`, today)
	for _, a := range begun {
		failed = errors.Join(failed, w.handOver(ctx, a))
	}
	return errors.Join(failed, err)
}

// handOver gives the cases of who is away to the delegate.
func (w *Casework) handOver(ctx context.Context, a Absence) error {
	for {
		list, _, err := w.Inbox(ctx, Filter{Administration: a.Administration, Assigned: a.Account, Size: maxPage})
		if err != nil {
			return err
		}
		moved := 0
		for _, c := range list {
			did, err := w.reassign(ctx, c.Number, a, a.Account, "")
			if err != nil {
				return err
			}
			if did {
				moved++
			}
		}
		if moved == 0 {
			return w.absenceIs(ctx, a.ID, absenceOn)
		}
	}
}

// comeBack gives back what went to the delegate and is still there.
func (w *Casework) comeBack(ctx context.Context, a Absence) error {
	if err := w.absenceIs(ctx, a.ID, absenceOver); err != nil { // first: what is given back must not go again
		return err
	}
	list, err := cases(ctx, w.DB.Reader(), `SELECT `+caseColumns+` FROM casework_case WHERE open AND (administration, id) IN
		(SELECT administration, case_id FROM casework_handed WHERE absence = $1)`, a.ID)
	if err != nil {
		return err
	}
	for _, c := range list {
		if _, err := w.reassign(ctx, c.Number, a, "", a.Account); err != nil {
			return err
		}
	}
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM casework_handed WHERE absence = $1`, a.ID)
		return err
	})
}

// reassign moves one case as the program: from who is away to whoever stands in, or
// back to the one named. It says whether it moved.
func (w *Casework) reassign(ctx context.Context, number string, a Absence, from, back string) (did bool, err error) {
	err = w.change(ctx, number, func(tx *db.Tx, c *Case, now standing) ([]Event, error) {
		did = false
		e := Event{Type: Assigned, On: w.dayIn(now.events), At: w.momentIn(now.events), Clear: Clear{Role: AsProgram}}
		if back != "" {
			var held string
			if err := tx.QueryRowContext(ctx, `SELECT delegate FROM casework_handed WHERE absence = $1 AND administration = $2 AND case_id = $3`,
				a.ID, c.Administration, c.ID).Scan(&held); err != nil || held != c.Assigned || !c.Open {
				return nil, ignoreNoRows(err)
			}
			e.Clear.To = back
		} else {
			to, err := w.standIn(ctx, tx, from, w.today())
			if err != nil || to == from || c.Assigned != from || !c.Open {
				return nil, err
			}
			e.Clear.To, e.Clear.For = to, from
			if _, err := tx.ExecContext(ctx, `INSERT INTO casework_handed (absence, administration, case_id, delegate) VALUES ($1, $2, $3, $4)
				ON CONFLICT (absence, administration, case_id) DO UPDATE SET delegate = excluded.delegate`, a.ID, c.Administration, c.ID, to); err != nil {
				return nil, err
			}
		}
		c.Assigned, did = e.Clear.To, true
		return []Event{e}, nil
	})
	return did, err
}

func (w *Casework) absenceIs(ctx context.Context, id, state string) error {
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE casework_absence SET state = $2 WHERE id = $1 AND state <> 'over'`, id, state)
		return err
	})
}
