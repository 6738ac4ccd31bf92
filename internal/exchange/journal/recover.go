package journal

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
)

// Recovery says what Open cut off the end of the journal after a crash. None of
// it was acknowledged.
type Recovery struct {
	Seq    uint64 // the number that was to be written
	Bytes  int64  // what was there of it and what followed
	Offset int64  // where, in the last segment
}

// DamageError says that a record that was durable does not hold any more: the
// disk is damaged or somebody has edited the file. Open refuses to write on;
// reading and Verify still work.
type DamageError struct {
	Segment string
	Seq     uint64
	Offset  int64
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("journal: record %d (%s, byte %d) was durable and does not hold any more; keep the files and run verify", e.Seq, e.Segment, e.Offset)
}

// Recovered says what was cut when the journal was opened, if anything.
func (j *Journal) Recovered() *Recovery { return j.cut }

// recover finds the end of the journal.
func (j *Journal) recover() error {
	list, err := segments(j.dir)
	if err != nil || len(list) == 0 {
		return err
	}
	first := list[len(list)-1]
	h, err := readHeader(j.dir, first)
	if err != nil {
		return fmt.Errorf("opening the journal: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(j.dir, segmentName(first)), os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("opening the journal: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	j.file, j.off, j.limit = f, headerSize, info.Size()
	j.seq, j.chain = h.first-1, h.prev
	if err := j.walk(newScanner(f)); err != nil {
		f.Close()
		return err
	}
	j.durable, j.anchor = j.seq, j.chain
	return nil
}

// walk follows the last segment to its end and cuts a tear.
func (j *Journal) walk(s *scanner) error {
	for {
		b, err := s.at(j.off)
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		e, size, err := parse(b)
		if err != nil || e.Seq != j.seq+1 || !holds(b, size, &j.chain) {
			return j.mend(s)
		}
		j.seq, j.chain = e.Seq, e.Chain
		j.off += int64(size)
	}
}

// mend clears what lies behind the last record that holds, if it is the torn
// rest of the last commit.
func (j *Journal) mend(s *scanner) error {
	end, err := lastByte(j.file, j.off)
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	if end == j.off {
		return nil
	}
	damage := &DamageError{Segment: filepath.Base(j.file.Name()), Seq: j.seq + 1, Offset: j.off}
	if followed, err := j.followed(s); err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	} else if followed {
		return damage
	}
	later := func(e Entry) bool { return e.first && e.Seq > j.seq+1 }
	if _, _, found, err := laterRecord(s, j.off, min(end+maxRecord, j.limit), later); err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	} else if found {
		return damage
	}
	j.cut = &Recovery{Seq: j.seq + 1, Bytes: end - j.off, Offset: j.off}
	j.opt.Log.Warn("journal: cut a torn end, which nobody was told of as written", "seq", j.seq+1, "bytes", end-j.off)
	zeros := make([]byte, 1<<20)
	for at := j.off; at < end; {
		n := min(end-at, int64(len(zeros)))
		if _, err := j.file.WriteAt(zeros[:n], at); err != nil {
			return fmt.Errorf("mending the journal: %w", err)
		}
		at += n
	}
	if err := j.opt.flush(j.file); err != nil {
		return fmt.Errorf("mending the journal: %w", err)
	}
	return nil
}

// followed says whether only the chain of the next record is damaged: the one
// after it continues what that chain should be, in a commit of its own.
func (j *Journal) followed(s *scanner) (bool, error) {
	b, err := s.at(j.off)
	if err != nil {
		return false, err
	}
	e, size, err := parse(b)
	if err != nil || e.Seq != j.seq+1 {
		return false, nil
	}
	chain := chainOf(b, size, &j.chain)
	if b, err = s.at(j.off + int64(size)); err != nil {
		return false, err
	}
	e, size, err = parse(b)
	return err == nil && e.first && e.Seq == j.seq+2 && holds(b, size, &chain), nil
}

// sayCut records that something was cut, and how much.
func (j *Journal) sayCut() error {
	b := binary.BigEndian.AppendUint64(nil, uint64(j.cut.Offset))
	b = binary.BigEndian.AppendUint64(b, uint64(j.cut.Bytes))
	if _, err := j.append(Cut, b); err != nil && err != ErrFull {
		return fmt.Errorf("recording a cut: %w", err)
	}
	return nil
}
