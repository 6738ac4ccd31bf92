package audit_test

import (
	"errors"
	"testing"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
)

func fill(t *testing.T, d *db.DB) *audit.Log {
	t.Helper()
	l := audit.New(d, gov.SystemClock{})
	for _, chain := range []string{"a", "b"} {
		for i := range 5 {
			err := d.RunTx(t.Context(), func(tx *db.Tx) error {
				return l.Append(t.Context(), tx, chain, gov.Actor{ID: "u"}, "thing.change", "s", map[string]string{"i": string(rune('0' + i)), "<": "é"})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return l
}

func TestChainHolds(t *testing.T) {
	dbtest.Each(t, []db.Migrations{audit.Migrations()}, func(t *testing.T, d *db.DB) {
		l := fill(t, d)
		if n, err := l.Verify(t.Context()); n != 10 || err != nil {
			t.Errorf("Verify = %d, %v", n, err)
		}
		h, err := l.History(t.Context(), "a", "s", 3)
		if err != nil || len(h) != 3 || h[0].Seq != 5 || h[0].Detail["<"] != "é" {
			t.Errorf("History = %+v, %v", h, err)
		}
		r, err := l.Recent(t.Context(), "b", 3, 10)
		if err != nil || len(r) != 2 || r[0].Seq != 2 {
			t.Errorf("Recent = %+v, %v", r, err)
		}
	})
}

func TestTamperingIsFound(t *testing.T) {
	tests := map[string]struct {
		sql string
		seq int64
	}{
		"changed":  {`UPDATE audit_entry SET detail = '{"i":"9"}' WHERE chain = 'b' AND seq = 3`, 3},
		"actor":    {`UPDATE audit_entry SET actor = 'other' WHERE chain = 'a' AND seq = 1`, 1},
		"removed":  {`DELETE FROM audit_entry WHERE chain = 'b' AND seq = 2`, 2},
		"cut":      {`DELETE FROM audit_entry WHERE chain = 'b' AND seq = 5`, 5},
		"headless": {`DELETE FROM audit_head WHERE chain = 'b'`, 6},
		"emptied":  {`DELETE FROM audit_entry WHERE chain = 'a'`, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, []db.Migrations{audit.Migrations()}, func(t *testing.T, d *db.DB) {
				l := fill(t, d)
				if _, err := d.Writer().Exec(tt.sql); err != nil {
					t.Fatal(err)
				}
				_, err := l.Verify(t.Context())
				if b, ok := errors.AsType[*audit.Broken](err); !ok || b.Seq != tt.seq {
					t.Errorf("Verify = %v, want broken at %d", err, tt.seq)
				}
			})
		})
	}
}
