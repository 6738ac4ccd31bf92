package upload

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A sealed file is chunks of 64 KiB, each with a tag of AES-256-GCM. The nonce is
// the number of the chunk and whether it is the last: chunks can't change their
// places, be left out or be cut off at the end. The key is used for one file only,
// so no nonce comes twice; the file's id is bound to each chunk.
const (
	chunkSize = 64 << 10
	tagSize   = 16
)

var errDamaged = errors.New("a stored file is damaged or not what it should be")

func newGCM(key []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

func nonceOf(n int, last bool) []byte {
	nonce := make([]byte, 12)
	binary.BigEndian.PutUint64(nonce[3:11], uint64(n))
	if last {
		nonce[11] = 1
	}
	return nonce
}

// seal encrypts a file under a key that was used for nothing else.
func seal(key []byte, id string, plain []byte) ([]byte, error) {
	a, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(plain)+(len(plain)/chunkSize+1)*tagSize)
	for n := 0; ; n++ {
		chunk := plain[:min(len(plain), chunkSize)]
		plain = plain[len(chunk):]
		out = a.Seal(out, nonceOf(n, len(plain) == 0), chunk, []byte(id))
		if len(plain) == 0 {
			return out, nil
		}
	}
}

// opener reads a sealed file. It gives no byte that was not checked.
type opener struct {
	aead   cipher.AEAD
	id     []byte
	sealed []byte
	n      int
	buf    []byte
	plain  []byte
	done   bool
}

func open(key []byte, id string, sealed []byte) (io.ReadCloser, error) {
	a, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	return &opener{aead: a, id: []byte(id), sealed: sealed, buf: make([]byte, 0, chunkSize)}, nil
}

func (o *opener) Read(p []byte) (int, error) {
	if len(o.plain) == 0 {
		if o.done {
			return 0, io.EOF
		}
		chunk := o.sealed[:min(len(o.sealed), chunkSize+tagSize)]
		o.sealed = o.sealed[len(chunk):]
		var err error
		o.done = len(o.sealed) == 0
		if o.plain, err = o.aead.Open(o.buf[:0], nonceOf(o.n, o.done), chunk, o.id); err != nil {
			o.sealed, o.plain, o.done = nil, nil, false
			return 0, errDamaged
		}
		o.n++
		if len(o.plain) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, o.plain)
	o.plain = o.plain[n:]
	return n, nil
}

func (o *opener) Close() error { return nil }

// person returns a cipher under the person's key.
func (s *Store) person(ctx context.Context, person string) (cipher.AEAD, error) {
	key, err := s.Keys.PersonKey(ctx, person)
	if err != nil {
		return nil, fmt.Errorf("the key of a person: %w", err)
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(b)
}

// wrap seals something small about a file under the person's key.
func (s *Store) wrap(ctx context.Context, person, place string, plain []byte) ([]byte, error) {
	a, err := s.person(ctx, person)
	if err != nil {
		return nil, err
	}
	return a.Seal(nil, nil, plain, []byte(place)), nil
}

func (s *Store) unwrap(ctx context.Context, person, place string, sealed []byte) ([]byte, error) {
	a, err := s.person(ctx, person)
	if err != nil {
		return nil, err
	}
	plain, err := a.Open(nil, nil, sealed, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, errDamaged)
	}
	return plain, nil
}

// Places at which something is sealed.
func keyPlace(id string) string  { return "upload " + id + " key" }
func metaPlace(id string) string { return "upload " + id + " meta" }
func namePlace(id string) string { return "incoming " + id + " name" }

// incomingKey is the key under which the parts of a file wait for the rest.
func (s *Store) incomingKey(ctx context.Context, person, id string) ([]byte, error) {
	key, err := s.Keys.PersonKey(ctx, person)
	if err != nil {
		return nil, fmt.Errorf("the key of a person: %w", err)
	}
	return hkdf.Key(sha256.New, key, nil, "incoming file "+id, 32)
}

func randomKey() []byte {
	key := make([]byte, 32)
	rand.Read(key)
	return key
}

// scrambler encrypts and decrypts from any place of a file that is on its way in,
// so that parts of documents never lie open on a disk. It hides and does not
// protect from change: what comes out is checked like anything from outside.
func scrambler(key []byte, offset int64) (cipher.Stream, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	var iv [aes.BlockSize]byte
	binary.BigEndian.PutUint64(iv[8:], uint64(offset/aes.BlockSize))
	c := cipher.NewCTR(b, iv[:])
	var skip [aes.BlockSize]byte
	c.XORKeyStream(skip[:offset%aes.BlockSize], skip[:offset%aes.BlockSize])
	return c, nil
}
