package casework

import (
	"container/list"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"sync"
	"time"

	"diwan/internal/gov"
)

// Keys gives the key under which everything about a person is sealed. To erase a
// person it is enough that it is gone.
type Keys interface {
	PersonKey(ctx context.Context, person string) ([]byte, error)
}

// keptKeys bounds the keys at hand, and keptFor how long one is used after the
// person may have been erased by another copy of the program.
const (
	keptKeys = 10_000
	keptFor  = time.Minute
)

// sealer seals and opens what persons said.
type sealer struct {
	keys  Keys
	clock gov.Clock

	mu    sync.Mutex
	at    map[string]*list.Element
	order list.List
}

type keptKey struct {
	person string
	aead   cipher.AEAD
	read   time.Time
}

func newSealer(k Keys, c gov.Clock) *sealer {
	return &sealer{keys: k, clock: c, at: map[string]*list.Element{}}
}

// of returns the cipher of a person.
func (s *sealer) of(ctx context.Context, person string) (cipher.AEAD, error) {
	now := s.clock.Now()
	s.mu.Lock()
	if e := s.at[person]; e != nil {
		if k := e.Value.(*keptKey); now.Sub(k.read) < keptFor {
			s.order.MoveToFront(e)
			s.mu.Unlock()
			return k.aead, nil
		}
		s.order.Remove(e)
		delete(s.at, person)
	}
	s.mu.Unlock()
	key, err := s.keys.PersonKey(ctx, person)
	if err != nil {
		return nil, fmt.Errorf("the key of a person: %w", err)
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(b)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at[person] == nil {
		s.at[person] = s.order.PushFront(&keptKey{person, aead, now})
	}
	for len(s.at) > keptKeys {
		last := s.order.Back()
		delete(s.at, s.order.Remove(last).(*keptKey).person)
	}
	return aead, nil
}

// seal encrypts for one place: what is moved to another does not open there.
func (s *sealer) seal(ctx context.Context, person, place string, plain []byte) ([]byte, error) {
	a, err := s.of(ctx, person)
	if err != nil {
		return nil, err
	}
	return a.Seal(nil, nil, plain, []byte(place)), nil
}

func (s *sealer) open(ctx context.Context, person, place string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	a, err := s.of(ctx, person)
	if err != nil {
		return nil, err
	}
	plain, err := a.Open(nil, nil, sealed, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", place, err)
	}
	return plain, nil
}

// Places at which something is sealed.
func contentPlace(id string) string { return "case " + id }
func draftPlace(id string) string   { return "draft " + id }
func eventPlace(id string, seq int64) string {
	return fmt.Sprintf("case %s event %d", id, seq)
}
