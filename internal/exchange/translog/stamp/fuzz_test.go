package stamp

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/digitorus/timestamp"
)

var update = flag.Bool("update", false, "write the fuzz seeds anew")

// TestSeeds writes what the fuzz targets begin with.
func TestSeeds(t *testing.T) {
	if !*update {
		t.Skip("with -update")
	}
	h := newHouse(t, sqlite(t), ecKey(t), nil)
	q := query(t, func(*timestamp.Request) {})
	given, err := h.tsa.Issue(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	refused, err := h.tsa.Issue(context.Background(), q[1:])
	if err != nil {
		t.Fatal(err)
	}
	for name, seed := range map[string][]byte{"FuzzAnswer/given": given, "FuzzAnswer/refused": refused, "FuzzQuery/plain": q} {
		to := filepath.Join("testdata/fuzz", name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, fmt.Appendf(nil, "go test fuzz v1\n[]byte(%q)\n", seed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// No bytes are a stamp of an authority that has given none.
func FuzzAnswer(f *testing.F) {
	h := newHouse(f, sqlite(f), ecKey(f), nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Verify(b, []byte("x"), h.trust()); err == nil {
			t.Errorf("%x is a stamp", b)
		}
		if a, err := parse(b); err == nil {
			if signer, err := a.verifySignature(); err == nil && signer == nil {
				t.Error("a signature of nobody")
			}
		}
	})
}

// A request gets a stamp or a refusal, never silence.
func FuzzQuery(f *testing.F) {
	h := newHouse(f, sqlite(f), ecKey(f), nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		q, failure := h.tsa.read(b)
		if failure < 0 && (q == nil || len(q.HashedMessage) != q.HashAlgorithm.Size()) {
			t.Errorf("%x is taken as %+v", b, q)
		}
		if failure >= 0 {
			answer, err := h.tsa.Issue(context.Background(), b)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parse(answer); err == nil {
				t.Errorf("%x is refused with a stamp", b)
			} else if _, ok := errors.AsType[*Refusal](err); !ok {
				t.Errorf("%x: the refusal can't be read: %v", b, err)
			}
		}
	})
}
