package link_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"diwan/protocol/link"
)

// slowDisk is a journal whose flushes take long.
type slowDisk struct{ *memory }

func (s slowDisk) Wait(ctx context.Context, seq uint64) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(15 * time.Millisecond):
		return s.memory.Wait(ctx, seq)
	}
}

// With a slow disk answers still leave durable and whole, from many callers.
func TestSlowDisk(t *testing.T) {
	w := newWorld(t, echo, func(w *world) {
		w.serverConf.Journal, w.clientConf.Journal = slowDisk{w.pj}, slowDisk{w.cj}
	})
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			time.Sleep(time.Duration(i%7) * time.Millisecond)
			body := fmt.Appendf(nil, "body %d", i)
			r, err := w.client.Do(t.Context(), &link.Call{Body: body})
			if err != nil || !bytes.Equal(r.Body, body) {
				t.Errorf("answer %d: %v", i, err)
				return
			}
			if !w.pj.durable(r.Envelope.ID(), link.KindResponse) {
				t.Error("an answer left before it was durable")
			}
		})
	}
	wg.Wait()
}

// A body without end is ended.
func TestEndlessBody(t *testing.T) {
	w := newWorld(t, link.HandlerFunc(func(_ context.Context, r *link.Request) (*link.Reply, error) {
		_, err := io.Copy(io.Discard, r.Stream)
		return &link.Reply{Status: 200}, err
	}), func(w *world) { w.serverConf.Limits.BodyBytes = 3 << 20 })
	_, err := w.client.Do(t.Context(), &link.Call{Stream: &pattern{n: 1 << 50}})
	var e *link.Error
	if !errors.As(err, &e) || e.Type != link.TypeOverloaded {
		t.Errorf("an endless request: %v", err)
	}
	do(t, w, &link.Call{Stream: &pattern{n: 2 << 20}})
}

// A body may be closed while it is read: the reading ends, and what it read into goes to
// nobody else meanwhile.
func TestCloseWhileReading(t *testing.T) {
	bodies := make(chan io.ReadCloser, 1)
	w := newWorld(t, link.HandlerFunc(func(_ context.Context, r *link.Request) (*link.Reply, error) {
		bodies <- r.Stream
		read := make(chan error, 1)
		started := make(chan struct{})
		go func() {
			buf := make([]byte, 1000)
			_, err := r.Stream.Read(buf)
			close(started)
			for err == nil {
				_, err = r.Stream.Read(buf)
			}
			read <- err
		}()
		<-started
		r.Stream.Close()
		if err := <-read; errors.Is(err, io.EOF) {
			t.Error("a body that was closed ended as a whole one")
		}
		return &link.Reply{Status: 200}, nil
	}), nil)
	for range 20 {
		w.client.Do(t.Context(), &link.Call{Stream: &pattern{n: 8 << 20}})
		<-bodies
	}
}
