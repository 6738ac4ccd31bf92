package link_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha512"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"diwan/protocol/link"
)

// raw is one end of a link written by hand, for what an honest end never does.
type raw struct {
	t testing.TB
	c net.Conn
	r *bufio.Reader
}

func linkConf(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.NextProtos = []string{link.Protocol}
	return c
}

func rawClient(t testing.TB, w *world, member string) *raw {
	t.Helper()
	c, err := tls.Dial("tcp", w.address, linkConf(w.ca.tls(member)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return &raw{t, c, bufio.NewReader(c)}
}

func (r *raw) send(frames ...link.Frame) {
	r.t.Helper()
	var b []byte
	for i := range frames {
		b = link.AppendFrame(b, &frames[i])
	}
	if _, err := r.c.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

// answer is the type of the error frame that comes, "response", or "closed".
func (r *raw) answer() string {
	for {
		f, err := link.ReadFrame(r.r)
		switch {
		case err != nil:
			return "closed"
		case f.Type == link.FrameError:
			return string(f.Payload)
		case f.Type == link.FrameResponse:
			return "response"
		case f.Type == link.FrameChunk:
			return "chunk"
		}
	}
}

// request makes the frame of an honest request.
func request(s *link.Signer, stream uint32, change func(*link.Fields)) link.Frame {
	head := []byte("head")
	f := link.Fields{Kind: link.KindRequest, Alg: s.Public().Alg(), Key: s.Public().ID(), Created: time.Now(), Valid: 20 * time.Second,
		ID: link.NewRequestID(), Head: sha512.Sum512(head), Body: link.EmptyDigest}
	if change != nil {
		change(&f)
	}
	e := f.Make()
	return link.Frame{Type: link.FrameRequest, Stream: stream, Envelope: e, Signature: must(link.AppendSingle(nil, s, e)), Head: head}
}

// lines are what a log was told, for tests that read it.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) log() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// has waits for a line that holds all of these.
func (l *lines) has(parts ...string) bool {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		l.mu.Lock()
		text := l.b.String()
		l.mu.Unlock()
		for line := range strings.Lines(text) {
			if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(line, p) }) {
				return true
			}
		}
	}
	return false
}

func TestHostileClient(t *testing.T) {
	var ran atomic.Int32
	told := &lines{}
	w := newWorld(t, link.HandlerFunc(func(context.Context, *link.Request) (*link.Reply, error) {
		ran.Add(1)
		return &link.Reply{Status: 200}, nil
	}), func(w *world) { w.serverConf.Log = told.log() })
	stranger := newSigner(consumer) // a key that nobody registered
	third := newSigner("XX/GOV/THREE")
	w.keys.mu.Lock()
	w.keys.keys[third.Public().ID()] = third.Public()
	w.keys.mu.Unlock()
	honest := request(w.cs, 1, nil)
	for _, c := range []struct {
		name   string
		frames func() []link.Frame
		want   string
	}{
		{"honest", func() []link.Frame { return []link.Frame{honest} }, "response"},
		{"replayed", func() []link.Frame { return []link.Frame{honest} }, "replayed"},
		{"expired", func() []link.Frame {
			return []link.Frame{request(w.cs, 1, func(f *link.Fields) { f.Created = f.Created.Add(-2 * time.Minute) })}
		}, "expired"},
		{"from the future", func() []link.Frame {
			return []link.Frame{request(w.cs, 1, func(f *link.Fields) { f.Created = f.Created.Add(2 * time.Minute) })}
		}, "expired"},
		{"unknown key", func() []link.Frame { return []link.Frame{request(stranger, 1, nil)} }, "unknown_member"},
		{"another member's key", func() []link.Frame { return []link.Frame{request(third, 1, nil)} }, "unknown_member"},
		{"body changed", func() []link.Frame { f := request(w.cs, 1, nil); f.Body = []byte("x"); return []link.Frame{f} }, "inconsistent_message"},
		{"head changed", func() []link.Frame { f := request(w.cs, 1, nil); f.Head = []byte("heal"); return []link.Frame{f} }, "inconsistent_message"},
		{"signature changed", func() []link.Frame { f := request(w.cs, 1, nil); f.Signature[9] ^= 1; return []link.Frame{f} }, "invalid_signature_value"},
		{"no signature", func() []link.Frame { f := request(w.cs, 1, nil); f.Signature = nil; return []link.Frame{f} }, "invalid_signature_value"},
		{"bound request", func() []link.Frame {
			return []link.Frame{request(w.cs, 1, func(f *link.Fields) { f.Bind[0] = 1 })}
		}, "invalid_request"},
		{"valid too long", func() []link.Frame {
			return []link.Frame{request(w.cs, 1, func(f *link.Fields) { f.Valid = time.Hour })}
		}, "invalid_request"},
		{"stream used twice", func() []link.Frame {
			a, b := request(w.cs, 1, nil), request(w.cs, 1, nil)
			a.More = true
			return []link.Frame{a, b}
		}, "closed"},
		{"response", func() []link.Frame {
			f := request(w.cs, 1, func(f *link.Fields) { f.Kind, f.Status = link.KindResponse, 200 })
			f.Type = link.FrameResponse
			return []link.Frame{f}
		}, "closed"},
		{"error", func() []link.Frame {
			return []link.Frame{{Type: link.FrameError, Stream: 1, Payload: []byte("io_error")}}
		}, "closed"},
		{"something inside a group", func() []link.Frame {
			f := request(w.cs, 1, nil)
			f.More = true
			return []link.Frame{f, {Type: link.FramePing, Payload: make([]byte, 8)}}
		}, "closed"},
	} {
		before := ran.Load()
		r := rawClient(t, w, consumer)
		frames := c.frames()
		r.send(frames...)
		if got := r.answer(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		switch c.want {
		case "response":
		case "closed":
			if !told.has("link: connection broken off", "peer="+consumer, "remote="+r.c.LocalAddr().String()) {
				t.Errorf("%s: the log does not say it", c.name)
			}
		default:
			if !told.has("link: request refused", "peer="+consumer, "request="+frames[0].Envelope.ID().String()) {
				t.Errorf("%s: the log does not say it", c.name)
			}
		}
		if c.want != "response" && ran.Load() != before {
			t.Errorf("%s reached the handler", c.name)
		}
	}
	// One bad message among good ones spoils itself only, and too many of them
	// end the connection.
	r := rawClient(t, w, consumer)
	a, b := request(w.cs, 1, nil), request(w.cs, 2, nil)
	a.More, a.Signature[5] = true, a.Signature[5]^1
	r.send(a, b)
	got := map[string]bool{r.answer(): true, r.answer(): true}
	if !got["response"] || !got["invalid_signature_value"] {
		t.Errorf("one bad, one good: %v", got)
	}
	for i := range uint32(40) {
		f := request(w.cs, 10+i, nil)
		f.Signature[9] ^= 1
		r.c.Write(link.AppendFrame(nil, &f))
	}
	last := ""
	for last != "closed" {
		last = r.answer()
	}
}

// chunk makes a chunk of a body under an opening envelope.
func chunk(s *link.Signer, stream uint32, prev *link.Envelope, index uint32, body, upTo []byte, final bool) link.Frame {
	f := link.Fields{Kind: link.KindChunk, Alg: s.Public().Alg(), Key: s.Public().ID(), Created: time.Now(), Valid: 20 * time.Second,
		ID: prev.ID(), Status: index, Body: sha512.Sum512(upTo), Bind: prev.Hash()}
	if final {
		f.Flags = link.FlagFinal
	}
	e := f.Make()
	return link.Frame{Type: link.FrameChunk, Stream: stream, Envelope: e, Signature: must(link.AppendSingle(nil, s, e)), Body: body}
}

func TestHostileBodies(t *testing.T) {
	results := make(chan error, 1)
	w := newWorld(t, link.HandlerFunc(func(_ context.Context, r *link.Request) (*link.Reply, error) {
		if r.Stream == nil {
			return &link.Reply{Status: 200}, nil
		}
		b, err := io.ReadAll(r.Stream)
		if err == nil && string(b) != "abcd" {
			err = errors.New("released something else")
		}
		results <- err
		return &link.Reply{Status: 200}, err
	}), func(w *world) { w.serverConf.Limits.BodyIdle = 300 * time.Millisecond })
	for _, c := range []struct {
		name   string
		change func(a, b *link.Frame) []link.Frame
		want   error
	}{
		{"honest", func(a, b *link.Frame) []link.Frame { return []link.Frame{*a, *b} }, nil},
		{"reordered", func(a, b *link.Frame) []link.Frame { return []link.Frame{*b, *a} }, link.ErrBind},
		{"repeated", func(a, b *link.Frame) []link.Frame { return []link.Frame{*a, *a} }, link.ErrBind},
		{"changed", func(a, b *link.Frame) []link.Frame { a.Body = []byte("aB"); return []link.Frame{*a} }, link.ErrDigest},
		{"signature changed", func(a, b *link.Frame) []link.Frame { a.Signature[3] ^= 4; return []link.Frame{*a} }, link.ErrSignature},
		{"last chunk missing", func(a, b *link.Frame) []link.Frame { return []link.Frame{*a} }, link.ErrTruncated},
		{"cancelled", func(a, b *link.Frame) []link.Frame {
			return []link.Frame{*a, {Type: link.FrameCancel, Stream: 1}}
		}, link.ErrTruncated},
	} {
		r := rawClient(t, w, consumer)
		open := request(w.cs, 1, func(f *link.Fields) { f.Flags, f.Body = link.FlagStream, link.Digest{} })
		r.send(open)
		if f, err := link.ReadFrame(r.r); err != nil || f.Type != link.FrameWindow {
			t.Fatalf("no chunks were granted: %v", err)
		}
		a := chunk(w.cs, 1, open.Envelope, 0, []byte("ab"), []byte("ab"), false)
		b := chunk(w.cs, 1, a.Envelope, 1, []byte("cd"), []byte("abcd"), true)
		r.send(c.change(&a, &b)...)
		if err := <-results; !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	// More than was granted.
	r := rawClient(t, w, consumer)
	open := request(w.cs, 1, func(f *link.Fields) { f.Flags, f.Body = link.FlagStream, link.Digest{} })
	r.send(open)
	link.ReadFrame(r.r)
	a := chunk(w.cs, 1, open.Envelope, 0, []byte("ab"), []byte("ab"), false)
	for range 20 {
		r.c.Write(link.AppendFrame(nil, &a))
	}
	if got := r.answer(); got == "response" {
		t.Errorf("more than was granted: %s", got)
	}
	<-results
}

// A peer that asks for much and reads nothing loses its connection; others do
// not notice.
func TestPeerThatDoesNotRead(t *testing.T) {
	w := newWorld(t, link.HandlerFunc(func(_ context.Context, r *link.Request) (*link.Reply, error) {
		return &link.Reply{Status: 200, Body: make([]byte, 1<<20)}, nil
	}), func(w *world) { w.serverConf.Limits.FrameTime = 300 * time.Millisecond })
	r := rawClient(t, w, consumer)
	for i := range uint32(100) {
		f := request(w.cs, i+1, nil)
		if _, err := r.c.Write(link.AppendFrame(nil, &f)); err != nil {
			break
		}
		if i%20 == 0 {
			do(t, w, &link.Call{})
		}
	}
	// A ping now and then finds out when the server has had enough.
	ping := link.AppendFrame(nil, &link.Frame{Type: link.FramePing, Payload: make([]byte, 8)})
	for err := error(nil); err == nil; time.Sleep(50 * time.Millisecond) {
		_, err = r.c.Write(ping)
	}
	do(t, w, &link.Call{})
	n := 0
	for r.answer() == "response" {
		n++
	}
	if n == 100 {
		t.Error("everything was kept for a peer that did not read")
	}
}

// A frame that is never finished ends its connection.
func TestUnfinishedFrame(t *testing.T) {
	w := newWorld(t, echo, func(w *world) { w.serverConf.Limits.FrameTime = 100 * time.Millisecond })
	r := rawClient(t, w, consumer)
	r.c.Write([]byte{0, 0, 4, 0, 1, 0, 0})
	if got := r.answer(); got != "closed" {
		t.Error(got)
	}
	r = rawClient(t, w, consumer)
	r.c.Write([]byte{0x7f, 0, 0, 0, 1, 0, 0})
	if got := r.answer(); got != "closed" {
		t.Error(got)
	}
}

func TestTLSIsDemanded(t *testing.T) {
	w := newWorld(t, echo, nil)
	without := linkConf(w.ca.tls(consumer))
	without.Certificates = nil
	other := w.ca.tls(consumer)
	other.NextProtos = []string{"http/1.1"}
	old := linkConf(w.ca.tls(consumer))
	old.MaxVersion = tls.VersionTLS12
	none := w.ca.tls(consumer)
	foreign := linkConf(newAuthority().tls(consumer))
	foreign.RootCAs = w.ca.pool
	for name, conf := range map[string]*tls.Config{"no certificate": without, "another protocol": other, "TLS 1.2": old, "no protocol": none, "another authority": foreign} {
		c, err := tls.Dial("tcp", w.address, conf)
		if err != nil {
			continue
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		f := request(w.cs, 1, nil)
		c.Write(link.AppendFrame(nil, &f))
		if _, err := link.ReadFrame(bufio.NewReader(c)); err == nil {
			t.Errorf("%s: answered", name)
		}
		c.Close()
	}
	if _, err := link.NewServer(link.ServerConfig{Config: w.serverConf.Config, Handler: echo, Replay: w.serverConf.Replay, TLS: &tls.Config{}}); err == nil {
		t.Error("a server without client certificates")
	}
}

// Connections that say nothing do not keep the server from its work, and are
// closed.
func TestSilentConnections(t *testing.T) {
	w := newWorld(t, echo, func(w *world) {
		w.serverConf.Limits.Handshakes, w.serverConf.Limits.HandshakeTime = 8, 300*time.Millisecond
	})
	do(t, w, &link.Call{})
	var silent []net.Conn
	for range 30 {
		c := must(net.Dial("tcp", w.address))
		defer c.Close()
		silent = append(silent, c)
	}
	do(t, w, &link.Call{}) // who is connected does not notice
	for _, c := range silent {
		c.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a silent connection is kept")
		}
	}
	r := rawClient(t, w, consumer)
	r.send(request(w.cs, 1, nil))
	if got := r.answer(); got != "response" {
		t.Errorf("afterwards: %s", got)
	}
}

// fakeProvider answers the first request on each connection as told.
func fakeProvider(t testing.TB, w *world, answer func(r *raw, req link.Frame)) *link.Client {
	t.Helper()
	l := must(tls.Listen("tcp", "127.0.0.1:0", linkConf(w.ca.tls(provider))))
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(20 * time.Second))
				r := &raw{t, c, bufio.NewReader(c)}
				for {
					f, err := link.ReadFrame(r.r)
					if err != nil {
						return
					}
					if f.Type == link.FrameRequest {
						answer(r, f)
					}
				}
			}()
		}
	}()
	conf := w.clientConf
	conf.Addresses = []string{l.Addr().String()}
	client := must(link.NewClient(conf))
	t.Cleanup(func() { client.Close() })
	return client
}

func response(s *link.Signer, req link.Frame, change func(*link.Fields)) link.Frame {
	f := link.Fields{Kind: link.KindResponse, Alg: s.Public().Alg(), Key: s.Public().ID(), Created: time.Now(), Valid: 20 * time.Second,
		Status: 200, ID: req.Envelope.ID(), Head: sha512.Sum512(nil), Body: link.EmptyDigest, Bind: req.Envelope.Hash()}
	if change != nil {
		change(&f)
	}
	e := f.Make()
	return link.Frame{Type: link.FrameResponse, Stream: req.Stream, Envelope: e, Signature: must(link.AppendSingle(nil, s, e))}
}

func TestHostileProvider(t *testing.T) {
	told := &lines{}
	w := newWorld(t, echo, func(w *world) { w.clientConf.Log = told.log() })
	third, stranger := newSigner("XX/GOV/THREE"), newSigner(provider)
	w.keys.mu.Lock()
	w.keys.keys[third.Public().ID()] = third.Public()
	w.keys.mu.Unlock()
	for _, c := range []struct {
		name   string
		answer func(req link.Frame) []link.Frame
		want   error
	}{
		{"honest", func(q link.Frame) []link.Frame { return []link.Frame{response(w.ps, q, nil)} }, nil},
		{"another member's key", func(q link.Frame) []link.Frame { return []link.Frame{response(third, q, nil)} }, link.ErrWrongMember},
		{"unknown key", func(q link.Frame) []link.Frame { return []link.Frame{response(stranger, q, nil)} }, link.ErrUnknownKey},
		{"the consumer's own key", func(q link.Frame) []link.Frame { return []link.Frame{response(w.cs, q, nil)} }, link.ErrWrongMember},
		{"bound to another request", func(q link.Frame) []link.Frame {
			return []link.Frame{response(w.ps, q, func(f *link.Fields) { f.Bind[3] ^= 1 })}
		}, link.ErrBind},
		{"of another exchange", func(q link.Frame) []link.Frame {
			return []link.Frame{response(w.ps, q, func(f *link.Fields) { f.ID[3] ^= 1 })}
		}, link.ErrBind},
		{"no signature", func(q link.Frame) []link.Frame {
			f := response(w.ps, q, nil)
			f.Signature = nil
			return []link.Frame{f}
		}, link.ErrSignature},
		{"body changed", func(q link.Frame) []link.Frame {
			f := response(w.ps, q, nil)
			f.Body = []byte("more")
			return []link.Frame{f}
		}, link.ErrDigest},
		{"status changed", func(q link.Frame) []link.Frame {
			f := response(w.ps, q, nil)
			f.Envelope[31] ^= 1
			return []link.Frame{f}
		}, link.ErrSignature},
		{"old", func(q link.Frame) []link.Frame {
			return []link.Frame{response(w.ps, q, func(f *link.Fields) { f.Created = f.Created.Add(-time.Hour) })}
		}, link.ErrExpired},
		{"error frame", func(q link.Frame) []link.Frame {
			return []link.Frame{{Type: link.FrameError, Stream: q.Stream, Payload: []byte("access_denied")}}
		}, &link.Error{Type: "access_denied", Remote: true}},
		{"two answers", func(q link.Frame) []link.Frame {
			a := response(w.ps, q, nil)
			a.More = true
			return []link.Frame{a, response(w.ps, q, nil)}
		}, link.ErrLost},
		{"a request", func(q link.Frame) []link.Frame { return []link.Frame{request(w.ps, 7, nil)} }, link.ErrLost},
		{"a chunk", func(q link.Frame) []link.Frame {
			return []link.Frame{chunk(w.ps, q.Stream, q.Envelope, 0, []byte("a"), []byte("a"), true)}
		}, link.ErrLost},
	} {
		client := fakeProvider(t, w, func(r *raw, q link.Frame) { r.send(c.answer(q)...) })
		id := link.NewRequestID()
		resp, err := client.Do(t.Context(), &link.Call{ID: id, Head: []byte("h")})
		var want *link.Error
		switch {
		case errors.As(c.want, &want):
			var got *link.Error
			if !errors.As(err, &got) || *got != *want {
				t.Errorf("%s: %v", c.name, err)
			}
		case !errors.Is(err, c.want):
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if (resp != nil) != (c.want == nil) {
			t.Errorf("%s: response %v", c.name, resp)
		}
		switch {
		case c.want == nil, want != nil: // what a provider refuses is its own matter
		case errors.Is(c.want, link.ErrLost):
			if !told.has("link: connection broken off", "peer="+provider) {
				t.Errorf("%s: the log does not say it", c.name)
			}
		case !told.has("link: response refused", "peer="+provider, "request="+id.String()):
			t.Errorf("%s: the log does not say it", c.name)
		}
	}
}

// Answers may come in any order.
func TestAnswersOutOfOrder(t *testing.T) {
	w := newWorld(t, echo, nil)
	var held link.Frame
	client := fakeProvider(t, w, func(r *raw, q link.Frame) {
		if held.Envelope == nil {
			held = q
			return
		}
		first := response(w.ps, q, nil)
		first.More = true
		r.send(first, response(w.ps, held, nil))
	})
	done := make(chan error, 2)
	for range 2 {
		go func() { _, err := client.Do(t.Context(), &link.Call{}); done <- err }()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
