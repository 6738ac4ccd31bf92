package journal

import (
	"errors"
	"fmt"
	"io"
	"time"

	"diwan/protocol/link"
)

// Since returns a number at or before the first record made at a time: the
// beginning of its segment. 1 when nothing is kept that is as old.
func (j *Journal) Since(t time.Time) (uint64, error) {
	list, err := segments(j.dir)
	if err != nil {
		return 0, err
	}
	from := uint64(1)
	for i := len(list) - 1; i >= 0; i-- {
		h, err := readHeader(j.dir, list[i])
		if err != nil {
			return 0, err
		}
		if from = list[i]; h.made < t.UnixMilli() {
			break
		}
	}
	return from, nil
}

// RestoreReplay tells a replay window, before it is used, which requests this
// gateway accepted in the time that counts, so that a restart does not open the
// door to repetitions.
func (j *Journal) RestoreReplay(w *link.ReplayWindow, now time.Time) error {
	since := now.Add(-link.MaxValidity - 2*link.MaxSkew)
	from, err := j.Since(since)
	if err != nil {
		return err
	}
	r := j.Reader(from)
	defer r.Close()
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("restoring the replay window: %w", err)
		}
		if e.Type != Received || e.At.Before(since) || e.Message.Envelope.Kind() != link.KindRequest {
			continue
		}
		if err := w.Remember(e.Message.Envelope, now); err != nil && !errors.Is(err, link.ErrReplayed) {
			return fmt.Errorf("restoring the replay window: %w", err)
		}
	}
	w.Restored()
	return nil
}
