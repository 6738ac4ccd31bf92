// Package db opens the program's database: SQLite in one file, or PostgreSQL
// when one machine is not enough. Slices write one SQL text for both and reach
// it through database/sql.
//
// What it promises. A transaction given to RunTx has either happened whole, or
// not at all, when RunTx returns, and an acknowledged one survives a crash of
// the program and of the machine (WAL with synchronous=FULL; PostgreSQL's
// defaults). Transactions are serializable on both engines; the function may
// run several times, so it must do nothing outside the transaction.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Engine names the database engine.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// DB is an open database. SQLite has one connection that writes and a pool that
// reads; PostgreSQL has one pool for both.
type DB struct {
	engine Engine
	url    string
	writer *sql.DB
	reader *sql.DB
}

// Tx is a transaction.
type Tx = sql.Tx

// ErrBusy is returned when a transaction lost against others again and again.
var ErrBusy = errors.New("the database is busy: too many writers at once")

// attempts is how often a transaction that lost against another is tried.
const attempts = 12

// Open opens the database at the URL: "sqlite:PATH" or "postgres://…". It
// creates the SQLite file and its folder when they are absent, and checks that
// the engine answers.
func Open(ctx context.Context, url string) (*DB, error) {
	switch {
	case strings.HasPrefix(url, "sqlite:"):
		return openSQLite(ctx, url)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return openPostgres(ctx, url)
	}
	return nil, fmt.Errorf("database URL must begin with sqlite: or postgres://, not %q", scheme(url))
}

// scheme keeps passwords out of messages.
func scheme(url string) string {
	s, _, _ := strings.Cut(url, ":")
	return s
}

func openSQLite(ctx context.Context, dsn string) (*DB, error) {
	path := strings.TrimPrefix(dsn, "sqlite:")
	if path == "" {
		return nil, errors.New("database URL sqlite: lacks the path of a file")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the database's folder: %w", err)
	}
	// busy_timeout comes first, so that the pragmas after it wait for others.
	// synchronous FULL: an application that was acknowledged is never lost to a
	// power cut.
	q := url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)",
		"foreign_keys(1)", "cache_size(-16000)", "temp_store(MEMORY)",
	}}
	file := "file:" + (&url.URL{Path: path}).EscapedPath()
	writer, err := openKeeping(file + "?" + q.Encode() + "&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	writer.SetMaxOpenConns(1)
	writer.SetConnMaxLifetime(0)
	if err := writer.PingContext(ctx); err != nil {
		writer.Close()
		return nil, fmt.Errorf("opening the database %s: %w", path, err)
	}
	q["_pragma"] = append(q["_pragma"], "query_only(1)")
	reader, err := openKeeping(file + "?" + q.Encode())
	if err != nil {
		writer.Close()
		return nil, err
	}
	reader.SetMaxOpenConns(max(4, runtime.NumCPU()*2))
	reader.SetMaxIdleConns(max(4, runtime.NumCPU()*2))
	return &DB{SQLite, dsn, writer, reader}, nil
}

func openPostgres(ctx context.Context, url string) (*DB, error) {
	pool, err := sql.Open("pgx", url)
	if err != nil {
		return nil, errors.New("opening PostgreSQL: the URL is malformed")
	}
	pool.SetMaxOpenConns(max(8, runtime.NumCPU()*4))
	pool.SetMaxIdleConns(max(8, runtime.NumCPU()*4))
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reaching PostgreSQL: %w", err)
	}
	return &DB{Postgres, url, pool, pool}, nil
}

// Engine returns which engine this is.
func (d *DB) Engine() Engine { return d.engine }

// URL returns the address the database was opened with. It may hold a password.
func (d *DB) URL() string { return d.url }

// Path returns the file of a SQLite database, "" for PostgreSQL.
func (d *DB) Path() string {
	if d.engine != SQLite {
		return ""
	}
	return strings.TrimPrefix(d.url, "sqlite:")
}

// Reader returns the pool for queries outside a transaction. On SQLite its
// connections refuse to write.
func (d *DB) Reader() *sql.DB { return d.reader }

// Writer returns the pool that writes, for libraries that bring their own
// statements; slices use RunTx.
func (d *DB) Writer() *sql.DB { return d.writer }

// Close closes all connections.
func (d *DB) Close() error {
	err := d.writer.Close()
	if d.reader != d.writer {
		err = errors.Join(err, d.reader.Close())
	}
	return err
}

// RunTx runs fn in a serializable transaction and commits it. When the engine
// says that the transaction lost against another, it is rolled back and fn runs
// again. An error of fn rolls back and comes back as it is.
func (d *DB) RunTx(ctx context.Context, fn func(tx *Tx) error) error {
	wait := 2 * time.Millisecond
	for try := 1; ; try++ {
		err := d.once(ctx, fn)
		if err == nil || !lost(err) {
			return err
		}
		if try == attempts {
			return fmt.Errorf("%w: %w", ErrBusy, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, 250*time.Millisecond)
	}
}

func (d *DB) once(ctx context.Context, fn func(tx *Tx) error) error {
	opts := &sql.TxOptions{}
	if d.engine == Postgres {
		opts.Isolation = sql.LevelSerializable
	}
	tx, err := d.writer.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	// After a commit this does nothing; after a panic in fn it frees the one
	// connection that writes.
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// lost reports whether the engine gave the transaction up in favour of another,
// so that trying again can succeed.
func lost(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code()&0xff == sqlite3.SQLITE_BUSY
	}
	return false
}

// IsDuplicate reports whether a row with the same key was already there.
func IsDuplicate(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505"
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
	}
	return false
}

// Micros writes a time as the database keeps it: microseconds since 1970, UTC.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// Time reads what Micros writes.
func Time(us int64) time.Time { return time.UnixMicro(us).UTC() }
