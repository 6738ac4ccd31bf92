package gateway

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/journal"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/exchange/translog"
	"diwan/protocol/link"
)

// Folder is the data folder of a node as those read it who check it: while the
// gateway runs or not, and without changing anything.
type Folder struct {
	Dir, Member, Node string
	view              *snapshot.View
	index             []byte // signed
	parts             map[string][]byte
	db                *db.DB // nil when there is none
	log               *translog.Log
}

// OpenFolder opens a data folder. database is its address, "" for the file in the
// folder. trusted are the directory keys (PKIX) that the reader believes; nil
// believes those in the folder.
func OpenFolder(ctx context.Context, dir, database string, trusted [][]byte) (*Folder, error) {
	cert, err := readCertificate(filepath.Join(dir, tlsFile))
	if err != nil || len(cert.Subject.Organization) == 0 {
		return nil, errors.Join(fmt.Errorf("%s is not the data folder of a gateway that has joined", dir), err)
	}
	f := &Folder{Dir: dir, Member: cert.Subject.Organization[0], Node: cert.Subject.CommonName}
	if trusted == nil {
		if trusted, err = keptKeys(dir); err != nil {
			return nil, err
		}
	}
	if err := f.readDirectoryAgain(trusted); err != nil {
		return nil, err
	}
	if database == "" {
		database = "sqlite:" + filepath.Join(dir, "gateway.db")
	}
	f.db, err = db.OpenToRead(ctx, database)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	if waiting, err := f.db.Pending(ctx, []db.Migrations{translog.Migrations()}); err != nil || len(waiting) > 0 {
		return f, err // of a gateway that has no log yet
	}
	f.log = translog.Attach(f.db, translog.MemberOrigin(f.Member), quorum)
	return f, nil
}

// Close releases the database.
func (f *Folder) Close() error {
	if f.db == nil {
		return nil
	}
	return f.db.Close()
}

// keptKeys are the directory's keys that the folder's owner was given, and those
// that an index under them has named since.
func keptKeys(dir string) ([][]byte, error) {
	list, err := ReadTrust(filepath.Join(dir, trustedFile))
	if err != nil {
		return nil, err
	}
	later, err := ReadTrust(filepath.Join(dir, directoryCache, "keys"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return append(list, later...), nil
}

// maxTrust is the length of a file of trusted keys.
const maxTrust = 1 << 20

// ReadTrust reads a file of directory keys: the one that a gateway keeps, what the
// directory answers under /trust, public keys in PEM, or the verification
// configuration that a gateway gives its client systems.
func ReadTrust(name string) ([][]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("the trusted keys: %w", err)
	}
	if info.IsDir() {
		return keptKeys(name)
	}
	if info.Size() > maxVerification {
		return nil, fmt.Errorf("the trusted keys: %s is too large", name)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("the trusted keys: %w", err)
	}
	switch {
	case bytes.HasPrefix(b, []byte("PK\x03\x04")):
		return readVerification(b)
	case len(b) > maxTrust:
		return nil, fmt.Errorf("the trusted keys: %s is too large", name)
	}
	var list [][]byte
	var said struct {
		DirectoryKeys [][]byte `json:"directory_keys"`
	}
	if json.Unmarshal(b, &list) != nil && json.Unmarshal(b, &said) == nil {
		list = said.DirectoryKeys
	}
	if len(list) == 0 {
		list = publicKeys(b)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("the trusted keys: %s holds none", name)
	}
	return list, nil
}

// readDirectoryAgain is readDirectory where a gateway that runs may take up a new
// directory, and clear away what the old one named, at the same time.
func (f *Folder) readDirectoryAgain(trusted [][]byte) (err error) {
	for range 3 {
		if err = f.readDirectory(trusted); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("the directory that this gateway keeps: %w", err)
	}
	return nil
}

func (f *Folder) readDirectory(trusted [][]byte) error {
	cache := filepath.Join(f.Dir, directoryCache)
	signed, err := os.ReadFile(filepath.Join(cache, "index.jws"))
	if err != nil {
		return err
	}
	x, err := snapshot.Open(signed, trusted)
	if err != nil {
		return err
	}
	f.parts = map[string][]byte{}
	members := map[string]*snapshot.Member{}
	for id, hash := range x.Members {
		part, err := os.ReadFile(filepath.Join(cache, "parts", filepath.Base(hash)))
		if err != nil {
			return err
		}
		if members[id], err = snapshot.OpenPart(part, id, hash); err != nil {
			return err
		}
		f.parts[id] = part
	}
	f.index = signed
	f.view, err = snapshot.NewView(x, members)
	return err
}

func (f *Folder) journal() string { return filepath.Join(f.Dir, journalFolder) }

// keyAt finds the key of a message in a view of the directory.
func keyAt(v *snapshot.View) journal.KeyAt {
	return func(id link.KeyID, at time.Time) (*link.PublicKey, error) {
		k, ok := v.Key(id)
		if !ok {
			return nil, fmt.Errorf("%w: %s", journal.ErrNoKey, id)
		}
		if at.Before(k.NotBefore) || !at.Before(k.NotAfter) {
			return nil, fmt.Errorf("%w: %s of %s, valid from %v to %v", link.ErrUnknownKey, id, k.Member, k.NotBefore, k.NotAfter)
		}
		return link.NewPublicKey(k.Public, k.Member)
	}
}

// noteKeyAt is keyAt for records of the second profile.
func noteKeyAt(v *snapshot.View) func(link.KeyID, time.Time) (ed25519.PublicKey, error) {
	return func(id link.KeyID, at time.Time) (ed25519.PublicKey, error) {
		k, ok := v.Key(id)
		if !ok {
			return nil, fmt.Errorf("%w: %s", journal.ErrNoKey, id)
		}
		pub, isEd := k.Public.(ed25519.PublicKey)
		if !isEd || at.Before(k.NotBefore) || !at.Before(k.NotAfter) {
			return nil, fmt.Errorf("%w: %s of %s", link.ErrUnknownKey, id, k.Member)
		}
		return pub, nil
	}
}

// witnessKeys are the keys of those who may witness a member's log.
func witnessKeys(v *snapshot.View, member string) []string {
	var out []string
	for id, m := range v.Members {
		if id != member && m.Witness != "" && translog.CheckKeys(id, "", m.Witness) == nil {
			out = append(out, m.Witness)
		}
	}
	slices.Sort(out)
	return out
}

// record reads one record of the journal.
func (f *Folder) record(seq uint64) (journal.Entry, error) {
	r := journal.NewReader(f.journal(), seq)
	defer r.Close()
	e, err := r.Next()
	if err != nil {
		return e, fmt.Errorf("record %d: %w", seq, err)
	}
	return e, nil
}
