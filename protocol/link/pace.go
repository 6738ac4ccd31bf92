package link

import (
	"sync"
	"time"
)

// pacer wakes sealers after a fraction of a millisecond. A timer of the runtime
// rounds such waits up to a whole one when the process is otherwise idle, so
// one goroutine of the process sleeps in the system for all of them. It sleeps
// only while somebody waits.
type pacer struct {
	mu      sync.Mutex
	waiting []pace
	wake    chan struct{}
	started bool
}

type pace struct {
	at time.Time
	ch chan struct{}
}

var pacing = pacer{wake: make(chan struct{}, 1)}

// after sends on ch (which has room for one) when d has passed. A stale send is
// possible: who is woken looks at the clock.
func (p *pacer) after(d time.Duration, ch chan struct{}) {
	p.mu.Lock()
	if !p.started {
		p.started = true
		go p.run()
	}
	p.waiting = append(p.waiting, pace{time.Now().Add(d), ch})
	first := len(p.waiting) == 1
	p.mu.Unlock()
	if first {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

func (p *pacer) run() {
	for range p.wake {
		for {
			next, some := p.due(time.Now())
			if !some {
				break
			}
			shortSleep(next)
		}
	}
}

// due wakes those whose time has come and returns how long the next must wait.
func (p *pacer) due(now time.Time) (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.waiting[:0]
	next := MaxSealDelay
	for _, w := range p.waiting {
		if left := w.at.Sub(now); left > 0 {
			kept = append(kept, w)
			next = min(next, left)
			continue
		}
		select {
		case w.ch <- struct{}{}:
		default:
		}
	}
	clear(p.waiting[len(kept):])
	p.waiting = kept
	return next, len(kept) > 0
}
