package link

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"sync"
	"time"
)

const (
	// memory is how long an identifier must be remembered at most: from the
	// earliest moment at which a message may arrive to the last.
	memory = MaxValidity + 2*MaxSkew
	// slots divide it, so that little more than it is kept.
	slots    = 4
	slotTime = memory / slots
	// DefaultReplayIDs is how many identifiers a Window keeps of one key.
	DefaultReplayIDs = 1 << 20
)

// Seen asks a log whether it has a request of this key with this identifier.
type Seen func(key KeyID, id RequestID) (bool, error)

// ReplayWindow refuses a request that was accepted before. It keeps eight bytes
// and little more for each, for as long as the request could be believed, and
// per key, so that one member's traffic neither pushes out nor meets another's.
//
// It lives in memory. A process that starts anew knows nothing of what was
// accepted before, so a request created before the start, or at a clock that
// may run ahead of it (up to start + MaxSkew), is only admitted if the log says
// that it is new: through seen, or, after Remember was called for everything
// that the log accepted in the last 120 s (MaxValidity + 2·MaxSkew) and
// Restored was called, from memory. With neither, such requests are refused:
// for a start without a log, that is the first half minute.
type ReplayWindow struct {
	mu       sync.Mutex
	keys     map[KeyID]*keyWindow
	seen     Seen
	doubt    int64 // created before this (ms) needs the log
	perKey   int
	lastTidy int64
}

type keyWindow struct {
	slot [slots + 1]map[uint64]struct{}
	at   int64 // number of the slot that is being filled: time / slotTime
	n    int
}

var _ Replay = (*ReplayWindow)(nil)

// NewReplayWindow makes the window of a process that starts now. perKey bounds
// the identifiers kept of one key; past it requests are refused, never
// forgotten. Zero means DefaultReplayIDs; seen may be nil.
func NewReplayWindow(start time.Time, perKey int, seen Seen) *ReplayWindow {
	if perKey <= 0 {
		perKey = DefaultReplayIDs
	}
	return &ReplayWindow{keys: map[KeyID]*keyWindow{}, seen: seen, perKey: perKey, doubt: start.Add(MaxSkew).UnixMilli()}
}

// Restored says that every request that was accepted before the start and could
// still be believed has been given to Remember.
func (w *ReplayWindow) Restored() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.doubt = 0
}

// Remember notes a request that the log shows as accepted.
func (w *ReplayWindow) Remember(e *Envelope, now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.admit(e, now)
}

// Admit implements Replay.
func (w *ReplayWindow) Admit(e *Envelope, now time.Time) error {
	if err := e.CheckTime(now); err != nil {
		return err
	}
	w.mu.Lock()
	doubt := w.doubt
	w.mu.Unlock()
	if e.createdMilli() < doubt {
		if w.seen == nil {
			return fmt.Errorf("%w: or may have been, before this process started", ErrReplayed)
		}
		was, err := w.seen(e.Key(), e.ID())
		if err != nil {
			return fmt.Errorf("%w: asking the log for a request: %w", ErrJournal, err)
		}
		if was {
			return ErrReplayed
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.admit(e, now)
}

func (w *ReplayWindow) admit(e *Envelope, now time.Time) error {
	n := now.UnixMilli() / slotTime.Milliseconds()
	w.tidy(n)
	k := w.keys[e.Key()]
	if k == nil {
		k = &keyWindow{at: n}
		w.keys[e.Key()] = k
	}
	k.turn(n)
	name := short(e.ID())
	for _, s := range k.slot {
		if _, ok := s[name]; ok {
			return ErrReplayed
		}
	}
	if k.n >= w.perKey {
		return fmt.Errorf("%w: the replay window of a key is full", ErrOverloaded)
	}
	i := k.at % int64(len(k.slot))
	if k.slot[i] == nil {
		k.slot[i] = map[uint64]struct{}{}
	}
	k.slot[i][name] = struct{}{}
	k.n++
	return nil
}

// turn empties the slots that are older than memory. A clock that goes back
// leaves everything as it is.
func (k *keyWindow) turn(n int64) {
	for ; k.at < n && k.n > 0; k.at++ {
		i := (k.at + 1) % int64(len(k.slot))
		k.n -= len(k.slot[i])
		k.slot[i] = nil
	}
	k.at = max(k.at, n)
}

// tidy drops keys that have been silent, once per slot of time.
func (w *ReplayWindow) tidy(n int64) {
	if n <= w.lastTidy {
		return
	}
	w.lastTidy = n
	for id, k := range w.keys {
		if k.turn(n); k.n == 0 {
			delete(w.keys, id)
		}
	}
}

// short folds an identifier to eight bytes. The sender chose the identifier, so
// two that meet cost their sender a repetition and nobody else.
func short(id RequestID) uint64 {
	return binary.BigEndian.Uint64(id[:]) ^ bits.RotateLeft64(binary.BigEndian.Uint64(id[8:]), 29)
}
