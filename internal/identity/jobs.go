package identity

import (
	"context"
	"fmt"
	"time"

	"diwan/internal/db"
	"diwan/internal/jobs"
)

// sweepArgs orders what has expired to be forgotten.
type sweepArgs struct{}

// Kind names the job.
func (sweepArgs) Kind() string { return "identity_sweep" }

// RegisterJobs adds this slice's work to the queue.
func (s *Accounts) RegisterJobs(r *jobs.Registry) {
	jobs.Handle(r, func(ctx context.Context, _ sweepArgs) error { return s.Sweep(ctx) })
	jobs.Every(r, time.Hour, func() jobs.Args { return sweepArgs{} })
}

// Sweep forgets what has expired: links, sessions, exchanges with browsers, old
// sign-ins. Nothing about who signed in when is kept longer than it serves.
func (s *Accounts) Sweep(ctx context.Context) error {
	now := db.Micros(s.clock.Now())
	return s.db.RunTx(ctx, func(tx *db.Tx) error {
		for _, table := range []string{"identity_link", "identity_session", "identity_flow", "identity_logout"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE expires_at < $1`, now); err != nil {
				return fmt.Errorf("sweeping %s: %w", table, err)
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM identity_sign_in WHERE started_at < $1`, db.Micros(s.clock.Now().Add(-historyKept))); err != nil {
			return fmt.Errorf("sweeping the history of sign-ins: %w", err)
		}
		return s.endMandates(ctx, tx)
	})
}
