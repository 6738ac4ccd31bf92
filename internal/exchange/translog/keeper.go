package translog

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Stamper asks a time-stamp authority for a stamp of data, checks it, and returns
// the whole answer with the time in it. A *stamp.Client is one.
type Stamper interface {
	Stamp(ctx context.Context, data []byte) (answer []byte, at time.Time, err error)
}

// Keeper makes checkpoints in the background, has them cosigned and stamped. Each
// of these goes its own way: a witness or an authority that is down delays nobody
// else, and is asked again, ever less often up to MaxWait.
type Keeper struct {
	Log       *Log
	Witnesses []*WitnessClient
	// Stamps may be nil.
	Stamps Stamper
	// Every is the time between checkpoints and between cosignatures; 0 is one
	// second.
	Every time.Duration
	// StampEvery is the time between stamps; 0 is one minute.
	StampEvery time.Duration
	// MaxWait bounds the wait after failures; 0 is five minutes.
	MaxWait time.Duration
	// Now is the clock; nil is the machine's.
	Now    func() time.Time
	Logger *slog.Logger
}

// Run works until the context ends.
func (k *Keeper) Run(ctx context.Context) {
	every := orElse(k.Every, time.Second)
	var wg sync.WaitGroup
	wg.Go(func() { k.repeat(ctx, "checkpoint", every, k.checkpoint) })
	for _, c := range k.Witnesses {
		wg.Go(func() {
			k.repeat(ctx, "cosignature of "+c.Name(), every, func(ctx context.Context) error { return k.Log.Cosign(ctx, c, k.now()) })
		})
	}
	if k.Stamps != nil {
		wg.Go(func() {
			k.repeat(ctx, "time stamp", orElse(k.StampEvery, time.Minute), func(ctx context.Context) error {
				_, err := k.Log.Stamp(ctx, k.Stamps)
				return err
			})
		})
	}
	wg.Wait()
}

func (k *Keeper) checkpoint(ctx context.Context) error {
	_, err := k.Log.Checkpoint(ctx, k.now())
	return err
}

// repeat does the work at once and then again and again. After a failure it waits
// twice as long as before, up to MaxWait.
func (k *Keeper) repeat(ctx context.Context, what string, every time.Duration, work func(context.Context) error) {
	wait := every
	for {
		err := work(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			wait = every
		default:
			level := slog.LevelWarn
			if errors.Is(err, ErrAhead) || errors.Is(err, ErrFork) || errors.Is(err, ErrProof) || errors.Is(err, ErrInconsistent) {
				level = slog.LevelError
			}
			k.Logger.Log(ctx, level, "transparency log", "work", what, "origin", k.Log.origin, "error", err)
			wait = max(every, min(2*wait, orElse(k.MaxWait, 5*time.Minute)))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (k *Keeper) now() time.Time {
	if k.Now == nil {
		return time.Now()
	}
	return k.Now()
}

func orElse(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

// Stamp has the newest checkpoint stamped and keeps the stamp. It reports whether
// it asked: a checkpoint that has a stamp, or that counts no entries, needs none.
func (l *Log) Stamp(ctx context.Context, s Stamper) (bool, error) {
	last, err := l.last(ctx, l.db.Reader())
	if err != nil || last == nil || last.Size == 0 {
		return false, err
	}
	c, err := l.At(ctx, last.Size)
	if err != nil || c.Stamp != nil {
		return false, err
	}
	answer, at, err := s.Stamp(ctx, c.Note)
	if err != nil {
		return true, err
	}
	return true, l.KeepStamp(ctx, c.Size, answer, at)
}
