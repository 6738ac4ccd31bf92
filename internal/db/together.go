package db

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// togetherMost bounds how many share one transaction, and so how long the first of
// them waits for the last.
const togetherMost = 32

// Together lets those who wait to write share one transaction where the database
// has one writer: each is whole or not at all by itself, and all wait for the disk
// once. Nobody is answered before the disk has everything. The more there are, the
// more share, so that a rush makes each wait longer but never the line grow.
type Together struct {
	db *DB

	mu      sync.Mutex
	waiting []*joint
	leading bool
	// careful is for how many more transactions each is kept apart from the others from
	// the beginning. Only the leader looks at it.
	careful int
}

// carefulFor is how long one that failed makes the leader careful: whoever sends what
// fails has few transactions done twice.
const carefulFor = 64

// errOneFailed ends a transaction whose parts were not kept apart.
var errOneFailed = errors.New("one of several failed")

// joint is one that waits, with what it does.
type joint struct {
	ctx  context.Context
	fn   func(ctx context.Context, tx *Tx) error
	err  error
	done chan struct{}
}

// NewTogether returns what joins the writers of a database.
func NewTogether(d *DB) *Together { return &Together{db: d} }

// Do runs fn in a transaction. It may run several times, and must do nothing
// outside of it. Once it waits for its turn it is not given up: whoever leaves
// would take the others' transaction along.
func (t *Together) Do(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if t.db.Engine() != SQLite {
		return t.db.RunTx(ctx, func(tx *Tx) error { return fn(ctx, tx) })
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &joint{ctx: context.WithoutCancel(ctx), fn: fn, done: make(chan struct{})}
	t.mu.Lock()
	t.waiting = append(t.waiting, j)
	lead := !t.leading
	t.leading = true
	t.mu.Unlock()
	if lead {
		go t.lead()
	}
	<-j.done
	return j.err
}

// lead writes what waits until nothing does.
func (t *Together) lead() {
	for {
		t.mu.Lock()
		n := min(len(t.waiting), togetherMost)
		some := t.waiting[:n:n]
		t.waiting = t.waiting[n:]
		if n == 0 {
			t.waiting, t.leading = nil, false
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
		t.write(some)
	}
}

// write does several things in one transaction. Mostly none of them fails: then keeping
// them apart would be a third of the work. When one does, all is done again, apart.
func (t *Together) write(some []*joint) {
	var err error = errOneFailed
	if t.careful == 0 || len(some) == 1 {
		err = t.db.RunTx(some[0].ctx, func(tx *Tx) error { return freely(some, tx) })
	}
	if errors.Is(err, errOneFailed) {
		if t.careful--; t.careful < 0 {
			t.careful = carefulFor
		}
		err = t.db.RunTx(some[0].ctx, func(tx *Tx) error {
			for _, j := range some {
				if err := apart(j, tx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, j := range some {
		if err != nil {
			j.err = err
		}
		close(j.done)
	}
}

// freely does all or says that one failed; one alone answers with its own error.
func freely(some []*joint, tx *Tx) error {
	for _, j := range some {
		if err := run(j, tx); err != nil && len(some) == 1 {
			return err
		} else if err != nil {
			return errOneFailed
		}
	}
	return nil
}

// apart runs one of several so that its failure undoes what it did and nothing of
// the others. The error is of the transaction, not of the one.
func apart(j *joint, tx *Tx) error {
	if _, err := tx.ExecContext(j.ctx, `SAVEPOINT joint`); err != nil {
		return fmt.Errorf("beginning a part of a transaction: %w", err)
	}
	if j.err = run(j, tx); j.err != nil {
		if _, err := tx.ExecContext(j.ctx, `ROLLBACK TO joint`); err != nil {
			return fmt.Errorf("undoing a part of a transaction: %w", err)
		}
	}
	if _, err := tx.ExecContext(j.ctx, `RELEASE joint`); err != nil {
		return fmt.Errorf("ending a part of a transaction: %w", err)
	}
	return nil
}

// run keeps a fault in one from ending the others, who did nothing wrong.
func run(j *joint, tx *Tx) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("a fault while writing: %v", fault)
		}
	}()
	return j.fn(j.ctx, tx)
}
