// Package blob keeps files by the hash of their contents: scanned pages, the
// bytes of what was imported. A blob is never changed and never named by a
// person; whoever has its key has its exact bytes or an error, for each read is
// checked against the key.
package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Store keeps blobs.
type Store interface {
	// Put keeps data and returns its key; putting the same data again is free.
	Put(data []byte) (key string, err error)
	// Get returns the data of a key. A key nobody put gives an error that is
	// fs.ErrNotExist; damaged data gives ErrDamaged.
	Get(key string) ([]byte, error)
	// Keys calls fn for each blob.
	Keys(fn func(key string) error) error
}

// ErrDamaged says that the bytes under a key are not those that were put.
var ErrDamaged = errors.New("the stored file is damaged: its bytes have changed")

// Key returns the key of data: its SHA-256 in hexadecimal.
func Key(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Folder is a Store in a folder of one machine.
type Folder struct{ dir string }

// OpenFolder returns the store of a folder, which it makes when needed.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of files: %w", err)
	}
	return &Folder{dir}, nil
}

func (f *Folder) path(key string) (string, error) {
	if b, err := hex.DecodeString(key); err != nil || len(b) != sha256.Size {
		return "", fmt.Errorf("file %.80q: %w", key, fs.ErrNotExist)
	}
	return filepath.Join(f.dir, key[:2], key[2:]), nil
}

// Put implements Store. The file is complete under its name or not there: a
// crash half-way leaves a temporary file and nothing else.
func (f *Folder) Put(data []byte) (string, error) {
	key := Key(data)
	name, err := f.path(key)
	if err != nil {
		return "", err
	}
	if _, err := f.Get(key); err == nil { // whole: a damaged one is written anew
		return key, nil
	}
	if err := f.folder(filepath.Dir(name)); err != nil {
		return "", fmt.Errorf("keeping a file: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".new-")
	if err != nil {
		return "", fmt.Errorf("keeping a file: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(name))
	}
	if err != nil {
		return "", fmt.Errorf("keeping a file: %w", err)
	}
	return key, nil
}

// folder makes a folder of files when it is not there.
func (f *Folder) folder(dir string) error {
	err := os.Mkdir(dir, 0o700)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, fs.ErrNotExist): // somebody took the whole store away
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return err
	}
	return syncFolder(f.dir)
}

// syncFolder makes the names in a folder last through a power cut: what refers to
// a file is kept after the file itself.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, fs.ErrPermission) {
		err = nil // this system has no such thing
	}
	return errors.Join(err, d.Close())
}

// Get implements Store.
func (f *Folder) Get(key string) ([]byte, error) {
	name, err := f.path(key)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading file %.12s: %w", key, err)
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("reading file %.12s: %w", key, err)
	}
	if Key(data) != key {
		return nil, ErrDamaged
	}
	return data, nil
}

// Remove deletes a file for good. One that is not there is no error.
func (f *Folder) Remove(key string) error {
	name, err := f.path(key)
	if err != nil {
		return err
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing file %.12s: %w", key, err)
	}
	return nil
}

// Keys implements Store.
func (f *Folder) Keys(fn func(key string) error) error {
	return filepath.WalkDir(f.dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		key := filepath.Base(filepath.Dir(p)) + e.Name()
		if _, err := f.path(key); err != nil {
			return nil // a temporary file of a write that did not end
		}
		return fn(key)
	})
}
