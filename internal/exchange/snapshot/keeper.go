package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Source is where the directory is fetched from.
type Source interface {
	// Index returns the signed index, or nil when it is still the one whose
	// fingerprint is given.
	Index(ctx context.Context, have string) ([]byte, error)
	// Part returns the bytes with a hash.
	Part(ctx context.Context, hash string) ([]byte, error)
}

// Errors of an update.
var (
	// ErrRollback says that the directory showed an older state than was seen, or
	// two states under one serial: it was restored from an old copy, or somebody
	// stands between.
	ErrRollback = errors.New("exchange.index_rolled_back")
	// ErrInstance says that it is the directory of another exchange.
	ErrInstance = errors.New("exchange.index_instance")
	// ErrExpired says that the index is past its end.
	ErrExpired = errors.New("exchange.index_expired")
)

// Keeper keeps the newest directory of an exchange in a folder. Reading the
// present view never waits.
type Keeper struct {
	dir      string
	instance string
	skew     time.Duration

	mu      sync.Mutex // of updates
	trusted [][]byte
	have    string
	view    atomic.Pointer[View]
}

// NewKeeper returns the keeper of a folder, with what the folder holds. Trusted
// are the keys (PKIX) that the gateway's owner was given when it joined; keys that
// a trusted index named later are trusted too. Skew is how far clocks may differ.
func NewKeeper(dir, instance string, trusted [][]byte, skew time.Duration) (*Keeper, error) {
	k := &Keeper{dir: dir, instance: instance, trusted: trusted, skew: skew}
	if err := os.MkdirAll(filepath.Join(dir, "parts"), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the directory: %w", err)
	}
	signed, err := os.ReadFile(k.file())
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the kept directory: %w", err)
	}
	// What was accepted once is trusted by the keys it was accepted with, which
	// are kept beside it: the first keys may have been changed since.
	kept, err := readKeys(k.keysFile())
	if err != nil {
		return nil, err
	}
	k.trusted = append(slices.Clone(kept), trusted...)
	x, err := Open(signed, k.trusted)
	if err != nil {
		return nil, fmt.Errorf("reading the kept directory: %w", err)
	}
	view, err := k.assemble(context.Background(), x, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the kept directory: %w", err)
	}
	k.accept(view, signed)
	return k, nil
}

func (k *Keeper) file() string            { return filepath.Join(k.dir, "index.jws") }
func (k *Keeper) keysFile() string        { return filepath.Join(k.dir, "keys") }
func (k *Keeper) part(hash string) string { return filepath.Join(k.dir, "parts", hash) }

// View returns the newest view, nil when there is none yet.
func (k *Keeper) View() *View { return k.view.Load() }

// Valid returns the newest view if it may be used at a moment: ErrExpired when it
// is too old or there is none.
func (k *Keeper) Valid(now time.Time) (*View, error) {
	v := k.view.Load()
	if v == nil || now.After(v.Index.ValidUntil) {
		return nil, ErrExpired
	}
	return v, nil
}

// Update fetches what is new. changed tells whether there is another view now;
// with an error the view stays as it was.
func (k *Keeper) Update(ctx context.Context, from Source, now time.Time) (changed bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	signed, err := from.Index(ctx, k.have)
	if err != nil || signed == nil {
		return false, err
	}
	x, err := Open(signed, k.trusted)
	if err != nil {
		return false, err
	}
	if err := k.check(x, signed, now); err != nil {
		return false, err
	}
	view, err := k.assemble(ctx, x, from)
	if err != nil {
		return false, err
	}
	if err := k.keep(x, signed); err != nil {
		return false, err
	}
	k.accept(view, signed)
	k.clean(x)
	return true, nil
}

func (k *Keeper) check(x *Index, signed []byte, now time.Time) error {
	if x.Instance != k.instance {
		return fmt.Errorf("%w: %s", ErrInstance, x.Instance)
	}
	if now.After(x.ValidUntil) || x.IssuedAt.After(now.Add(k.skew)) {
		return fmt.Errorf("%w: from %v to %v", ErrExpired, x.IssuedAt, x.ValidUntil)
	}
	old := k.view.Load()
	if old != nil && (x.Serial < old.Index.Serial || x.Serial == old.Index.Serial && Fingerprint(signed) != k.have) {
		return fmt.Errorf("%w: serial %d after %d", ErrRollback, x.Serial, old.Index.Serial)
	}
	return nil
}

// assemble reads the parts of an index from the folder, and fetches those that
// are not there.
func (k *Keeper) assemble(ctx context.Context, x *Index, from Source) (*View, error) {
	members := make(map[string]*Member, len(x.Members))
	old := k.view.Load()
	for id, hash := range x.Members {
		if old != nil && old.Index.Members[id] == hash {
			members[id] = old.Members[id]
			continue
		}
		m, err := k.member(ctx, id, hash, from)
		if err != nil {
			return nil, err
		}
		members[id] = m
	}
	return NewView(x, members)
}

func (k *Keeper) member(ctx context.Context, id, hash string, from Source) (*Member, error) {
	if len(hash) != 64 || !isHex(hash) {
		return nil, fmt.Errorf("%w: %s has no hash", ErrIndex, id)
	}
	if part, err := os.ReadFile(k.part(hash)); err == nil {
		if m, err := OpenPart(part, id, hash); err == nil {
			return m, nil
		}
	}
	if from == nil {
		return nil, fmt.Errorf("the part of %s: %w", id, fs.ErrNotExist)
	}
	part, err := from.Part(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("fetching the part of %s: %w", id, err)
	}
	m, err := OpenPart(part, id, hash)
	if err != nil {
		return nil, err
	}
	return m, writeFile(k.part(hash), part)
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// keep writes the index after the keys it was accepted with: a crash between the
// two leaves keys that trust the index that is there.
func (k *Keeper) keep(x *Index, signed []byte) error {
	if err := writeKeys(k.keysFile(), append(slices.Clone(x.DirectoryKeys), k.trusted...)); err != nil {
		return err
	}
	return writeFile(k.file(), signed)
}

func (k *Keeper) accept(v *View, signed []byte) {
	k.trusted = v.Index.DirectoryKeys
	k.have = Fingerprint(signed)
	k.view.Store(v)
}

// clean removes parts that nothing names any more.
func (k *Keeper) clean(x *Index) {
	named := map[string]bool{}
	for _, h := range x.Members {
		named[h] = true
	}
	list, err := os.ReadDir(filepath.Join(k.dir, "parts"))
	if err != nil {
		return // they cost room, nothing else
	}
	for _, e := range list {
		if !named[e.Name()] {
			os.Remove(k.part(e.Name()))
		}
	}
}
