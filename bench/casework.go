package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"diwan/internal/db"
)

// Sizes of a whole run and of one for trying.
type caseworkSize struct {
	load    time.Duration // of submissions
	saves   time.Duration // of drafts
	inbox   time.Duration
	cases   int // of one administration, all open
	readers float64
}

var caseworkSizes = map[bool]caseworkSize{
	false: {60 * time.Second, 20 * time.Second, 20 * time.Second, 1_000_000, 20},
	true:  {8 * time.Second, 5 * time.Second, 5 * time.Second, 50_000, 20},
}

// Goals of the submissions and saves.
const (
	filingRate = 500
	saveRate   = 100
)

// caseworkSpeed measures filing, saving, the inbox and the sweep on both engines.
// -part names an engine, -quick makes everything small.
func caseworkSpeed(ctx context.Context, b *bench) error {
	size := caseworkSizes[b.quick]
	syncs, err := syncRate(filepath.Join(b.work, "sync"), 2*time.Second)
	if err != nil {
		return err
	}
	fmt.Printf("the disk: %.0f fdatasync a second of 4 kB, one after another\n", syncs)
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		if b.part != "" && !strings.Contains(b.part, string(engine)) {
			continue
		}
		address, about, stop, err := b.database(ctx, engine)
		if errors.Is(err, errNoPostgres) {
			fmt.Println("PostgreSQL is not measured:", err)
			continue
		}
		if err != nil {
			return err
		}
		fmt.Println(about)
		err = b.caseworkOn(ctx, engine, address, size)
		stop()
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
	}
	return nil
}

func (b *bench) caseworkOn(ctx context.Context, engine db.Engine, address string, size caseworkSize) error {
	w, err := newCaseworkWorld(ctx, address)
	if err != nil {
		return err
	}
	defer w.close()
	name := string(engine) + "_"
	if err := w.people(ctx, int(filingRate*size.load.Seconds())); err != nil {
		return err
	}
	if err := b.filing(ctx, w, name, size); err != nil {
		return err
	}
	if err := b.saving(ctx, w, name, size); err != nil {
		return err
	}
	if err := w.fill(ctx, size.cases); err != nil {
		return err
	}
	if err := b.inbox(ctx, w, name, size); err != nil {
		return err
	}
	return b.sweeping(ctx, w, name)
}

func (b *bench) filing(ctx context.Context, w *caseworkWorld, name string, size caseworkSize) error {
	if err := w.undone(ctx); err != nil {
		return err
	}
	times, took, err := steady(ctx, filingRate, size.load, 64, func(i int) error { return w.file(ctx, i) })
	if err != nil {
		return err
	}
	rate := float64(len(times)) / took.Seconds()
	if err := w.undone(ctx); err != nil {
		return err
	}
	n, err := w.counted(ctx)
	if err != nil {
		return err
	}
	if n != len(times) {
		return fmt.Errorf("%d submissions were acknowledged and %d are there", len(times), n)
	}
	fmt.Printf("%s: %d submissions acknowledged in %v and found, p50 %v, p99 %v, the longest %v\n", name, len(times), took.Round(time.Millisecond),
		percentile(times, .5).Round(10*time.Microsecond), percentile(times, .99).Round(10*time.Microsecond), times[len(times)-1].Round(time.Millisecond))
	b.atLeast(name+"filing_per_second", rate, filingRate*.99)
	b.atMost(name+"filing_p99_ms", ms(percentile(times, .99)), 150)
	return nil
}

func (b *bench) saving(ctx context.Context, w *caseworkWorld, name string, size caseworkSize) error {
	if err := w.begin(ctx, int(saveRate*size.saves.Seconds())); err != nil {
		return err
	}
	times, _, err := steady(ctx, saveRate, size.saves, 32, func(i int) error { return w.save(ctx, i) })
	if err != nil {
		return err
	}
	b.atMost(name+"draft_save_p99_ms", ms(percentile(times, .99)), 50)
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// steady calls fn at a steady rate, whether or not it keeps up, and returns the
// times from when each call was due to its end, sorted, and how long all took.
func steady(ctx context.Context, rate float64, d time.Duration, workers int, fn func(i int) error) ([]time.Duration, time.Duration, error) {
	total := int(rate * d.Seconds())
	times := make([]time.Duration, total)
	due := make(chan int, total)
	var failed atomic.Pointer[error]
	start := time.Now()
	at := func(i int) time.Time { return start.Add(time.Duration(float64(i) / rate * float64(time.Second))) }
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range due {
				if err := fn(i); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
				times[i] = time.Since(at(i))
			}
		})
	}
	for i := range total {
		if wait := time.Until(at(i)); wait > 0 {
			time.Sleep(wait)
		}
		due <- i
		if ctx.Err() != nil || failed.Load() != nil {
			break
		}
	}
	close(due)
	wg.Wait()
	took := time.Since(start)
	if err := failed.Load(); err != nil {
		return nil, 0, *err
	}
	slices.Sort(times)
	return times, took, ctx.Err()
}

// syncRate is how often a second the disk takes 4 kB for good.
func syncRate(path string, d time.Duration) (float64, error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer os.Remove(path)
	defer f.Close()
	block := make([]byte, 4096)
	start, n := time.Now(), 0
	for ; time.Since(start) < d; n++ {
		if _, err := f.WriteAt(block, int64(n%256)*4096); err != nil {
			return 0, err
		}
		if err := datasync(f); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(start).Seconds(), nil
}
