package credential

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// States of a version of a type.
const (
	Draft     = "draft"
	Published = "published"
	Replaced  = "replaced"
)

var errNoType = problem.New(problem.NotFound, "credential.type.not_found")

type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// LoadTypes publishes the types of a country pack that this installation does not have yet,
// and the next version of those that the pack has in another form by now. Those that
// officers edited here stay as they are.
func (s *Credentials) LoadTypes(ctx context.Context, all []Type) error {
	for i := range all {
		t := all[i]
		if err := t.Check(s.Country); err != nil {
			return fmt.Errorf("the type %s of credential: %w", t.ID, err)
		}
		if err := s.DB.RunTx(ctx, func(tx *db.Tx) error { return s.loadType(ctx, tx, &t) }); err != nil {
			return fmt.Errorf("publishing the type %s of credential: %w", t.ID, err)
		}
	}
	return nil
}

func (s *Credentials) loadType(ctx context.Context, tx *db.Tx, t *Type) error {
	var had, by string
	err := tx.QueryRowContext(ctx, `SELECT version, body, changed_by FROM credential_type WHERE id = $1 ORDER BY version DESC LIMIT 1`, t.ID).Scan(&t.Version, &had, &by)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err == nil {
		same, err := unchanged(t, had)
		if err != nil || same || by != "" {
			return err
		}
		r, err := tx.ExecContext(ctx, `UPDATE credential_type SET state = $3 WHERE id = $1 AND version = $2 AND state = $4`, t.ID, t.Version, Replaced, Published)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return err // another copy of the program was faster
		}
	}
	t.Version++
	body, err := json.Marshal(t)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO credential_type (id, version, state, body, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, '') ON CONFLICT (id, version) DO NOTHING`,
		t.ID, t.Version, Published, string(body), db.Micros(s.Clock.Now()))
	return err
}

// unchanged tells whether a type is what a version that was kept says.
func unchanged(t *Type, body string) (bool, error) {
	var had Type
	if err := json.Unmarshal([]byte(body), &had); err != nil {
		return false, fmt.Errorf("reading a type of credential: %w", err)
	}
	a, err := json.Marshal(t)
	if err != nil {
		return false, err
	}
	b, err := json.Marshal(&had)
	return bytes.Equal(a, b), err
}

// Types lists the published types in the order of their names in a language.
func (s *Credentials) Types(ctx context.Context, lang gov.Lang) ([]*Type, error) {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT body FROM credential_type WHERE state = $1`, Published)
	if err != nil {
		return nil, fmt.Errorf("listing types of credentials: %w", err)
	}
	defer rows.Close()
	var all []*Type
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		t := &Type{}
		if err := json.Unmarshal([]byte(body), t); err != nil {
			return nil, fmt.Errorf("reading a type of credential: %w", err)
		}
		all = append(all, t)
	}
	sort.Slice(all, func(i, j int) bool {
		a, _ := all[i].Name.In(lang, s.Country.Order())
		b, _ := all[j].Name.In(lang, s.Country.Order())
		return a < b || a == b && all[i].ID < all[j].ID
	})
	return all, rows.Err()
}

// Type returns the published version of a type.
func (s *Credentials) Type(ctx context.Context, id string) (*Type, error) {
	return oneType(s.DB.Reader().QueryRowContext(ctx, `SELECT body FROM credential_type WHERE id = $1 AND state = $2`, id, Published))
}

// TypeVersion returns a version of a type that was published once.
func (s *Credentials) TypeVersion(ctx context.Context, id string, version int64) (*Type, error) {
	key := id + " " + strconv.FormatInt(version, 10)
	s.mu.Lock()
	t := s.types[key]
	s.mu.Unlock()
	if t != nil {
		return t, nil
	}
	t, err := oneType(s.DB.Reader().QueryRowContext(ctx, `SELECT body FROM credential_type WHERE id = $1 AND version = $2 AND state <> $3`, id, version, Draft))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.types) > 1000 {
		clear(s.types)
	}
	s.types[key] = t
	return t, nil
}

func oneType(row *sql.Row) (*Type, error) {
	var body string
	switch err := row.Scan(&body); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, errNoType
	case err != nil:
		return nil, fmt.Errorf("reading a type of credential: %w", err)
	}
	t := &Type{}
	if err := json.Unmarshal([]byte(body), t); err != nil {
		return nil, fmt.Errorf("reading a type of credential: %w", err)
	}
	return t, nil
}

// Publish makes t the version of its type that counts from now on. seen is the
// version that the officer edited: two who edit at once are not both obeyed.
// Documents that are there keep their version.
func (s *Credentials) Publish(ctx context.Context, actor gov.Actor, t *Type, seen int64) error {
	if err := s.May(ctx, actor, MayEditTypes, &Document{Type: t.ID}); err != nil {
		return err
	}
	t.Version = seen + 1
	if err := t.Check(s.Country); err != nil {
		return err
	}
	body, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return s.DB.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE credential_type SET state = $3 WHERE id = $1 AND version = $2 AND state = $4`, t.ID, seen, Replaced, Published)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 && seen != 0 {
			return errors.Join(err, problem.New(problem.Conflict, "credential.type.changed"))
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO credential_type (id, version, state, body, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6)`,
			t.ID, t.Version, Published, string(body), db.Micros(s.Clock.Now()), actor.ID); err != nil {
			if db.IsDuplicate(err) {
				return problem.New(problem.Conflict, "credential.type.changed")
			}
			return err
		}
		return s.Audit.Append(ctx, tx, auditChain, actor, "credential.type.publish", t.ID, map[string]string{"version": strconv.FormatInt(t.Version, 10)})
	})
}

// auditChain is the journal of what officers do to types and documents.
const auditChain = "credential"
