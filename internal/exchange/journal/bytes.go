package journal

import (
	"encoding/binary"
	"fmt"
)

// Bytes returns the record as it lies on disk, its length first and its chain
// last. A transparency log holds the hash of these bytes; since the chain is among
// them, that hash stands for the record and for everything before it.
func (e *Entry) Bytes() []byte {
	kind := byte(e.Type)
	if e.first {
		kind |= firstOfCommit
	}
	b := make([]byte, 0, 4+minRecord+len(e.Payload))
	b = binary.BigEndian.AppendUint32(b, uint32(minRecord+len(e.Payload)))
	b = append(b, kind)
	b = binary.BigEndian.AppendUint64(b, e.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMilli()))
	b = append(b, e.Payload...)
	return append(b, e.Chain[:]...)
}

// ParseRecord reads what Bytes returns. It says nothing of the chain, which only
// the record before can confirm.
func ParseRecord(b []byte) (Entry, error) {
	e, n, err := parse(b)
	if err == nil && n != len(b) {
		err = errRecord
	}
	if err != nil {
		return Entry{}, fmt.Errorf("journal: %w", err)
	}
	return own(e), nil
}
