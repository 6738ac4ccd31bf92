package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Migrations are the numbered SQL files of one slice: "0001_words.sql" for both
// engines, or a pair "0002_words.sqlite.sql" and "0002_words.postgres.sql".
// Each file is one transaction and is never changed once it has shipped.
type Migrations struct {
	Slice string
	Files fs.FS
}

// Embedded returns the migrations that a slice embeds in its folder migrations.
func Embedded(slice string, files embed.FS) Migrations {
	f, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // no build with the folder embedded can meet this
	}
	return Migrations{Slice: slice, Files: f}
}

type migration struct {
	number int
	name   string
	sql    string
}

var fileName = regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)(?:\.(sqlite|postgres))?\.sql$`)

// Migrate brings the database to what the program needs and reports how many
// files it applied. It may run in several copies at once: each file is applied
// by one of them. Files that a newer program has applied are left alone, because
// an older copy must go on working beside it.
func (d *DB) Migrate(ctx context.Context, sets []Migrations, now time.Time) (applied int, err error) {
	if err := d.createLedger(ctx); err != nil {
		return 0, err
	}
	for _, set := range sets {
		files, err := set.read(d.engine)
		if err != nil {
			return applied, err
		}
		for _, m := range files {
			did, err := d.apply(ctx, set.Slice, m, now)
			if err != nil {
				return applied, fmt.Errorf("migration %s/%04d_%s: %w", set.Slice, m.number, m.name, err)
			}
			if did {
				applied++
			}
		}
	}
	return applied, nil
}

// Pending returns the migrations that are not applied yet, as "slice/0001_name".
func (d *DB) Pending(ctx context.Context, sets []Migrations) ([]string, error) {
	var pending []string
	for _, set := range sets {
		files, err := set.read(d.engine)
		if err != nil {
			return nil, err
		}
		for _, m := range files {
			var one int
			err := d.reader.QueryRowContext(ctx, `SELECT 1 FROM schema_migration WHERE slice = $1 AND number = $2`, set.Slice, m.number).Scan(&one)
			if err != nil { // no row, or no ledger yet
				pending = append(pending, fmt.Sprintf("%s/%04d_%s", set.Slice, m.number, m.name))
			}
		}
	}
	return pending, nil
}

// createLedger tries more than once: two copies that create the same table at
// the same time on PostgreSQL make one of them fail.
func (d *DB) createLedger(ctx context.Context) (err error) {
	for range 5 {
		_, err = d.writer.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_migration (
			slice TEXT NOT NULL, number BIGINT NOT NULL, name TEXT NOT NULL, applied_at BIGINT NOT NULL,
			PRIMARY KEY (slice, number))`)
		if err == nil || !IsDuplicate(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("creating the ledger of migrations: %w", err)
	}
	return nil
}

// apply claims the file by its row in the ledger, in the same transaction: a
// second copy waits for the row, and then finds it taken.
func (d *DB) apply(ctx context.Context, slice string, m migration, now time.Time) (did bool, err error) {
	err = d.RunTx(ctx, func(tx *Tx) error {
		did = false
		var one int
		err := tx.QueryRowContext(ctx, `INSERT INTO schema_migration (slice, number, name, applied_at)
			VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING 1`, slice, m.number, m.name, Micros(now)).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, s := range statements(m.sql) {
			if _, err := tx.ExecContext(ctx, s); err != nil {
				return fmt.Errorf("statement %q: %w", firstLine(s), err)
			}
		}
		did = true
		return nil
	})
	return did, err
}

func (set Migrations) read(e Engine) ([]migration, error) {
	entries, err := fs.ReadDir(set.Files, ".")
	if err != nil {
		return nil, fmt.Errorf("migrations of %s: %w", set.Slice, err)
	}
	var ms []migration
	for _, entry := range entries {
		part := fileName.FindStringSubmatch(entry.Name())
		if part == nil {
			return nil, fmt.Errorf("migrations of %s: %q is not named 0001_words.sql", set.Slice, entry.Name())
		}
		if part[3] != "" && part[3] != string(e) {
			continue
		}
		b, err := fs.ReadFile(set.Files, entry.Name())
		if err != nil {
			return nil, err
		}
		n, _ := strconv.Atoi(part[1])
		ms = append(ms, migration{n, part[2], string(b)})
	}
	slices.SortFunc(ms, func(a, b migration) int { return a.number - b.number })
	for i, m := range ms {
		if m.number != i+1 {
			return nil, fmt.Errorf("migrations of %s: number %04d is missing or double", set.Slice, i+1)
		}
	}
	return ms, nil
}

// statements splits a file at semicolons that end a line. Comments and string
// literals that do the same are the author's to avoid.
func statements(text string) []string {
	var out []string
	for s := range strings.SplitSeq(text+"\n", ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func firstLine(s string) string {
	l, _, _ := strings.Cut(s, "\n")
	return l
}

var unsafe = regexp.MustCompile(`(?i)\b(DROP\s+(TABLE|COLUMN)|RENAME|ALTER\s+COLUMN|ADD\s+COLUMN\s+\S+\s+\S+\s+NOT\s+NULL(?:\s*[;,]|\s*$))`)

// Unsafe returns the files whose statements would break an older copy of the
// program that still runs: dropping or renaming, or a new column that an old
// INSERT does not fill. Tests keep it empty.
func (set Migrations) Unsafe() ([]string, error) {
	var bad []string
	for _, e := range []Engine{SQLite, Postgres} {
		ms, err := set.read(e)
		if err != nil {
			return nil, err
		}
		for _, m := range ms {
			for _, s := range statements(m.sql) {
				if unsafe.MatchString(s) {
					bad = append(bad, fmt.Sprintf("%s/%04d_%s: %s", set.Slice, m.number, m.name, firstLine(s)))
				}
			}
		}
	}
	return bad, nil
}
