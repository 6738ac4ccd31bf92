package translog

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"

	"golang.org/x/mod/sumdb/note"
)

func newWitness(t testing.TB, d *db.DB, name string, keys ...string) *Witness {
	t.Helper()
	w, err := NewWitness(d, WitnessOptions{Name: name, Key: keyNamed(name), Now: func() time.Time { return t0 }, Known: func(o string) []string {
		if o == origin {
			return keys
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func clientOf(t testing.TB, w *Witness) *WitnessClient {
	t.Helper()
	c, err := NewWitnessClient("http://witness.invalid/", w.Key(), &http.Client{Transport: direct{w}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// forge signs any checkpoint with the log's key, as a log that lies would.
func forge(t testing.TB, c Checkpoint, key ed25519.PrivateKey) []byte {
	t.Helper()
	s, err := newLogSigner(c.Origin, key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := note.Sign(&note.Note{Text: c.Text()}, s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWitness(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		l := openLog(t, d)
		w := newWitness(t, d, "witness-1", l.Key())
		c := clientOf(t, w)
		if err := l.Cosign(ctx, c, t0); err != nil {
			t.Errorf("without a checkpoint: %v", err)
		}
		for _, to := range []int{0, 1, 5, 5, 300} {
			if n, _ := l.Size(ctx); int(n) < to {
				add(t, l, int(n), to)
			}
			s := checkpoint(t, l)
			if err := l.Cosign(ctx, c, t0); err != nil {
				t.Fatalf("at %d: %v", to, err)
			}
			s, err := l.At(ctx, s.Size)
			if err != nil || len(s.Cosignatures) != 1 {
				t.Fatalf("at %d: %v, %v", to, s, err)
			}
			at, err := c.key.verify(s.Cosignatures[0], s.Text())
			if err != nil || !at.Equal(t0) {
				t.Errorf("at %d: cosigned %v, %v", to, at, err)
			}
			if seen, err := w.Seen(ctx, origin); err != nil || seen != s.Checkpoint {
				t.Errorf("at %d: seen %+v, %v", to, seen, err)
			}
			// The published note opens with log and witness keys of the format.
			k, err := ParseLogKey(l.Key())
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := OpenCheckpoint(s.Published(), k); err != nil {
				t.Errorf("published: %v", err)
			}
		}
		// A cosignature is of one text and of one witness.
		s, _ := l.At(ctx, 300)
		if _, err := c.key.verify(s.Cosignatures[0], "o\n"+s.Text()); !errors.Is(err, ErrCosignature) {
			t.Errorf("over another text: %v", err)
		}
		other, err := parseWitnessKey(newWitness(t, d, "witness-2").Key())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.verify(s.Cosignatures[0], s.Text()); !errors.Is(err, ErrCosignature) {
			t.Errorf("of another witness: %v", err)
		}
	})
}

func TestWitnessRefuses(t *testing.T) {
	d := dbtest.SQLite(t, sets)
	l := openLog(t, d)
	w := newWitness(t, d, "witness", l.Key())
	add(t, l, 0, 10)
	ten := checkpoint(t, l)
	if err := l.Cosign(ctx, clientOf(t, w), t0); err != nil {
		t.Fatal(err)
	}
	add(t, l, 10, 20)
	twenty := checkpoint(t, l)
	proof, err := l.ConsistencyProof(ctx, 10, 20)
	if err != nil {
		t.Fatal(err)
	}
	fork := ten.Checkpoint
	fork.Root[0] ^= 1
	rewritten := twenty.Checkpoint
	rewritten.Root = rootAfter(t, entriesOf(100, 120))
	foreign := twenty.Checkpoint
	foreign.Origin = "exchange/TEST/GOV/B"
	cut := string(twenty.Note[:len(twenty.Note)-10])
	good := string(writeRequest(10, proof, twenty.Note))
	edited := strings.Replace(good, "\n20\n", "\n21\n", 1)
	for _, c := range []struct {
		name   string
		body   string
		status int
		answer string
	}{
		{"nothing", "", 400, ""},
		{"no checkpoint", "old 10\n\n", 400, ""},
		{"cut", "old 10\n\n" + cut, 400, ""},
		{"too many hashes", "old 10\n" + strings.Repeat(base64Of(emptyRoot[:])+"\n", 64) + "\n" + string(twenty.Note), 400, ""},
		{"too long", "old 10\n" + strings.Repeat("A", maxRequest), 400, ""},
		{"leading zero", strings.Replace(good, "old 10", "old 010", 1), 400, ""},
		{"old beyond new", string(writeRequest(21, nil, twenty.Note)), 400, ""},
		{"unknown log", string(writeRequest(0, nil, forge(t, foreign, keyNamed("log")))), 404, ""},
		{"foreign signature", string(writeRequest(10, proof, forge(t, twenty.Checkpoint, keyNamed("mallory")))), 403, ""},
		{"edited", edited, 403, ""},
		{"from nothing", string(writeRequest(0, nil, twenty.Note)), 409, "10\n"},
		{"from what was not seen", string(writeRequest(15, nil, twenty.Note)), 409, "10\n"},
		{"smaller", string(writeRequest(0, nil, forge(t, Checkpoint{origin, 9, rootAfter(t, entriesOf(0, 9))}, keyNamed("log")))), 409, "10\n"},
		{"fork of one size", string(writeRequest(10, nil, forge(t, fork, keyNamed("log")))), 409, "10\n"},
		{"no proof", string(writeRequest(10, nil, twenty.Note)), 422, ""},
		{"proof with more", string(writeRequest(10, append(proof[:len(proof):len(proof)], emptyRoot), twenty.Note)), 422, ""},
		{"other past", string(writeRequest(10, proof, forge(t, rewritten, keyNamed("log")))), 422, ""},
		{"good", good, 200, ""},
		{"good again", good, 409, "20\n"},
		{"refreshed", string(writeRequest(20, nil, twenty.Note)), 200, ""},
	} {
		rw := httptest.NewRecorder()
		w.ServeHTTP(rw, httptest.NewRequest("POST", "/add-checkpoint", strings.NewReader(c.body)))
		if rw.Code != c.status || c.answer != "" && rw.Body.String() != c.answer {
			t.Errorf("%s: status %d, %q, want %d", c.name, rw.Code, rw.Body.String(), c.status)
		}
		if rw.Code == 409 && rw.Header().Get("Content-Type") != sizeType {
			t.Errorf("%s: type %s", c.name, rw.Header().Get("Content-Type"))
		}
	}
	forks, err := w.Forks(ctx)
	if err != nil || len(forks) != 1 || forks[0].Size != 10 || string(forks[0].Kept) != string(ten.Note) {
		t.Errorf("forks kept: %+v, %v", forks, err)
	}
	for path, status := range map[string]int{"/": 404, "/add-checkpoint": 405} {
		rw := httptest.NewRecorder()
		w.ServeHTTP(rw, httptest.NewRequest("GET", path, nil))
		if rw.Code != status {
			t.Errorf("GET %s: %d", path, rw.Code)
		}
	}
}

// Two requests at once never leave the witness with the smaller one.
func TestWitnessRace(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		l := openLog(t, d)
		var notes []*Signed
		for i := range 8 {
			add(t, l, i, i+1)
			notes = append(notes, checkpoint(t, l))
		}
		var wg sync.WaitGroup
		for n := range 2 {
			w := newWitness(t, d, "witness", l.Key())
			wg.Go(func() {
				for i := range 30 {
					s := notes[(i+n*3)%len(notes)]
					old, err := w.Seen(ctx, origin)
					if err != nil {
						t.Error(err)
						return
					}
					if old.Size > s.Size {
						continue
					}
					proof, err := l.ConsistencyProof(ctx, old.Size, s.Size)
					if err != nil {
						t.Error(err)
						return
					}
					_, err = w.AddCheckpoint(ctx, old.Size, proof, s.Note)
					if _, stale := errors.AsType[*StaleError](err); err != nil && !stale {
						t.Error(err)
					}
					if now, err := w.Seen(ctx, origin); err != nil || now.Size < old.Size {
						t.Errorf("from %d back to %d, %v", old.Size, now.Size, err)
					}
				}
			})
		}
		wg.Wait()
	})
}

// A log whose database was set back learns it from its witness.
func TestSetBackLog(t *testing.T) {
	l := openLog(t, dbtest.SQLite(t, sets))
	w := newWitness(t, dbtest.SQLite(t, sets), "witness", l.Key())
	c := clientOf(t, w)
	add(t, l, 0, 10)
	checkpoint(t, l)
	if err := l.Cosign(ctx, c, t0); err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		from, n int
		want    error
	}{"smaller": {0, 5, ErrAhead}, "forked": {50, 10, ErrFork}, "other past": {50, 12, ErrProof}, "the same": {0, 10, nil}, "grown": {0, 15, nil}} {
		t.Run(name, func(t *testing.T) {
			again := openLog(t, dbtest.SQLite(t, sets))
			if _, err := again.Append(ctx, entriesOf(x.from, x.from+x.n)); err != nil {
				t.Fatal(err)
			}
			checkpoint(t, again)
			// Each begins with a witness that has seen ten entries.
			w := newWitness(t, dbtest.SQLite(t, sets), "witness", l.Key())
			s, err := l.At(ctx, 10)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.AddCheckpoint(ctx, 0, nil, s.Note); err != nil {
				t.Fatal(err)
			}
			if err := again.Cosign(ctx, clientOf(t, w), t0); !errors.Is(err, x.want) {
				t.Errorf("%v, want %v", err, x.want)
			}
		})
	}
}

// What a witness answers is checked like anything from outside.
func TestClientOfBadWitness(t *testing.T) {
	d := dbtest.SQLite(t, sets)
	l := openLog(t, d)
	add(t, l, 0, 10)
	s := checkpoint(t, l)
	w := newWitness(t, d, "witness", l.Key())
	future, err := w.key.cosign(keyNamed("witness"), s.Text(), t0.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := newWitness(t, d, "stranger").key.cosign(keyNamed("stranger"), s.Text(), t0)
	if err != nil {
		t.Fatal(err)
	}
	good, err := w.key.cosign(keyNamed("witness"), s.Text(), t0)
	if err != nil {
		t.Fatal(err)
	}
	reply := func(status int, contentType, body string) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", contentType)
			rw.WriteHeader(status)
			fmt.Fprint(rw, body)
		})
	}
	for _, c := range []struct {
		name    string
		handler http.Handler
		bad     bool
		want    error
	}{
		{"nothing", reply(200, "", ""), true, ErrCosignature},
		{"a stranger", reply(200, "", stranger), true, ErrCosignature},
		{"the future", reply(200, "", future), true, ErrCosignature},
		{"cut", reply(200, "", good[:len(good)-9]+"\n"), true, ErrCosignature},
		{"endless", reply(200, "", strings.Repeat("x", maxAnswer+1)), true, nil},
		{"ahead", reply(409, sizeType, "11\n"), true, ErrAhead},
		{"no size", reply(409, sizeType, "many\n"), true, nil},
		{"a page", reply(409, "text/html", "11\n"), true, nil},
		{"down", reply(503, "", ""), true, nil},
		{"forbidden", reply(403, "", ""), true, ErrUnsigned},
		{"among strangers", reply(200, "", stranger+good), false, nil},
	} {
		client, err := NewWitnessClient("http://witness.invalid", w.Key(), &http.Client{Transport: direct{c.handler}})
		if err != nil {
			t.Fatal(err)
		}
		err = l.Cosign(ctx, client, t0)
		if (err != nil) != c.bad || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}
