package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// DropBefore removes the segments whose records were all made before a time,
// and returns how many. What is removed, and the chain at its end, is recorded
// first, so that the journal itself says why it does not begin at 1. The
// segment that is being written always stays.
func (j *Journal) DropBefore(ctx context.Context, t time.Time) (int, error) {
	list, err := segments(j.dir)
	if err != nil {
		return 0, err
	}
	n := 0
	var next header
	for n+1 < len(list) {
		// Everything in a segment is older than the header of the one after it.
		h, err := readHeader(j.dir, list[n+1])
		if err != nil {
			return 0, err
		}
		if h.made > t.UnixMilli() {
			break
		}
		n, next = n+1, h
	}
	if n == 0 {
		return 0, nil
	}
	d := dropped{first: list[0], last: next.first - 1, chain: next.prev}
	seq, err := j.append(Dropped, d.append(nil))
	if err == nil {
		err = j.Wait(ctx, seq)
	}
	if err != nil {
		return 0, fmt.Errorf("recording what is dropped: %w", err)
	}
	for i := range n {
		if err := os.Remove(filepath.Join(j.dir, segmentName(list[i]))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return i, fmt.Errorf("dropping a segment: %w", err)
		}
	}
	return n, syncDir(j.dir)
}
