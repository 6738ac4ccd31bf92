package db_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
)

func set(files map[string]string) []db.Migrations {
	m := fstest.MapFS{}
	for n, s := range files {
		m[n] = &fstest.MapFile{Data: []byte(s)}
	}
	return []db.Migrations{{Slice: "sample", Files: m}}
}

var sample = set(map[string]string{
	"0001_counter.sql":       "CREATE TABLE counter (id TEXT PRIMARY KEY, n BIGINT NOT NULL);\nINSERT INTO counter VALUES ('a', 0);\n",
	"0002_note.sqlite.sql":   "CREATE TABLE note (body JSONB);\n",
	"0002_note.postgres.sql": "CREATE TABLE note (body JSONB);\n",
})

func TestTransactionsDoNotLoseUpdates(t *testing.T) {
	dbtest.Each(t, sample, func(t *testing.T, d *db.DB) {
		const writers, each = 6, 20
		var wg sync.WaitGroup
		errs := make(chan error, writers)
		for range writers {
			wg.Go(func() {
				for range each {
					err := d.RunTx(t.Context(), func(tx *db.Tx) error {
						var n int
						if err := tx.QueryRow(`SELECT n FROM counter WHERE id = $1`, "a").Scan(&n); err != nil {
							return err
						}
						_, err := tx.Exec(`UPDATE counter SET n = $1 WHERE id = $2`, n+1, "a")
						return err
					})
					for errors.Is(err, db.ErrBusy) { // allowed to say so, never to lose
						err = d.RunTx(t.Context(), func(tx *db.Tx) error {
							_, err := tx.Exec(`UPDATE counter SET n = n + 1 WHERE id = $1`, "a")
							return err
						})
					}
					if err != nil {
						errs <- err
						return
					}
				}
			})
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			t.Fatal(err)
		}
		var n int
		if err := d.Reader().QueryRow(`SELECT n FROM counter WHERE id = 'a'`).Scan(&n); err != nil || n != writers*each {
			t.Errorf("counter = %d, %v; want %d", n, err, writers*each)
		}
	})
}

func TestErrorRollsBack(t *testing.T) {
	dbtest.Each(t, sample, func(t *testing.T, d *db.DB) {
		boom := errors.New("boom")
		err := d.RunTx(t.Context(), func(tx *db.Tx) error {
			if _, err := tx.Exec(`UPDATE counter SET n = 99`); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		var n int
		if err := d.Reader().QueryRow(`SELECT n FROM counter`).Scan(&n); err != nil || n != 0 {
			t.Errorf("after a rollback n = %d, %v", n, err)
		}
		err = d.RunTx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO counter (id, n) VALUES ('a', 1)`)
			return err
		})
		if !db.IsDuplicate(err) {
			t.Errorf("a second row with the same key gives %v", err)
		}
	})
}

func TestMigrateTwiceAndByTwoCopies(t *testing.T) {
	dbtest.Each(t, nil, func(t *testing.T, d *db.DB) {
		pending, err := d.Pending(t.Context(), sample)
		if err != nil || len(pending) != 2 {
			t.Fatalf("pending = %v, %v", pending, err)
		}
		var wg sync.WaitGroup
		counts := make([]int, 3)
		for i := range counts {
			wg.Go(func() {
				n, err := d.Migrate(context.Background(), sample, time.Now())
				if err != nil {
					t.Error(err)
				}
				counts[i] = n
			})
		}
		wg.Wait()
		if total := counts[0] + counts[1] + counts[2]; total != 2 {
			t.Errorf("three copies applied %v files, want 2 in all", counts)
		}
		if pending, _ := d.Pending(t.Context(), sample); len(pending) != 0 {
			t.Errorf("still pending: %v", pending)
		}
	})
}

func TestMigrationFailsWhole(t *testing.T) {
	bad := set(map[string]string{"0001_bad.sql": "CREATE TABLE half (id TEXT);\nCREATE NONSENSE;\n"})
	dbtest.Each(t, nil, func(t *testing.T, d *db.DB) {
		if _, err := d.Migrate(t.Context(), bad, time.Now()); err == nil || !strings.Contains(err.Error(), "sample/0001_bad") {
			t.Fatalf("error does not name the file: %v", err)
		}
		if _, err := d.Writer().Exec(`SELECT * FROM half`); err == nil {
			t.Error("half of a migration stayed")
		}
	})
}

func TestMigrationNames(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"gap":   {"0001_a.sql": "", "0003_b.sql": ""},
		"named": {"first.sql": ""},
	} {
		d := dbtest.SQLite(t, nil)
		if _, err := d.Migrate(t.Context(), set(files), time.Now()); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestUnsafeMigrations(t *testing.T) {
	tests := []struct {
		sql string
		bad bool
	}{
		{"CREATE TABLE a (x TEXT);\n", false},
		{"ALTER TABLE a ADD COLUMN y BIGINT;\n", false},
		{"ALTER TABLE a ADD COLUMN y BIGINT NOT NULL DEFAULT 0;\n", false},
		{"ALTER TABLE a ADD COLUMN y BIGINT NOT NULL;\n", true},
		{"ALTER TABLE a DROP COLUMN x;\n", true},
		{"ALTER TABLE a RENAME TO b;\n", true},
		{"drop table a;\n", true},
	}
	for _, tt := range tests {
		bad, err := set(map[string]string{"0001_x.sql": tt.sql})[0].Unsafe()
		if err != nil || (len(bad) > 0) != tt.bad {
			t.Errorf("%q: unsafe = %v, %v", tt.sql, bad, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, url := range []string{"", "mysql://u:secret@h/d", "sqlite:", "postgres://u:secret@127.0.0.1:1/x"} {
		_, err := db.Open(t.Context(), url)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("Open(%q) = %v", url, err)
		}
	}
}

func TestReaderCannotWrite(t *testing.T) {
	d := dbtest.SQLite(t, sample)
	if _, err := d.Reader().Exec(`DELETE FROM counter`); err == nil {
		t.Error("a reading connection wrote")
	}
}

func TestOddPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with space ?#%")
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(dir, "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Migrate(t.Context(), sample, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.db")); err != nil {
		t.Error(err)
	}
}
