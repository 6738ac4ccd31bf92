package translog

import (
	"fmt"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"

	"golang.org/x/mod/sumdb/tlog"
)

func TestAudit(t *testing.T) {
	dbtest.Each(t, []db.Migrations{Migrations()}, func(t *testing.T, d *db.DB) {
		ctx, now := t.Context(), time.Now()
		l := openLog(t, d)
		var early []byte
		for i := range 40 {
			if _, err := l.Append(ctx, []Entry{EntryOf(fmt.Append(nil, i))}); err != nil {
				t.Fatal(err)
			}
			s, err := l.Checkpoint(ctx, now)
			if err != nil {
				t.Fatal(err)
			}
			if i == 20 {
				early = s.Note
			}
		}
		trust := AuditTrust{Log: l.Key(), Seen: [][]byte{early, []byte("nothing")}}
		r, err := Attach(d, l.Origin(), 0).Audit(ctx, trust)
		if err != nil || len(r.Findings) > 0 || r.Size != 40 || r.Signed.Size != 40 || r.Seen != 1 || r.Checkpoints != 40 {
			t.Fatalf("%+v, %v", r, err)
		}
		finds := func(what string, kind Kind, size int64) {
			t.Helper()
			r, err := l.Audit(ctx, trust)
			if err != nil || len(r.Findings) == 0 || r.Findings[0].Kind != kind || size > 0 && r.Findings[0].Size != size {
				t.Errorf("%s: %+v, %v", what, r, err)
			}
		}
		exec := func(query string, args ...any) {
			t.Helper()
			if err := d.RunTx(ctx, func(tx *db.Tx) error { _, err := tx.ExecContext(ctx, query, args...); return err }); err != nil {
				t.Fatal(err)
			}
		}
		other := EntryOf([]byte("other"))
		exec(`UPDATE translog_entry SET entry = $1 WHERE idx = 30`, other[:])
		finds("an entry that was altered", Forked, 31)
		own := EntryOf(fmt.Append(nil, 30))
		exec(`UPDATE translog_entry SET entry = $1 WHERE idx = 30`, own[:])
		exec(`UPDATE translog_checkpoint SET note = $1 WHERE size = 12`, early)
		finds("a checkpoint that was exchanged", Unsigned, 12)
		exec(`DELETE FROM translog_checkpoint WHERE size = 12 OR size > 10`)
		exec(`DELETE FROM translog_entry WHERE idx >= 10`)
		finds("entries that are gone", Torn, 0)
		exec(`UPDATE translog_log SET size = 10`)
		finds("a log that was set back", SetBack, 21)
		if _, err := Attach(d, l.Origin(), 0).Checkpoint(ctx, now); err != nil {
			t.Errorf("a checkpoint that is there: %v", err)
		}
	})
}

// The roots that an audit computes are those of the package that made the tree.
func TestGrowing(t *testing.T) {
	var g growing
	var hashes []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, x := range at {
			out[i] = hashes[x]
		}
		return out, nil
	})
	for n := range int64(300) {
		e := EntryOf(fmt.Append(nil, n))
		list, err := tlog.StoredHashes(n, e[:], read)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, list...)
		g.add(e.leaf())
		want, err := tlog.TreeHash(n+1, read)
		if err != nil || g.root() != want {
			t.Fatalf("root of %d entries: %v", n+1, err)
		}
	}
}

func TestCheckKeys(t *testing.T) {
	log, err := LogKey(MemberOrigin("XX/GOV/A"), make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	witness, err := WitnessKey(WitnessName("XX/GOV/A"), make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckKeys("XX/GOV/A", log, witness); err != nil {
		t.Error(err)
	}
	for _, bad := range [][3]string{{"XX/GOV/B", log, ""}, {"XX/GOV/B", "", witness}, {"XX/GOV/A", witness, ""}, {"XX/GOV/A", "", log}, {"XX/GOV/A", "x", ""}} {
		if CheckKeys(bad[0], bad[1], bad[2]) == nil {
			t.Errorf("%v passes", bad)
		}
	}
}
