package journal

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"diwan/protocol/link"
)

var clock = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func signer(t testing.TB, n byte) *link.Signer {
	t.Helper()
	s, err := link.NewSigner(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32)), "member")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func message(t testing.TB, s *link.Signer, n int) link.Record {
	t.Helper()
	head := fmt.Appendf(nil, "head of message %d", n)
	id := link.RequestID{1, byte(n >> 16), byte(n >> 8), byte(n)}
	f := link.Fields{Kind: link.KindRequest, Alg: link.Ed25519, Key: s.Public().ID(), Created: clock, Valid: time.Second, ID: id,
		Head: sha512.Sum512(head), Body: link.EmptyDigest}
	e := f.Make()
	sig, err := link.AppendSingle(nil, s, e)
	if err != nil {
		t.Fatal(err)
	}
	return link.Record{Envelope: e, Signature: sig, Head: head, Sent: n%2 == 0}
}

func open(t testing.TB, dir string, change ...func(*Options)) *Journal {
	t.Helper()
	opt := Options{SegmentBytes: 1 << 20, MinFree: 1, Now: func() time.Time { return clock }}
	for _, c := range change {
		c(&opt)
	}
	j, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// fill appends n messages, each its own commit.
func fill(t testing.TB, j *Journal, n int) {
	t.Helper()
	s := signer(t, 1)
	for i := range n {
		seq, err := j.Append([]link.Record{message(t, s, i)})
		if err == nil {
			err = j.Wait(t.Context(), seq)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func keys(t testing.TB) KeyAt {
	pub := signer(t, 1).Public()
	return func(id link.KeyID, _ time.Time) (*link.PublicKey, error) {
		if id == pub.ID() {
			return pub, nil
		}
		return nil, link.ErrUnknownKey
	}
}

func readAll(t testing.TB, r *Reader) []Entry {
	t.Helper()
	defer r.Close()
	var all []Entry
	for {
		e, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
}

func clean(t *testing.T, dir string) *Report {
	t.Helper()
	r, err := Verify(dir, keys(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) > 0 {
		t.Fatalf("problems in a journal that has none: %+v", r.Problems)
	}
	return r
}

func TestAppendReadReopen(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	fill(t, j, 20)
	if _, err := j.AppendNote(FirstNote, []byte("cursor 7")); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append([]link.Record{message(t, signer(t, 1), 0)}); !errors.Is(err, ErrClosed) {
		t.Errorf("appending to a closed journal: %v", err)
	}
	j = open(t, dir)
	if j.Recovered() != nil {
		t.Errorf("cut after a clean end: %+v", j.Recovered())
	}
	fill(t, j, 3)
	all := readAll(t, j.Reader(1))
	if len(all) != 24 {
		t.Fatalf("%d records", len(all))
	}
	for i, e := range all {
		if e.Seq != uint64(i+1) || e.At != clock {
			t.Errorf("record %d: seq %d at %s", i, e.Seq, e.At)
		}
	}
	if all[20].Type != FirstNote || string(all[20].Payload) != "cursor 7" {
		t.Errorf("note: %+v", all[20])
	}
	if m := all[4].Message; m == nil || string(m.Head) != "head of message 4" || !m.Sent {
		t.Errorf("message: %+v", all[4])
	}
	if got := readAll(t, j.Reader(22)); len(got) != 3 || got[0].Seq != 22 {
		t.Errorf("from 22: %d records", len(got))
	}
	if r := clean(t, dir); r.Records != 24 || r.Messages != 23 || r.Last != 24 {
		t.Errorf("report %+v", r)
	}
}

func TestSecondWriterIsKeptOut(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	if _, err := Open(dir, Options{}); err == nil {
		t.Error("two writers of one journal")
	}
}

func TestSegmentsAndFollowing(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	follower := j.Reader(1)
	defer follower.Close()
	var seen uint64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			e, err := follower.Next()
			if err == io.EOF {
				select {
				case <-stop:
					if n, _ := j.Durable(); seen == n {
						return
					}
				default:
				}
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
				j.WaitBeyond(ctx, seen)
				cancel()
				continue
			}
			if err != nil || e.Seq != seen+1 {
				t.Errorf("after %d: %d, %v", seen, e.Seq, err)
				return
			}
			seen = e.Seq
		}
	})
	note := make([]byte, 50_000)
	for i := range 100 {
		seq, err := j.AppendNote(FirstNote, note)
		if err == nil && i%7 == 0 {
			err = j.Wait(t.Context(), seq)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Wait(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	close(stop)
	wg.Wait()
	if list, _ := segments(dir); len(list) < 4 {
		t.Errorf("%d segments", len(list))
	}
	clean(t, dir)
}

func TestWaitOfManyWriters(t *testing.T) {
	j := open(t, t.TempDir())
	s := signer(t, 1)
	var wg sync.WaitGroup
	for w := range 8 {
		r := message(t, s, w)
		wg.Go(func() {
			for range 50 {
				seq, err := j.Append([]link.Record{r})
				if err == nil {
					err = j.Wait(context.Background(), seq)
				}
				if d, _ := j.Durable(); err != nil || d < seq {
					t.Errorf("record %d, durable %d: %v", seq, d, err)
				}
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Wait(ctx, 400); err != nil {
		t.Errorf("waiting for what is durable: %v", err)
	}
	if err := j.Wait(t.Context(), 401); err == nil {
		t.Error("waited for a record that was never appended")
	}
}

func TestFailedFlushIsFinal(t *testing.T) {
	broken := errors.New("input/output error")
	var fail bool
	var mu sync.Mutex
	dir := t.TempDir()
	j := open(t, dir, func(o *Options) {
		o.flush = func(f *os.File) error {
			mu.Lock()
			defer mu.Unlock()
			if fail {
				return broken
			}
			return dataSync(f)
		}
	})
	fill(t, j, 3)
	mu.Lock()
	fail = true
	mu.Unlock()
	seq, err := j.AppendNote(FirstNote, []byte("lost"))
	if err == nil {
		err = j.Wait(t.Context(), seq)
	}
	if !errors.Is(err, ErrFailed) || !errors.Is(err, broken) {
		t.Fatalf("a failed flush gave %v", err)
	}
	mu.Lock()
	fail = false // the disk claims to work again: it is not believed
	mu.Unlock()
	if _, err := j.AppendNote(FirstNote, nil); !errors.Is(err, ErrFailed) {
		t.Errorf("appending after a failed flush: %v", err)
	}
	if err := j.WaitBeyond(t.Context(), 3); !errors.Is(err, ErrFailed) {
		t.Errorf("waiting for more: %v", err)
	}
	if got := readAll(t, j.Reader(1)); len(got) != 3 {
		t.Errorf("%d records are read", len(got))
	}
	if err := j.Close(); !errors.Is(err, ErrFailed) {
		t.Errorf("closing: %v", err)
	}
}

func TestWatermark(t *testing.T) {
	var free uint64 = 1000
	var mu sync.Mutex
	set := func(n uint64) { mu.Lock(); free = n; mu.Unlock() }
	j := open(t, t.TempDir(), func(o *Options) {
		o.MinFree, o.CheckEvery = 100, time.Millisecond
		o.Free = func(string) (uint64, error) { mu.Lock(); defer mu.Unlock(); return free, nil }
	})
	fill(t, j, 2)
	set(99)
	for j.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if _, err := j.AppendNote(FirstNote, nil); !errors.Is(err, ErrFull) {
		t.Errorf("appending below the watermark: %v", err)
	}
	if got := readAll(t, j.Reader(1)); len(got) != 2 {
		t.Errorf("%d records are read below the watermark", len(got))
	}
	set(1000)
	for j.Err() != nil {
		time.Sleep(time.Millisecond)
	}
	fill(t, j, 1)
}

func TestRetention(t *testing.T) {
	dir := t.TempDir()
	now := clock
	var mu sync.Mutex
	j := open(t, dir, func(o *Options) { o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now } })
	note := make([]byte, 60_000)
	for range 80 {
		mu.Lock()
		now = now.Add(time.Hour)
		mu.Unlock()
		seq, err := j.AppendNote(FirstNote, note)
		if err == nil {
			err = j.Wait(t.Context(), seq)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	before, _ := segments(dir)
	n, err := j.DropBefore(t.Context(), clock.Add(40*time.Hour))
	after, _ := segments(dir)
	if err != nil || n == 0 || len(after) != len(before)-n {
		t.Fatalf("dropped %d of %d: %v", n, len(before), err)
	}
	if after[0] > 41 {
		t.Errorf("records after the time were dropped: begins at %d", after[0])
	}
	if _, err := j.Reader(1).Next(); !errors.Is(err, ErrDropped) {
		t.Errorf("reading what was dropped: %v", err)
	}
	if r := clean(t, dir); r.First != after[0] {
		t.Errorf("report %+v", r)
	}
	// Somebody removes one segment more.
	j.Close()
	os.Remove(filepath.Join(dir, segmentName(after[0])))
	r, err := Verify(dir, nil, nil)
	if err != nil || len(r.Problems) != 1 || r.Problems[0].Kind != Missing {
		t.Errorf("a segment was taken away: %+v %v", r, err)
	}
}
