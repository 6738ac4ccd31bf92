package journal

import (
	"bytes"
	"crypto/sha256"
	"testing"
)

// The bytes that others keep the hash of are those on disk.
func TestBytes(t *testing.T) {
	dir := t.TempDir()
	j, err := Open(dir, Options{SegmentBytes: 1 << 20, MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if _, err := j.AppendNote(FirstNote, bytes.Repeat([]byte{byte(i)}, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Wait(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	j.Close()
	onDisk := map[uint64][32]byte{}
	r, err := VerifyEach(dir, nil, nil, func(e Entry, record []byte) error {
		onDisk[e.Seq] = sha256.Sum256(record)
		return nil
	})
	if err != nil || len(r.Problems) > 0 || len(onDisk) != 5 {
		t.Fatalf("%+v, %v", r, err)
	}
	read := NewReader(dir, 1)
	defer read.Close()
	for range 5 {
		e, err := read.Next()
		if err != nil {
			t.Fatal(err)
		}
		b := e.Bytes()
		if sha256.Sum256(b) != onDisk[e.Seq] {
			t.Errorf("record %d has other bytes", e.Seq)
		}
		again, err := ParseRecord(b)
		if err != nil || again.Seq != e.Seq || !bytes.Equal(again.Bytes(), b) {
			t.Errorf("record %d reads back as %+v, %v", e.Seq, again, err)
		}
		if _, err := ParseRecord(append(b, 0)); err == nil {
			t.Error("something behind a record is ignored")
		}
	}
}
