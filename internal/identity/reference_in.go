package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"diwan/internal/db"
	"diwan/internal/problem"
)

// ReferenceIn is Reference for whoever writes something under the reference: keep
// remembers whom it names in the writer's own transaction, so that one wait for
// the disk does for both. It is the same reference, and keep may run again.
func (s *Accounts) ReferenceIn(ctx context.Context, account, sector string) (ref string, keep func(context.Context, *db.Tx) error, err error) {
	if account == "" {
		return "", nil, problem.New(problem.Unauthenticated, "unauthenticated")
	}
	key, err := s.secret(ctx, "sector:"+sector)
	if err != nil {
		return "", nil, fmt.Errorf("the secret of sector %s: %w", sector, err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(account))
	ref = hex.EncodeToString(mac.Sum(nil))
	return ref, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO identity_reference (sector, reference, account) VALUES ($1, $2, $3) ON CONFLICT (sector, reference) DO NOTHING`, sector, ref, account)
		if err != nil {
			return fmt.Errorf("keeping a reference: %w", err)
		}
		return nil
	}, nil
}
