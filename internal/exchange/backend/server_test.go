package backend

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func client(t testing.TB, base string, o Options) *Client {
	c, err := New(base, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func call(t testing.TB, c *Client, method, target string, body io.Reader, length int64) (*Response, string, error) {
	resp, err := c.Do(t.Context(), method, target, []Field{{Name: "X-A", Value: "1"}}, body, length)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

// echo answers with what it saw, in the shape that the query asks for.
func echo(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	out := fmt.Sprintf("%s %s %s %d %v %s", r.Method, r.RequestURI, r.Header["X-A"], r.ContentLength, r.TransferEncoding, b)
	switch r.URL.Query().Get("as") {
	case "chunks":
		for _, p := range strings.SplitAfter(out, " ") {
			_, _ = io.WriteString(w, p)
			_ = http.NewResponseController(w).Flush()
		}
		return
	case "none":
		w.WriteHeader(http.StatusNoContent)
		return
	case "close":
		w.Header().Set("Connection", "close")
	case "hints":
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
	case "redirect":
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	_, _ = io.WriteString(w, out)
}

// The same calls through this package and through net/http's transport.
func TestAgainstNetHTTP(t *testing.T) {
	for _, secure := range []bool{false, true} {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(echo))
		o := Options{}
		if secure {
			srv.StartTLS()
			o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
			o.TLS.RootCAs.AddCert(srv.Certificate())
		} else {
			srv.Start()
		}
		defer srv.Close()
		c := client(t, srv.URL, o)
		big := strings.Repeat("0123456789abcdef", 1<<14)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"} {
			for _, as := range []string{"length", "chunks", "none", "close", "hints", "redirect"} {
				for _, body := range []struct {
					text   string
					length int64
				}{{"", 0}, {"small", 5}, {"chunked", -1}, {big, int64(len(big))}, {big, -1}} {
					if body.text != "" && (method == "GET" || method == "HEAD" || method == "TRACE" || method == "OPTIONS") {
						continue
					}
					target := "/p//%2F?as=" + as
					resp, got, err := call(t, c, method, target, strings.NewReader(body.text), body.length)
					if err != nil {
						t.Fatalf("%s %s %d: %v", method, as, body.length, err)
					}
					req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+target, strings.NewReader(body.text))
					if err != nil {
						t.Fatal(err)
					}
					req.Header.Set("X-A", "1")
					req.ContentLength = body.length
					if body.text == "" {
						req.Body = http.NoBody
					}
					r2, err := srv.Client().Transport.RoundTrip(req)
					if err != nil {
						t.Fatal(err)
					}
					b2, err := io.ReadAll(r2.Body)
					r2.Body.Close()
					if err != nil || resp.Status != r2.StatusCode || got != string(b2) || resp.Get("Location") != r2.Header.Get("Location") {
						t.Errorf("%s %s %d: %d %.80q, net/http %d %.80q %v", method, as, body.length, resp.Status, got, r2.StatusCode, b2, err)
					}
				}
			}
		}
		if len(c.places) != 0 {
			t.Errorf("%d places are not given back", len(c.places))
		}
	}
}

func TestConnectionsReused(t *testing.T) {
	var opened atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	c := client(t, srv.URL, Options{})
	for i := range 20 {
		if _, _, err := call(t, c, "POST", "/?as="+[]string{"length", "chunks", "none"}[i%3], strings.NewReader("x"), 1); err != nil {
			t.Fatal(err)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for 20 calls in turn", n)
	}
	resp, err := c.Do(t.Context(), "GET", "/", nil, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close() // unread, but already here or not: never in the way of the next
	if _, got, err := call(t, c, "GET", "/second", nil, 0); err != nil || !strings.HasPrefix(got, "GET /second ") {
		t.Errorf("after an unread answer: %q %v", got, err)
	}
	if _, err := resp.Body.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("reading a closed body: %v", err)
	}
}

// rawServer hands each connection to f with its number.
func rawServer(t *testing.T, f func(n int, c net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer c.Close(); f(n, c) })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return "http://" + l.Addr().String()
}

// readRequest reads the head of a request without body.
func readRequest(c net.Conn) bool {
	var b []byte
	one := make([]byte, 1)
	for !bytes.HasSuffix(b, []byte("\r\n\r\n")) {
		if _, err := c.Read(one); err != nil {
			return false
		}
		b = append(b, one...)
	}
	return true
}

const answerA = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"

// A kept connection that dies when it is used: repeated if that is harmless.
func TestStaleConnection(t *testing.T) {
	url := rawServer(t, func(_ int, c net.Conn) {
		for readRequest(c) {
			_, _ = io.WriteString(c, answerA)
		}
	})
	for method, repeated := range map[string]bool{"GET": true, "PUT": true, "DELETE": true, "POST": false, "PATCH": false} {
		c := client(t, url, Options{})
		if _, _, err := call(t, c, "GET", "/", nil, 0); err != nil {
			t.Fatal(err)
		}
		cn := c.take()
		if cn == nil {
			t.Fatal("nothing was kept")
		}
		broken := &dying{Conn: cn.nc}
		cn.nc = broken
		cn.bw.Reset(broken)
		c.put(cn)
		_, got, err := call(t, c, method, "/", nil, 0)
		if repeated != (err == nil) || repeated && got != "a" {
			t.Errorf("%s: %q %v", method, got, err)
		}
	}
	c := client(t, url, Options{})
	if _, _, err := call(t, c, "GET", "/", nil, 0); err != nil {
		t.Fatal(err)
	}
	cn := c.take()
	broken := &dying{Conn: cn.nc}
	cn.nc = broken
	cn.bw.Reset(broken)
	c.put(cn)
	if _, _, err := call(t, c, "PUT", "/", strings.NewReader("x"), 1); err == nil {
		t.Error("a request with a body was repeated")
	}
}

// dying is a connection whose other side has gone without a sign.
type dying struct{ net.Conn }

func (d *dying) Read([]byte) (int, error) { return 0, io.EOF }

// A service that closes, or that sends an answer nobody asked for, between calls.
func TestIdleConnectionSpoilt(t *testing.T) {
	for name, unasked := range map[string]string{"closed": "", "an answer too many": "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"} {
		spoilt := make(chan bool, 1)
		url := rawServer(t, func(n int, c net.Conn) {
			for readRequest(c) {
				_, _ = io.WriteString(c, answerA)
				if n == 0 {
					time.Sleep(20 * time.Millisecond)
					_, _ = io.WriteString(c, unasked)
					if unasked == "" {
						c.Close()
					}
					spoilt <- true
				}
			}
		})
		c := client(t, url, Options{})
		for i := range 3 {
			// A POST is not repeated, so that the connection must be found out before.
			_, got, err := call(t, c, "POST", "/", nil, 0)
			if err != nil || got != "a" {
				t.Errorf("%s, call %d: %q %v", name, i, got, err)
			}
			if i == 0 {
				<-spoilt
				time.Sleep(20 * time.Millisecond)
			}
		}
	}
}

func TestTimeouts(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	for name, c := range map[string]struct {
		text string
		body io.Reader
		size int64
	}{
		"no answer":     {"", nil, 0},
		"half a head":   {"HTTP/1.1 200 OK\r\nX: ", nil, 0},
		"half a body":   {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", nil, 0},
		"half chunks":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", nil, 0},
		"takes nothing": {"", endless{}, -1},
	} {
		url := rawServer(t, func(_ int, conn net.Conn) {
			if readRequest(conn) {
				_, _ = io.WriteString(conn, c.text)
				<-hang
			}
		})
		cl := client(t, url, Options{ResponseTimeout: 50 * time.Millisecond, BodyTimeout: 50 * time.Millisecond})
		if _, _, err := call(t, cl, "POST", "/", c.body, c.size); !errors.Is(err, ErrTimeout) {
			t.Errorf("%s: %v", name, err)
		}
		if len(cl.places) != 0 || len(cl.idle) != 0 {
			t.Errorf("%s: the connection is kept", name)
		}
		slow := client(t, url, Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		resp, err := slow.Do(ctx, "POST", "/", nil, c.body, c.size)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A request's body that ends in an error must not look whole to the service.
func TestBrokenRequestBody(t *testing.T) {
	mine := errors.New("digest differs")
	for _, length := range []int64{-1, 10, small * 4} {
		saw := make(chan error, 8) // room for every request: the handler must not wait
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			saw <- err
		}))
		c := client(t, srv.URL, Options{})
		_, _, err := call(t, c, "PUT", "/", io.MultiReader(strings.NewReader("abc"), failing{mine}), length)
		if !errors.Is(err, ErrBody) || !errors.Is(err, mine) {
			t.Errorf("%d: %v", length, err)
		}
		if length != 10 { // a short body fails before anything is sent
			if err := <-saw; err == nil {
				t.Errorf("%d: the service saw a whole request", length)
			}
		}
		if _, _, err := call(t, c, "PUT", "/", strings.NewReader("abc"), 100); !errors.Is(err, ErrBody) {
			t.Errorf("a short body: %v", err)
		}
		srv.Close()
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A service that answers before it read the body.
func TestEarlyAnswer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	}))
	defer srv.Close()
	c := client(t, srv.URL, Options{})
	for range 5 {
		resp, got, err := call(t, c, "POST", "/", endless{}, -1)
		if err != nil || resp.Status != 413 || got != "too large\n" {
			t.Errorf("%+v %q %v", resp, got, err)
		}
	}
	if len(c.idle) != 0 {
		t.Error("a connection with half a request on it is kept")
	}
}

func TestConcurrentCalls(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(echo))
	defer srv.Close()
	c := client(t, srv.URL, Options{MaxConns: 4, MaxIdle: 2})
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 30 {
				target := fmt.Sprintf("/%d/%d?as=%s", g, i, []string{"length", "chunks", "close", "none"}[i%4])
				body := strings.Repeat("b", (i%3)*small)
				resp, got, err := call(t, c, "PUT", target, strings.NewReader(body), int64(len(body)))
				if err != nil || resp.Status != 204 && !strings.HasPrefix(got, "PUT "+target+" ") {
					t.Errorf("%s: %.60q %v", target, got, err)
				}
			}
		})
	}
	wg.Wait()
	if len(c.idle) > 2 || len(c.places) != 0 {
		t.Errorf("%d idle, %d in use", len(c.idle), len(c.places))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Do(ctx, "GET", "/", nil, nil, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	c.Close()
	if _, _, err := call(t, c, "GET", "/", nil, 0); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// What was given up before it was sent never reaches the service, also where a
// connection is open.
func TestGivenUpBefore(t *testing.T) {
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1) }))
	defer srv.Close()
	c := client(t, srv.URL, Options{})
	if _, _, err := call(t, c, "GET", "/", nil, 0); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if _, err := c.Do(gone, "POST", "/", nil, nil, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
	if _, _, err := call(t, c, "GET", "/", nil, 0); err != nil { // in the same line behind those
		t.Fatal(err)
	}
	if n := asked.Load(); n != 2 || len(c.places) != 0 {
		t.Errorf("the service was asked %d times, %d places are taken", n, len(c.places))
	}
}

func TestUnreachable(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer srv.Close()
	for _, base := range []string{srv.URL /* its certificate is not trusted */, "http://127.0.0.1:1"} {
		if _, _, err := call(t, client(t, base, Options{}), "GET", "/", nil, 0); !errors.Is(err, ErrConnect) {
			t.Errorf("%s: %v", base, err)
		}
	}
}

func TestIdleTimeout(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(echo))
	defer srv.Close()
	c := client(t, srv.URL, Options{IdleTimeout: 20 * time.Millisecond})
	if _, _, err := call(t, c, "GET", "/", nil, 0); err != nil {
		t.Fatal(err)
	}
	for {
		c.mu.Lock()
		n, armed := len(c.idle), c.armed
		c.mu.Unlock()
		if n == 0 && !armed {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if _, _, err := call(t, c, "GET", "/", nil, 0); err != nil {
		t.Fatal(err)
	}
}
