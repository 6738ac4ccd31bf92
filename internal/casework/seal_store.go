package casework

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"diwan/internal/db"
)

// SealCertificate returns the certificate of the seal of a holder with a key; make
// makes it the first time, and again when the key is another one.
func (w *Casework) SealCertificate(ctx context.Context, holder, keyID string, make func() ([]byte, error)) (der []byte, err error) {
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		var had string
		err := tx.QueryRowContext(ctx, `SELECT key_id, certificate FROM casework_seal WHERE holder = $1`, holder).Scan(&had, &der)
		if err == nil && had == keyID {
			return nil
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("reading the certificate of a seal: %w", err)
		}
		if der, err = make(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO casework_seal (holder, key_id, certificate) VALUES ($1, $2, $3)
			ON CONFLICT (holder) DO UPDATE SET key_id = excluded.key_id, certificate = excluded.certificate`, holder, keyID, der)
		return err
	})
	return der, err
}
