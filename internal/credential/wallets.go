package credential

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Wallet is a copy of a wallet that a person registered here: a device.
type Wallet struct {
	ID      string
	Person  string
	Name    string // as its holder calls it
	State   string // Ready or Revoked
	Created time.Time
	Copies  int // issued to it and not revoked
}

const maxWallets = 50

// RegisterWallet keeps a device of a person by the thumbprint of its key.
func (s *Credentials) RegisterWallet(ctx context.Context, actor gov.Actor, name, key string) (*Wallet, error) {
	if actor.Public() {
		return nil, problem.New(problem.Unauthenticated, "unauthenticated")
	}
	if name == "" || utf8.RuneCountInString(name) > 80 || !wordsFit(name) {
		return nil, problem.New(problem.Invalid, "credential.wallet.name")
	}
	w := &Wallet{ID: gov.NewID(), Person: actor.ID, Name: name, State: Ready, Created: s.Clock.Now()}
	err := s.DB.RunTx(ctx, func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM credential_wallet WHERE person = $1 AND state = $2`, actor.ID, Ready).Scan(&n); err != nil {
			return err
		}
		if n >= maxWallets {
			return problem.New(problem.Conflict, "credential.wallet.many")
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO credential_wallet (id, person, name, key, state, created_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $6)`,
			w.ID, w.Person, w.Name, key, w.State, db.Micros(w.Created))
		return err
	})
	return w, err
}

// walletOf finds the device with a key; empty for a wallet of another provider.
func (s *Credentials) walletOf(ctx context.Context, q querier, key string) (string, error) {
	var id, state string
	err := q.QueryRowContext(ctx, `SELECT id, state FROM credential_wallet WHERE key = $1 ORDER BY created_at DESC LIMIT 1`, key).Scan(&id, &state)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err == nil && state != Ready {
		return "", problem.New(problem.Forbidden, "credential.wallet.revoked")
	}
	return id, err
}

// Wallets lists the devices of a person.
func (s *Credentials) WalletsOf(ctx context.Context, person string) ([]Wallet, error) {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT w.id, w.name, w.state, w.created_at, (SELECT COUNT(*) FROM credential_copy c WHERE c.wallet = w.id AND c.wallet <> '' AND c.status = 0)
		FROM credential_wallet w WHERE w.person = $1 ORDER BY w.created_at DESC LIMIT $2`, person, maxHeld)
	if err != nil {
		return nil, fmt.Errorf("listing wallets: %w", err)
	}
	defer rows.Close()
	var all []Wallet
	for rows.Next() {
		w := Wallet{Person: person}
		var at int64
		if err := rows.Scan(&w.ID, &w.Name, &w.State, &at, &w.Copies); err != nil {
			return nil, err
		}
		w.Created = db.Time(at)
		all = append(all, w)
	}
	return all, rows.Err()
}

// RevokeWallet makes all that a lost device holds worthless. The documents themselves
// stay: their holder can fetch them again with another device.
func (s *Credentials) RevokeWallet(ctx context.Context, actor gov.Actor, id string) error {
	return s.DB.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE credential_wallet SET state = $3 WHERE id = $1 AND person = $2 AND state = $4`, id, actor.ID, Revoked, Ready)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, problem.New(problem.NotFound, "credential.wallet.not_found"))
		}
		if err := s.setStatus(ctx, tx, `wallet = $1 AND wallet <> ''`, id, statusRevoked); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM credential_token WHERE wallet = $1`, id); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, auditChain, actor, "credential.wallet.revoke", id, nil)
	})
}
