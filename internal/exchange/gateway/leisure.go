package gateway

import (
	"context"
	"sync"
	"time"
)

// leisure is the time that a gateway gives to what no message waits for: the index,
// the transparency log, the daily look at the whole journal. They share it, one at
// a time and in small pieces, so that together they take a twentieth of one
// processor while messages pass, and a tenth when none do. What they have not
// done then waits, in the journal, and is caught up with.
type leisure struct {
	// last tells the number of the journal's last record.
	last func() uint64

	turn sync.Mutex // one at a time; guards what follows
	free time.Time  // when the next may begin
	seen uint64     // last at since
	at   time.Time
	rate float64 // records a second, lately
}

const (
	// busyRate is from how many records a second on messages come first.
	busyRate = 50
	busyRest = 19 // times as long as a piece took
	idleRest = 9
	// maxBehind bounds what may wait: beyond it a fifth of a processor is taken.
	maxBehind  = 1_000_000
	behindRest = 4
	rateOver   = 500 * time.Millisecond
)

// spend does one piece of work when it is its turn. Behind is how many records wait
// for this kind of work.
func (l *leisure) spend(ctx context.Context, behind uint64, piece func() error) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	if wait := time.Until(l.free); wait > 0 && !pause(ctx, wait) {
		return ctx.Err()
	}
	begin := time.Now()
	err := piece()
	now := time.Now()
	rest := idleRest
	switch {
	case behind > maxBehind:
		rest = behindRest
	case l.busy(now):
		rest = busyRest
	}
	l.free = now.Add(min(time.Duration(rest)*now.Sub(begin), 2*time.Second))
	return err
}

// owe waits for the turn of work that was done already and took so long.
func (l *leisure) owe(ctx context.Context, took time.Duration) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	if wait := time.Until(l.free); wait > 0 && !pause(ctx, wait) {
		return ctx.Err()
	}
	now, rest := time.Now(), idleRest
	if l.busy(now) {
		rest = busyRest
	}
	l.free = now.Add(min(time.Duration(rest)*took, 2*time.Second))
	return nil
}

// busy tells whether messages pass.
func (l *leisure) busy(now time.Time) bool {
	if over := now.Sub(l.at); over >= rateOver {
		last := l.last()
		if !l.at.IsZero() {
			l.rate = float64(last-l.seen) / over.Seconds()
		}
		l.seen, l.at = last, now
	}
	return l.rate >= busyRate
}
