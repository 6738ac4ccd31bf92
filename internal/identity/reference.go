package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"diwan/internal/db"
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
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// secret returns a secret of the installation, made the first time it is asked
// for. It lies in the database so that every copy of the program has the same, and
// backups hold it.
func (s *Accounts) secret(ctx context.Context, name string) (value []byte, err error) {
	fresh := make([]byte, 32)
	rand.Read(fresh)
	err = s.db.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO identity_secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, fresh); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM identity_secret WHERE name = $1`, name).Scan(&value)
	})
	return value, err
}
