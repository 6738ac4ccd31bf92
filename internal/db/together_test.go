package db

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
)

// Those who share a transaction are whole or not at all, each by itself: what fails
// takes nobody along and leaves nothing.
func TestTogether(t *testing.T) {
	d, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.RunTx(t.Context(), func(tx *Tx) error {
		_, err := tx.ExecContext(t.Context(), `CREATE TABLE line (id INTEGER PRIMARY KEY)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	errOdd := errors.New("one too many")
	together := NewTogether(d)
	const n = 2000
	var all sync.WaitGroup
	for worker := range 40 {
		all.Go(func() {
			for i := worker; i < n; i += 40 {
				// One in seven fails after it has written, one in a hundred by a fault.
				err := together.Do(t.Context(), func(ctx context.Context, tx *Tx) error {
					if _, err := tx.ExecContext(ctx, `INSERT INTO line (id) VALUES ($1)`, i); err != nil {
						return err
					}
					switch {
					case i%100 == 0:
						panic("a fault")
					case i%7 == 0:
						return errOdd
					}
					return nil
				})
				switch {
				case i%100 == 0:
					if err == nil || errors.Is(err, errOdd) {
						t.Errorf("%d, with a fault: %v", i, err)
					}
				case i%7 == 0:
					if !errors.Is(err, errOdd) {
						t.Errorf("%d: %v", i, err)
					}
				case err != nil:
					t.Errorf("%d: %v", i, err)
				}
			}
		})
	}
	all.Wait()
	want, sum := 0, 0
	for i := range n {
		if i%7 != 0 && i%100 != 0 {
			want, sum = want+1, sum+i
		}
	}
	var count, total int
	if err := d.Reader().QueryRowContext(t.Context(), `SELECT COUNT(*), SUM(id) FROM line`).Scan(&count, &total); err != nil || count != want || total != sum {
		t.Errorf("%d lines of sum %d, want %d of %d (%v)", count, total, want, sum, err)
	}
}
