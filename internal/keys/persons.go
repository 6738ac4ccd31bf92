package keys

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

// Persons gives the key under which everything about a person is sealed. To erase a
// person it is enough that it is gone.
type Persons interface {
	PersonKey(ctx context.Context, person string) ([]byte, error)
}

// KeptFor is how long a key is used after the person may have been erased by another
// copy of the program.
const KeptFor = time.Minute

// keptKeys bounds the keys at hand.
const keptKeys = 10_000

// Sealer seals and opens what persons said, each under their own key.
type Sealer struct {
	keys  Persons
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

// NewSealer returns the sealer of some persons' keys.
func NewSealer(k Persons, c gov.Clock) *Sealer {
	return &Sealer{keys: k, clock: c, at: map[string]*list.Element{}}
}

// Ready makes sure that a person has a key. It is for before a transaction: the key
// may be made, by a transaction of its own.
func (s *Sealer) Ready(ctx context.Context, person string) error {
	_, err := s.of(ctx, person)
	return err
}

// of returns the cipher of a person.
func (s *Sealer) of(ctx context.Context, person string) (cipher.AEAD, error) {
	now := s.clock.Now()
	s.mu.Lock()
	if e := s.at[person]; e != nil {
		if k := e.Value.(*keptKey); now.Sub(k.read) < KeptFor {
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

// Seal encrypts for one place: what is moved to another does not open there.
func (s *Sealer) Seal(ctx context.Context, person, place string, plain []byte) ([]byte, error) {
	a, err := s.of(ctx, person)
	if err != nil {
		return nil, err
	}
	return a.Seal(nil, nil, plain, []byte(place)), nil
}

// Open opens what was sealed for a place; of nothing it returns nothing.
func (s *Sealer) Open(ctx context.Context, person, place string, sealed []byte) ([]byte, error) {
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
