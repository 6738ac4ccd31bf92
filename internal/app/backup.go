package app

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"diwan/internal/audit"
	"diwan/internal/blob"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/keys"
)

// A backup is one file: an age stream, encrypted to the installation's sealing
// identity, of a compressed tar that begins with the manifest. The identity
// itself is never in it: whoever finds the file reads nothing, and whoever lost
// the identity restores nothing. The search index is left out, being a replica.

// Manifest says what a backup holds. Its hashes are checked before anything is
// restored.
type Manifest struct {
	Format  int               `json:"format"`
	Program string            `json:"program"`
	Created time.Time         `json:"created"`
	Engine  db.Engine         `json:"engine"`
	Files   map[string]string `json:"files"` // name to SHA-256
}

const (
	backupFormat = 1
	manifestName = "manifest.json"
	sqliteName   = "diwan.db"
	tablePrefix  = "tables/"
	keyPrefix    = "keys/"
	filePrefix   = "files/" // scans and what was imported, by their hash
)

// Backup writes a backup of a running or stopped installation. Where there is
// none it fails: a backup of nothing would be noticed on the day it is needed.
func Backup(ctx context.Context, c Config, log *slog.Logger, clock gov.Clock, out io.Writer) (*Manifest, error) {
	if err := c.databaseExists(); err != nil {
		return nil, err
	}
	store, err := keys.Open(filepath.Join(c.Data, "keys"), c.SealFile, clock)
	if err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, c.Database)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	dir, err := os.MkdirTemp(c.Data, ".backup-")
	if err != nil {
		return nil, fmt.Errorf("making room for the backup: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := dump(ctx, d, dir); err != nil {
		return nil, err
	}
	if err := copyKeys(filepath.Join(c.Data, "keys"), filepath.Join(dir, keyPrefix)); err != nil {
		return nil, err
	}
	if err := linkFiles(filepath.Join(c.Data, filePrefix), filepath.Join(dir, filePrefix)); err != nil {
		return nil, err
	}
	m := &Manifest{Format: backupFormat, Program: Version(), Created: clock.Now().UTC(), Engine: d.Engine()}
	if m.Files, err = hashes(dir); err != nil {
		return nil, err
	}
	log.InfoContext(ctx, "backup taken", "files", len(m.Files))
	return m, pack(out, store.Recipient(), m, dir)
}

func dump(ctx context.Context, d *db.DB, dir string) error {
	if d.Engine() == db.SQLite {
		return d.DumpSQLite(ctx, filepath.Join(dir, sqliteName))
	}
	if err := os.Mkdir(filepath.Join(dir, tablePrefix), 0o700); err != nil {
		return err
	}
	return d.DumpPostgres(ctx, func(name string, copyTo func(io.Writer) error) error {
		f, err := os.Create(filepath.Join(dir, tablePrefix, name))
		if err != nil {
			return err
		}
		if err := copyTo(f); err != nil {
			f.Close()
			return err
		}
		return f.Close()
	})
}

func copyKeys(from, to string) error {
	names, err := filepath.Glob(filepath.Join(from, "*.key.age"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(n)), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// linkFiles gives the files that never change a second name for as long as the
// backup is written, so that they need no second room. A file that is being
// written has no name of its own yet and is left out.
func linkFiles(from, to string) error {
	store, err := blob.OpenFolder(from)
	if err != nil {
		return err
	}
	return store.Keys(func(key string) error {
		name := filepath.Join(key[:2], key[2:])
		if err := os.MkdirAll(filepath.Join(to, key[:2]), 0o700); err != nil {
			return err
		}
		return os.Link(filepath.Join(from, name), filepath.Join(to, name))
	})
}

// hashes lists the files under dir with their SHA-256.
func hashes(dir string) (map[string]string, error) {
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		out[filepath.ToSlash(rel)] = hex.EncodeToString(h.Sum(nil))
		return err
	})
	return out, err
}

func pack(out io.Writer, to age.Recipient, m *Manifest, dir string) error {
	sealed, err := age.Encrypt(out, to)
	if err != nil {
		return err
	}
	z := gzip.NewWriter(sealed)
	t := tar.NewWriter(z)
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Name: manifestName, Mode: 0o600, Size: int64(len(b))}); err != nil {
		return err
	}
	if _, err := t.Write(b); err != nil {
		return err
	}
	names := make([]string, 0, len(m.Files))
	for n := range m.Files {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		if err := addFile(t, dir, n); err != nil {
			return fmt.Errorf("packing %s: %w", n, err)
		}
	}
	return errors.Join(t.Close(), z.Close(), sealed.Close())
}

func addFile(t *tar.Writer, dir, name string) error {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: st.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(t, f)
	return err
}

// Restore puts a backup into an empty data folder and an empty database. The
// whole backup is opened and its hashes are compared first; until then nothing
// is touched. At the end the audit trail is verified.
func Restore(ctx context.Context, c Config, log *slog.Logger, clock gov.Clock, in io.Reader) (*Manifest, error) {
	id, err := readIdentity(c.SealFile)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFolder(c.Data)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	dir, err := os.MkdirTemp(c.Data, ".restore-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	m, err := unpack(in, id, dir)
	if err != nil {
		return nil, err
	}
	if err := refuseOverwrite(ctx, c, m); err != nil {
		return nil, err
	}
	if err := putBack(ctx, c, log, clock, m, dir); err != nil {
		return nil, err
	}
	return m, verifyRestored(ctx, c, clock)
}

func readIdentity(file string) (*age.X25519Identity, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the identity that opens backups: %w; give its copy with --seal-file", err)
	}
	id, err := age.ParseX25519Identity(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("the identity file %s is malformed", file)
	}
	return id, nil
}

// maxBackupFiles bounds what a manifest may name.
const maxBackupFiles = 2_000_000

// unpack opens the backup into dir and checks every file against the manifest.
func unpack(in io.Reader, id age.Identity, dir string) (*Manifest, error) {
	opened, err := age.Decrypt(in, id)
	if err != nil {
		return nil, fmt.Errorf("opening the backup: it is not one of this installation's, or it is damaged: %w", err)
	}
	z, err := gzip.NewReader(opened)
	if err != nil {
		return nil, fmt.Errorf("the backup is damaged: %w", err)
	}
	root, err := os.OpenRoot(dir) // no name in the archive can leave the folder
	if err != nil {
		return nil, err
	}
	defer root.Close()
	room, err := freeBytes(dir)
	if err != nil {
		return nil, err
	}
	t := tar.NewReader(&bounded{z, room - room/10})
	m, err := readManifest(t)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the backup is damaged: %w", err)
		}
		if err := extract(root, t, h.Name, m.Files[h.Name]); err != nil {
			return nil, err
		}
		found[h.Name] = true
	}
	for n := range m.Files {
		if !found[n] {
			return nil, fmt.Errorf("the backup is not whole: %s is missing", n)
		}
	}
	return m, nil
}

// bounded stops a stream that would fill the disk: a small file can unpack to any
// size, and a full disk would stop whatever else runs on the machine.
type bounded struct {
	r    io.Reader
	left int64
}

// Read reads up to what is left.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("there is not enough room on the disk to unpack it")
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func readManifest(t *tar.Reader) (*Manifest, error) {
	h, err := t.Next()
	if err != nil || h.Name != manifestName {
		return nil, fmt.Errorf("the backup is damaged: it does not begin with its manifest (%v)", err)
	}
	var m Manifest
	if err := json.NewDecoder(io.LimitReader(t, 256<<20)).Decode(&m); err != nil {
		return nil, fmt.Errorf("the backup's manifest is damaged: %w", err)
	}
	if m.Format != backupFormat || len(m.Files) > maxBackupFiles {
		return nil, fmt.Errorf("the backup has format %d, this program reads %d", m.Format, backupFormat)
	}
	return &m, nil
}

func extract(root *os.Root, r io.Reader, name, want string) error {
	if want == "" {
		return fmt.Errorf("the backup holds %q, which its manifest does not name", name)
	}
	if d := filepath.Dir(name); d != "." {
		if err := root.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", name, err)
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), r)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("unpacking %s: %w", name, err)
	}
	if hex.EncodeToString(h.Sum(nil)) != want {
		return fmt.Errorf("the backup is damaged: %s is not what its manifest says", name)
	}
	return nil
}

// refuseOverwrite protects an installation that is in use: a restore never
// replaces data.
func refuseOverwrite(ctx context.Context, c Config, m *Manifest) error {
	if existing, _ := filepath.Glob(filepath.Join(c.Data, "keys", "*.key.age")); len(existing) > 0 {
		return fmt.Errorf("the data folder %s already holds keys: restore into an empty one", c.Data)
	}
	want := db.Postgres
	if strings.HasPrefix(c.Database, "sqlite:") {
		want = db.SQLite
	}
	if want != m.Engine {
		return fmt.Errorf("the backup was made on %s and the configured database is %s", m.Engine, want)
	}
	if want == db.SQLite {
		if _, err := os.Stat(strings.TrimPrefix(c.Database, "sqlite:")); err == nil {
			return fmt.Errorf("there is a database already at %s: restore into an empty folder", strings.TrimPrefix(c.Database, "sqlite:"))
		}
		return nil
	}
	d, err := db.Open(ctx, c.Database)
	if err != nil {
		return err
	}
	defer d.Close()
	empty, err := d.Empty(ctx)
	if err == nil && !empty {
		err = errors.New("the PostgreSQL database is not empty: restore into a new one")
	}
	return err
}

func putBack(ctx context.Context, c Config, log *slog.Logger, clock gov.Clock, m *Manifest, dir string) error {
	if m.Engine == db.SQLite {
		path := strings.TrimPrefix(c.Database, "sqlite:")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(dir, sqliteName), path); err != nil {
			return fmt.Errorf("putting the database back: %w", err)
		}
	} else if err := loadTables(ctx, c, log, clock, dir); err != nil {
		return err
	}
	if err := linkFiles(filepath.Join(dir, filePrefix), filepath.Join(c.Data, filePrefix)); err != nil {
		return fmt.Errorf("putting the files back: %w", err)
	}
	return copyKeys(filepath.Join(dir, keyPrefix), filepath.Join(c.Data, "keys"))
}

func loadTables(ctx context.Context, c Config, log *slog.Logger, clock gov.Clock, dir string) error {
	d, err := db.Open(ctx, c.Database)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := Migrate(ctx, d, log, clock); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(dir, tablePrefix))
	if err != nil {
		return err
	}
	var open *os.File
	defer func() {
		if open != nil {
			open.Close()
		}
	}()
	// Tables that refer to others come after them.
	slices.SortStableFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	i := 0
	return d.LoadPostgres(ctx, func() (string, io.Reader, error) {
		if open != nil {
			open.Close()
			open = nil
		}
		if i == len(entries) {
			return "", nil, io.EOF
		}
		name := entries[i].Name()
		i++
		if open, err = os.Open(filepath.Join(dir, tablePrefix, name)); err != nil {
			return "", nil, err
		}
		return name, open, nil
	})
}

// verifyRestored proves that what came back is sound.
func verifyRestored(ctx context.Context, c Config, clock gov.Clock) error {
	if _, err := keys.Open(filepath.Join(c.Data, "keys"), c.SealFile, clock); err != nil {
		return err
	}
	d, err := db.Open(ctx, c.Database)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Check(ctx); err != nil {
		return err
	}
	if _, err := audit.New(d, clock).Verify(ctx); err != nil {
		return fmt.Errorf("the restored audit trail does not hold: %w", err)
	}
	return nil
}
