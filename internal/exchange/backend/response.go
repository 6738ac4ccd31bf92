package backend

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// maxInformational bounds the 1xx answers before the one that counts.
const maxInformational = 16

// readResponse reads heads until one is not informational.
func (cn *conn) readResponse(method string) (*Response, error) {
	for range maxInformational {
		resp, framing, err := cn.readHead()
		if err != nil {
			return nil, err
		}
		if resp.Status >= 200 {
			return resp, cn.frame(resp, framing, method)
		}
		if resp.Status == 101 {
			return nil, fmt.Errorf("%w: it switches protocols", ErrResponse)
		}
	}
	return nil, fmt.Errorf("%w: more than %d informational answers", ErrResponse, maxInformational)
}

// framing is what a head says of the body and of the connection.
type framing struct {
	length  int64 // -1: not said
	chunked bool
	close   bool
}

// readHead reads one head: the lines as one string, cut into fields.
func (cn *conn) readHead() (*Response, framing, error) {
	cn.head = cn.head[:0]
	lines := 0
	for {
		start := len(cn.head)
		if err := cn.readLine(cn.c.o.MaxHeaderBytes); err != nil {
			return nil, framing{}, err
		}
		if len(cn.head)-start == 2 {
			break
		}
		if lines++; lines > cn.c.o.MaxHeaderLines+1 {
			return nil, framing{}, fmt.Errorf("%w: more than %d header lines", ErrResponse, cn.c.o.MaxHeaderLines)
		}
	}
	return parseHead(string(cn.head), lines)
}

// readLine appends a line to cn.head, which then has at most limit bytes. The
// line must end in CR LF and hold no other CR.
func (cn *conn) readLine(limit int) error {
	start := len(cn.head)
	for {
		part, err := cn.br.ReadSlice('\n')
		if len(cn.head)+len(part) > limit {
			return fmt.Errorf("%w: a head of more than %d bytes", ErrResponse, limit)
		}
		cn.head = append(cn.head, part...)
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("reading the answer: %w", cn.explain(err))
		}
		line := cn.head[start:]
		if n := len(line); n < 2 || bytes.IndexByte(line, '\r') != n-2 {
			return fmt.Errorf("%w: a line does not end in CR LF", ErrResponse)
		}
		return nil
	}
}

// parseHead reads a head of n lines and the empty one after them.
func parseHead(s string, n int) (*Response, framing, error) {
	line, rest, _ := strings.Cut(s, "\r\n")
	status, old, err := parseStatus(line)
	if err != nil {
		return nil, framing{}, err
	}
	f := framing{length: -1, close: old}
	resp := &Response{Status: status}
	if n > 1 {
		resp.Header = make([]Field, 0, n-1)
	}
	for {
		line, rest, _ = strings.Cut(rest, "\r\n")
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		// A name that begins with a blank is the fold of the line before.
		if !ok || !isToken(name) || checkText(value) != nil {
			return nil, framing{}, fmt.Errorf("%w: the header line %.80q", ErrResponse, line)
		}
		if err := f.read(name, value, old); err != nil {
			return nil, framing{}, err
		}
		resp.Header = append(resp.Header, Field{Name: name, Value: value})
	}
	if f.chunked && f.length >= 0 {
		return nil, framing{}, fmt.Errorf("%w: both a length and chunks", ErrResponse)
	}
	return resp, f, nil
}

// parseStatus reads HTTP/1.x SP 3 digits [SP reason]; old tells HTTP/1.0.
func parseStatus(line string) (status int, old bool, err error) {
	if len(line) < 12 || line[:7] != "HTTP/1." || line[7] != '1' && line[7] != '0' || line[8] != ' ' ||
		len(line) > 12 && line[12] != ' ' || checkText(line) != nil {
		return 0, false, badStatus(line)
	}
	for _, c := range []byte(line[9:12]) {
		if c < '0' || c > '9' {
			return 0, false, badStatus(line)
		}
		status = status*10 + int(c-'0')
	}
	if status < 100 || status > 599 {
		return 0, false, badStatus(line)
	}
	return status, line[7] == '0', nil
}

func badStatus(line string) error { return fmt.Errorf("%w: the status line %.80q", ErrResponse, line) }

// read notes what a header line says of the framing.
func (f *framing) read(name, value string, old bool) error {
	switch {
	case equalFold(name, "Content-Length"):
		for v := range strings.SplitSeq(value, ",") {
			n, err := parseLength(strings.Trim(v, " \t"))
			if err != nil {
				return err
			}
			if f.length >= 0 && f.length != n {
				return fmt.Errorf("%w: two lengths, %d and %d", ErrResponse, f.length, n)
			}
			f.length = n
		}
	case equalFold(name, "Transfer-Encoding"):
		if f.chunked || old || !equalFold(value, "chunked") {
			return fmt.Errorf("%w: the transfer encoding %.80q", ErrResponse, value)
		}
		f.chunked = true
	case equalFold(name, "Connection"):
		for v := range strings.SplitSeq(value, ",") {
			f.close = f.close || equalFold(strings.Trim(v, " \t"), "close")
		}
	}
	return nil
}

// parseLength reads digits and nothing else.
func parseLength(s string) (int64, error) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, fmt.Errorf("%w: the length %.40q", ErrResponse, s)
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n == math.MaxInt64 {
		return 0, fmt.Errorf("%w: the length %.40q", ErrResponse, s)
	}
	return n, nil
}

// frame gives the response its body (RFC 9112, 6.3).
func (cn *conn) frame(resp *Response, f framing, method string) error {
	b := &resp.body
	*b = body{cn: cn, keep: !f.close}
	resp.Body = b
	cn.refresh = true
	switch {
	case method == "HEAD" || resp.Status == 304:
		b.end(nil)
	case resp.Status == 204:
		// A body that must not be there may be on its way nevertheless.
		b.keep = b.keep && !f.chunked && f.length <= 0
		b.end(nil)
	case f.chunked:
		b.kind = chunks
	case f.length == 0:
		b.end(nil)
	case f.length > 0:
		b.kind, b.left = counted, f.length
	default:
		b.kind, b.keep = untilEOF, false
	}
	return nil
}
