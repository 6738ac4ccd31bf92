package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// sampleBatch is how many sample accounts one transaction makes.
const sampleBatch = 500

// PutSamples makes the sample accounts that are not there yet; those that are stay
// as they are. With an issuer each is tied to the subject of the same name there.
// It does nothing outside of a demonstration.
func (s *Accounts) PutSamples(ctx context.Context, issuer string, list []Account) error {
	if !s.Demo {
		return errors.New("sample accounts belong to a demonstration")
	}
	for batch := range slices.Chunk(list, sampleBatch) {
		if err := s.db.RunTx(ctx, func(tx *db.Tx) error { return s.putSamples(ctx, tx, issuer, batch) }); err != nil {
			return fmt.Errorf("making sample accounts: %w", err)
		}
	}
	return nil
}

func (s *Accounts) putSamples(ctx context.Context, tx *db.Tx, issuer string, list []Account) error {
	now := db.Micros(s.clock.Now())
	made := 0
	for _, a := range list {
		if !loginName.MatchString(a.Login) {
			return problem.New(problem.Invalid, "account.login", "login", a.Login)
		}
		name, err := json.Marshal(a.Name)
		if err != nil {
			return err
		}
		roles, err := json.Marshal(a.Roles)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO identity_account (id, login, name, administration, unit, roles, sample, disabled, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, TRUE, FALSE, $7) ON CONFLICT (login) DO NOTHING`, gov.NewID(), a.Login, string(name), a.Administration, a.Unit, string(roles), now)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		made += int(n)
		if issuer == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO identity_subject (issuer, subject, account, created_at)
			SELECT $1, $2, id, $3 FROM identity_account WHERE login = $2 AND sample = TRUE ON CONFLICT (issuer, subject) DO NOTHING`, issuer, a.Login, now); err != nil {
			return err
		}
	}
	if made == 0 {
		return nil
	}
	return s.audit.Append(ctx, tx, chain, gov.Actor{}, "account.samples", "", map[string]string{"made": fmt.Sprint(made)})
}
