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

// Sweep forgets sign-in links and sessions that have expired: nothing about who
// signed in when is kept longer than it serves.
func (s *Accounts) Sweep(ctx context.Context) error {
	now := db.Micros(s.clock.Now())
	return s.db.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM identity_link WHERE expires_at < $1`, now); err != nil {
			return fmt.Errorf("sweeping sign-in links: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM identity_session WHERE expires_at < $1`, now); err != nil {
			return fmt.Errorf("sweeping sessions: %w", err)
		}
		return nil
	})
}
