package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// run writes one commit after another. While one is flushed the next one fills,
// so the slower the disk the larger the groups.
func (j *Journal) run() {
	defer j.done.Done()
	var spareBuf []byte
	for stopping := false; !stopping; {
		select {
		case <-j.kick:
		case <-j.stop:
			stopping = true
			j.mu.Lock()
			if j.failed == nil {
				// Nothing more is admitted; what waits is still written.
				defer j.fail(ErrClosed)
			}
			j.mu.Unlock()
		}
		c := j.take(spareBuf)
		if c == nil {
			continue
		}
		if err := j.write(c); err != nil {
			j.opt.Log.Error("journal: writing has failed; nothing is appended any more", "err", err)
			j.fail(fmt.Errorf("%w: %w", ErrFailed, err))
			continue
		}
		j.mu.Lock()
		j.durable, j.anchor = c.last, c.chain
		j.fly = nil
		changed := j.changed
		j.changed = make(chan struct{})
		j.mu.Unlock()
		close(c.ch)
		close(changed)
		if spareBuf = c.buf; cap(spareBuf) > 4<<20 {
			spareBuf = nil
		}
	}
}

func (j *Journal) take(buf []byte) *commit {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil || len(j.pend.buf) == 0 {
		return nil
	}
	c := j.pend
	j.fly, j.pend = c, newCommit(buf)
	return c
}

// fail ends writing for good and wakes whoever waits.
func (j *Journal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return
	}
	j.failed = err
	if j.fly != nil {
		close(j.fly.ch)
	}
	close(j.pend.ch)
	close(j.changed)
}

// write makes one commit durable. Its error is final: after a failed flush the
// system may have forgotten the pages, and a second flush would lie.
func (j *Journal) write(c *commit) error {
	if j.file == nil || j.off+int64(len(c.buf)) > j.limit {
		if err := j.rotate(header{first: c.first, made: j.opt.Now().UnixMilli(), prev: c.prev}); err != nil {
			return err
		}
	}
	if _, err := j.file.WriteAt(c.buf, j.off); err != nil {
		return fmt.Errorf("writing records %d to %d: %w", c.first, c.last, err)
	}
	if err := j.opt.flush(j.file); err != nil {
		return fmt.Errorf("flushing records %d to %d: %w", c.first, c.last, err)
	}
	j.off += int64(len(c.buf))
	return nil
}

// rotate begins a segment.
func (j *Journal) rotate(h header) error {
	if err := <-j.ready; err != nil {
		return fmt.Errorf("preparing a segment: %w", err)
	}
	f, err := install(j.dir, h)
	if err != nil {
		return fmt.Errorf("beginning a segment: %w", err)
	}
	if j.file != nil {
		j.file.Close()
	}
	j.file, j.off, j.limit = f, headerSize, j.opt.SegmentBytes
	j.prepare()
	return nil
}

// prepare writes the next segment's zeros ahead of need. While the disk is
// below its watermark, or full, it waits: appending is refused meanwhile, but
// for what was admitted before.
func (j *Journal) prepare() {
	ready := make(chan error, 1)
	j.ready = ready
	j.prep.Go(func() {
		path := filepath.Join(j.dir, spare)
		if i, err := os.Stat(path); err == nil && i.Size() == j.opt.SegmentBytes && blank(path) {
			ready <- nil
			return
		}
		for {
			err := prewrite(path, j.opt.SegmentBytes)
			if err == nil {
				ready <- nil
				return
			}
			j.opt.Log.Warn("journal: cannot prepare a segment", "err", err)
			j.setLow(true)
			select {
			case <-j.stop:
				ready <- err
				return
			case <-time.After(j.opt.CheckEvery):
			}
		}
	})
}

// blank says whether a spare file from before a crash is still unused.
func blank(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	end, err := lastByte(f, 0)
	return err == nil && end == 0
}

// watch looks at the disk from time to time.
func (j *Journal) watch() {
	defer j.done.Done()
	t := time.NewTicker(j.opt.CheckEvery)
	defer t.Stop()
	for {
		select {
		case <-j.stop:
			return
		case <-t.C:
			j.look()
		}
	}
}

func (j *Journal) look() {
	free, err := j.opt.Free(j.dir)
	if err != nil {
		j.opt.Log.Warn("journal: free space unknown", "err", err)
		return
	}
	j.setLow(free < j.opt.MinFree)
}

func (j *Journal) setLow(low bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if low != j.low {
		j.opt.Log.Warn("journal: disk watermark", "refusing", low)
	}
	j.low = low
}
