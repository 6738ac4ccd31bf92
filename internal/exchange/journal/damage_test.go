package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// offsets returns where each record of the first segment begins, and the end.
func offsets(t *testing.T, path string) ([]byte, []int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := []int{headerSize}
	for {
		_, n, err := parse(b[at[len(at)-1]:])
		if err != nil {
			return b, at
		}
		at = append(at, at[len(at)-1]+n)
	}
}

func made(t *testing.T, n int) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	j := open(t, dir)
	fill(t, j, n)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, segmentName(1))
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Wherever the last commit is torn, what came before it stays and writing goes
// on.
func TestTornTail(t *testing.T) {
	dir, path := made(t, 6)
	whole, at := offsets(t, path)
	for cut := at[5] + 4; cut < at[6]; cut += 37 {
		b := bytes.Clone(whole)
		clear(b[cut:])
		write(t, path, b)
		j := open(t, dir)
		if r := j.Recovered(); r == nil || r.Seq != 6 || r.Bytes == 0 {
			t.Fatalf("cut at %d: %+v", cut, r)
		}
		fill(t, j, 2)
		all := readAll(t, j.Reader(1))
		if len(all) != 8 || all[5].Type != Cut {
			t.Fatalf("cut at %d: %d records", cut, len(all))
		}
		j.Close()
		clean(t, dir)
	}
	// The pages of the last write may arrive in any order: its start missing.
	b := bytes.Clone(whole)
	clear(b[at[5] : at[5]+50])
	write(t, path, b)
	j := open(t, dir)
	if r := j.Recovered(); r == nil || r.Seq != 6 {
		t.Errorf("start of a commit missing: %+v", r)
	}
	fill(t, j, 1)
	j.Close()
	clean(t, dir)
}

// A record that was durable and was changed is never cut away: the journal
// refuses to write on and still reads, and Verify names the record.
func TestEditedRecord(t *testing.T) {
	dir, path := made(t, 9)
	whole, at := offsets(t, path)
	for seq := 1; seq <= 8; seq++ {
		for _, where := range []int{0, 4, 5, 12, 30, 17 + 250, at[seq] - at[seq-1] - 40, at[seq] - at[seq-1] - 1} {
			b := bytes.Clone(whole)
			b[at[seq-1]+where] ^= 0x10
			write(t, path, b)
			var damage *DamageError
			if j, err := Open(dir, Options{SegmentBytes: 1 << 20, MinFree: 1}); !errors.As(err, &damage) || damage.Seq > uint64(seq+1) {
				if err == nil {
					j.Close()
				}
				t.Fatalf("record %d, byte %d: %v", seq, where, err)
			}
			r, err := Verify(dir, keys(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			named := false
			for _, p := range r.Problems {
				named = named || p.Seq <= uint64(seq) && p.Last >= uint64(seq)
			}
			if !named {
				t.Errorf("record %d, byte %d: %+v", seq, where, r.Problems)
			}
			if r.Last != 9 {
				t.Errorf("record %d, byte %d: verification ended at %d", seq, where, r.Last)
			}
		}
	}
}

func TestRemovedRecords(t *testing.T) {
	dir, path := made(t, 9)
	whole, at := offsets(t, path)
	b := append(bytes.Clone(whole[:at[3]]), whole[at[5]:]...) // 4 and 5
	write(t, path, append(b, make([]byte, at[5]-at[3])...))
	r, err := Verify(dir, keys(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) != 1 || r.Problems[0].Kind != Missing || r.Problems[0].Seq != 4 || r.Problems[0].Last != 5 {
		t.Errorf("%+v", r.Problems)
	}
	if _, err := Open(dir, Options{}); err == nil {
		t.Error("opened for writing with records missing")
	}
}

// Who rewrites the chain from some record on is found by an anchor, and cannot
// sign for others.
func TestRewrittenJournal(t *testing.T) {
	dir, path := made(t, 6)
	whole, at := offsets(t, path)
	b := bytes.Clone(whole)
	b[at[2]+4+recordFixed+40] ^= 1 // the head's digest in the envelope of 3
	prev := Chain(b[at[2]-32 : at[2]])
	anchor := Anchor{5, Chain(whole[at[5]-32 : at[5]])}
	for i := 2; i < 6; i++ {
		end := at[i+1]
		prev = chainOf(b[at[i]:], end-at[i], &prev)
		copy(b[end-32:], prev[:])
	}
	write(t, path, b)
	r, err := Verify(dir, keys(t), []Anchor{anchor, {Seq: 8}})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[ProblemKind]uint64{}
	for _, p := range r.Problems {
		kinds[p.Kind] = p.Seq
	}
	if kinds[Forged] != 3 || kinds[Rewritten] != 5 || kinds[Missing] != 7 || len(r.Problems) != 3 {
		t.Errorf("%+v", r.Problems)
	}
}

func TestDamagedHeader(t *testing.T) {
	dir, path := made(t, 3)
	b, _ := offsets(t, path)
	b[30] ^= 1
	write(t, path, b)
	if _, err := Open(dir, Options{}); err == nil {
		t.Error("opened with a damaged header")
	}
	r, err := Verify(dir, keys(t), nil)
	if err != nil || len(r.Problems) == 0 {
		t.Errorf("%+v %v", r, err)
	}
}

func FuzzSegment(f *testing.F) {
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		dir := t.TempDir()
		file := append(header{first: 1, made: 1}.bytes(), b...)
		write(t, filepath.Join(dir, segmentName(1)), file)
		r := NewReader(dir, 1)
		for range 10_000 {
			if _, err := r.Next(); err != nil {
				break
			}
		}
		r.Close()
		if _, err := Verify(dir, nil, nil); err != nil {
			t.Error(err)
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add(binary.BigEndian.AppendUint32(nil, minRecord))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, n, err := parse(b)
		if err != nil {
			return
		}
		if n > len(b) || n < 4+minRecord {
			t.Fatalf("a record of %d bytes in %d", n, len(b))
		}
		if e.Message != nil && !bytes.Equal(appendMessage(nil, e.Message), e.Payload) {
			t.Error("a message is written otherwise than it was read")
		}
	})
}
