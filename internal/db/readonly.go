package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
)

// OpenToRead opens a database that another program may be using, or that nobody
// uses any more, and changes nothing in it. A SQLite file that is absent is an
// error that is fs.ErrNotExist.
func OpenToRead(ctx context.Context, address string) (*DB, error) {
	path, isFile := strings.CutPrefix(address, "sqlite:")
	if !isFile {
		return Open(ctx, address)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	q := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "query_only(1)"}}
	d, err := readable(ctx, path, address, q)
	if err == nil {
		return d, nil
	}
	// In a folder that can't be written, such as one that was put under seal, the
	// engine can't share the file with others: nobody else writes it then.
	if _, waiting := os.Stat(path + "-wal"); !errors.Is(waiting, fs.ErrNotExist) {
		return nil, err
	}
	q.Set("immutable", "1")
	return readable(ctx, path, address, q)
}

func readable(ctx context.Context, path, address string, q url.Values) (*DB, error) {
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	var n int
	if err := pool.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&n); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reading the database %s: %w", path, err)
	}
	return &DB{SQLite, address, pool, pool}, nil
}
