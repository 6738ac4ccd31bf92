package translog

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"diwan/internal/db/dbtest"
)

// flaky stands before something that can be down.
type flaky struct {
	down  atomic.Bool
	asked atomic.Int64
	next  http.Handler
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.asked.Add(1)
	if f.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	f.next.ServeHTTP(w, r)
}

// An authority or a witness that is down delays nobody, and is asked again.
func TestKeeper(t *testing.T) {
	d := dbtest.SQLite(t, allSets)
	synctest.Test(t, func(t *testing.T) {
		l := openLog(t, d)
		tsa, stamps := stampHouse(t, d, time.Now)
		authority := &flaky{next: tsa}
		stamps.HTTP = &http.Client{Transport: direct{authority}}
		up, lost := newWitness(t, d, "up", l.Key()), newWitness(t, d, "lost", l.Key())
		up.now, lost.now = time.Now, time.Now
		far := &flaky{next: lost}
		c, err := NewWitnessClient("http://lost.invalid", lost.Key(), &http.Client{Transport: direct{far}})
		if err != nil {
			t.Fatal(err)
		}
		authority.down.Store(true)
		far.down.Store(true)
		k := &Keeper{Log: l, Witnesses: []*WitnessClient{clientOf(t, up), c}, Stamps: stamps, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
		running, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { k.Run(running); close(done) }()

		add(t, l, 0, 10)
		time.Sleep(30 * time.Minute)
		s, err := l.At(ctx, 10)
		if err != nil || len(s.Cosignatures) != 1 || s.Stamp != nil {
			t.Errorf("while they are down: %+v, %v", s, err)
		}
		// A second apart at first, five minutes at last.
		if n := far.asked.Load(); n < 8 || n > 20 {
			t.Errorf("the witness that is down was asked %d times in half an hour", n)
		}
		if n := authority.asked.Load(); n < 5 || n > 12 {
			t.Errorf("the authority that is down was asked %d times in half an hour", n)
		}
		authority.down.Store(false)
		far.down.Store(false)
		time.Sleep(6 * time.Minute)
		s, err = l.At(ctx, 10)
		if err != nil || len(s.Cosignatures) != 2 || s.Stamp == nil {
			t.Errorf("once they are back: %d cosignatures, stamped %v, %v", len(s.Cosignatures), s.StampedAt, err)
		}
		asked := authority.asked.Load()
		time.Sleep(6 * time.Minute)
		if n := authority.asked.Load(); n != asked {
			t.Errorf("the authority was asked %d times about nothing new", n-asked)
		}
		stop()
		<-done
	})
}

// A stamper that hangs ends with the context.
func TestKeeperStops(t *testing.T) {
	d := dbtest.SQLite(t, allSets)
	synctest.Test(t, func(t *testing.T) {
		l := openLog(t, d)
		add(t, l, 0, 1)
		checkpoint(t, l)
		k := &Keeper{Log: l, Stamps: hanging{}, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
		running, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		k.Run(running)
		if !errors.Is(running.Err(), context.DeadlineExceeded) {
			t.Error("it stopped by itself")
		}
	})
}

type hanging struct{}

func (hanging) Stamp(ctx context.Context, _ []byte) ([]byte, time.Time, error) {
	<-ctx.Done()
	return nil, time.Time{}, ctx.Err()
}
