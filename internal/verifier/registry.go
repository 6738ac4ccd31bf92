package verifier

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Registered is a verifier as those see it who register them.
type Registered struct {
	*Party
	MadeBy  string // account; empty for those of the country's data
	Stopped bool   // it asks nothing while it is
	Updated time.Time
}

// chainOf is the chain of the audit trail on which stands what a verifier did and what
// was done to it.
func chainOf(verifier string) string { return "verifier." + verifier }

// Things that the audit trail knows of verifiers.
const (
	didRegister = "verifier.register"
	didStop     = "verifier.stop"
	didResume   = "verifier.resume"
	didToken    = "verifier.token.make"
	didRotate   = "verifier.token.rotate"
	didRevoke   = "verifier.token.revoke"
	didAsk      = "verification.ask"
	didEnd      = "verification.end"
)

// note writes to the audit trail within a transaction: who asked and for which purpose,
// how it ended. Never what was shown, and never a name of who showed it.
func (s *Verifier) note(ctx context.Context, tx *db.Tx, verifier string, by gov.Actor, action, subject string, detail map[string]string) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Append(ctx, tx, chainOf(verifier), by, action, subject, detail)
}

// Trail returns the last entries about a verifier, newest first.
func (s *Verifier) Trail(ctx context.Context, verifier string, limit int) ([]audit.Entry, error) {
	if s.Audit == nil {
		return nil, nil
	}
	return s.Audit.Recent(ctx, chainOf(verifier), 0, limit)
}

const registeredColumns = `id, body, made_by, stopped_at, updated_at`

func scanRegistered(row interface{ Scan(...any) error }) (*Registered, error) {
	r := &Registered{Party: &Party{}}
	var id, body string
	var stopped, updated int64
	err := row.Scan(&id, &body, &r.MadeBy, &stopped, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoParty
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), r.Party)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the verifier %s: %w", id, err)
	}
	r.Stopped, r.Updated = stopped != 0, db.Time(updated)
	return r, nil
}

// Registry lists who is registered, by their ids, those that are stopped too.
func (s *Verifier) Registry(ctx context.Context) ([]*Registered, error) {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT `+registeredColumns+` FROM verifier_party WHERE ended_at = 0 ORDER BY id LIMIT $1`, maxParties)
	if err != nil {
		return nil, fmt.Errorf("listing verifiers: %w", err)
	}
	defer rows.Close()
	var out []*Registered
	for rows.Next() {
		r, err := scanRegistered(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Registered returns one of the registry.
func (s *Verifier) Registered(ctx context.Context, id string) (*Registered, error) {
	return scanRegistered(s.DB.Reader().QueryRowContext(ctx, `SELECT `+registeredColumns+` FROM verifier_party WHERE id = $1 AND ended_at = 0`, id))
}

var partyForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,59}$`)

// Bounds of what an officer writes.
const (
	maxWord    = 400
	maxReturns = 20
)

// Register keeps a verifier that an officer describes: a new one, or one of theirs anew.
// Those of the country's data are changed there and not here. Whether the officer may is
// for the caller to know.
func (s *Verifier) Register(ctx context.Context, by gov.Actor, p Party, isNew bool) error {
	if !partyForm.MatchString(p.ID) {
		return problem.New(problem.Invalid, "verification.register.id")
	}
	for _, l := range s.Country.Languages {
		if p.Name[l.Code] == "" || p.Purpose[l.Code] == "" || len(p.Name[l.Code]) > maxWord || len(p.Purpose[l.Code]) > maxWord {
			return problem.New(problem.Invalid, "verification.register.words", "lang", l.Name)
		}
	}
	if len(p.May) == 0 {
		return problem.New(problem.Invalid, "verification.register.nothing")
	}
	if len(p.Returns) > maxReturns {
		return problem.New(problem.Invalid, "verification.register.returns")
	}
	p.Demonstration = s.Demo
	if !isNew {
		return s.change(ctx, by, p.ID, didRegister, p.ID, func(old *Party) (map[string]string, error) {
			p.Templates = old.written()
			err := p.complete()
			*old = p
			return p.told(), err
		})
	}
	p.Templates = nil
	if err := p.complete(); err != nil {
		return err
	}
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	now := db.Micros(s.Clock.Now())
	err = s.DB.RunTx(ctx, func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM verifier_party WHERE ended_at = 0`).Scan(&n); err != nil {
			return err
		}
		if n >= maxParties {
			return problem.New(problem.Conflict, "verification.register.many")
		}
		done, err := tx.ExecContext(ctx, `INSERT INTO verifier_party (id, body, updated_at, ended_at, made_by, stopped_at) VALUES ($1, $2, $3, 0, $4, 0) ON CONFLICT (id) DO NOTHING`, p.ID, string(body), now, by.ID)
		if err != nil {
			return fmt.Errorf("registering a verifier: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, problem.New(problem.Conflict, "verification.register.taken"))
		}
		return s.note(ctx, tx, p.ID, by, didRegister, p.ID, p.told())
	})
	s.forgetParties()
	return err
}

// complete makes the questions of a verifier and finds what is wrong with the whole.
func (v *Party) complete() error {
	if err := v.templated(); err != nil {
		return err
	}
	if err := v.fits(); err != nil {
		return err
	}
	if err := v.check(map[string]bool{}); err != nil {
		return problem.Wrap(err, problem.Invalid, "verification.register.returns")
	}
	return nil
}

// told is what the audit trail tells of a registration.
func (v *Party) told() map[string]string { return map[string]string{"types": fmt.Sprint(len(v.May))} }

// Stop shuts a verifier out, or lets it in again: its programs, its pages and its name
// in wallets. It is at once here, and within seconds in other processes.
func (s *Verifier) Stop(ctx context.Context, by gov.Actor, id string, stop bool) error {
	at, action := int64(0), didResume
	if stop {
		at, action = db.Micros(s.Clock.Now()), didStop
	}
	err := s.DB.RunTx(ctx, func(tx *db.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE verifier_party SET stopped_at = $2 WHERE id = $1 AND ended_at = 0`, id, at)
		if err != nil {
			return fmt.Errorf("stopping a verifier: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, errNoParty)
		}
		return s.note(ctx, tx, id, by, action, id, nil)
	})
	s.forgetParties()
	return err
}

func (s *Verifier) forgetParties() {
	s.mu.Lock()
	s.parties = nil
	s.mu.Unlock()
}
