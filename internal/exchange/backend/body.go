package backend

import (
	"fmt"
	"io"
	"strings"
)

// body is the body of an answer.
type body struct {
	cn    *conn
	kind  bodyKind
	left  int64 // of the body, or of the chunk
	keep  bool  // the connection may be used again after the end
	more  bool  // a chunk came before, whose line end is still to be read
	extra int   // bytes of chunk extensions so far
	err   error // set at the end; io.EOF for a good one
}

type bodyKind uint8

const (
	counted bodyKind = iota
	chunks
	untilEOF
)

// maxChunkLine bounds the line of a chunk's size, extensions included.
const maxChunkLine = 4 << 10

// end ends the body with err, nil for the good end, and lets go of the
// connection. It does so once.
func (b *body) end(err error) {
	if b.err != nil {
		return
	}
	if b.err = err; err == nil {
		b.err = io.EOF
	}
	cn := b.cn
	b.cn = nil
	cn.finish(err == nil && b.keep)
}

// Read returns the body's bytes as the service sent them, without the chunks.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if b.kind == chunks && b.left == 0 {
		if err := b.nextChunk(); err != nil {
			b.end(err)
			return 0, b.err
		}
		if b.left == 0 {
			b.end(nil)
			return 0, io.EOF
		}
	}
	if b.kind != untilEOF && int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.cn.br.Read(p)
	b.left -= int64(n)
	switch {
	case err == nil && b.kind == counted && b.left == 0:
		b.end(nil)
		return n, io.EOF
	case err == nil:
		return n, nil
	case err == io.EOF && b.kind == untilEOF:
		b.end(nil)
		return n, io.EOF
	case err == io.EOF:
		err = fmt.Errorf("the answer is cut off: %w", io.ErrUnexpectedEOF)
	default:
		err = fmt.Errorf("reading the answer: %w", b.cn.explain(err))
	}
	b.end(err)
	return n, err
}

// nextChunk reads the line of the next chunk; a size of 0 is the end, with its
// trailers, which are read and dropped.
func (b *body) nextChunk() error {
	cn := b.cn
	if b.more {
		cn.head = cn.head[:0]
		if err := cn.readLine(2); err != nil {
			return err
		}
	}
	b.more = true
	cn.head = cn.head[:0]
	if err := cn.readLine(maxChunkLine); err != nil {
		return err
	}
	line := cn.head[:len(cn.head)-2]
	n, size := 0, int64(0)
	for ; n < len(line); n++ {
		d := unhex(line[n])
		if d < 0 {
			break
		}
		if n == 15 {
			return fmt.Errorf("%w: a chunk of %.40q bytes", ErrResponse, line)
		}
		size = size<<4 | d
	}
	rest := strings.TrimLeft(string(line[n:]), " \t")
	if n == 0 || rest != "" && rest[0] != ';' || checkText(rest) != nil {
		return fmt.Errorf("%w: a chunk of %.40q bytes", ErrResponse, line)
	}
	if b.extra += len(rest); b.extra > cn.c.o.MaxHeaderBytes {
		return fmt.Errorf("%w: more than %d bytes of chunk extensions", ErrResponse, cn.c.o.MaxHeaderBytes)
	}
	b.left = size
	if size == 0 {
		return b.trailers()
	}
	return nil
}

func unhex(c byte) int64 {
	switch {
	case '0' <= c && c <= '9':
		return int64(c - '0')
	case 'a' <= c && c <= 'f':
		return int64(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int64(c-'A') + 10
	}
	return -1
}

// trailers reads the lines after the last chunk, bounded as a head is.
func (b *body) trailers() error {
	cn := b.cn
	cn.head = cn.head[:0]
	for range cn.c.o.MaxHeaderLines + 1 {
		start := len(cn.head)
		if err := cn.readLine(cn.c.o.MaxHeaderBytes); err != nil {
			return err
		}
		line := string(cn.head[start : len(cn.head)-2])
		if line == "" {
			return nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) || checkText(value) != nil {
			return fmt.Errorf("%w: the trailer line %.80q", ErrResponse, line)
		}
	}
	return fmt.Errorf("%w: more than %d trailer lines", ErrResponse, cn.c.o.MaxHeaderLines)
}

// Close lets go of the answer. What is left of it is thrown away with its
// connection, unless it has already arrived whole.
func (b *body) Close() error {
	if b.err != nil {
		return nil
	}
	if b.kind == counted && b.left <= int64(b.cn.br.Buffered()) {
		_, _ = b.cn.br.Discard(int(b.left))
		b.end(nil)
		b.err = errClosed
		return nil
	}
	b.end(errClosed)
	return nil
}

var errClosed = fmt.Errorf("the answer's body is closed: %w", io.ErrClosedPipe)
