package link

import (
	"crypto/sha256"
	"fmt"
	"sync"
)

// rootsKept is how many verified roots one generation of the cache holds: at
// one batch every 250 µs from a busy peer, two seconds of it.
const rootsKept = 8192

// Verifier verifies signatures, and remembers the roots it has verified, so
// that a batch costs one verification whatever the number of its messages. It
// is for many goroutines.
//
// The cache has two generations: when the young one is full it becomes the old
// one, and what was old is forgotten. It holds only what held, so that nobody
// fills it without signing.
type Verifier struct {
	mu       sync.Mutex
	young    map[Hash]struct{}
	old      map[Hash]struct{}
	capacity int
}

// NewVerifier returns a verifier with an empty cache.
func NewVerifier() *Verifier {
	return &Verifier{young: map[Hash]struct{}{}, capacity: rootsKept}
}

// Verify says whether the signature field holds for this envelope under this
// key. It does not look at clocks, digests or membership.
func (v *Verifier) Verify(e *Envelope, field []byte, key *PublicKey) error {
	if e.Key() != key.id || e.Alg() != key.alg {
		return fmt.Errorf("%w: made with another key", ErrSignature)
	}
	s, err := parseSignature(field)
	if err != nil {
		return err
	}
	if s.form == FormSingle {
		if !key.verify(e[:], s.raw) {
			return ErrSignature
		}
		return nil
	}
	// A batch is sealed when its messages are made; one that claims another
	// time is not what a sealer makes.
	if d := s.created - e.createdMilli(); d > MaxSkew.Milliseconds() || d < -MaxSkew.Milliseconds() {
		return fmt.Errorf("%w: the batch is of another time", ErrSignature)
	}
	root, ok := rootFrom(leafHash(e), s.index, s.n, s.proof)
	if !ok {
		return fmt.Errorf("%w: proof", ErrSignature)
	}
	st := Statement(key.id, s.created, s.n, &root)
	var buf [StatementSize + rawSignature + 32]byte
	copy(buf[:], st[:])
	copy(buf[StatementSize:], s.raw)
	copy(buf[StatementSize+rawSignature:], key.print[:])
	name := sha256.Sum256(buf[:])
	if v.known(name) {
		return nil
	}
	if !key.verify(st[:], s.raw) {
		return ErrSignature
	}
	v.keep(name)
	return nil
}

func (v *Verifier) known(name Hash) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.young[name]; ok {
		return true
	}
	_, ok := v.old[name]
	return ok
}

func (v *Verifier) keep(name Hash) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.young) >= v.capacity {
		v.old, v.young = v.young, make(map[Hash]struct{}, v.capacity)
	}
	v.young[name] = struct{}{}
}
