package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
)

// Bounds of what a connection keeps: as many statements as a page or an operation
// asks, and none that was put together for one time and is long.
const (
	keptStatements = 128
	keptBytes      = 4 << 10
)

// connector opens connections to SQLite that keep the statements they were asked
// before. Reading a statement anew takes the engine longer than most of them run.
type connector struct {
	driver driver.Driver
	dsn    string
}

// openKeeping returns a pool of connections that keep their statements.
func openKeeping(dsn string) (*sql.DB, error) {
	probe, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	defer probe.Close()
	return sql.OpenDB(connector{probe.Driver(), dsn}), nil
}

func (c connector) Driver() driver.Driver { return c.driver }

func (c connector) Connect(context.Context) (driver.Conn, error) {
	opened, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	inner, ok := opened.(sqliteConn)
	if !ok {
		opened.Close()
		return nil, fmt.Errorf("opening SQLite: a connection is a %T", opened)
	}
	return &keeping{sqliteConn: inner, kept: map[string]*statement{}}, nil
}

// sqliteConn is all that the driver's connections can do for database/sql.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keeping is a connection with its statements. database/sql lets one goroutine at a
// time use it.
type keeping struct {
	sqliteConn
	kept map[string]*statement
	uses int64 // counts, to find the statement that was not used for longest
}

// statement is one that is kept. Only one reader can step through it.
type statement struct {
	driver.Stmt
	last int64
	busy bool
}

// take returns the statement of a text, to be given back, or nil for one that is
// not kept or has a reader.
func (k *keeping) take(ctx context.Context, text string) (*statement, error) {
	if len(text) > keptBytes {
		return nil, nil
	}
	k.uses++
	if s := k.kept[text]; s != nil {
		if s.busy {
			return nil, nil
		}
		s.busy, s.last = true, k.uses
		return s, nil
	}
	if len(k.kept) >= keptStatements && !k.drop() {
		return nil, nil
	}
	made, err := k.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	s := &statement{Stmt: made, last: k.uses, busy: true}
	k.kept[text] = s
	return s, nil
}

// drop closes the statement that was not used for longest. False says that all have
// readers.
func (k *keeping) drop() bool {
	oldest := ""
	for text, s := range k.kept {
		if !s.busy && (oldest == "" || s.last < k.kept[oldest].last) {
			oldest = text
		}
	}
	if oldest == "" {
		return false
	}
	_ = k.kept[oldest].Close() // it tells again what its last use had told
	delete(k.kept, oldest)
	return true
}

// ExecContext implements driver.ExecerContext.
func (k *keeping) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	s, err := k.take(ctx, text)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return k.sqliteConn.ExecContext(ctx, text, args)
	}
	defer s.free()
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (k *keeping) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := k.take(ctx, text)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return k.sqliteConn.QueryContext(ctx, text, args)
	}
	found, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		s.free()
		return nil, err
	}
	return &rows{found.(sqliteRows), s}, nil
}

// Close closes the statements and the connection.
func (k *keeping) Close() error {
	for _, s := range k.kept {
		_ = s.Close()
	}
	clear(k.kept)
	return k.sqliteConn.Close()
}

func (s *statement) free() { s.busy = false }

// sqliteRows is all that the driver's rows can do for database/sql.
type sqliteRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// rows gives the statement back when its reader has done.
type rows struct {
	sqliteRows
	of *statement
}

// Close implements driver.Rows.
func (r *rows) Close() error {
	defer r.of.free()
	return r.sqliteRows.Close()
}
