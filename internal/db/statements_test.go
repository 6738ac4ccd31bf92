package db

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func openTemp(t *testing.T) *DB {
	t.Helper()
	d, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if _, err := d.Writer().ExecContext(t.Context(), `CREATE TABLE n (v BIGINT PRIMARY KEY, w TEXT NOT NULL DEFAULT 'a')`); err != nil {
		t.Fatal(err)
	}
	return d
}

// A statement that has a reader is asked again within the transaction, as a loop
// over rows does that asks the same for each.
func TestKeptStatementWithTwoReaders(t *testing.T) {
	d := openTemp(t)
	ctx := t.Context()
	err := d.RunTx(ctx, func(tx *Tx) error {
		for i := range 3 {
			if _, err := tx.ExecContext(ctx, `INSERT INTO n (v) VALUES ($1)`, i); err != nil {
				return err
			}
		}
		const all = `SELECT v FROM n ORDER BY v`
		outer, err := tx.QueryContext(ctx, all)
		if err != nil {
			return err
		}
		defer outer.Close()
		var seen []string
		for outer.Next() {
			var v int
			if err := outer.Scan(&v); err != nil {
				return err
			}
			inner, err := tx.QueryContext(ctx, all)
			if err != nil {
				return err
			}
			for inner.Next() {
				var x int
				if err := inner.Scan(&x); err != nil {
					return err
				}
				seen = append(seen, fmt.Sprint(v, x))
			}
			if err := inner.Close(); err != nil {
				return err
			}
		}
		if got := strings.Join(seen, ","); got != "0 0,0 1,0 2,1 0,1 1,1 2,2 0,2 1,2 2" {
			t.Errorf("read %s", got)
		}
		return outer.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A refused statement, and one that was given up, leave the next use whole.
func TestKeptStatementAfterFailure(t *testing.T) {
	d := openTemp(t)
	ctx := t.Context()
	insert := func(ctx context.Context, v int) error {
		return d.RunTx(ctx, func(tx *Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO n (v) VALUES ($1)`, v)
			return err
		})
	}
	if err := insert(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if err := insert(ctx, 1); err == nil {
		t.Fatal("a second row with the key was taken")
	}
	over, stop := context.WithCancel(ctx)
	stop()
	if err := insert(over, 2); err == nil {
		t.Fatal("a transaction of a context that is over was taken")
	}
	if err := insert(ctx, 2); err != nil {
		t.Fatal(err)
	}
	long, stop := context.WithCancel(ctx)
	rows, err := d.Reader().QueryContext(long, `SELECT v FROM n ORDER BY v`)
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	stop()
	_ = rows.Close()
	var n int
	if err := d.Reader().QueryRowContext(ctx, `SELECT COUNT(*) FROM n`).Scan(&n); err != nil || n != 2 {
		t.Fatalf("%d rows, %v", n, err)
	}
}

// A table that changed is read as it is now.
func TestKeptStatementAfterMigration(t *testing.T) {
	d := openTemp(t)
	ctx := t.Context()
	columns := func() int {
		rows, err := d.Reader().QueryContext(ctx, `SELECT * FROM n`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		c, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		return len(c)
	}
	if _, err := d.Writer().ExecContext(ctx, `INSERT INTO n (v) VALUES (1)`); err != nil {
		t.Fatal(err)
	}
	before := columns()
	if _, err := d.Writer().ExecContext(ctx, `ALTER TABLE n ADD COLUMN x TEXT`); err != nil {
		t.Fatal(err)
	}
	if after := columns(); before != 2 || after != 3 {
		t.Errorf("%d columns before, %d after", before, after)
	}
	if _, err := d.Writer().ExecContext(ctx, `DROP TABLE n`); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Reader().QueryContext(ctx, `SELECT * FROM n`); err == nil {
		t.Error("a table that is gone was read")
	}
}

// However many statements are put together, a connection keeps a bounded number.
func TestKeptStatementsAreBounded(t *testing.T) {
	d := openTemp(t)
	c, err := d.Reader().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range 3 * keptStatements {
		var n int
		if err := c.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT %d`, i)).Scan(&n); err != nil || n != i {
			t.Fatal(n, err)
		}
	}
	if err := c.Raw(func(inner any) error {
		if n := len(inner.(*keeping).kept); n != keptStatements {
			t.Errorf("%d statements are kept, want %d", n, keptStatements)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
