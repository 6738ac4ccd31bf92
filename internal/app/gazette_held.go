package app

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"diwan/internal/gazette"
	"diwan/internal/gov"
)

// heldLaw knows which works the gazette holds, so that pages of other slices
// link to a text of law exactly when there is one to read.
type heldLaw struct {
	gazette *gazette.Gazette
	log     *slog.Logger
	now     atomic.Pointer[heldSet]
	asked   atomic.Int64 // when the revision was last asked for, in nanoseconds
}

type heldSet struct {
	revision int64
	works    map[string]bool
}

// refresh reads the works again when the gazette has changed.
func (h *heldLaw) refresh(ctx context.Context) error {
	rev, err := h.gazette.Revision(ctx)
	if err != nil {
		return err
	}
	if have := h.now.Load(); have != nil && have.revision == rev {
		return nil
	}
	works, err := h.gazette.Addresses(ctx)
	if err != nil {
		return err
	}
	h.now.Store(&heldSet{rev, works})
	return nil
}

// holds tells whether the text of an address can be read here. What it knows is
// at most watchInterval old.
func (h *heldLaw) holds(a gov.Address) bool {
	now := time.Now().UnixNano()
	if last := h.asked.Load(); now-last > int64(watchInterval) && h.asked.CompareAndSwap(last, now) {
		if err := h.refresh(context.Background()); err != nil {
			h.log.Error("looking up which texts of law are held failed; the last answer stays", "error", err)
		}
	}
	set := h.now.Load()
	return set != nil && set.works[string(a.Work())]
}
