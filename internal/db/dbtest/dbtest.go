// Package dbtest gives store tests a fresh, migrated database on each engine.
// Only test files import it.
package dbtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"diwan/internal/db"
)

// URLVariable names the environment variable that holds the address of a
// PostgreSQL server on which the tests may create databases.
const URLVariable = "DIWAN_TEST_POSTGRES"

// Each runs the test once on SQLite and once on PostgreSQL, each time with a
// database of its own that holds the migrations of sets. Without a server the
// PostgreSQL half is skipped, except in CI, where that is a failure.
func Each(t *testing.T, sets []db.Migrations, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, SQLite(t, sets))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Postgres(t, sets))
	})
}

// SQLite returns a migrated database in the test's own folder, a copy of one that was
// migrated once.
func SQLite(t testing.TB, sets []db.Migrations) *db.DB {
	t.Helper()
	name := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(name, migratedFile(t, sets), 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, "sqlite:"+name, sets)
}

// migratedFiles holds the bytes of a database file by the digest of its migrations.
var migratedFiles = struct {
	sync.Mutex
	of map[string][]byte
}{of: map[string][]byte{}}

func migratedFile(t testing.TB, sets []db.Migrations) []byte {
	t.Helper()
	migratedFiles.Lock()
	defer migratedFiles.Unlock()
	key := digest(t, sets)
	if b, ok := migratedFiles.of[key]; ok {
		return b
	}
	name := filepath.Join(t.TempDir(), "template.db")
	d, err := db.Open(context.Background(), "sqlite:"+name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Migrate(context.Background(), sets, time.Now())
	if err := errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	if log, err := os.Stat(name + "-wal"); err == nil && log.Size() > 0 {
		t.Fatal("the template is not whole: SQLite left its log behind")
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	migratedFiles.of[key] = b
	return b
}

// Postgres returns a database cloned from a migrated template.
func Postgres(t testing.TB, sets []db.Migrations) *db.DB {
	t.Helper()
	server := os.Getenv(URLVariable)
	if server == "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not set: in CI every store test must run on PostgreSQL too", URLVariable)
		}
		t.Skipf("%s is not set: run ./test.sh, which starts a PostgreSQL server", URLVariable)
	}
	template := templateFor(t, server, sets)
	name := fmt.Sprintf("t_%x_%d", time.Now().UnixNano(), os.Getpid())
	admin := connect(t, server)
	defer admin.Close()
	if _, err := admin.Exec("CREATE DATABASE " + name + " TEMPLATE " + template); err != nil {
		t.Fatalf("cloning the template database: %v", err)
	}
	t.Cleanup(func() {
		a := connect(t, server)
		defer a.Close()
		if _, err := a.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Logf("dropping %s: %v", name, err)
		}
	})
	return open(t, withName(t, server, name), sets)
}

func open(t testing.TB, address string, sets []db.Migrations) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if _, err := d.Migrate(context.Background(), sets, time.Now()); err != nil {
		t.Fatal(err)
	}
	return d
}

var templates sync.Mutex

// templateFor makes the template once for all test programs that need the same
// migrations; a lock in the server keeps two programs from making it twice.
func templateFor(t testing.TB, server string, sets []db.Migrations) string {
	t.Helper()
	templates.Lock()
	defer templates.Unlock()
	name := "tmpl_" + digest(t, sets)
	admin := connect(t, server)
	defer admin.Close()
	admin.SetMaxOpenConns(1)
	if _, err := admin.Exec("SELECT pg_advisory_lock(5519)"); err != nil {
		t.Fatal(err)
	}
	defer admin.Exec("SELECT pg_advisory_unlock(5519)")
	var there bool
	if err := admin.QueryRow("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil {
		t.Fatal(err)
	}
	if there {
		return name
	}
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(context.Background(), withName(t, server, name))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Migrate(context.Background(), sets, time.Now()); err != nil {
		t.Fatal(err)
	}
	return name
}

func digest(t testing.TB, sets []db.Migrations) string {
	h := sha256.New()
	for _, s := range sets {
		err := fs.WalkDir(s.Files, ".", func(p string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := fs.ReadFile(s.Files, p)
			fmt.Fprintf(h, "%s/%s %d\n%s", s.Slice, p, len(b), b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

func connect(t testing.TB, server string) *sql.DB {
	c, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func withName(t testing.TB, server, name string) string {
	u, err := url.Parse(server)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		t.Fatalf("%s must be a postgres:// URL", URLVariable)
	}
	u.Path = "/" + name
	return u.String()
}
