package backend

import (
	"fmt"
	"io"
	"strconv"
	"time"
)

// request is what Do was given.
type request struct {
	method, target string
	header         []Field
	body           io.Reader // nil: none
	length         int64     // -1: not known
}

// small is the longest body that is written together with the head, before the
// answer is looked at: it fits what a connection takes without anybody reading.
const small = 32 << 10

func checkRequest(method, target string, header []Field) error {
	if !isToken(method) || method == "CONNECT" {
		return fmt.Errorf("%w: the method %.20q", ErrRequest, method)
	}
	if err := checkTarget(target); err != nil {
		return err
	}
	for _, f := range header {
		if !isToken(f.Name) || ofConnection(f.Name) {
			return fmt.Errorf("%w: the header name %.80q", ErrRequest, f.Name)
		}
		if err := checkText(f.Value); err != nil {
			return fmt.Errorf("%w: the header %s", ErrRequest, f.Name)
		}
	}
	return nil
}

func checkTarget(s string) error {
	if s == "" || s[0] != '/' {
		return fmt.Errorf("%w: the target does not begin with a slash", ErrRequest)
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == 0x7f || c == '#' {
			return fmt.Errorf("%w: the target holds the character %#02x", ErrRequest, c)
		}
	}
	return nil
}

// checkText refuses what could end a line in some program.
func checkText(s string) error {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return ErrRequest
		}
	}
	return nil
}

// ofConnection are the lines that this package writes itself, or that change what
// the following bytes mean.
func ofConnection(name string) bool {
	switch len(name) {
	case 2, 4, 6, 7, 10, 14, 17:
		for _, s := range []string{"te", "host", "expect", "upgrade", "trailer", "connection", "keep-alive", "content-length", "transfer-encoding"} {
			if equalFold(name, s) {
				return true
			}
		}
	}
	return false
}

// equalFold compares ASCII without regard to case.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

var tokenByte = func() (set [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") {
		set[c] = true
	}
	return set
}()

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenByte[s[i]] {
			return false
		}
	}
	return s != ""
}

// writeHead puts the request line and the header into the buffer. Errors of the
// buffer stay in it until it is flushed.
func (cn *conn) writeHead(r request) {
	w := cn.bw
	put := func(parts ...string) {
		for _, p := range parts {
			_, _ = w.WriteString(p)
		}
	}
	put(r.method, " ", r.target, " HTTP/1.1\r\nHost: ", cn.c.host, "\r\n")
	for _, f := range r.header {
		put(f.Name, ": ", f.Value, "\r\n")
	}
	switch {
	case r.length < 0:
		put("Transfer-Encoding: chunked\r\n")
	case r.length > 0 || r.method == "POST" || r.method == "PUT" || r.method == "PATCH":
		put("Content-Length: ")
		_, _ = w.Write(strconv.AppendInt(w.AvailableBuffer(), r.length, 10))
		put("\r\n")
	}
	put("\r\n")
}

// sendBody writes the body and flushes it. bodyErr is an error of the body itself,
// after which the request must not look whole; err one of the connection.
func (cn *conn) sendBody(r request) (bodyErr, err error) {
	buf := buffers.Get().(*[small]byte)
	defer buffers.Put(buf)
	for left := r.length; ; {
		part := buf[:]
		if r.length >= 0 && int64(len(part)) > left {
			part = part[:left]
		}
		n := 0
		var readErr error
		if len(part) > 0 {
			n, readErr = r.body.Read(part)
		}
		left -= int64(n)
		if n > 0 {
			cn.writeBy(time.Now().Add(cn.c.o.BodyTimeout))
			if err := cn.writePart(part[:n], r.length < 0); err != nil {
				return nil, err
			}
		}
		switch {
		case r.length >= 0 && left == 0:
			return nil, cn.bw.Flush()
		case readErr == io.EOF && r.length < 0:
			cn.writeBy(time.Now().Add(cn.c.o.BodyTimeout))
			_, _ = cn.bw.WriteString("0\r\n\r\n")
			return nil, cn.bw.Flush()
		case readErr == io.EOF:
			return fmt.Errorf("%w: it is %d bytes short", ErrBody, left), nil
		case readErr != nil:
			return fmt.Errorf("%w: %w", ErrBody, readErr), nil
		}
	}
}

// writePart writes a piece of a body and sends it: a slow body must not wait in
// the buffer until it is full.
func (cn *conn) writePart(p []byte, chunked bool) error {
	if chunked {
		_, _ = cn.bw.Write(strconv.AppendInt(cn.bw.AvailableBuffer(), int64(len(p)), 16))
		_, _ = cn.bw.WriteString("\r\n")
	}
	_, _ = cn.bw.Write(p)
	if chunked {
		_, _ = cn.bw.WriteString("\r\n")
	}
	return cn.bw.Flush()
}
