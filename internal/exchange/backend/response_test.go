package backend

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// fakeConn answers with fixed bytes, n at a time, and then ends.
type fakeConn struct {
	net.Conn
	in      io.Reader
	out     bytes.Buffer
	step    int
	closed  bool
	discard bool
}

func (c *fakeConn) Read(p []byte) (int, error) {
	if c.step > 0 && len(p) > c.step {
		p = p[:c.step]
	}
	return c.in.Read(p)
}
func (c *fakeConn) Write(p []byte) (int, error) {
	if c.discard {
		return len(p), nil
	}
	return c.out.Write(p)
}
func (c *fakeConn) Close() error                       { c.closed = true; return nil }
func (c *fakeConn) SetDeadline(time.Time) error        { return nil }
func (c *fakeConn) SetReadDeadline(t time.Time) error  { return nil }
func (c *fakeConn) SetWriteDeadline(t time.Time) error { return nil }

// answer runs one call against fixed bytes.
func answer(t testing.TB, method, text string, step int) (resp *Response, body string, kept bool, err error) {
	fc := &fakeConn{in: strings.NewReader(text), step: step}
	c, err := New("http://service.test/base", Options{MaxHeaderBytes: 4 << 10, MaxHeaderLines: 20,
		Dial: func(context.Context, string, string) (net.Conn, error) { return fc, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if resp, err = c.Do(context.Background(), method, "/x", nil, nil, 0); err == nil {
		var b []byte
		b, err = io.ReadAll(resp.Body)
		body = string(b)
		resp.Body.Close()
	}
	kept = len(c.idle) == 1 && !fc.closed
	if len(c.places) != 0 {
		t.Errorf("%.60q: a place is not given back", text)
	}
	if err != nil && !fc.closed {
		t.Errorf("%.60q: the connection stays open after %v", text, err)
	}
	return resp, body, kept, err
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		method, text string
		status       int
		body         string
		kept         bool
	}{
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", true},
		{"GET", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-LENGTH:3\r\n\r\nabc", 200, "abc", true},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc", 200, "abc", true},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: x, Close\r\n\r\nabc", 200, "abc", false},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n\r\n", 200, "abc", false},
		{"GET", "HTTP/1.1 200\r\n\r\nto the end", 200, "to the end", false},
		{"GET", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, "", true},
		{"GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", false},
		{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n000\r\nT: r\r\n\r\n", 200, "abc0123456789", true},
		{"GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx", 404, "x", true},
		{"GET", "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", 302, "", true},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", 200, "\x1f\x8b", true},
		{"GET", "HTTP/1.1 200 OK\r\nX-\u00c4: 1\r\n\r\n", 0, "", false},
		{"GET", "HTTP/1.1 200 OK\r\nX: \u00c4\t b\r\nContent-Length:0\r\n\r\n", 200, "", true},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n", 200, "", true},
		{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "", true},
		{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 300\r\n\r\n", 304, "", true},
		{"DELETE", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
		{"DELETE", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, "", false},
	} {
		for _, step := range []int{0, 1, 7} {
			resp, body, kept, err := answer(t, c.method, c.text, step)
			if c.status == 0 {
				if err == nil {
					t.Errorf("%.60q passes", c.text)
				}
				continue
			}
			if err != nil || resp.Status != c.status || body != c.body {
				t.Errorf("%.60q = %v %q %v", c.text, resp, body, err)
			} else if kept != c.kept && (step == 0 || c.kept) { // read bytewise, what follows is found at the next use
				t.Errorf("%.60q by %d: the connection is kept: %v", c.text, step, kept)
			}
		}
	}
}

func TestHostileAnswers(t *testing.T) {
	ok := "HTTP/1.1 200 OK\r\n"
	for _, text := range []string{
		"", "\r\n", "HTTP/1.1 200 OK\n\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
		"HTTP/1.1 +20 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n", "HTTP/1.1 000 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 O\x00K\r\n\r\n", "HTTP/1.1 200 O\rK\r\n\r\n",
		"SSH-2.0-OpenSSH\r\n", "HTTP/1.1 101 Switching\r\n\r\n", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20), "HTTP/1.1 200 OK", ok, ok + "X: y\r\n",
		ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ok + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
		ok + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", ok + "Content-Length: 3, 4\r\n\r\nabcd", ok + "Content-Length: +3\r\n\r\nabc", ok + "Content-Length: -1\r\n\r\n",
		ok + "Content-Length: 0x3\r\n\r\nabc", ok + "Content-Length: 3 3\r\n\r\nabc", ok + "Content-Length:\r\n\r\n", ok + "Content-Length: 99999999999999999999\r\n\r\n",
		ok + "Content-Length: 9223372036854775807\r\n\r\n", ok + "Content-Length: 4\r\n\r\nabc",
		ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", ok + "Transfer-Encoding: identity\r\n\r\n", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		ok + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		ok + "X: a\r\n folded\r\n\r\n", ok + "X: a\n Y: b\r\n\r\n", ok + "X: a\rY: b\r\n\r\n", ok + "X: a\x00b\r\n\r\n", ok + "X : a\r\n\r\n", ok + " X: a\r\n\r\n", ok + "Xa\r\n\r\n", ok + ": a\r\n\r\n",
		ok + "Content-Length : 3\r\n\r\nabc", ok + "X: a\r\n\n", ok + "X: a\n\r\n", ok + "X: " + strings.Repeat("a", 5000) + "\r\n\r\n", ok + strings.Repeat("X: a\r\n", 30) + "\r\n",
	} {
		if resp, body, _, err := answer(t, "GET", text, 0); err == nil {
			t.Errorf("%.80q passes: %+v %q", text, resp, body)
		}
	}
	chunked := ok + "Transfer-Encoding: chunked\r\n\r\n"
	for _, text := range []string{
		"", "0", "0\r\n", "0\n\n", "\r\n", "3\r\nabc", "3\r\nabcd\r\n0\r\n\r\n", "3\r\nab\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "-3\r\nabc\r\n", "+3\r\nabc\r\n0\r\n\r\n",
		"0x3\r\nabc\r\n0\r\n\r\n", " 3\r\nabc\r\n0\r\n\r\n", "g\r\n", "3 4\r\nabc\r\n0\r\n\r\n", "ffffffffffffffff\r\n", "7fffffffffffffff\r\nabc", "3;a\rb\r\nabc\r\n0\r\n\r\n", "3;a\x00\r\nabc\r\n0\r\n\r\n",
		"3;" + strings.Repeat("a", maxChunkLine) + "\r\nabc\r\n0\r\n\r\n", strings.Repeat("1;"+strings.Repeat("a", 500)+"\r\nx\r\n", 20) + "0\r\n\r\n",
		"0\r\nT: a\n\r\n", "0\r\nT a\r\n\r\n", "0\r\n T: a\r\n\r\n", "0\r\n" + strings.Repeat("T: a\r\n", 30) + "\r\n", "0\r\nT: " + strings.Repeat("a", 5000) + "\r\n\r\n",
	} {
		if resp, body, _, err := answer(t, "GET", chunked+text, 0); err == nil {
			t.Errorf("the chunks %.80q pass: %+v %q", text, resp, body)
		}
	}
}

func TestHeaderKept(t *testing.T) {
	resp, _, _, err := answer(t, "GET", "HTTP/1.1 200 OK\r\nset-cookie: b=1\r\nX-Z: 1\r\nSet-Cookie:a=2 \r\nX-A:\r\nContent-Length: 0\r\n\r\n", 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []Field{{Name: "set-cookie", Value: "b=1"}, {Name: "X-Z", Value: "1"}, {Name: "Set-Cookie", Value: "a=2"}, {Name: "X-A"}, {Name: "Content-Length", Value: "0"}}
	if len(resp.Header) != len(want) {
		t.Fatalf("%q", resp.Header)
	}
	for i := range want {
		if resp.Header[i] != want[i] {
			t.Errorf("%d: %q", i, resp.Header[i])
		}
	}
	if resp.Get("x-z") != "1" || resp.Get("SET-COOKIE") != "b=1" || resp.Get("none") != "" {
		t.Error("Get")
	}
}

// What this reader accepts, net/http reads as the same status and body.
func FuzzResponse(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false)
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: r\r\n\r\n", false)
	f.Add("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", true)
	f.Fuzz(func(t *testing.T, text string, head bool) {
		method := "GET"
		if head {
			method = "HEAD"
		}
		resp, body, _, err := answer(t, method, text, 0)
		if err != nil {
			if resp, _, _, slow := answer(t, method, text, 1); slow == nil {
				t.Fatalf("%q by single bytes passes as %+v", text, resp)
			}
			return
		}
		r := bufio.NewReader(strings.NewReader(text))
		for {
			want, err := http.ReadResponse(r, &http.Request{Method: method})
			if err != nil {
				t.Fatalf("%q: net/http says %v", text, err)
			}
			b, err := io.ReadAll(want.Body)
			if want.StatusCode < 200 {
				continue
			}
			if err != nil && !strings.Contains(err.Error(), "too much non-data") || want.StatusCode != resp.Status || string(b) != body && err == nil {
				t.Fatalf("%q: %d %q, net/http %d %q %v", text, resp.Status, body, want.StatusCode, b, err)
			}
			return
		}
	})
}

func TestRequestRefused(t *testing.T) {
	fc := &fakeConn{in: strings.NewReader("")}
	c, err := New("http://service.test", Options{Dial: func(context.Context, string, string) (net.Conn, error) { return fc, nil }})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []request{
		{method: "", target: "/"}, {method: "GET /", target: "/"}, {method: "G\r\n", target: "/"}, {method: "CONNECT", target: "/"}, {method: "GET", target: ""},
		{method: "GET", target: "x"}, {method: "GET", target: "/ HTTP/1.1\r\nX: y"}, {method: "GET", target: "/a b"}, {method: "GET", target: "/a#b"}, {method: "GET", target: "/\x00"},
		{method: "GET", target: "/", header: []Field{{Name: "X", Value: "a\r\nY: b"}}}, {method: "GET", target: "/", header: []Field{{Name: "X", Value: "a\nb"}}},
		{method: "GET", target: "/", header: []Field{{Name: "X", Value: "a\x00"}}}, {method: "GET", target: "/", header: []Field{{Name: "X: y\r\nZ", Value: "a"}}},
		{method: "GET", target: "/", header: []Field{{Name: "", Value: "a"}}}, {method: "GET", target: "/", header: []Field{{Name: "hOST", Value: "a"}}},
		{method: "GET", target: "/", header: []Field{{Name: "Content-length", Value: "1"}}}, {method: "GET", target: "/", header: []Field{{Name: "transfer-encoding", Value: "chunked"}}},
		{method: "GET", target: "/", header: []Field{{Name: "Connection", Value: "close"}}}, {method: "GET", target: "/", header: []Field{{Name: "EXPECT", Value: "100-continue"}}},
		{method: "GET", target: "/", header: []Field{{Name: "TE", Value: "x"}}}, {method: "GET", target: "/", header: []Field{{Name: "Trailer", Value: "x"}}},
	} {
		if _, err := c.Do(context.Background(), r.method, r.target, r.header, nil, 0); !errors.Is(err, ErrRequest) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if fc.out.Len() > 0 {
		t.Errorf("written: %q", fc.out.String())
	}
	for _, base := range []string{"", "ftp://h", "http://", "http://u:p@h", "http://h/?q", "http://h?", "http://h/#f", "://", "http://h\r\n/"} {
		if _, err := New(base, Options{}); err == nil {
			t.Errorf("the address %q passes", base)
		}
	}
}

func TestRequestVerbatim(t *testing.T) {
	fc := &fakeConn{in: strings.NewReader("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}
	c, err := New("http://service.test:8080/base", Options{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		if address != "service.test:8080" {
			t.Errorf("calls %s", address)
		}
		return fc, nil
	}})
	if err != nil || c.Path() != "/base" {
		t.Fatal(err, c.Path())
	}
	header := []Field{{Name: "x-b", Value: "2"}, {Name: "X-A", Value: ""}, {Name: "x-b", Value: "1"}}
	if _, err := c.Do(context.Background(), "POST", "/base//a/%2e%2e/%2F;p?x=1;y=2&z=%zz", header, strings.NewReader("body!"), 4); err != nil {
		t.Fatal(err)
	}
	want := "POST /base//a/%2e%2e/%2F;p?x=1;y=2&z=%zz HTTP/1.1\r\nHost: service.test:8080\r\nx-b: 2\r\nX-A: \r\nx-b: 1\r\nContent-Length: 4\r\n\r\nbody"
	if fc.out.String() != want {
		t.Errorf("%q, want %q", fc.out.String(), want)
	}
}
