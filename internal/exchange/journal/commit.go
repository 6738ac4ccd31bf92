package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// run writes what nobody writes who waits for it: what came while another commit was
// being written, what nobody waits for yet, and at the end what is left.
func (j *Journal) run() {
	defer j.done.Done()
	for {
		select {
		case <-j.kick:
			if c := j.take(); c != nil {
				j.finish(c)
			}
		case <-j.stop:
			j.last()
			return
		}
	}
}

// last writes what waits when the journal is closed. Nothing more is admitted after it.
func (j *Journal) last() {
	j.mu.Lock()
	j.ending = true
	fly := j.fly
	failed := j.failed != nil
	j.mu.Unlock()
	if failed {
		return
	}
	if fly != nil {
		<-fly.ch
	}
	j.mu.Lock()
	c := j.begun()
	j.mu.Unlock()
	if c != nil {
		j.finish(c)
	}
	j.fail(ErrClosed)
}

// take begins the commit of what waits. It returns nil when there is nothing, or when a
// commit is being written: then the next one follows by itself.
func (j *Journal) take() *commit {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fly != nil {
		j.wanted = true
		return nil
	}
	if j.ending {
		return nil
	}
	return j.begun()
}

// begun makes the pending commit the one that is being written. The caller holds the
// lock, writes it, and calls finish: nobody else may meanwhile.
func (j *Journal) begun() *commit {
	if j.failed != nil || j.fly != nil || len(j.pend.buf) == 0 {
		return nil
	}
	j.fly, j.pend, j.spare = j.pend, newCommit(j.spare), nil
	return j.fly
}

// finish writes the commit that was begun and wakes whoever waits for it. While it is
// flushed the next one fills, so the slower the disk the larger the groups.
func (j *Journal) finish(c *commit) {
	if err := j.write(c); err != nil {
		j.opt.Log.Error("journal: writing has failed; nothing is appended any more", "err", err)
		j.fail(fmt.Errorf("%w: %w", ErrFailed, err))
		return
	}
	j.mu.Lock()
	j.durable, j.anchor = c.last, c.chain
	j.fly = nil
	more := j.wanted
	j.wanted = false
	changed := j.changed
	j.changed = make(chan struct{})
	if cap(c.buf) <= maxSpare {
		j.spare = c.buf
	}
	j.mu.Unlock()
	close(c.ch)
	close(changed)
	if more {
		j.commit()
	}
}

// maxSpare is the length of the longest buffer that is kept for the next commit.
const maxSpare = 4 << 20

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
