package credential

import (
	"testing"

	"diwan/internal/db"
	"diwan/protocol/jws"
	"diwan/protocol/statuslist"
)

// A list whose statuses are as mixed as can be is published, and read, whatever its size.
func TestDenseStatusList(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes a list of a million places")
	}
	each(t, func(t testing.TB, w *world) {
		const list = "dense"
		ctx := t.Context()
		err := w.DB.RunTx(ctx, func(tx *db.Tx) error {
			if _, err := tx.ExecContext(ctx, `INSERT INTO credential_list (id, places, given, changes, created_at) VALUES ($1, $2, $2, 1, 0)`, list, listPlaces); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `WITH RECURSIVE n(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $2 - 1)
				INSERT INTO credential_copy (list, place, document, format, status, wallet, notification, issued_at, ends_at)
				SELECT $1, i, '', '', ((i * 7919 + i * i % 65537 * 31) % 10007 * (i % 104729)) % 3, '', '', 0, 0 FROM n`, list, listPlaces)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		p, err := w.current(ctx, list)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d bytes as a JWT, %d as a CWT", len(p.jwt), len(p.cwt))
		if len(p.jwt) <= jws.MaxBytes {
			t.Error("the list proves nothing: it is small")
		}
		for _, i := range []int{0, 2, 3, 4, 1_000_003, listPlaces - 1} {
			want := statuslist.Value(((i*7919 + i*i%65537*31) % 10007 * (i % 104729)) % 3) // #nosec G115 -- below 3
			if got := w.status(statuslist.Reference{URI: w.listURI(list), Index: i}); got != want {
				t.Errorf("%d is %v, want %v", i, got, want)
			}
		}
	})
}
