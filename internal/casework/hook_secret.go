package casework

import (
	"context"
	"errors"
	"fmt"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// hookKeeper names the key under which the secrets of an administration's addresses
// are sealed. Whoever reads the database alone can sign nothing.
func hookKeeper(administration string) string { return "hooks:" + administration }

// hookPlace is where a secret opens, and nowhere else.
func hookPlace(id string) string { return "hook/" + id }

func (w *Casework) sealHook(ctx context.Context, administration, id, secret string) ([]byte, error) {
	return w.sealer.Seal(ctx, hookKeeper(administration), hookPlace(id), []byte(secret))
}

// SealHooks seals the secrets that were kept in clear before they were sealed. It may
// run on several copies of the program at once.
func (w *Casework) SealHooks(ctx context.Context) error {
	type clear struct{ id, administration, secret string }
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT id, administration, secret FROM casework_hook WHERE secret <> '' ORDER BY id`)
	if err != nil {
		return fmt.Errorf("reading secrets in clear: %w", err)
	}
	defer rows.Close()
	var list []clear
	for rows.Next() {
		var c clear
		if err := rows.Scan(&c.id, &c.administration, &c.secret); err != nil {
			return err
		}
		list = append(list, c)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, c := range list {
		sealed, err := w.sealHook(ctx, c.administration, c.id, c.secret)
		if err != nil {
			return err
		}
		err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE casework_hook SET sealed = $2, secret = '' WHERE id = $1 AND secret = $3`, c.id, sealed, c.secret)
			return err
		})
		if err != nil {
			return fmt.Errorf("sealing the secret of an address: %w", err)
		}
	}
	return nil
}

// RotateHook gives an address a new secret; what is sent from then on is signed with
// it, also what waits.
func (w *Casework) RotateHook(ctx context.Context, by gov.Actor, id, secret string) (address string, err error) {
	if err := w.mayAPI(ctx, by); err != nil {
		return "", err
	}
	if by.Unit != "" {
		return "", problem.New(problem.Forbidden, "forbidden")
	}
	sealed, err := w.sealHook(ctx, by.Administration, id, secret)
	if err != nil {
		return "", err
	}
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE casework_hook SET sealed = $3, secret = '' WHERE id = $1 AND administration = $2 AND ended_at = 0`, id, by.Administration, sealed)
		if err != nil {
			return fmt.Errorf("changing the secret of an address: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, problem.New(problem.NotFound, "program.hook_none"))
		}
		return tx.QueryRowContext(ctx, `SELECT address FROM casework_hook WHERE id = $1`, id).Scan(&address)
	})
	return address, err
}

// RotateToken gives a program a new secret for its token. The old one is refused
// from the next request on; name, scopes and last day stay.
func (w *Casework) RotateToken(ctx context.Context, by gov.Actor, id string) (secret string, t *Token, err error) {
	if err := w.mayAPI(ctx, by); err != nil {
		return "", nil, err
	}
	secret = newSecret()
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE casework_token SET hash = $3 WHERE id = $1 AND administration = $2 AND ($4 = '' OR unit = $4) AND revoked_at = 0 AND until_day >= $5`,
			id, by.Administration, tokenHash(secret), by.Unit, w.today().String())
		if err != nil {
			return fmt.Errorf("changing the secret of a token: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, problem.New(problem.NotFound, "program.token_none"))
		}
		t, err = scanToken(tx.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM casework_token WHERE id = $1`, id))
		return err
	})
	return secret, t, err
}
