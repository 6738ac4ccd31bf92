package link_test

import (
	"bytes"
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"diwan/protocol/link"
)

func do(t testing.TB, w *world, c *link.Call) *link.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	r, err := w.client.Do(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestExchange(t *testing.T) {
	for _, perMessage := range []bool{false, true} {
		var w *world
		var early atomic.Int32
		w = newWorld(t, link.HandlerFunc(func(_ context.Context, r *link.Request) (*link.Reply, error) {
			if !w.pj.durable(r.Envelope.ID(), link.KindRequest) {
				early.Add(1)
			}
			if r.Key.Member() != consumer {
				return nil, &link.Error{Type: "access_denied"}
			}
			return &link.Reply{Status: 201, Head: append([]byte("re: "), r.Head...), Body: r.Body}, nil
		}), func(w *world) {
			w.clientConf.PerMessage, w.serverConf.PerMessage = perMessage, perMessage
		})
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				body := fmt.Appendf(nil, "body %d", i)
				r, err := w.client.Do(t.Context(), &link.Call{Head: fmt.Appendf(nil, "head %d", i), Body: body})
				if err != nil {
					t.Error(err)
					return
				}
				if r.Status != 201 || string(r.Head) != fmt.Sprintf("re: head %d", i) || !bytes.Equal(r.Body, body) || r.Key.Member() != provider {
					t.Errorf("answer %d: %d %q %q", i, r.Status, r.Head, r.Body)
				}
				id := r.Envelope.ID()
				for side, j := range map[string]*memory{"consumer": w.cj, "provider": w.pj} {
					if !j.durable(id, link.KindRequest) || !j.durable(id, link.KindResponse) {
						t.Errorf("the %s has not both records durable", side)
					}
				}
			})
		}
		wg.Wait()
		if early.Load() > 0 {
			t.Errorf("%d handlers ran before their request was durable", early.Load())
		}
		// What the journals hold is proof without the link.
		v := link.NewVerifier()
		for _, j := range []*memory{w.cj, w.pj} {
			for _, rec := range j.records {
				key := must(w.keys.Key(rec.Envelope.Key(), time.Now()))
				if err := v.Verify(rec.Envelope, rec.Signature, key); err != nil {
					t.Errorf("record of %s: %v", rec.Envelope.ID(), err)
				}
				if link.Digest(sha512.Sum512(rec.Head)) != *rec.Envelope.HeadDigest() {
					t.Error("head and envelope differ in a record")
				}
			}
		}
	}
}

func TestHandlerErrors(t *testing.T) {
	w := newWorld(t, link.HandlerFunc(func(_ context.Context, r *link.Request) (*link.Reply, error) {
		switch string(r.Head) {
		case "denied":
			return nil, &link.Error{Type: "access_denied"}
		case "panic":
			panic("on purpose")
		case "status":
			return &link.Reply{Status: 99}, nil
		case "nothing":
			return nil, nil
		}
		return nil, errors.New("a secret of the provider")
	}), nil)
	for head, want := range map[string]string{"denied": "access_denied", "panic": "internal_error", "status": "internal_error", "nothing": "internal_error", "x": "internal_error"} {
		_, err := w.client.Do(t.Context(), &link.Call{Head: []byte(head)})
		var e *link.Error
		if !errors.As(err, &e) || !e.Remote || e.Type != want {
			t.Errorf("%s: %v", head, err)
		}
	}
}

func TestJournalRefuses(t *testing.T) {
	ran := atomic.Int32{}
	w := newWorld(t, link.HandlerFunc(func(context.Context, *link.Request) (*link.Reply, error) {
		ran.Add(1)
		return &link.Reply{Status: 200}, nil
	}), nil)
	full := errors.New("disk full")
	w.cj.mu.Lock()
	w.cj.fail = full
	w.cj.mu.Unlock()
	if _, err := w.client.Do(t.Context(), &link.Call{}); !errors.Is(err, link.ErrNotSent) || !errors.Is(err, link.ErrJournal) || ran.Load() != 0 {
		t.Errorf("the consumer's journal refuses: %v", err)
	}
	w.cj.mu.Lock()
	w.cj.fail = nil
	w.cj.mu.Unlock()
	w.pj.mu.Lock()
	w.pj.fail = full
	w.pj.mu.Unlock()
	_, err := w.client.Do(t.Context(), &link.Call{})
	var e *link.Error
	if !errors.As(err, &e) || e.Type != link.TypeLoggingFailed || ran.Load() != 0 {
		t.Errorf("the provider's journal refuses: %v, handlers run: %d", err, ran.Load())
	}
}

// pattern is a body of n bytes that no two places of a chunk have alike.
type pattern struct{ at, n int64 }

func (p *pattern) Read(b []byte) (int, error) {
	if p.at == p.n {
		return 0, io.EOF
	}
	m := int(min(int64(len(b)), p.n-p.at))
	for i := range b[:m] {
		x := uint64(p.at) + uint64(i)
		b[i] = byte(x * 2654435761 >> 13)
	}
	p.at += int64(m)
	return m, nil
}

func TestStreams(t *testing.T) {
	w := newWorld(t, link.HandlerFunc(func(_ context.Context, r *link.Request) (*link.Reply, error) {
		h := sha512.New()
		n, err := io.Copy(h, r.Stream)
		if err != nil {
			return nil, err
		}
		if d, ok := r.Stream.Digest(); !ok || !bytes.Equal(d[:], h.Sum(nil)) {
			return nil, errors.New("digest of the body")
		}
		return &link.Reply{Status: 200, Head: h.Sum(nil), Stream: &pattern{n: n + 1}}, nil
	}), nil)
	for _, n := range []int64{0, 1, link.MaxChunk - 1, link.MaxChunk, 3*link.MaxChunk + 17} {
		h := sha512.New()
		io.Copy(h, &pattern{n: n})
		r := do(t, w, &link.Call{Stream: &pattern{n: n}})
		if !bytes.Equal(r.Head, h.Sum(nil)) {
			t.Errorf("%d bytes: the provider read something else", n)
		}
		h.Reset()
		m, err := io.Copy(h, r.Stream)
		want := sha512.New()
		io.Copy(want, &pattern{n: n + 1})
		if err != nil || m != n+1 || !bytes.Equal(h.Sum(nil), want.Sum(nil)) {
			t.Errorf("%d bytes back: %d, %v", n+1, m, err)
		}
		if err := r.Stream.Close(); err != nil {
			t.Error(err)
		}
		id := r.Envelope.ID()
		if !w.cj.durable(id, link.KindChunk) || !w.pj.durable(id, link.KindChunk) {
			t.Error("the ends of the bodies are not durable")
		}
	}
}

// broken gives some bytes and then fails as a connection does that breaks off.
type broken struct {
	pattern
	err error
}

func (b *broken) Read(p []byte) (int, error) {
	n, err := b.pattern.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

// A body that breaks off is never taken for a whole one, also when its source
// says io.ErrUnexpectedEOF, as net/http does.
func TestTruncatedBodies(t *testing.T) {
	got := make(chan error, 1)
	w := newWorld(t, link.HandlerFunc(func(_ context.Context, r *link.Request) (*link.Reply, error) {
		if r.Stream != nil {
			_, err := io.Copy(io.Discard, r.Stream)
			got <- err
			return &link.Reply{Status: 200}, err
		}
		return &link.Reply{Status: 200, Stream: &broken{pattern{n: link.MaxChunk + 5}, io.ErrUnexpectedEOF}}, nil
	}), nil)
	r := do(t, w, &link.Call{})
	n, err := io.Copy(io.Discard, r.Stream)
	if !errors.Is(err, link.ErrTruncated) || n > link.MaxChunk {
		t.Errorf("answer: %d bytes, %v", n, err)
	}
	_, err = w.client.Do(t.Context(), &link.Call{Stream: &broken{pattern{n: link.MaxChunk + 5}, io.ErrUnexpectedEOF}})
	if err == nil {
		t.Error("a request that broke off was answered")
	}
	if err := <-got; !errors.Is(err, link.ErrTruncated) {
		t.Errorf("the handler was told %v", err)
	}
}

// A reader that stops stops its sender and nobody else.
func TestSlowReader(t *testing.T) {
	sent := atomic.Int64{}
	w := newWorld(t, link.HandlerFunc(func(_ context.Context, r *link.Request) (*link.Reply, error) {
		if len(r.Head) == 0 {
			return &link.Reply{Status: 200}, nil
		}
		return &link.Reply{Status: 200, Stream: &counted{pattern{n: 64 << 20}, &sent}}, nil
	}), nil)
	slow := do(t, w, &link.Call{Head: []byte("big")})
	defer slow.Stream.Close()
	if _, err := io.ReadFull(slow.Stream, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		do(t, w, &link.Call{})
	}
	r := do(t, w, &link.Call{Head: []byte("big")})
	if n, err := io.Copy(io.Discard, r.Stream); err != nil || n != 64<<20 {
		t.Errorf("beside a slow reader: %d, %v", n, err)
	}
	if ahead := sent.Load() - 64<<20; ahead > (link.Window+1)*link.MaxChunk {
		t.Errorf("%d bytes were sent to a reader that took 10", ahead)
	}
}

type counted struct {
	pattern
	n *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.pattern.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func TestCancel(t *testing.T) {
	stopped := make(chan struct{})
	started := make(chan struct{})
	w := newWorld(t, link.HandlerFunc(func(ctx context.Context, r *link.Request) (*link.Reply, error) {
		if len(r.Head) > 0 {
			close(started)
			<-ctx.Done()
			close(stopped)
		}
		return &link.Reply{Status: 200}, nil
	}), nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	if _, err := w.client.Do(ctx, &link.Call{Head: []byte("wait")}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	<-stopped
	do(t, w, &link.Call{})
}

// cutter passes bytes between a client and a server until it is cut.
type cutter struct {
	l     net.Listener
	to    string
	mu    sync.Mutex
	conns []net.Conn
}

func newCutter(t testing.TB, to string) *cutter {
	c := &cutter{l: must(net.Listen("tcp", "127.0.0.1:0")), to: to}
	t.Cleanup(func() { c.l.Close(); c.cut() })
	go func() {
		for {
			a, err := c.l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", c.to)
			if err != nil {
				a.Close()
				continue
			}
			c.mu.Lock()
			c.conns = append(c.conns, a, b)
			c.mu.Unlock()
			go func() { io.Copy(a, b); a.Close() }()
			go func() { io.Copy(b, a); b.Close() }()
		}
	}()
	return c
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.conns {
		n.Close()
	}
	c.conns = nil
}

// The connection dies with many requests under way: each has exactly one
// outcome, and the next ones find a new connection.
func TestCutConnection(t *testing.T) {
	var arrived atomic.Int32
	release := make(chan struct{})
	w := newWorld(t, link.HandlerFunc(func(_ context.Context, r *link.Request) (*link.Reply, error) {
		if string(r.Head) == "wait" {
			arrived.Add(1)
			<-release
		}
		return &link.Reply{Status: 200}, nil
	}), nil)
	c := newCutter(t, w.address)
	conf := w.clientConf
	conf.Addresses = []string{c.l.Addr().String()}
	client := must(link.NewClient(conf))
	defer client.Close()
	const n = 40
	outcomes := make(chan error, 2*n)
	for range n {
		go func() {
			_, err := client.Do(t.Context(), &link.Call{Head: []byte("wait")})
			outcomes <- err
		}()
	}
	for arrived.Load() < n {
		time.Sleep(time.Millisecond)
	}
	c.cut()
	for range n {
		if err := <-outcomes; !errors.Is(err, link.ErrLost) {
			t.Errorf("outcome %v", err)
		}
	}
	close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, err := client.Do(ctx, &link.Call{})
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	if len(outcomes) != 0 {
		t.Error("more outcomes than calls")
	}
}

func TestOtherAddress(t *testing.T) {
	w := newWorld(t, echo, nil)
	dead := must(net.Listen("tcp", "127.0.0.1:0"))
	dead.Close()
	conf := w.clientConf
	conf.Addresses = []string{dead.Addr().String(), w.address}
	client := must(link.NewClient(conf))
	defer client.Close()
	if _, err := client.Do(t.Context(), &link.Call{}); err != nil {
		t.Error(err)
	}
	conf.Addresses = []string{dead.Addr().String()}
	nobody := must(link.NewClient(conf))
	defer nobody.Close()
	if _, err := nobody.Do(t.Context(), &link.Call{}); !errors.Is(err, link.ErrNotSent) {
		t.Errorf("nobody there: %v", err)
	}
	told := &lines{}
	conf.Addresses, conf.Member, conf.Log = []string{w.address}, "XX/GOV/THREE", told.log()
	wrong := must(link.NewClient(conf))
	defer wrong.Close()
	if _, err := wrong.Do(t.Context(), &link.Call{}); !errors.Is(err, link.ErrWrongMember) {
		t.Errorf("another member answers: %v", err)
	}
	if !told.has("link: member not reached", "member=XX/GOV/THREE", provider) {
		t.Error("the log does not say who answered")
	}
}

func TestShutdown(t *testing.T) {
	in := make(chan struct{})
	release := make(chan struct{})
	w := newWorld(t, link.HandlerFunc(func(context.Context, *link.Request) (*link.Reply, error) {
		close(in)
		<-release
		return &link.Reply{Status: 200}, nil
	}), nil)
	done := make(chan error, 1)
	go func() { _, err := w.client.Do(t.Context(), &link.Call{}); done <- err }()
	<-in
	stopped := make(chan error, 1)
	go func() { stopped <- w.server.Shutdown(t.Context()) }()
	close(release)
	if err := <-done; err != nil {
		t.Errorf("what was under way: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if _, err := w.client.Do(t.Context(), &link.Call{}); !errors.Is(err, link.ErrNotSent) && !errors.Is(err, link.ErrLost) {
		t.Errorf("afterwards: %v", err)
	}
}

func TestTooMuchAtOnce(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, link.HandlerFunc(func(context.Context, *link.Request) (*link.Reply, error) {
		<-release
		return &link.Reply{Status: 200}, nil
	}), func(w *world) { w.serverConf.Limits.Streams = 4 })
	results := make(chan error, 10)
	for range 10 {
		go func() { _, err := w.client.Do(t.Context(), &link.Call{}); results <- err }()
	}
	for range 6 {
		var e *link.Error
		if err := <-results; !errors.As(err, &e) || e.Type != link.TypeOverloaded {
			t.Errorf("one too many: %v", err)
		}
	}
	close(release)
	for range 4 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func TestRevoked(t *testing.T) {
	w := newWorld(t, echo, nil)
	do(t, w, &link.Call{})
	w.keys.drop(w.cs.Public().ID())
	_, err := w.client.Do(t.Context(), &link.Call{})
	var e *link.Error
	if !errors.As(err, &e) || e.Type != link.TypeUnknownMember {
		t.Errorf("a key that was revoked: %v", err)
	}
	if n := w.server.Disconnect(func(m string) bool { return m == consumer }); n != 1 {
		t.Errorf("%d connections ended", n)
	}
}
