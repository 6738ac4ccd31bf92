package backend

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// One call with 1 KiB of answer on a kept connection, beside net/http's transport,
// against a server that does next to nothing and allocates nothing.
func BenchmarkCall(b *testing.B) {
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Length: 1024\r\n\r\n" + strings.Repeat("x", 1024))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serveFixed(c, answer)
		}
	}()
	url := "http://" + l.Addr().String()
	b.Run("backend", func(b *testing.B) {
		c := client(b, url, Options{})
		header := []Field{{Name: "X-Road-Client", Value: "XX/GOV/A/S"}, {Name: "X-Road-Id", Value: "1"}, {Name: "Accept", Value: "application/json"}}
		ctx := b.Context()
		buf := make([]byte, 4096)
		b.ReportAllocs()
		for b.Loop() {
			resp, err := c.Do(ctx, "GET", "/v1/acts/42?lang=ar", header, nil, 0)
			if err != nil {
				b.Fatal(err)
			}
			drain(b, resp.Body, buf)
		}
	})
	b.Run("net-http", func(b *testing.B) {
		tr := &http.Transport{DisableCompression: true}
		defer tr.CloseIdleConnections()
		buf := make([]byte, 4096)
		b.ReportAllocs()
		for b.Loop() {
			req, err := http.NewRequestWithContext(b.Context(), "GET", url+"/v1/acts/42?lang=ar", nil)
			if err != nil {
				b.Fatal(err)
			}
			req.Header["X-Road-Client"] = []string{"XX/GOV/A/S"}
			req.Header["X-Road-Id"] = []string{"1"}
			req.Header["Accept"] = []string{"application/json"}
			resp, err := tr.RoundTrip(req)
			if err != nil {
				b.Fatal(err)
			}
			drain(b, resp.Body, buf)
		}
	})
}

func drain(b *testing.B, body io.ReadCloser, buf []byte) {
	for {
		if _, err := body.Read(buf); err == io.EOF {
			break
		} else if err != nil {
			b.Fatal(err)
		}
	}
	body.Close()
}

func serveFixed(c net.Conn, answer []byte) {
	defer c.Close()
	buf := make([]byte, 4096)
	n := 0
	for {
		m, err := c.Read(buf[n:])
		if err != nil {
			return
		}
		if n += m; bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
			n = 0
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	}
}
