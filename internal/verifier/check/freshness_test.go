package check

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A failure to renew the lists is told and stays to be seen until they are had again.
func TestFreshness(t *testing.T) {
	w := newWorld(t)
	down, told := errors.New("nobody answers"), 0
	broken := true
	now := w.now
	k := New(Options{Operator: operator, Anchors: w.kit.o.Anchors, TrustURL: trustURL, Now: func() time.Time { return now }, Failed: func(context.Context, error) { told++ },
		Fetch: func(ctx context.Context, url string) ([]byte, string, error) {
			if broken {
				return nil, "", down
			}
			return w.kit.o.Fetch(ctx, url)
		}})
	if f := k.Freshness(); f.Fresh(now) || f.Failing() {
		t.Errorf("before anything: %+v", f)
	}
	if r := k.Document(t.Context(), w.permit(w.town, nil)); r.State == Accepted {
		t.Error("accepted without a list")
	}
	if f := k.Freshness(); !f.Failing() || !errors.Is(f.Failure, down) || !f.FailedAt.Equal(now) || told != 1 {
		t.Errorf("after a failure: %+v, told %d times", f, told)
	}
	broken = false
	now = now.Add(retry)
	if err := k.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f := k.Freshness(); !f.Fresh(now) || f.Failing() || f.Failure == nil || !f.Had.Equal(now) {
		t.Errorf("after it came: %+v", f)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	broken = true
	now = now.Add(2 * time.Hour)
	if err := k.Refresh(gone); err == nil || told != 1 {
		t.Errorf("whoever went away is told of: %v, %d", err, told)
	}
}
