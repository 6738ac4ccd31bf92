package statuslist

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"diwan/protocol/jws"
)

// server answers a cache's fetches and counts them.
type server struct {
	mu    sync.Mutex
	token []byte
	media string
	err   error
	asked atomic.Int32
	wait  chan struct{} // when set, a fetch waits for it
}

func (s *server) fetch(ctx context.Context, _ string) ([]byte, string, error) {
	s.asked.Add(1)
	if s.wait != nil {
		select {
		case <-s.wait:
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token, s.media, s.err
}

func (s *server) serve(t testing.TB, tok *Token, key crypto.Signer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.media, s.err = MediaJWT, nil
	s.token = sign(t, tok, key)[MediaJWT]
}

func newCache(s *server, key crypto.Signer) *Cache {
	return NewCache(Options{Fetch: s.fetch, Key: signedBy(key)})
}

func TestCacheFreshness(t *testing.T) {
	key := newKey(t)
	s := &server{}
	tok := token(t)
	tok.Expires = now.Add(90 * time.Minute)
	s.serve(t, tok, key)
	c := newCache(s, key)
	ref := Reference{Index: 5, URI: uri}
	steps := []struct {
		name  string
		after time.Duration
		asked int32
		err   error
	}{
		{"first", 0, 1, nil},
		{"within its time to live", 59 * time.Minute, 1, nil},
		{"past its time to live", time.Hour, 2, nil},
		{"the end comes before the time to live", 89 * time.Minute, 2, nil},
		{"past its end", 90 * time.Minute, 3, ErrExpired},
		{"asked a moment ago", 90*time.Minute + time.Second, 3, ErrExpired},
		{"asked again", 91 * time.Minute, 4, ErrExpired},
	}
	for _, step := range steps {
		v, _, err := c.Status(t.Context(), ref, now.Add(step.after))
		if !errors.Is(err, step.err) || s.asked.Load() != step.asked || err == nil && v != Invalid {
			t.Errorf("%s: %s, %v, asked %d times", step.name, v, err, s.asked.Load())
		}
	}
}

func TestCacheOffline(t *testing.T) {
	key := newKey(t)
	s := &server{}
	s.serve(t, token(t), key)
	c := newCache(s, key)
	ref := Reference{Index: 6, URI: uri}
	if _, _, _, err := c.Offline(ref, now); !errors.Is(err, ErrFetch) {
		t.Errorf("nothing is there: %v", err)
	}
	if _, _, err := c.Status(t.Context(), ref, now); err != nil {
		t.Fatal(err)
	}
	s.err = errors.New("no route")
	if _, _, err := c.Status(t.Context(), ref, now.Add(2*time.Hour)); !errors.Is(err, ErrFetch) {
		t.Errorf("without a network: %v", err)
	}
	v, list, fresh, err := c.Offline(ref, now.Add(2*time.Hour))
	if err != nil || v != Suspended || fresh || !list.IssuedAt.Equal(now) {
		t.Errorf("offline: %s, fresh %v, %v", v, fresh, err)
	}
	if _, _, _, err := c.Offline(ref, now.Add(24*time.Hour)); !errors.Is(err, ErrExpired) {
		t.Errorf("offline past the end: %v", err)
	}
}

// TestCacheOlder checks that a list can't be replaced by one issued before, in which a
// revocation has not happened.
func TestCacheOlder(t *testing.T) {
	key := newKey(t)
	s := &server{}
	s.serve(t, token(t), key)
	c := newCache(s, key)
	if _, err := c.Get(t.Context(), uri, now); err != nil {
		t.Fatal(err)
	}
	older := token(t)
	older.IssuedAt = now.Add(-time.Hour)
	s.serve(t, older, key)
	if _, err := c.Get(t.Context(), uri, now.Add(2*time.Hour)); !errors.Is(err, ErrStale) {
		t.Errorf("an older list: %v", err)
	}
	if got := c.Peek(uri); !got.IssuedAt.Equal(now) {
		t.Errorf("the older one was kept: %s", got.IssuedAt)
	}
}

func TestCacheOneFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := newKey(t)
		s := &server{wait: make(chan struct{})}
		s.serve(t, token(t), key)
		c := newCache(s, key)
		first, leave := context.WithCancel(t.Context())
		var good, left atomic.Int32
		for i := range 20 {
			ctx := t.Context()
			if i == 0 {
				ctx = first
			}
			go func() {
				if _, err := c.Get(ctx, uri, now); err == nil {
					good.Add(1)
				} else if errors.Is(err, context.Canceled) {
					left.Add(1)
				}
			}()
			synctest.Wait()
		}
		leave()
		synctest.Wait()
		close(s.wait)
		synctest.Wait()
		if s.asked.Load() != 1 || good.Load() != 19 || left.Load() != 1 {
			t.Errorf("asked %d times, %d served, %d left", s.asked.Load(), good.Load(), left.Load())
		}
	})
}

func TestCacheSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{wait: make(chan struct{})}
		c := newCache(s, newKey(t))
		start := time.Now()
		if _, err := c.Get(t.Context(), uri, now); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 15*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

func TestCacheBound(t *testing.T) {
	s := &server{err: errors.New("no")}
	c := NewCache(Options{Fetch: s.fetch, Key: signedBy(newKey(t)), MaxLists: 3})
	for i := range 10 {
		if _, err := c.Get(t.Context(), uri+strconv.Itoa(i), now.Add(time.Duration(i)*time.Second)); !errors.Is(err, ErrFetch) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if len(c.entries) != 3 || c.entries[uri+"9"] == nil || c.entries[uri+"7"] == nil {
		t.Errorf("%d entries", len(c.entries))
	}
	if _, _, err := c.Status(t.Context(), Reference{Index: -1, URI: uri}, now); !errors.Is(err, ErrReference) {
		t.Errorf("a malformed reference: %v", err)
	}
	if _, err := c.Get(t.Context(), uri+"9", now.Add(10*time.Second)); !errors.Is(err, ErrFetch) || s.asked.Load() != 10 {
		t.Errorf("asked %d times, %v", s.asked.Load(), err)
	}
}

func TestCacheExportImport(t *testing.T) {
	key, other := newKey(t), newKey(t)
	s := &server{}
	s.serve(t, token(t), key)
	c := newCache(s, key)
	if err := c.Refresh(t.Context(), []string{uri, uri + "/another"}, now); !errors.Is(err, ErrSubject) {
		t.Errorf("refreshing: %v", err)
	}
	b, err := c.Export()
	if err != nil {
		t.Fatal(err)
	}
	offline := NewCache(Options{Key: signedBy(key)})
	if n, err := offline.Import(b, now.Add(30*time.Minute)); n != 1 || err != nil {
		t.Fatalf("imported %d, %v", n, err)
	}
	ref := Reference{Index: 5, URI: uri}
	if v, _, err := offline.Status(t.Context(), ref, now.Add(59*time.Minute)); v != Invalid || err != nil {
		t.Errorf("imported status %s, %v", v, err)
	}
	if _, _, err := offline.Status(t.Context(), ref, now.Add(time.Hour)); !errors.Is(err, ErrFetch) {
		t.Errorf("the time to live was prolonged: %v", err)
	}
	if n, err := offline.Import(b, now); n != 0 || err != nil {
		t.Errorf("imported again: %d, %v", n, err)
	}
	if n, err := NewCache(Options{Key: signedBy(other)}).Import(b, now); n != 0 || !errors.Is(err, ErrSignature) {
		t.Errorf("of a stranger: %d, %v", n, err)
	}
	if n, err := NewCache(Options{Key: signedBy(key)}).Import(b, now.Add(24*time.Hour)); n != 0 || !errors.Is(err, ErrExpired) {
		t.Errorf("past its end: %d, %v", n, err)
	}
	for _, bad := range []string{``, `[]`, `{"lists":[{"uri":1}]}`, `{"lists":[],"lists":[]}`} {
		if _, err := offline.Import([]byte(bad), now); !errors.Is(err, ErrForm) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestCovers(t *testing.T) {
	v := &Verified{IssuedAt: now, Expires: now.Add(time.Hour)}
	for after, want := range map[time.Duration]bool{-1: false, 0: true, time.Hour - 1: true, time.Hour: false} {
		if v.Covers(now.Add(after)) != want {
			t.Errorf("after %s: %v", after, !want)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	p := token(f).List
	f.Add(p.Bits, p.Data)
	f.Add(1, []byte{0x78, 0xda, 3, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, bits int, data []byte) {
		l, err := Packed{bits, data}.Unpack(1 << 12)
		if err != nil {
			return
		}
		if l.Len() > 1<<12 || l.Len() == 0 {
			t.Fatalf("%d entries", l.Len())
		}
		again, err := l.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Unpack(l.Len()); err != nil {
			t.Error(err)
		}
	})
}

func FuzzVerifyCWT(f *testing.F) {
	key := newKey(f)
	f.Add(sign(f, token(f), key)[MediaCWT])
	f.Add([]byte(tagCWT + tagSign1 + "\x84\x40\xa0\x40\x40"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = VerifyCWT(b, Policy{URI: uri, Key: signedBy(key), Now: now, MaxEntries: 1 << 12})
		// The same without a signature in the way.
		var c cwtClaims
		if decoding.Unmarshal(b, &c) == nil {
			if v, err := c.verified(jws.Header{}); err == nil {
				_, _ = v.finish(Policy{URI: v.URI, Now: now, MaxEntries: 1 << 12})
			}
		}
	})
}

func FuzzVerifyJWT(f *testing.F) {
	key := newKey(f)
	f.Add(string(sign(f, token(f), key)[MediaJWT]))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, s string) {
		_, _ = VerifyJWT(s, Policy{URI: uri, Key: signedBy(key), Now: now, MaxEntries: 1 << 12})
	})
}

func FuzzReference(f *testing.F) {
	f.Add([]byte(`{"status_list":{"idx":1,"uri":"https://a.example/1"}}`))
	f.Add([]byte(`{"status_lists":["urn:a:1"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = ParseAggregation(b)
		var v any
		if json.Unmarshal(b, &v) != nil {
			return
		}
		r, err := FromClaim(v)
		if err != nil {
			return
		}
		if again, err := FromClaim(r.Claim()); err != nil || again != r {
			t.Errorf("%+v became %+v, %v", r, again, err)
		}
	})
}

func BenchmarkPack(b *testing.B) {
	l, err := New(1<<20, 2)
	if err != nil {
		b.Fatal(err)
	}
	// One in a hundred, spread by a generator whose seed is fixed.
	for i, x := 0, uint32(1); i < l.Len()/100; i++ {
		x = x*1664525 + 1013904223
		if err := l.Set(int(x>>12), Invalid); err != nil {
			b.Fatal(err)
		}
	}
	var p Packer
	var packed Packed
	b.ReportAllocs()
	for b.Loop() {
		if packed, err = p.Pack(l); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(packed.Data)), "bytes")
}

func BenchmarkVerify(b *testing.B) {
	key := newKey(b)
	l, err := New(1<<20, 2)
	if err != nil {
		b.Fatal(err)
	}
	tok := token(b)
	if tok.List, err = l.Pack(); err != nil {
		b.Fatal(err)
	}
	p := Policy{URI: uri, Key: signedBy(key), Now: now}
	for media, t := range sign(b, tok, key) {
		b.Run(media[len("application/"):], func(b *testing.B) {
			for b.Loop() {
				if _, err := Verify(media, t, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
