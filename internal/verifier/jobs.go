package verifier

import (
	"context"
	"time"

	"diwan/internal/jobs"
)

type sweepArgs struct{}

// Kind names the job.
func (sweepArgs) Kind() string { return "verifier_sweep" }

// Jobs adds the forgetting of requests whose time is over.
func (s *Verifier) Jobs(r *jobs.Registry) {
	jobs.Handle(r, func(ctx context.Context, _ sweepArgs) error { return s.Sweep(ctx) })
	jobs.Every(r, time.Minute, func() jobs.Args { return sweepArgs{} })
}
