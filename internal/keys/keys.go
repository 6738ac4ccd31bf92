// Package keys keeps the program's signing keys. Slices get a crypto.Signer and
// never see private bytes.
//
// Each key lies in a file of its own, sealed to the installation's age identity,
// so that a stolen backup or disk without that identity signs nothing. Keys are
// rotated, never replaced: after a rotation the old key stays in the published
// set until it is retired, so that what it signed can still be verified.
package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"filippo.io/age"
	"github.com/go-jose/go-jose/v4"

	"diwan/internal/gov"
)

// Store is a folder of sealed keys.
type Store struct {
	dir   string
	clock gov.Clock
	seal  *age.X25519Identity

	mu   sync.RWMutex
	keys []*Key // newest first
}

// Key is one signing key. It is a crypto.Signer.
type Key struct {
	crypto.Signer
	ID      string // RFC 7638 thumbprint
	Purpose string
	Created time.Time
	Retired time.Time // zero while it is in use or still published
}

// file is what is sealed.
type file struct {
	Purpose string    `json:"purpose"`
	Created time.Time `json:"created"`
	Retired time.Time `json:"retired,omitzero"`
	PKCS8   []byte    `json:"pkcs8"`
}

const maxKeyFile = 64 << 10

var purposeName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// Open opens the store in dir and reads every key. The identity that seals them
// is read from identityFile; it is made there, readable by its owner alone, when
// neither it nor any key exists. A store whose keys can't be opened is an error:
// signing with a fresh key would make documents that nobody expects.
func Open(dir, identityFile string, clock gov.Clock) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of keys: %w", err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.key.age"))
	if err != nil {
		return nil, err
	}
	id, err := identity(identityFile, len(names) == 0)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, clock: clock, seal: id}
	for _, n := range names {
		k, err := s.read(n)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", filepath.Base(n), err)
		}
		s.keys = append(s.keys, k)
	}
	s.sort()
	return s, nil
}

func identity(name string, mayCreate bool) (*age.X25519Identity, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) && mayCreate {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return nil, err
		}
		if err := writeNew(name, []byte(id.String()+"\n")); err != nil {
			return nil, fmt.Errorf("keeping the identity that seals keys: %w", err)
		}
		return id, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the identity that seals keys: %w", err)
	}
	id, err := age.ParseX25519Identity(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("the identity file %s is malformed", name)
	}
	return id, nil
}

func (s *Store) read(name string) (*Key, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := age.Decrypt(io.LimitReader(f, maxKeyFile), s.seal)
	if err != nil {
		return nil, fmt.Errorf("it was sealed to another identity, or is damaged: %w", err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var k file
	if err := json.Unmarshal(b, &k); err != nil {
		return nil, err
	}
	return k.key()
}

func (f file) key() (*Key, error) {
	p, err := x509.ParsePKCS8PrivateKey(f.PKCS8)
	if err != nil {
		return nil, err
	}
	signer, ok := p.(crypto.Signer)
	if !ok {
		return nil, errors.New("it cannot sign")
	}
	id, err := thumbprint(signer.Public())
	if err != nil {
		return nil, err
	}
	return &Key{signer, id, f.Purpose, f.Created, f.Retired}, nil
}

func thumbprint(pub crypto.PublicKey) (string, error) {
	t, err := (&jose.JSONWebKey{Key: pub}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(t), nil
}

// Signer returns the newest key of a purpose, and makes the first one.
func (s *Store) Signer(purpose string) (*Key, error) {
	s.mu.RLock()
	k := s.current(purpose)
	s.mu.RUnlock()
	if k != nil {
		return k, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.current(purpose); k != nil {
		return k, nil
	}
	return s.create(purpose)
}

// current needs the lock.
func (s *Store) current(purpose string) *Key {
	for _, k := range s.keys {
		if k.Purpose == purpose && k.Retired.IsZero() {
			return k
		}
	}
	return nil
}

// Rotate makes a new key for a purpose. The old ones stay published.
func (s *Store) Rotate(purpose string) (*Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.create(purpose)
}

// create makes an ECDSA key on P-256, the curve that wallets and verifiers all
// know. It needs the lock.
func (s *Store) create(purpose string) (*Key, error) {
	if !purposeName.MatchString(purpose) {
		return nil, fmt.Errorf("%q is not a purpose of a key", purpose)
	}
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return nil, err
	}
	f := file{Purpose: purpose, Created: s.clock.Now().UTC(), PKCS8: der}
	k, err := f.key()
	if err != nil {
		return nil, err
	}
	sealed, err := s.sealed(f)
	if err != nil {
		return nil, err
	}
	if err := writeNew(s.path(k), sealed); err != nil {
		return nil, fmt.Errorf("keeping a new key: %w", err)
	}
	s.keys = append(s.keys, k)
	s.sort()
	return k, nil
}

// Retire takes a key out of the published set. What it signed can no longer be
// verified by those who fetch the set anew.
func (s *Store) Retire(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.keys, func(k *Key) bool { return k.ID == id })
	if i < 0 {
		return fmt.Errorf("there is no key %s", id)
	}
	k := *s.keys[i]
	if s.current(k.Purpose) == s.keys[i] {
		return errors.New("the key in use cannot be retired: rotate first")
	}
	k.Retired = s.clock.Now().UTC()
	der, err := x509.MarshalPKCS8PrivateKey(k.Signer)
	if err != nil {
		return err
	}
	sealed, err := s.sealed(file{k.Purpose, k.Created, k.Retired, der})
	if err != nil {
		return err
	}
	tmp := s.path(&k) + ".new"
	if err := writeNew(tmp, sealed); err != nil {
		return err
	}
	if err := os.Rename(tmp, s.path(&k)); err != nil {
		return err
	}
	s.keys[i] = &k
	return nil
}

func (s *Store) sealed(f file) ([]byte, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	w, err := age.Encrypt(&buf, s.seal.Recipient())
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func (s *Store) path(k *Key) string {
	sum := sha256.Sum256([]byte(k.ID))
	return filepath.Join(s.dir, fmt.Sprintf("%s-%x.key.age", k.Purpose, sum[:8]))
}

func (s *Store) sort() {
	slices.SortStableFunc(s.keys, func(a, b *Key) int { return b.Created.Compare(a.Created) })
}

// List returns all keys, newest first.
func (s *Store) List() []*Key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.keys)
}

// Recipient returns the public half of the sealing identity, to which backups
// are encrypted as well.
func (s *Store) Recipient() age.Recipient { return s.seal.Recipient() }

// JWKS returns the public keys of a purpose that are not retired, newest first,
// as a JSON Web Key Set (RFC 7517).
func (s *Store) JWKS(purpose string) ([]byte, error) {
	var set jose.JSONWebKeySet
	for _, k := range s.List() {
		if k.Purpose == purpose && k.Retired.IsZero() {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Public(), KeyID: k.ID, Algorithm: string(jose.ES256), Use: "sig"})
		}
	}
	return json.Marshal(set)
}

// writeNew writes a file that must not exist yet and waits until the disk has
// it: a key that was used and then lost could never be verified.
func writeNew(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(b); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
