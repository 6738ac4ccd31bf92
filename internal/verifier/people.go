package verifier

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// maxPeople bounds the people of one verifier, and the verifiers of one person.
const (
	maxPeople = 500
	maxWorks  = 50
)

// Things that the audit trail knows of people.
const (
	didInvite   = "verifier.person.invite"
	didUninvite = "verifier.person.uninvite"
	didJoin     = "verifier.person.join"
	didRemove   = "verifier.person.remove"
)

var (
	errNotAs    = problem.New(problem.Forbidden, "verification.not_as")
	errNoPerson = problem.New(problem.NotFound, "verification.person_none")
)

// Person is an account that asks on the pages as a verifier.
type Person struct {
	Account   string
	Label     string // whom the officer invited, in their words
	InvitedBy string // account
	Since     time.Time
	Asked     time.Time // zero when they never did
}

// People lists who asks on the pages as a verifier, who came last first.
func (s *Verifier) People(ctx context.Context, verifier string) ([]Person, error) {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT account, label, invited_by, since, asked_at FROM verifier_person WHERE verifier = $1 ORDER BY since DESC, account LIMIT $2`, verifier, maxPeople)
	if err != nil {
		return nil, fmt.Errorf("listing the people of a verifier: %w", err)
	}
	defer rows.Close()
	var out []Person
	for rows.Next() {
		var p Person
		var since, asked int64
		if err := rows.Scan(&p.Account, &p.Label, &p.InvitedBy, &since, &asked); err != nil {
			return nil, err
		}
		p.Since = db.Time(since)
		if asked != 0 {
			p.Asked = db.Time(asked)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// Works is a verifier of which an account is one of the people.
type Works struct {
	*Registered
	Since time.Time
}

// WorksFor lists the verifiers of an account by their ids, those that are stopped too:
// as them it asks nothing while they are.
func (s *Verifier) WorksFor(ctx context.Context, account string) ([]Works, error) {
	if account == "" {
		return nil, nil
	}
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT v.id, v.body, v.made_by, v.stopped_at, v.updated_at, p.since FROM verifier_person p JOIN verifier_party v ON v.id = p.verifier
		WHERE p.account = $1 AND v.ended_at = 0 ORDER BY v.id LIMIT $2`, account, maxWorks)
	if err != nil {
		return nil, fmt.Errorf("listing the verifiers of a person: %w", err)
	}
	defer rows.Close()
	var out []Works
	for rows.Next() {
		var since int64
		r, err := scanRegistered(scanWith{rows, &since})
		if err != nil {
			return nil, err
		}
		out = append(out, Works{r, db.Time(since)})
	}
	return out, rows.Err()
}

// scanWith reads one column more than the reader of a row knows of.
type scanWith struct {
	rows *sql.Rows
	last *int64
}

// Scan reads the columns of a row.
func (s scanWith) Scan(to ...any) error { return s.rows.Scan(append(to, s.last)...) }

// Asker is a verifier as which somebody may ask on the pages.
type Asker struct {
	*Party
	Own bool // who asks is one of its people; otherwise it is invented, and for everybody
}

// Askers lists the verifiers as which somebody may ask on the pages, by their ids: those
// whose people they are, and in a demonstration the invented ones, for everybody. A
// verifier that is stopped is not among them.
func (s *Verifier) Askers(ctx context.Context, who gov.Actor) ([]Asker, error) {
	works, err := s.WorksFor(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	var out []Asker
	own := map[string]bool{}
	for _, w := range works {
		if own[w.ID] = true; !w.Stopped {
			out = append(out, Asker{w.Party, true})
		}
	}
	if !s.Demo {
		return out, nil
	}
	m, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for id, p := range m {
		if p.Demonstration && !own[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		out = append(out, Asker{m[id], false})
	}
	return out, nil
}

// Remove ends that an account asks as a verifier, at once and in all processes: an
// officer does it, or the person. Whether they may is for the caller to know.
func (s *Verifier) Remove(ctx context.Context, by gov.Actor, verifier, account string) error {
	return s.DB.RunTx(ctx, func(tx *db.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM verifier_person WHERE verifier = $1 AND account = $2`, verifier, account)
		if err != nil {
			return fmt.Errorf("removing a person of a verifier: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, errNoPerson)
		}
		return s.note(ctx, tx, verifier, by, didRemove, account, nil)
	})
}

// ForgetPerson removes an account from all verifiers, for one that is closed.
func (s *Verifier) ForgetPerson(ctx context.Context, by gov.Actor, account string) error {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT verifier FROM verifier_person WHERE account = $1 ORDER BY verifier`, account)
	if err != nil {
		return fmt.Errorf("forgetting a person of verifiers: %w", err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		all = append(all, id)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, id := range all {
		if err := s.Remove(ctx, by, id, account); err != nil && !problem.Is(err, problem.NotFound) {
			return err
		}
	}
	return nil
}

// used notes that one of a verifier's people asks. Who was removed since the page was
// shown, or whose verifier was stopped, is refused here, in the transaction of the request.
func (s *Verifier) used(ctx context.Context, tx *db.Tx, verifier, account string) error {
	done, err := tx.ExecContext(ctx, `UPDATE verifier_person SET asked_at = $3 WHERE verifier = $1 AND account = $2
		AND EXISTS (SELECT 1 FROM verifier_party WHERE id = $1 AND ended_at = 0 AND stopped_at = 0)`, verifier, account, db.Micros(s.Clock.Now()))
	if err != nil {
		return fmt.Errorf("noting who asks: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, errNotAs)
	}
	return nil
}
