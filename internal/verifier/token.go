package verifier

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Bounds of tokens.
const (
	tokenPrefix = "diwan_v_"
	maxTokens   = 50 // good ones of one verifier
	tokenLife   = 366 * 24 * time.Hour
)

var errToken = problem.New(problem.Unauthenticated, "verification.token")

// MakeToken lets a program of a verifier ask. The secret is returned this once: what is
// kept does not bring it back. Whether the caller may is for the caller to know.
func (s *Verifier) MakeToken(ctx context.Context, by gov.Actor, verifier, name string) (id, secret string, err error) {
	if _, err := s.Registered(ctx, verifier); err != nil {
		return "", "", err
	}
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 200 {
		return "", "", problem.New(problem.Invalid, "verification.token_name")
	}
	err = s.DB.RunTx(ctx, func(tx *db.Tx) (err error) {
		id, secret, err = s.addToken(ctx, tx, by, verifier, name, "")
		if err != nil {
			return err
		}
		return s.note(ctx, tx, verifier, by, didToken, id, nil)
	})
	if err != nil {
		return "", "", fmt.Errorf("making a token of a verifier: %w", err)
	}
	return id, secret, nil
}

// addToken keeps a token, which may follow another.
func (s *Verifier) addToken(ctx context.Context, tx *db.Tx, by gov.Actor, verifier, name, follows string) (id, secret string, err error) {
	id, secret = gov.NewID(), tokenPrefix+newSecret()
	now := s.Clock.Now()
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM verifier_token WHERE verifier = $1 AND revoked_at = 0 AND ends_at > $2`, verifier, db.Micros(now)).Scan(&n); err != nil {
		return "", "", err
	}
	if n >= maxTokens {
		return "", "", problem.New(problem.Conflict, "verification.tokens", "max", fmt.Sprint(maxTokens))
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO verifier_token (id, verifier, name, hash, made_by, made_at, ends_at, revoked_at, follows) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)`,
		id, verifier, name, hashOf(secret), by.ID, db.Micros(now), db.Micros(now.Add(tokenLife)), follows)
	return id, secret, err
}

// Token is one of a verifier's, without its secret.
type Token struct {
	ID, Name, MadeBy string
	Made, Ends       time.Time
	Revoked          bool
	// Follows is the one in whose place it was made.
	Follows string
}

// Tokens lists the tokens of a verifier, the latest first.
func (s *Verifier) Tokens(ctx context.Context, verifier string) ([]Token, error) {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT id, name, made_by, made_at, ends_at, revoked_at, follows FROM verifier_token WHERE verifier = $1 ORDER BY made_at DESC, ends_at DESC, id LIMIT $2`, verifier, 4*maxTokens)
	if err != nil {
		return nil, fmt.Errorf("listing the tokens of a verifier: %w", err)
	}
	defer rows.Close()
	var out []Token
	for rows.Next() {
		var t Token
		var made, ends, revoked int64
		if err := rows.Scan(&t.ID, &t.Name, &t.MadeBy, &made, &ends, &revoked, &t.Follows); err != nil {
			return nil, err
		}
		t.Made, t.Ends, t.Revoked = db.Time(made), db.Time(ends), revoked != 0
		out = append(out, t)
	}
	return out, rows.Err()
}

// overlap is how long a token that was changed for another still works, so that a program
// that runs can be given the new one.
const overlap = 24 * time.Hour

// RotateToken makes a token in the place of another, which works for one more day.
func (s *Verifier) RotateToken(ctx context.Context, by gov.Actor, verifier, id string) (newID, secret string, err error) {
	err = s.DB.RunTx(ctx, func(tx *db.Tx) error {
		var name string
		now := s.Clock.Now()
		err := tx.QueryRowContext(ctx, `SELECT name FROM verifier_token WHERE id = $1 AND verifier = $2 AND revoked_at = 0 AND ends_at > $3`, id, verifier, db.Micros(now)).Scan(&name)
		if errors.Is(err, sql.ErrNoRows) {
			return problem.New(problem.NotFound, "verification.token_none")
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE verifier_token SET ends_at = $2 WHERE id = $1 AND ends_at > $2`, id, db.Micros(now.Add(overlap))); err != nil {
			return err
		}
		if newID, secret, err = s.addToken(ctx, tx, by, verifier, name, id); err != nil {
			return err
		}
		return s.note(ctx, tx, verifier, by, didRotate, newID, map[string]string{"follows": id})
	})
	if err != nil {
		return "", "", fmt.Errorf("changing a token of a verifier: %w", err)
	}
	return newID, secret, nil
}

// RevokeToken shuts a program out, from its next request on.
func (s *Verifier) RevokeToken(ctx context.Context, by gov.Actor, verifier, id string) error {
	return s.DB.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE verifier_token SET revoked_at = $3 WHERE id = $1 AND verifier = $2 AND revoked_at = 0`, id, verifier, db.Micros(s.Clock.Now()))
		if err != nil {
			return fmt.Errorf("revoking a token of a verifier: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, problem.New(problem.NotFound, "verification.token_none"))
		}
		return s.note(ctx, tx, verifier, by, didRevoke, id, nil)
	})
}

// bearer returns the verifier whose token a program sent. A wrong one is refused with
// the same words as one that was revoked.
func (s *Verifier) bearer(ctx context.Context, secret string) (*Party, error) {
	if !strings.HasPrefix(secret, tokenPrefix) || len(secret) > 100 {
		return nil, errToken
	}
	var verifier string
	var ends, revoked int64
	err := s.DB.Reader().QueryRowContext(ctx, `SELECT verifier, ends_at, revoked_at FROM verifier_token WHERE hash = $1`, hashOf(secret)).Scan(&verifier, &ends, &revoked)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (revoked != 0 || !s.Clock.Now().Before(db.Time(ends))) {
		return nil, errToken
	}
	if err != nil {
		return nil, fmt.Errorf("reading a token of a verifier: %w", err)
	}
	p, err := s.Party(ctx, verifier)
	if problem.Is(err, problem.NotFound) {
		return nil, errToken
	}
	return p, err
}
