package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"diwan/protocol/link"
)

// Type says what a record holds.
type Type byte

const (
	// Received and Sent are messages.
	Received Type = 1
	Sent     Type = 2
	// Dropped says which records retention has removed; Cut, what was cut off
	// after a crash.
	Dropped Type = 3
	Cut     Type = 4
	// FirstNote is the first type that callers may use for records of their
	// own, up to LastNote.
	FirstNote Type = 16
	LastNote  Type = 127
)

const firstOfCommit = 0x80

// Chain is a value of the hash chain.
type Chain [sha256.Size]byte

const (
	recordFixed = 1 + 8 + 8
	minRecord   = recordFixed + sha256.Size
	maxMessage  = link.EnvelopeSize + 2 + link.MaxSignature + 4 + link.MaxHead
	// MaxNote is the length of a note in bytes.
	MaxNote = 64 << 10
	// maxRecord is what a length field may say.
	maxRecord = minRecord + maxMessage
)

// Entry is a record as it was read.
type Entry struct {
	Seq  uint64
	Type Type
	// At is this gateway's clock when the record was made.
	At time.Time
	// Message is set for Received and Sent.
	Message *link.Record
	// Payload is the record's payload as stored.
	Payload []byte
	Chain   Chain

	first bool
}

var errRecord = errors.New("not a record")

// parse takes apart the record at the start of b and returns its length. It
// does not look at the chain. The entry's slices are those of b.
func parse(b []byte) (Entry, int, error) {
	if len(b) < 4 {
		return Entry{}, 0, errRecord
	}
	n := binary.BigEndian.Uint32(b)
	if n < minRecord || n > maxRecord || int(n) > len(b)-4 {
		return Entry{}, 0, errRecord
	}
	size := 4 + int(n)
	e := Entry{Type: Type(b[4] &^ firstOfCommit), first: b[4]&firstOfCommit != 0, Seq: binary.BigEndian.Uint64(b[5:]),
		Payload: b[4+recordFixed : size-sha256.Size], Chain: Chain(b[size-sha256.Size : size])}
	at := binary.BigEndian.Uint64(b[13:])
	if at > 1<<48 || e.Seq == 0 {
		return Entry{}, 0, errRecord
	}
	e.At = time.UnixMilli(int64(at)).UTC()
	if e.Type == Received || e.Type == Sent {
		m, err := parseMessage(e.Payload)
		if err != nil {
			return Entry{}, 0, err
		}
		m.Sent = e.Type == Sent
		e.Message = m
	}
	return e, size, nil
}

func parseMessage(b []byte) (*link.Record, error) {
	if len(b) < link.EnvelopeSize+6 {
		return nil, errRecord
	}
	m := &link.Record{Envelope: (*link.Envelope)(b)}
	b = b[link.EnvelopeSize:]
	s := int(binary.BigEndian.Uint16(b))
	if b = b[2:]; s > len(b)-4 {
		return nil, errRecord
	}
	m.Signature, b = b[:s:s], b[s:]
	if int64(binary.BigEndian.Uint32(b)) != int64(len(b)-4) {
		return nil, errRecord
	}
	m.Head = b[4:]
	return m, nil
}

func appendMessage(dst []byte, m *link.Record) []byte {
	dst = append(dst, m.Envelope[:]...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(m.Signature)))
	dst = append(dst, m.Signature...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(m.Head)))
	return append(dst, m.Head...)
}

// chainOf is the chain that the record at the start of b, of this size, should
// have after prev.
func chainOf(b []byte, size int, prev *Chain) Chain {
	h := sha256.New()
	h.Write(prev[:])
	h.Write(b[:size-sha256.Size])
	var sum Chain
	h.Sum(sum[:0])
	return sum
}

// holds says whether it has it.
func holds(b []byte, size int, prev *Chain) bool {
	return chainOf(b, size, prev) == Chain(b[size-sha256.Size:size])
}

// dropped is the payload of a Dropped record.
type dropped struct {
	first, last uint64
	chain       Chain // of the last record that was removed
}

func (d dropped) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, d.first)
	dst = binary.BigEndian.AppendUint64(dst, d.last)
	return append(dst, d.chain[:]...)
}

func parseDropped(b []byte) (dropped, error) {
	if len(b) != 16+sha256.Size {
		return dropped{}, errRecord
	}
	d := dropped{first: binary.BigEndian.Uint64(b), last: binary.BigEndian.Uint64(b[8:]), chain: Chain(b[16:])}
	if d.first == 0 || d.last < d.first {
		return dropped{}, errRecord
	}
	return d, nil
}

// segment header
const headerSize = 128

var magic = [4]byte{'D', 'W', 'J', 1}

type header struct {
	first uint64
	made  int64 // ms
	prev  Chain
}

func (h header) bytes() []byte {
	b := make([]byte, headerSize)
	copy(b, magic[:])
	binary.BigEndian.PutUint64(b[8:], h.first)
	binary.BigEndian.PutUint64(b[16:], uint64(h.made))
	copy(b[24:], h.prev[:])
	sum := sha256.Sum256(b[:96])
	copy(b[96:], sum[:])
	return b
}

func parseHeader(b []byte) (header, error) {
	if len(b) < headerSize || [4]byte(b[:4]) != magic || sha256.Sum256(b[:96]) != [32]byte(b[96:128]) {
		return header{}, errors.New("damaged header")
	}
	h := header{first: binary.BigEndian.Uint64(b[8:]), made: int64(binary.BigEndian.Uint64(b[16:])), prev: Chain(b[24:])}
	if h.first == 0 {
		return header{}, fmt.Errorf("header of a segment that begins at 0")
	}
	return h, nil
}
