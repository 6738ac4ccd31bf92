package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Reference is how a person is named in one sector: 64 hexadecimal digits that
// say nothing of the person, are the same each time, and can't be matched with the
// references of another sector by whoever lacks the installation's secret.
func (s *Accounts) Reference(ctx context.Context, account, sector string) (string, error) {
	if account == "" {
		return "", problem.New(problem.Unauthenticated, "unauthenticated")
	}
	key, err := s.secret(ctx, "sector:"+sector)
	if err != nil {
		return "", fmt.Errorf("the secret of sector %s: %w", sector, err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(account))
	ref := hex.EncodeToString(mac.Sum(nil))
	return ref, s.remember(ctx, sector, ref, account)
}

// remember keeps whom a reference names, so that an answer to it can find its way
// back. A hash can't be turned around, and to try every person would take as long
// as there are people.
func (s *Accounts) remember(ctx context.Context, sector, ref, account string) error {
	var known string
	err := s.db.Reader().QueryRowContext(ctx, `SELECT account FROM identity_reference WHERE sector = $1 AND reference = $2`, sector, ref).Scan(&known)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return s.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO identity_reference (sector, reference, account) VALUES ($1, $2, $3) ON CONFLICT (sector, reference) DO NOTHING`, sector, ref, account)
		if err != nil {
			return fmt.Errorf("keeping a reference: %w", err)
		}
		return nil
	})
}

// Resolve returns the account that a reference names in its sector. It is for the
// installation's own work alone, never for an answer to another administration,
// and each use goes to the audit trail with its reason.
func (s *Accounts) Resolve(ctx context.Context, by gov.Actor, sector, ref, why string) (account string, err error) {
	err = s.db.Reader().QueryRowContext(ctx, `SELECT account FROM identity_reference WHERE sector = $1 AND reference = $2`, sector, ref).Scan(&account)
	if errors.Is(err, sql.ErrNoRows) {
		return "", problem.New(problem.NotFound, "account.not_found")
	}
	if err != nil {
		return "", fmt.Errorf("reading a reference: %w", err)
	}
	return account, s.note(ctx, by, "reference.resolved", account, map[string]string{"sector": sector, "why": why})
}

// secret returns a secret of the installation, made the first time it is asked
// for. It lies in the database so that every copy of the program has the same, and
// backups hold it.
func (s *Accounts) secret(ctx context.Context, name string) (value []byte, err error) {
	if v, ok := s.secrets.Load(name); ok {
		return v.([]byte), nil
	}
	fresh := make([]byte, 32)
	rand.Read(fresh)
	err = s.db.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO identity_secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, fresh); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM identity_secret WHERE name = $1`, name).Scan(&value)
	})
	if err == nil {
		s.secrets.Store(name, value)
	}
	return value, err
}
