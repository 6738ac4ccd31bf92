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
	if _, err := s.Party(ctx, verifier); err != nil {
		return "", "", err
	}
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 200 {
		return "", "", problem.New(problem.Invalid, "verification.token_name")
	}
	id, secret = gov.NewID(), tokenPrefix+newSecret()
	now := s.Clock.Now()
	err = s.DB.RunTx(ctx, func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM verifier_token WHERE verifier = $1 AND revoked_at = 0 AND ends_at > $2`, verifier, db.Micros(now)).Scan(&n); err != nil {
			return err
		}
		if n >= maxTokens {
			return problem.New(problem.Conflict, "verification.tokens", "max", fmt.Sprint(maxTokens))
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO verifier_token (id, verifier, name, hash, made_by, made_at, ends_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`,
			id, verifier, name, hashOf(secret), by.ID, db.Micros(now), db.Micros(now.Add(tokenLife)))
		return err
	})
	if err != nil {
		return "", "", fmt.Errorf("making a token of a verifier: %w", err)
	}
	return id, secret, nil
}

// RevokeToken shuts a program out, from its next request on.
func (s *Verifier) RevokeToken(ctx context.Context, verifier, id string) error {
	return s.DB.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE verifier_token SET revoked_at = $3 WHERE id = $1 AND verifier = $2 AND revoked_at = 0`, id, verifier, db.Micros(s.Clock.Now()))
		if err != nil {
			return fmt.Errorf("revoking a token of a verifier: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, problem.New(problem.NotFound, "verification.token_none"))
		}
		return nil
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
