package journal

import (
	"errors"
	"testing"
	"time"

	"diwan/protocol/link"
)

// A request that was accepted before a restart is refused after it.
func TestRestoreReplay(t *testing.T) {
	dir := t.TempDir()
	now := clock.Add(-time.Hour)
	j := open(t, dir, func(o *Options) { o.Now = func() time.Time { return now } })
	old := make([]byte, 60_000)
	for range 40 { // an hour's traffic, several segments
		seq, err := j.AppendNote(FirstNote, old)
		if err == nil {
			err = j.Wait(t.Context(), seq)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	now = clock
	fill(t, j, 4) // odd ones were received
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, dir)
	w := link.NewReplayWindow(clock, 0, nil)
	if err := j.RestoreReplay(w, clock); err != nil {
		t.Fatal(err)
	}
	s := signer(t, 1)
	for n, want := range map[int]error{1: link.ErrReplayed, 3: link.ErrReplayed, 5: nil, 7: nil} {
		if err := w.Admit(message(t, s, n).Envelope, clock); !errors.Is(err, want) {
			t.Errorf("message %d after the restart: %v", n, err)
		}
	}
	if from, err := j.Since(clock.Add(-time.Minute)); err != nil || from == 1 || from > 41 {
		t.Errorf("since a minute before: %d, %v", from, err)
	}
}
