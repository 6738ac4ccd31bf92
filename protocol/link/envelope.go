package link

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// EnvelopeSize is the length of every envelope in bytes.
const EnvelopeSize = 208

// Kind says what an envelope is about.
type Kind byte

const (
	KindRequest  Kind = 1
	KindResponse Kind = 2
	KindChunk    Kind = 3
)

// Flags of an envelope.
const (
	// FlagStream, of a request or response: the body follows in chunks, and the
	// body digest of the envelope is zero.
	FlagStream byte = 1
	// FlagFinal, of a chunk: no other follows.
	FlagFinal byte = 2
)

// KeyID names a signing key: the first eight bytes of the SHA-256 of its
// SubjectPublicKeyInfo.
type KeyID [8]byte

func (k KeyID) String() string { return hex.EncodeToString(k[:]) }

// RequestID names one exchange. The consumer makes it at random.
type RequestID [16]byte

func (r RequestID) String() string { return hex.EncodeToString(r[:]) }

// NewRequestID makes a random (version 4) UUID, so that the same sixteen bytes
// can be written as text in a head.
func NewRequestID() RequestID {
	var r RequestID
	rand.Read(r[:])
	r[6] = r[6]&0x0f | 0x40
	r[8] = r[8]&0x3f | 0x80
	return r
}

// Digest is a SHA-512 digest.
type Digest [sha512.Size]byte

// EmptyDigest is the digest of no bytes at all.
var EmptyDigest = Digest(sha512.Sum512(nil))

// Envelope is what a signature covers. The offsets are part of the format.
type Envelope [EnvelopeSize]byte

const (
	offKind    = 4
	offAlg     = 5
	offFlags   = 6
	offZero    = 7
	offKey     = 8
	offCreated = 16
	offValid   = 24
	offStatus  = 28
	offID      = 32
	offHead    = 48
	offBody    = 112
	offBind    = 176
)

var envelopeMagic = [4]byte{'D', 'W', 'L', 1}

// Fields are the contents of an envelope, taken apart.
type Fields struct {
	Kind    Kind
	Alg     Algorithm
	Flags   byte
	Key     KeyID
	Created time.Time     // to the millisecond
	Valid   time.Duration // to the millisecond, at most MaxValidity
	Status  uint32        // of a response its status, of a chunk its index
	ID      RequestID
	Head    Digest   // of the head; of a chunk zero
	Body    Digest   // of the body; of a chunk, of the whole body up to its end
	Bind    [32]byte // what this answers or continues; of a request zero
}

// Make lays fields out as an envelope. It does not check them.
func (f *Fields) Make() *Envelope {
	e := new(Envelope)
	f.fill(e)
	return e
}

func (f *Fields) fill(e *Envelope) {
	copy(e[:], envelopeMagic[:])
	e[offKind], e[offAlg], e[offFlags], e[offZero] = byte(f.Kind), byte(f.Alg), f.Flags, 0
	copy(e[offKey:], f.Key[:])
	binary.BigEndian.PutUint64(e[offCreated:], uint64(f.Created.UnixMilli()))
	binary.BigEndian.PutUint32(e[offValid:], uint32(f.Valid.Milliseconds()))
	binary.BigEndian.PutUint32(e[offStatus:], f.Status)
	copy(e[offID:], f.ID[:])
	copy(e[offHead:], f.Head[:])
	copy(e[offBody:], f.Body[:])
	copy(e[offBind:], f.Bind[:])
}

// Fields takes the envelope apart.
func (e *Envelope) Fields() Fields {
	return Fields{Kind: e.Kind(), Alg: e.Alg(), Flags: e.Flags(), Key: e.Key(), Created: e.Created(), Valid: e.Valid(),
		Status: e.Status(), ID: e.ID(), Head: *e.HeadDigest(), Body: *e.BodyDigest(), Bind: *e.Bind()}
}

func (e *Envelope) Kind() Kind     { return Kind(e[offKind]) }
func (e *Envelope) Alg() Algorithm { return Algorithm(e[offAlg]) }
func (e *Envelope) Flags() byte    { return e[offFlags] }

// Streamed says that the body follows in chunks.
func (e *Envelope) Streamed() bool { return e[offFlags]&FlagStream != 0 }

// Final says that this is the last chunk.
func (e *Envelope) Final() bool { return e[offFlags]&FlagFinal != 0 }

func (e *Envelope) Key() KeyID { return KeyID(e[offKey : offKey+8]) }

// Created is the sender's clock when the message was made.
func (e *Envelope) Created() time.Time { return time.UnixMilli(e.createdMilli()) }

func (e *Envelope) createdMilli() int64 { return int64(binary.BigEndian.Uint64(e[offCreated:])) }
func (e *Envelope) validMilli() int64   { return int64(binary.BigEndian.Uint32(e[offValid:])) }

// Valid is how long after Created the message may be accepted.
func (e *Envelope) Valid() time.Duration { return time.Duration(e.validMilli()) * time.Millisecond }

// Status is the status of a response, or the index of a chunk.
func (e *Envelope) Status() uint32 { return binary.BigEndian.Uint32(e[offStatus:]) }

func (e *Envelope) ID() RequestID       { return RequestID(e[offID : offID+16]) }
func (e *Envelope) HeadDigest() *Digest { return (*Digest)(e[offHead:]) }
func (e *Envelope) BodyDigest() *Digest { return (*Digest)(e[offBody:]) }
func (e *Envelope) Bind() *[32]byte     { return (*[32]byte)(e[offBind:]) }

// Hash is the SHA-256 of the envelope: what a response binds of its request and
// a chunk of what came before it.
func (e *Envelope) Hash() [32]byte { return sha256.Sum256(e[:]) }

// ErrEnvelope is what every malformed envelope is.
var ErrEnvelope = errors.New("malformed envelope")

// maxMilli keeps created+valid within what an int64 of milliseconds can add.
const maxMilli = 1 << 48

// Check says whether the envelope is well formed: it knows nothing of keys,
// clocks or bytes. Fields that a kind does not use must be zero, so that there
// is one way only to say a thing.
func (e *Envelope) Check() error {
	fail := func(what string) error { return fmt.Errorf("%w: %s", ErrEnvelope, what) }
	if [4]byte(e[:4]) != envelopeMagic {
		return fail("magic or version")
	}
	if a := e.Alg(); a != Ed25519 && a != ECDSAP256 {
		return fail("algorithm")
	}
	if e[offZero] != 0 {
		return fail("reserved byte")
	}
	if c := binary.BigEndian.Uint64(e[offCreated:]); c > maxMilli {
		return fail("time of creation")
	}
	if v := e.validMilli(); v == 0 || v > MaxValidity.Milliseconds() {
		return fail("validity")
	}
	if e.Streamed() && *e.BodyDigest() != (Digest{}) {
		return fail("body digest of a body that follows")
	}
	switch e.Kind() {
	case KindRequest:
		if e.Flags()&^FlagStream != 0 || e.Status() != 0 || *e.Bind() != ([32]byte{}) {
			return fail("request")
		}
	case KindResponse:
		if s := e.Status(); e.Flags()&^FlagStream != 0 || s < 100 || s > 999 {
			return fail("response")
		}
	case KindChunk:
		if e.Flags()&^FlagFinal != 0 || e.Status() >= MaxChunks || *e.HeadDigest() != (Digest{}) {
			return fail("chunk")
		}
	default:
		return fail("kind")
	}
	return nil
}

// CheckTime says whether the message may be believed at this time, with clocks
// that differ by at most MaxSkew.
func (e *Envelope) CheckTime(now time.Time) error {
	n, c, skew := now.UnixMilli(), e.createdMilli(), MaxSkew.Milliseconds()
	if c > n+skew {
		return ErrFuture
	}
	if n > c+e.validMilli()+skew {
		return ErrExpired
	}
	return nil
}

// MessageHash is the hash of a message as the X-Road REST protocol defines it:
// over both digests, or over the head's alone when there is no body.
func MessageHash(head, body *Digest) Digest {
	if *body == EmptyDigest {
		return *head // the digest of the head is the hash itself
	}
	var b [2 * sha512.Size]byte
	copy(b[:], head[:])
	copy(b[sha512.Size:], body[:])
	return sha512.Sum512(b[:])
}
