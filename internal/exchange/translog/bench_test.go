package translog

import (
	"encoding/binary"
	"testing"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
)

// BenchmarkAppend appends batches of 256, as a follower of a journal does; one
// operation is one batch.
func BenchmarkAppend(b *testing.B) {
	for name, open := range map[string]func(testing.TB, []db.Migrations) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			l := openLog(b, open(b, sets))
			list := make([]Entry, 256)
			var n uint64
			for b.Loop() {
				for i := range list {
					n++
					binary.BigEndian.PutUint64(list[i][:], n)
				}
				if _, err := l.Append(ctx, list); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// BenchmarkProve makes and verifies the bundle of one record.
func BenchmarkProve(b *testing.B) {
	l, _, trust := proven(b, dbtest.SQLite(b, allSets))
	b.Run("make", func(b *testing.B) {
		for b.Loop() {
			if _, err := l.Prove(ctx, record(7)); err != nil {
				b.Fatal(err)
			}
		}
	})
	bundle, err := l.Prove(ctx, record(7))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if !Proven(Verify(bundle, trust)) {
				b.Fatal("not proven")
			}
		}
	})
}
