// Package jobs runs work that a transaction ordered and that may happen later.
// A job is inserted in the business transaction, so it exists exactly when the
// business fact does; it may run more than once, after a crash or when two
// copies of the program race, so every worker must find out from the database
// what is left to do. Legal deadlines are never kept in jobs alone: each is
// recomputed from stored dates, and a lost or doubled job changes nothing.
//
// The queue is River's, on both engines.
package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"diwan/internal/db"
)

// Args is a job's arguments: a JSON value whose Kind names its worker.
type Args = river.JobArgs

// Registry collects the workers of all slices before the queue starts.
type Registry struct {
	workers  *river.Workers
	periodic []*river.PeriodicJob
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{workers: river.NewWorkers()} }

// Handle registers the worker of one kind of job. An error makes the job run
// again later, with growing pauses, up to River's limit of 25 times.
func Handle[T Args](r *Registry, work func(ctx context.Context, args T) error) {
	river.AddWorker(r.workers, river.WorkFunc(func(ctx context.Context, j *river.Job[T]) error {
		return work(ctx, j.Args)
	}))
}

// Later is what a worker returns to be called again after a pause, without the
// run being counted as a failure: it waits for its turn, or did a part of its
// work and kept it.
func Later(pause time.Duration) error { return river.JobSnooze(pause) }

// Every inserts a job at each interval, also once at start; one copy of the
// program does it for all.
func Every(r *Registry, interval time.Duration, args func() Args) {
	r.periodic = append(r.periodic, river.NewPeriodicJob(river.PeriodicInterval(interval),
		func() (river.JobArgs, *river.InsertOpts) { return args(), nil },
		&river.PeriodicJobOpts{RunOnStart: true}))
}

// Queue inserts jobs and, once started, runs them.
type Queue struct {
	client *river.Client[*sql.Tx]
}

// Migrate brings the queue's own tables up to date.
func Migrate(ctx context.Context, d *db.DB, log *slog.Logger) error {
	m, err := rivermigrate.New(driver(d), &rivermigrate.Config{Logger: quiet(log)})
	if err != nil {
		return fmt.Errorf("preparing the queue's tables: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrating the queue's tables: %w", err)
	}
	return nil
}

// New returns the queue of a database whose tables are up to date.
func New(d *db.DB, r *Registry, log *slog.Logger) (*Queue, error) {
	workers := 4
	if d.Engine() == db.SQLite {
		workers = 2 // they share the one connection that writes
	}
	c, err := river.NewClient(driver(d), &river.Config{
		Logger:            quiet(log),
		Workers:           r.workers,
		PeriodicJobs:      r.periodic,
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
		FetchPollInterval: time.Second,
		JobTimeout:        10 * time.Minute,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the queue: %w", err)
	}
	return &Queue{c}, nil
}

// Insert adds a job in the caller's transaction: it runs after the commit, or
// never when the transaction is rolled back.
func (q *Queue) Insert(ctx context.Context, tx *db.Tx, args Args) error {
	if _, err := q.client.InsertTx(ctx, tx, args, nil); err != nil {
		return fmt.Errorf("inserting the job %s: %w", args.Kind(), err)
	}
	return nil
}

// Start begins to run jobs until Stop.
func (q *Queue) Start(ctx context.Context) error { return q.client.Start(ctx) }

// Stop waits for running jobs until ctx ends, then cancels them; what did not
// finish runs again at the next start.
func (q *Queue) Stop(ctx context.Context) error {
	if err := q.client.Stop(ctx); err == nil {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return q.client.StopAndCancel(last)
}

func driver(d *db.DB) riverdriver.Driver[*sql.Tx] {
	if d.Engine() == db.SQLite {
		return riversqlite.New(d.Writer())
	}
	return riverdatabasesql.New(d.Writer())
}

// quiet drops River's chatter below warnings.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(atLeast{log.Handler()}) }

type atLeast struct{ slog.Handler }

func (h atLeast) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

func (h atLeast) WithAttrs(a []slog.Attr) slog.Handler { return atLeast{h.Handler.WithAttrs(a)} }
func (h atLeast) WithGroup(n string) slog.Handler      { return atLeast{h.Handler.WithGroup(n)} }
