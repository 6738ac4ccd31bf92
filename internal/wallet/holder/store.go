package holder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"filippo.io/age"
)

// Bounds of a store.
const (
	maxFile      = 16 << 20 // of one document with its copies
	maxDocuments = 10000
)

const ending = ".document.age"

// Store is a folder of documents, each sealed in a file of its own that only its owner
// can read.
type Store struct {
	dir  string
	seal *age.X25519Identity
}

// OpenStore opens the wallet in a folder, made when it is not there. What is in it is
// sealed to the identity in a file, which is made together with the wallet and is
// DIR/wallet.identity where the name is empty: kept elsewhere, it is worth more. A
// wallet whose identity is missing is an error.
func OpenStore(dir, identityFile string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the wallet's folder: %w", err)
	}
	if identityFile == "" {
		identityFile = filepath.Join(dir, "wallet.identity")
	}
	s := &Store{dir: dir}
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	s.seal, err = identity(identityFile, len(names) == 0)
	return s, err
}

func identity(name string, mayMake bool) (*age.X25519Identity, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) && mayMake {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return nil, fmt.Errorf("keeping the identity that seals the wallet: %w", err)
		}
		if err := write(name, []byte(id.String()+"\n")); err != nil {
			return nil, fmt.Errorf("keeping the identity that seals the wallet: %w", err)
		}
		return id, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the identity that seals the wallet: %w", err)
	}
	id, err := age.ParseX25519Identity(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("the identity file %s is malformed", name)
	}
	return id, nil
}

// write puts a file in place whole or not at all.
func write(name string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

var documentID = regexp.MustCompile(`^[0-9a-f]{16}$`)

func (s *Store) file(id string) string { return filepath.Join(s.dir, id+ending) }

// names lists the ids of what is kept.
func (s *Store) names() ([]string, error) {
	all, err := filepath.Glob(filepath.Join(s.dir, "*"+ending))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, n := range all {
		if id := strings.TrimSuffix(filepath.Base(n), ending); documentID.MatchString(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) > maxDocuments {
		return nil, fmt.Errorf("the wallet holds more than %d documents", maxDocuments)
	}
	return ids, nil
}

// List returns all documents, the newest first.
func (s *Store) List() ([]*Document, error) {
	ids, err := s.names()
	if err != nil {
		return nil, err
	}
	var out []*Document
	for _, id := range ids {
		d, err := s.read(id)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *Document) int {
		if n := b.Received.Compare(a.Received); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

// Get returns the document whose id begins so. More than one, or none, is [ErrNoSuch].
func (s *Store) Get(begin string) (*Document, error) {
	ids, err := s.names()
	if err != nil {
		return nil, err
	}
	var found []string
	for _, id := range ids {
		if begin != "" && strings.HasPrefix(id, begin) {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w: %q", ErrNoSuch, begin)
	case 1:
		return s.read(found[0])
	}
	return nil, fmt.Errorf("%w: %q begins %d ids; say more of it", ErrNoSuch, begin, len(found))
}

// Put keeps a document as it is now.
func (s *Store) Put(d *Document) error {
	if !documentID.MatchString(d.ID) {
		return fmt.Errorf("keeping a document: %w", ErrNoSuch)
	}
	b, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("keeping a document: %w", err)
	}
	if len(b) > maxFile {
		return fmt.Errorf("keeping a document: it has more than %d bytes", maxFile)
	}
	if err := s.put(s.file(d.ID), b); err != nil {
		return fmt.Errorf("keeping a document: %w", err)
	}
	return nil
}

// put seals bytes into a file.
func (s *Store) put(name string, b []byte) error {
	var sealed bytes.Buffer
	to, err := age.Encrypt(&sealed, s.seal.Recipient())
	if err != nil {
		return err
	}
	_, err = to.Write(b)
	if err = errors.Join(err, to.Close()); err != nil {
		return err
	}
	return write(name, sealed.Bytes())
}

// get opens what put sealed.
func (s *Store) get(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := age.Decrypt(io.LimitReader(f, 2*maxFile), s.seal)
	if err != nil {
		return nil, fmt.Errorf("it was sealed to another identity, or is damaged: %w", err)
	}
	return io.ReadAll(io.LimitReader(r, maxFile+1))
}

// Remove forgets a document with its keys.
func (s *Store) Remove(id string) error {
	if !documentID.MatchString(id) {
		return ErrNoSuch
	}
	return os.Remove(s.file(id))
}

func (s *Store) read(id string) (*Document, error) {
	b, err := s.get(s.file(id))
	if err != nil {
		return nil, fmt.Errorf("reading document %s: %w", id, err)
	}
	d := new(Document)
	if err := json.Unmarshal(b, d); err != nil {
		return nil, fmt.Errorf("reading document %s: %w", id, err)
	}
	if d.ID != id { // a file that was moved over another
		return nil, fmt.Errorf("reading document %s: it is another", id)
	}
	return d, nil
}
