package link

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Forms of a signature field.
const (
	// FormSingle is the byte 1 and a signature over the envelope.
	FormSingle byte = 1
	// FormBatch is the byte 2, the time of the batch, its number of messages,
	// the index of this one, its proof, and a signature over the statement.
	FormBatch byte = 2
)

// StatementSize is the length of what is signed for a batch.
const StatementSize = 4 + 8 + 8 + 2 + 32

var statementMagic = [4]byte{'D', 'W', 'B', 1}

// Statement is what is signed for a batch: "at this time, with this key, I send
// so many messages under this root".
func Statement(key KeyID, created int64, n int, root *Hash) [StatementSize]byte {
	var s [StatementSize]byte
	copy(s[:], statementMagic[:])
	copy(s[4:], key[:])
	binary.BigEndian.PutUint64(s[12:], uint64(created))
	binary.BigEndian.PutUint16(s[20:], uint16(n))
	copy(s[22:], root[:])
	return s
}

// ErrSignature is what every signature is that does not hold, malformed ones
// included.
var ErrSignature = errors.New("signature does not hold")

// signature is a signature field taken apart; its slices are the field's own.
type signature struct {
	form    byte
	created int64
	n       int
	index   int
	proof   []byte
	raw     []byte
}

const batchFixed = 1 + 8 + 2 + 2 + 1

func parseSignature(b []byte) (signature, error) {
	bad := func(what string) (signature, error) {
		return signature{}, fmt.Errorf("%w: %s", ErrSignature, what)
	}
	switch {
	case len(b) == 0 || len(b) > MaxSignature:
		return bad("length")
	case b[0] == FormSingle:
		if len(b) != 1+rawSignature {
			return bad("length")
		}
		return signature{form: FormSingle, n: 1, raw: b[1:]}, nil
	case b[0] != FormBatch:
		return bad("form")
	case len(b) < batchFixed:
		return bad("length")
	}
	s := signature{form: FormBatch, n: int(binary.BigEndian.Uint16(b[9:])), index: int(binary.BigEndian.Uint16(b[11:]))}
	created := binary.BigEndian.Uint64(b[1:])
	np := int(b[13])
	if created > maxMilli || s.n == 0 || s.index >= s.n || np > MaxProof || len(b) != batchFixed+np*32+rawSignature {
		return bad("batch")
	}
	s.created = int64(created)
	s.proof, s.raw = b[batchFixed:batchFixed+np*32], b[batchFixed+np*32:]
	return s, nil
}

// AppendSingle appends a signature over one envelope.
func AppendSingle(dst []byte, s *Signer, e *Envelope) ([]byte, error) {
	return s.appendRaw(append(dst, FormSingle), e[:])
}

// Batch signs many envelopes at once. It keeps its memory between uses, and is
// for one goroutine.
type Batch struct {
	tree Tree
	raw  [rawSignature]byte
	head [batchFixed]byte
}

// Sign builds the tree of 1 to 65,535 envelopes and signs its root as of
// created, in milliseconds since 1970.
func (b *Batch) Sign(s *Signer, created int64, envelopes []*Envelope) error {
	n := len(envelopes)
	if n == 0 || n > 65535 {
		return fmt.Errorf("link: a batch of %d messages", n)
	}
	b.tree.Build(envelopes)
	root := b.tree.Root()
	st := Statement(s.pub.id, created, n, &root)
	if _, err := s.appendRaw(b.raw[:0], st[:]); err != nil {
		return err
	}
	b.head[0] = FormBatch
	binary.BigEndian.PutUint64(b.head[1:], uint64(created))
	binary.BigEndian.PutUint16(b.head[9:], uint16(n))
	return nil
}

// Append appends the signature field of envelope i of the batch signed last.
func (b *Batch) Append(dst []byte, i int) []byte {
	at := len(dst)
	dst = append(dst, b.head[:]...)
	dst, np := b.tree.AppendProof(dst, i)
	binary.BigEndian.PutUint16(dst[at+11:], uint16(i))
	dst[at+13] = byte(np)
	return append(dst, b.raw[:]...)
}
