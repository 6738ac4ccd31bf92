package journal

import (
	"bytes"
	"testing"
)

// FuzzParseRecord: what is accepted as a record is one in exactly one form.
func FuzzParseRecord(f *testing.F) {
	e := Entry{Seq: 7, Type: FirstNote, Payload: []byte("note")}
	f.Add(e.Bytes())
	f.Add([]byte{0, 0, 0, 49})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseRecord(b)
		if err == nil && !bytes.Equal(e.Bytes(), b) {
			t.Errorf("%x reads as a record of other bytes %x", b, e.Bytes())
		}
	})
}
