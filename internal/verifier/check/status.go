package check

import (
	"context"
	"fmt"
	"time"

	"diwan/protocol/statuslist"
)

// lookUp adds what the status list says to a result whose signature was found good. The
// list comes from the network only when the one at hand is to be renewed, and the one at
// hand is good until its end when the network fails.
func (k *Kit) lookUp(ctx context.Context, r *Result, ref statuslist.Reference) {
	now := k.o.Now()
	r.Place = &ref
	var v *statuslist.Verified
	var s statuslist.Value
	var err error
	if k.o.Fetch != nil {
		if s, v, err = k.status.Status(ctx, ref, now); err != nil && v == nil {
			k.failed(ctx, err)
		}
	}
	if k.o.Fetch == nil || v == nil {
		var other error
		if s, v, _, other = k.status.Offline(ref, now); err == nil {
			err = other
		} else if other == nil {
			err = nil
		}
	}
	if v != nil {
		r.StatusMade = v.IssuedAt
	}
	if err == nil && v.Expires.IsZero() && now.Sub(v.IssuedAt) > noEnd {
		err = fmt.Errorf("%w: it names no end and is of %s", statuslist.ErrStale, v.IssuedAt.Format(time.RFC3339))
	}
	switch {
	case err != nil:
		r.add(StatusUnknown, err)
	case s == statuslist.Valid:
	case s == statuslist.Invalid:
		r.add(Revoked, nil)
	case s == statuslist.Suspended:
		r.add(Suspended, nil)
	default:
		r.add(StatusUnknown, fmt.Errorf("the status %s has no agreed meaning", s))
	}
}
