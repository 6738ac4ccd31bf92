//go:build pkcs11

package keys

import (
	"crypto/elliptic"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThalesGroup/crypto11"

	"diwan/internal/gov"
)

// HasToken tells whether this build can use keys in a hardware token.
const HasToken = true

// Token is a store whose keys were made in a PKCS#11 token and never leave it. Each
// bears the purpose as its label; its id begins with the moment at which it was made.
type Token struct {
	ctx   *crypto11.Context
	clock gov.Clock

	mu   sync.Mutex
	keys map[string]*Key // the newest of each purpose
}

// OpenToken opens a token by its module and label. The pin is the user's.
func OpenToken(module, label, pin string, clock gov.Clock) (*Token, error) {
	ctx, err := crypto11.Configure(&crypto11.Config{Path: module, TokenLabel: label, Pin: pin})
	if err != nil {
		return nil, fmt.Errorf("opening the token %q: %w", label, err)
	}
	return &Token{ctx: ctx, clock: clock, keys: map[string]*Key{}}, nil
}

// Close ends all sessions with the token.
func (t *Token) Close() error { return t.ctx.Close() }

// Signer returns the newest key of a purpose, and makes the first one.
func (t *Token) Signer(purpose string) (*Key, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k := t.keys[purpose]; k != nil {
		return k, nil
	}
	k, err := t.find(purpose)
	if err == nil && k == nil {
		k, err = t.create(purpose)
	}
	if err != nil {
		return nil, err
	}
	t.keys[purpose] = k
	return k, nil
}

// Rotate makes a new key for a purpose. What the old ones signed stays good.
func (t *Token) Rotate(purpose string) (*Key, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, err := t.create(purpose)
	if err == nil {
		t.keys[purpose] = k
	}
	return k, err
}

func tokenLabel(purpose string) []byte { return []byte("diwan " + purpose) }

// find looks for the newest key of a purpose; nil when there is none.
func (t *Token) find(purpose string) (*Key, error) {
	if !purposeName.MatchString(purpose) {
		return nil, fmt.Errorf("%q is not a purpose of a key", purpose)
	}
	pairs, err := t.ctx.FindKeyPairs(nil, tokenLabel(purpose))
	if err != nil {
		return nil, fmt.Errorf("looking for a key in the token: %w", err)
	}
	var newest *Key
	for _, p := range pairs {
		id, err := t.ctx.GetAttribute(p, crypto11.CkaId)
		if err != nil || id == nil {
			return nil, errors.Join(err, errors.New("a key in the token has no id"))
		}
		k, err := tokenKey(p, purpose, id.Value)
		if err != nil {
			return nil, err
		}
		if newest == nil || k.Created.After(newest.Created) {
			newest = k
		}
	}
	return newest, nil
}

// create makes a key on P-256 in the token.
func (t *Token) create(purpose string) (*Key, error) {
	if !purposeName.MatchString(purpose) {
		return nil, fmt.Errorf("%q is not a purpose of a key", purpose)
	}
	id := make([]byte, 16)
	binary.BigEndian.PutUint64(id, uint64(t.clock.Now().UnixMicro())) //nolint:gosec // after 1970
	if _, err := rand.Read(id[8:]); err != nil {
		return nil, err
	}
	p, err := t.ctx.GenerateECDSAKeyPairWithLabel(id, tokenLabel(purpose), elliptic.P256())
	if err != nil {
		return nil, fmt.Errorf("making a key in the token: %w", err)
	}
	return tokenKey(p, purpose, id)
}

func tokenKey(p crypto11.Signer, purpose string, id []byte) (*Key, error) {
	if len(id) < 8 {
		return nil, errors.New("a key in the token was not made by this program")
	}
	name, err := thumbprint(p.Public())
	if err != nil {
		return nil, err
	}
	return &Key{Signer: p, ID: name, Purpose: purpose, Created: time.UnixMicro(int64(binary.BigEndian.Uint64(id))).UTC()}, nil //nolint:gosec // written above
}
