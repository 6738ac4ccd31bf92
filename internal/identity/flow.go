package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// An exchange with a browser begins on one page and ends on another: at a sign-in
// provider, at an authenticator, with a code that was sent. What must be
// remembered in between lies here under the hash of its token, good once and for a
// short time, and only for the browser session that began it: what somebody else
// began can't be finished by a reader whom they lured here.
const (
	flowProvider = "provider"
	flowPasskey  = "passkey"
	flowEnrol    = "enrol"
	flowAddress  = "address"
	flowSignOut  = "sign-out"
)

// flowLife is how long somebody may take to sign in elsewhere.
const flowLife = 10 * time.Minute

// errFlow says that an exchange was used, has expired, or began elsewhere. Which of
// them it was is nobody's business.
var errFlow = problem.New(problem.Forbidden, "sign_in.stale")

// openFlow begins an exchange and returns its token.
func (s *Accounts) openFlow(ctx context.Context, kind, binding string, life time.Duration, data any) (string, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return "", err
	}
	token := gov.NewID() + gov.NewID()
	err = s.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO identity_flow (token_hash, kind, binding, data, expires_at) VALUES ($1, $2, $3, $4, $5)`,
			hashToken(token), kind, hashToken(binding), string(b), db.Micros(s.clock.Now().Add(life)))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("beginning an exchange: %w", err)
	}
	return token, nil
}

// takeFlow ends an exchange, of two at the same moment only one. What it began with
// is read into data.
func (s *Accounts) takeFlow(ctx context.Context, kind, binding, token string, data any) error {
	if token == "" || binding == "" || len(token) > 200 {
		return errFlow
	}
	var text, boundTo, of string
	var expires int64
	err := s.db.RunTx(ctx, func(tx *db.Tx) error {
		text = ""
		err := tx.QueryRowContext(ctx, `DELETE FROM identity_flow WHERE token_hash = $1 RETURNING kind, binding, data, expires_at`, hashToken(token)).Scan(&of, &boundTo, &text, &expires)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("ending an exchange: %w", err)
	}
	if text == "" || of != kind || boundTo != hashToken(binding) || db.Micros(s.clock.Now()) > expires {
		return errFlow
	}
	return json.Unmarshal([]byte(text), data)
}
