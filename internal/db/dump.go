package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// A dump is the whole database at one moment, taken while others go on writing.
// SQLite gives one file; PostgreSQL one stream a table, in COPY's text format,
// under one snapshot.

// DumpSQLite writes a consistent copy of the database to a new file.
func (d *DB) DumpSQLite(ctx context.Context, file string) error {
	if d.engine != SQLite {
		return errors.New("not a SQLite database")
	}
	// VACUUM INTO reads in one transaction. It needs a connection that may
	// write its target, though it never writes to the source.
	if _, err := d.writer.ExecContext(ctx, `VACUUM INTO $1`, file); err != nil {
		return fmt.Errorf("copying the database: %w", err)
	}
	return nil
}

var tableName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// DumpPostgres calls table for each table with a function that writes its rows.
func (d *DB) DumpPostgres(ctx context.Context, table func(name string, copyTo func(io.Writer) error) error) error {
	return d.native(ctx, func(c *pgx.Conn) error {
		tx, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return fmt.Errorf("beginning the dump: %w", err)
		}
		defer tx.Rollback(ctx)
		names, err := tables(ctx, tx)
		if err != nil {
			return err
		}
		for _, n := range names {
			err := table(n, func(w io.Writer) error {
				_, err := tx.Conn().PgConn().CopyTo(ctx, w, "COPY "+pgx.Identifier{n}.Sanitize()+" TO STDOUT")
				return err
			})
			if err != nil {
				return fmt.Errorf("dumping table %s: %w", n, err)
			}
		}
		return nil
	})
}

// LoadPostgres fills the tables of a freshly migrated database in one
// transaction: what the migrations put there is replaced, and a failure leaves
// the database as it was. next returns one table after the other, and io.EOF.
func (d *DB) LoadPostgres(ctx context.Context, next func() (name string, rows io.Reader, err error)) error {
	return d.native(ctx, func(c *pgx.Conn) error {
		tx, err := c.Begin(ctx)
		if err != nil {
			return err
		}
		defer tx.Rollback(ctx)
		known, err := tables(ctx, tx)
		if err != nil {
			return err
		}
		for _, n := range known {
			if _, err := tx.Exec(ctx, "TRUNCATE "+pgx.Identifier{n}.Sanitize()+" CASCADE"); err != nil {
				return err
			}
		}
		for {
			name, rows, err := next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if !tableName.MatchString(name) || !slices.Contains(known, name) {
				return fmt.Errorf("the backup has a table %q that this program does not know: it was made by a newer one", name)
			}
			if _, err := tx.Conn().PgConn().CopyFrom(ctx, rows, "COPY "+pgx.Identifier{name}.Sanitize()+" FROM STDIN"); err != nil {
				return fmt.Errorf("loading table %s: %w", name, err)
			}
		}
		if err := restartSequences(ctx, tx); err != nil {
			return err
		}
		return tx.Commit(ctx)
	})
}

// tables lists the tables, those that others refer to first.
func tables(ctx context.Context, tx pgx.Tx) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = current_schema() AND c.relkind = 'r'
		ORDER BY (SELECT COUNT(*) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'), c.relname`)
	if err != nil {
		return nil, fmt.Errorf("listing tables: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// restartSequences moves the counters of the queue's own tables past the rows
// that were loaded.
func restartSequences(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `SELECT table_name, column_name FROM information_schema.columns
		WHERE table_schema = current_schema() AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL`)
	if err != nil {
		return err
	}
	type column struct{ Table, Name string }
	cols, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	if err != nil {
		return err
	}
	for _, c := range cols {
		t, n := pgx.Identifier{c.Table}.Sanitize(), pgx.Identifier{c.Name}.Sanitize()
		if _, err := tx.Exec(ctx, fmt.Sprintf(`SELECT setval(pg_get_serial_sequence($1, $2), COALESCE((SELECT MAX(%s) FROM %s), 0) + 1, false)`, n, t), t, c.Name); err != nil {
			return fmt.Errorf("moving the counter of %s: %w", c.Table, err)
		}
	}
	return nil
}

func (d *DB) native(ctx context.Context, fn func(*pgx.Conn) error) error {
	if d.engine != Postgres {
		return errors.New("not a PostgreSQL database")
	}
	c, err := d.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(driver any) error { return fn(driver.(*stdlib.Conn).Conn()) })
}

// Empty reports whether the database holds no tables at all.
func (d *DB) Empty(ctx context.Context) (bool, error) {
	q := `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'`
	if d.engine == Postgres {
		q = `SELECT COUNT(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind = 'r'`
	}
	var n int
	if err := d.reader.QueryRowContext(ctx, q).Scan(&n); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("looking into the database: %w", err)
	}
	return n == 0, nil
}

// Check asks the engine whether the database is sound.
func (d *DB) Check(ctx context.Context) error {
	if d.engine == Postgres {
		return d.reader.PingContext(ctx)
	}
	var answer string
	if err := d.reader.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&answer); err != nil {
		return fmt.Errorf("checking the database: %w", err)
	}
	if answer != "ok" {
		return fmt.Errorf("the database is damaged: %s", answer)
	}
	return nil
}
