package link_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"sync"
	"syscall"
	"testing"
	"time"

	"diwan/internal/exchange/journal"
	"diwan/protocol/link"
)

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkExchange is a consumer here and a provider in a process of its own,
// over loopback TLS, each with its journal on disk: a head of 300 bytes, an
// answer of 1 KiB. The processor's time is given for each side; with it, what
// one Ed25519 verification takes at that moment, because machines differ and
// the same machine does from minute to minute.
func BenchmarkExchange(b *testing.B) {
	for _, mode := range []string{"batch", "message"} {
		for _, callers := range []int{32, 1} {
			b.Run(fmt.Sprintf("%s/%d", mode, callers), func(b *testing.B) { benchExchange(b, mode == "message", callers) })
		}
	}
}

func benchExchange(b *testing.B, perMessage bool, callers int) {
	head := bytes.Repeat([]byte("h"), 300)
	j := must(journal.Open(b.TempDir(), journal.Options{MinFree: 1}))
	b.Cleanup(func() { j.Close() })
	w := newWorld(b, echo, func(w *world) {
		child := startProvider(b, w, perMessage)
		w.clientConf.Addresses = []string{child.address}
		w.clientConf.Journal, w.clientConf.PerMessage = j, perMessage
		w.child = child
	})
	for range 10 {
		must(w.client.Do(b.Context(), &link.Call{Head: head}))
	}
	flush, verify := flushTime(b, j), verifyTime()
	b.ReportAllocs()
	b.ResetTimer()
	mine, theirs := cpu(), w.child.cpu()
	var wg sync.WaitGroup
	work := make(chan struct{}, callers)
	for range callers {
		wg.Go(func() {
			for range work {
				if _, err := w.client.Do(b.Context(), &link.Call{Head: head}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
	b.StopTimer()
	per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(b.N) }
	b.ReportMetric(per(cpu()-mine), "consumer-µs/op")
	b.ReportMetric(per(w.child.cpu()-theirs), "provider-µs/op")
	b.ReportMetric(flush, "flush-µs")
	b.ReportMetric(verify, "verify-µs")
}

// verifyTime is the time of one Ed25519 verification.
func verifyTime() float64 {
	pub, key, _ := ed25519.GenerateKey(nil)
	msg := make([]byte, link.StatementSize)
	sig := ed25519.Sign(key, msg)
	start := time.Now()
	const n = 200
	for range n {
		ed25519.Verify(pub, msg, sig)
	}
	return float64(time.Since(start).Nanoseconds()) / 1000 / n
}

// BenchmarkBody sends answers of 50 MiB in chunks.
func BenchmarkBody(b *testing.B) {
	const size = 50 << 20
	w := newWorld(b, link.HandlerFunc(func(context.Context, *link.Request) (*link.Reply, error) {
		return &link.Reply{Status: 200, Stream: io.LimitReader(zeros{}, size)}, nil
	}), nil)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		r := must(w.client.Do(b.Context(), &link.Call{}))
		if n, err := io.Copy(io.Discard, r.Stream); err != nil || n != size {
			b.Fatal(n, err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// flushTime is how long one record takes to be durable, to be read beside every
// figure.
func flushTime(b *testing.B, j *journal.Journal) float64 {
	start := time.Now()
	const n = 20
	for range n {
		seq := must(j.AppendNote(journal.FirstNote, nil))
		if err := j.Wait(b.Context(), seq); err != nil {
			b.Fatal(err)
		}
	}
	return float64(time.Since(start).Microseconds()) / n
}
