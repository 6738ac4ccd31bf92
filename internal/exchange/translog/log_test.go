package translog

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var (
	sets = []db.Migrations{Migrations()}
	ctx  = context.Background()
	t0   = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
)

const origin = "exchange/TEST/GOV/A"

// keyNamed makes the same key for the same name each time.
func keyNamed(name string) ed25519.PrivateKey {
	seed := EntryOf([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func openLog(t testing.TB, d *db.DB) *Log {
	t.Helper()
	l, err := Open(ctx, d, Options{Origin: origin, Key: keyNamed("log")})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func record(i int) []byte { return fmt.Appendf(nil, "record %d", i) }

func entriesOf(from, to int) []Entry {
	var list []Entry
	for i := from; i < to; i++ {
		list = append(list, EntryOf(record(i)))
	}
	return list
}

func add(t testing.TB, l *Log, from, to int) {
	t.Helper()
	first, err := l.Append(ctx, entriesOf(from, to))
	if err != nil || first != int64(from) {
		t.Fatalf("appending %d to %d: first %d, %v", from, to, first, err)
	}
}

func checkpoint(t testing.TB, l *Log) *Signed {
	t.Helper()
	s, err := l.Checkpoint(ctx, t0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rootAfter computes the root as the library does, without tiles.
func rootAfter(t testing.TB, entries []Entry) tlog.Hash {
	t.Helper()
	if len(entries) == 0 {
		return emptyRoot
	}
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var list []tlog.Hash
		for _, i := range indexes {
			list = append(list, stored[i])
		}
		return list, nil
	})
	for i, e := range entries {
		h, err := tlog.StoredHashes(int64(i), e[:], read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, h...)
	}
	root, err := tlog.TreeHash(int64(len(entries)), read)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestLog(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		l := openLog(t, d)
		if s := checkpoint(t, l); s.Size != 0 || s.Root != emptyRoot {
			t.Errorf("the empty log: %+v", s.Checkpoint)
		}
		// Sizes around the borders of tiles of the first two levels.
		at := 0
		var seen []*Signed
		for _, to := range []int{1, 2, 255, 256, 257, 511, 512, 700, 1024} {
			add(t, l, at, to)
			at = to
			s := checkpoint(t, l)
			if want := rootAfter(t, entriesOf(0, to)); s.Size != int64(to) || s.Root != want {
				t.Fatalf("at %d: size %d, root %s, want %s", to, s.Size, s.Root, want)
			}
			seen = append(seen, s)
		}
		for i, s := range seen {
			for _, index := range []int64{0, s.Size / 2, s.Size - 1} {
				p, err := l.InclusionProof(ctx, index, s.Size)
				if err != nil || tlog.CheckRecord(p, s.Size, s.Root, index, EntryOf(record(int(index))).leaf()) != nil {
					t.Errorf("entry %d of %d: %v", index, s.Size, err)
				}
			}
			for _, old := range seen[:i+1] {
				p, err := l.ConsistencyProof(ctx, old.Size, s.Size)
				if err != nil || consistent(p, old.Checkpoint, s.Checkpoint) != nil {
					t.Errorf("from %d to %d: %v", old.Size, s.Size, err)
				}
			}
		}
		if i, ok, err := l.Index(ctx, EntryOf(record(300))); i != 300 || !ok || err != nil {
			t.Errorf("entry 300 is at %d, %v, %v", i, ok, err)
		}
		if _, ok, err := l.Index(ctx, EntryOf(record(5000))); ok || err != nil {
			t.Errorf("an entry that is not there: %v, %v", ok, err)
		}
		for _, c := range [][2]int64{{-1, 5}, {5, 5}, {0, 1025}, {0, -1}} {
			if _, err := l.InclusionProof(ctx, c[0], c[1]); !errors.Is(err, ErrRange) {
				t.Errorf("inclusion %v: %v", c, err)
			}
		}
		for _, c := range [][2]int64{{-1, 5}, {6, 5}, {0, 1025}} {
			if _, err := l.ConsistencyProof(ctx, c[0], c[1]); !errors.Is(err, ErrRange) {
				t.Errorf("consistency %v: %v", c, err)
			}
		}
		if _, err := l.Append(ctx, make([]Entry, MaxBatch+1)); err == nil {
			t.Error("a batch beyond the bound was taken")
		}
		add(t, l, 1024, 1024)
	})
}

// Several nodes append at once: nothing is lost, doubled or overwritten.
func TestConcurrentAppends(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		const nodes, times, batch = 4, 10, 37
		var wg sync.WaitGroup
		for n := range nodes {
			l := openLog(t, d)
			wg.Go(func() {
				for i := range times {
					var list []Entry
					for j := range batch {
						list = append(list, EntryOf(fmt.Appendf(nil, "%d %d %d", n, i, j)))
					}
					first, err := l.Append(ctx, list)
					if err != nil {
						t.Error(err)
						return
					}
					if got, err := l.entries(ctx, first, batch); err != nil || got[0] != list[0] || got[batch-1] != list[batch-1] {
						t.Errorf("node %d, batch %d is not where it was put: %v", n, i, err)
					}
					if _, err := l.Checkpoint(ctx, t0); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		l := openLog(t, d)
		all, err := l.entries(ctx, 0, nodes*times*batch)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[Entry]bool{}
		for _, e := range all {
			seen[e] = true
		}
		s := checkpoint(t, l)
		if len(seen) != nodes*times*batch || s.Size != int64(len(all)) || s.Root != rootAfter(t, all) {
			t.Errorf("%d different entries of %d, size %d", len(seen), len(all), s.Size)
		}
	})
}

// A journal is fed once, however often its follower begins again.
func TestFeed(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		l := openLog(t, d)
		for _, c := range []struct {
			from, to int // records [from, to)
			first    int64
			added    int
			bad      bool
		}{
			{from: 10, to: 15, first: 0, added: 5},
			{from: 10, to: 15, added: 0},
			{from: 13, to: 18, first: 5, added: 3},
			{from: 11, to: 12, added: 0},
			{from: 19, to: 20, bad: true}, // 18 is left out
			{from: 18, to: 18, added: 0},
			{from: 18, to: 20, first: 8, added: 2},
		} {
			first, added, err := l.Feed(ctx, "n1", uint64(c.from), entriesOf(c.from, c.to))
			if (err != nil) != c.bad || added != c.added || added > 0 && first != c.first {
				t.Errorf("feeding %d to %d: first %d, added %d, %v", c.from, c.to, first, added, err)
			}
		}
		var wg sync.WaitGroup
		for range 3 {
			other := openLog(t, d)
			wg.Go(func() {
				if _, _, err := other.Feed(ctx, "n2", 1, entriesOf(100, 150)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n, err := l.Size(ctx); n != 60 || err != nil {
			t.Errorf("size %d, %v, want 60", n, err)
		}
		for source, want := range map[string]uint64{"n1": 19, "n2": 50, "n3": 0} {
			if n, err := l.Fed(ctx, source); n != want || err != nil {
				t.Errorf("%s was fed up to %d, %v, want %d", source, n, err, want)
			}
		}
	})
}

// A database that was edited or set back signs nothing any more.
func TestSignsNoContradiction(t *testing.T) {
	for name, damage := range map[string]string{
		"set back":      `UPDATE translog_log SET size = 5`,
		"tile edited":   `UPDATE translog_tile SET data = zeroblob(32 * 20)`,
		"tile removed":  `DELETE FROM translog_tile`,
		"root replaced": `UPDATE translog_checkpoint SET root = zeroblob(32)`,
	} {
		t.Run(name, func(t *testing.T) {
			d := dbtest.SQLite(t, sets)
			l := openLog(t, d)
			add(t, l, 0, 10)
			checkpoint(t, l)
			add(t, l, 10, 20)
			if _, err := d.Writer().Exec(damage); err != nil {
				t.Fatal(err)
			}
			if _, err := l.Checkpoint(ctx, t0); !errors.Is(err, ErrInconsistent) {
				t.Errorf("it signs: %v", err)
			}
		})
	}
}

func TestCheckpoints(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		l := openLog(t, d)
		if _, err := l.Latest(ctx); !errors.Is(err, ErrNotThere) {
			t.Errorf("before the first: %v", err)
		}
		for i := range 6 {
			add(t, l, i, i+1)
			s, err := l.Checkpoint(ctx, t0.Add(time.Duration(i)*time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			again, err := l.Checkpoint(ctx, t0.Add(time.Hour))
			if err != nil || string(again.Note) != string(s.Note) || !again.SignedAt.Equal(s.SignedAt) {
				t.Errorf("the same state was signed anew: %v", err)
			}
		}
		cosigned := func(size int64, n int) {
			for i := range n {
				_, err := d.Writer().Exec(`INSERT INTO translog_cosignature (origin, size, witness, line, cosigned_at) VALUES ($1, $2, $3, $4, 0)`,
					origin, size, fmt.Sprint(i), "line\n")
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		stamped := func(size int64) {
			if err := l.KeepStamp(ctx, size, []byte("stamp"), t0); err != nil {
				t.Fatal(err)
			}
		}
		covering := func(index, want int64) {
			t.Helper()
			s, err := l.Covering(ctx, index)
			if err != nil || s.Size != want {
				t.Errorf("covering %d: %v, want size %d", index, s, want)
			}
		}
		l.quorum = 2
		covering(1, 2)
		stamped(4)
		covering(1, 4)
		cosigned(5, 2)
		covering(1, 5)
		stamped(6)
		cosigned(6, 3)
		covering(1, 6)
		cosigned(3, 1)
		covering(5, 6)
		if _, err := l.Covering(ctx, 6); !errors.Is(err, ErrNotThere) {
			t.Errorf("covering what is not signed: %v", err)
		}
		if s, err := l.Latest(ctx); err != nil || s.Size != 6 {
			t.Errorf("latest: %v", err)
		}
		if at, err := l.LastStamp(ctx); err != nil || !at.Equal(t0) {
			t.Errorf("last stamp %v, %v", at, err)
		}
		if err := l.Thin(ctx, t0.Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		for size, there := range map[int64]bool{1: false, 2: false, 3: true, 4: true, 5: true, 6: true} {
			if _, err := l.At(ctx, size); (err == nil) != there {
				t.Errorf("after thinning, %d: %v", size, err)
			}
		}
	})
}

// Keys and checkpoints are those of the signed-note format.
func TestFormats(t *testing.T) {
	pub := keyNamed("log").Public().(ed25519.PublicKey)
	ours, err := LogKey(origin, pub)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := note.NewEd25519VerifierKey(origin, pub)
	if err != nil || ours != theirs {
		t.Errorf("our key %s, theirs %s, %v", ours, theirs, err)
	}
	v, err := note.NewVerifier(ours)
	if err != nil {
		t.Fatal(err)
	}
	l := openLog(t, dbtest.SQLite(t, sets))
	add(t, l, 0, 3)
	s := checkpoint(t, l)
	if c, text, err := OpenCheckpoint(s.Note, v); err != nil || c != s.Checkpoint || text != s.Text() {
		t.Errorf("with their verifier: %+v, %v", c, err)
	}
	if l.Key() != ours || l.Origin() != origin {
		t.Errorf("key %s, origin %s", l.Key(), l.Origin())
	}
	for _, bad := range []string{"", "a", ours + "A", ours[1:], "+" + ours, "x y" + ours, ours[:len(ours)-4]} {
		if _, err := ParseLogKey(bad); !errors.Is(err, ErrKey) {
			t.Errorf("key %q: %v", bad, err)
		}
		if _, err := parseWitnessKey(bad); !errors.Is(err, ErrKey) {
			t.Errorf("witness key %q: %v", bad, err)
		}
	}
	if _, err := parseWitnessKey(ours); !errors.Is(err, ErrKey) {
		t.Errorf("a log's key as a witness: %v", err)
	}
	if a, b := Origin("X", "A/B"), Origin("X", "A", "B"); a == b || a != "X/A%2FB" || Origin("a+b c") != "a%2Bb%20c" {
		t.Errorf("origins %s, %s", a, b)
	}
}

func TestParseCheckpointRefuses(t *testing.T) {
	root := base64Of(emptyRoot[:])
	good := "o\n3\n" + root + "\n"
	for text, ok := range map[string]bool{
		good: true, good + "extension\n": true, "o\n0\n" + root + "\n": true,
		"": false, "o\n3\n": false, "o\n03\n" + root + "\n": false, "o\n-1\n" + root + "\n": false, "o\n+3\n" + root + "\n": false,
		"\n3\n" + root + "\n": false, "o\n3\n" + root: false, good + "\n": false, "o\n3\n" + root[1:] + "\n": false,
		"o\n999999999999999999\n" + root + "\n": false, "o\n9223372036854775808\n" + root + "\n": false,
		"o\n0\n" + base64Of(make([]byte, 32)) + "\n": false, "o\n3\n" + root[:43] + "V\n": false,
	} {
		if _, err := ParseCheckpoint(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
