package translog

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"diwan/internal/db/dbtest"

	"golang.org/x/mod/sumdb/tlog"
)

var update = flag.Bool("update", false, "write the fuzz seeds anew")

// TestSeeds writes what the fuzz targets begin with.
func TestSeeds(t *testing.T) {
	if !*update {
		t.Skip("with -update")
	}
	l, b, _ := proven(t, dbtest.SQLite(t, allSets))
	proof, err := l.ConsistencyProof(ctx, 200, 300)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	signed := []byte(b.Checkpoint)
	for name, seed := range map[string][]byte{
		"FuzzCheckpoint/signed": signed, "FuzzCheckpoint/cosigned": addLines(signed, b.Cosignatures), "FuzzCheckpoint/empty": []byte(Checkpoint{"o", 0, emptyRoot}.Text() + "\n"),
		"FuzzRequest/proof": writeRequest(200, proof, signed), "FuzzRequest/first": writeRequest(0, nil, signed),
		"FuzzCosignature/one": []byte(b.Cosignatures[0]), "FuzzBundle/whole": bundle, "FuzzEntries/three": writeBundle(entriesOf(0, 3)),
		"FuzzTilePath/full": []byte("/tile/1/x001/x234/067"), "FuzzTilePath/partial": []byte("/tile/entries/005.p/17"),
	} {
		to := filepath.Join("testdata/fuzz", name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, fmt.Appendf(nil, "go test fuzz v1\n[]byte(%q)\n", seed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// What is read is written back the same, so nothing has two forms.
func FuzzCheckpoint(f *testing.F) {
	k := newKey(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := unsigned(b); err == nil && !bytes.HasPrefix(b, []byte(c.Text()[:len(c.Text())-1])) {
			t.Errorf("%q reads as %q", b, c.Text())
		}
		if c, text, err := OpenCheckpoint(b, k); err == nil && (!bytes.HasPrefix(b, []byte(text)) || c.Size > MaxSize) {
			t.Errorf("%q opens as %q", b, text)
		}
	})
}

func newKey(t testing.TB) *logKey {
	s, err := newLogSigner(origin, keyNamed("log"))
	if err != nil {
		t.Fatal(err)
	}
	return &s.logKey
}

func FuzzRequest(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		old, proof, signed, err := parseRequest(b)
		if err == nil && !bytes.Equal(writeRequest(old, proof, signed), b) {
			t.Errorf("%q has another form", b)
		}
		if err != nil {
			return
		}
		if c, err := unsigned(signed); err == nil && c.Size > 0 {
			// No proof makes two roots of one size consistent.
			other := c
			other.Root[0] ^= 1
			if consistent(proof, other, c) == nil {
				t.Errorf("%q proves a fork", b)
			}
			consistent(proof, Checkpoint{origin, min(old, c.Size), tlog.Hash{}}, c)
		}
	})
}

func FuzzCosignature(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := parseLine(string(b))
		if err == nil && (!goodName(l.name) || len(l.sig) != 64 || l.at < 0 || l.at > maxTime) {
			t.Errorf("%q reads as %+v", b, l)
		}
	})
}

func FuzzBundle(f *testing.F) {
	trust := Trust{Log: writeKey(origin, kindLog, newKey(f).pub), Need: 1, NeedStamp: true, Record: func([]byte) ([]Fact, error) { return nil, nil }}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBundle(data)
		if err != nil {
			return
		}
		// Without trusted witnesses nothing is proven, whatever it says.
		if checks := Verify(b, trust); Proven(checks) || len(checks) != 7 {
			t.Errorf("%q is proven: %v", data, checks)
		}
	})
}

func FuzzEntries(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		if list, err := parseBundle(b); err == nil && !bytes.Equal(writeBundle(list), b) {
			t.Errorf("%q has another form", b)
		}
	})
}

func FuzzTilePath(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		if level, n, w, err := parseTilePath(string(b)); err == nil && (level > 63 || n < 0 || w < 1 || w > tileWidth) {
			t.Errorf("%q reads as %d %d %d", b, level, n, w)
		}
	})
}
