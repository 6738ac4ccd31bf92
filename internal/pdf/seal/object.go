package seal

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// ErrFile says that the bytes are not a PDF file that can be sealed or checked.
var ErrFile = errors.New("not a PDF file as this house writes them")

// Bounds on a file that is read.
const (
	// MaxFile is the length of a file, in bytes.
	MaxFile     = 64 << 20
	maxDepth    = 32
	maxObjects  = 1 << 20
	maxSections = 16 // of the cross-reference chain
	maxKeys     = 4096
)

func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFile, fmt.Sprintf(format, args...))
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

// blank returns the place of the next byte that is neither white nor a comment.
func blank(b []byte, at int) int {
	for at < len(b) {
		switch {
		case isSpace(b[at]):
			at++
		case b[at] == '%':
			for at < len(b) && b[at] != '\n' && b[at] != '\r' {
				at++
			}
		default:
			return at
		}
	}
	return at
}

// end returns where the object ends that starts at a place.
func end(b []byte, at, depth int) (int, error) {
	at = blank(b, at)
	if at >= len(b) || depth > maxDepth {
		return 0, broken("an object does not end")
	}
	switch {
	case bytes.HasPrefix(b[at:], []byte("<<")):
		return endOf(b, at+2, ">>", depth)
	case b[at] == '[':
		return endOf(b, at+1, "]", depth)
	case b[at] == '<':
		if n := bytes.IndexByte(b[at:], '>'); n > 0 {
			return at + n + 1, nil
		}
		return 0, broken("a string does not end")
	case b[at] == '(':
		return endString(b, at)
	case b[at] == '/':
		return word(b, at+1), nil
	case isDelimiter(b[at]):
		return 0, broken("an object at byte %d", at)
	}
	n := word(b, at)
	if m, ok := reference(b, at); ok {
		return m, nil
	}
	return n, nil
}

// endOf returns the place after the closing mark of an array or a dictionary.
func endOf(b []byte, at int, mark string, depth int) (int, error) {
	for range maxObjects {
		at = blank(b, at)
		if bytes.HasPrefix(b[min(at, len(b)):], []byte(mark)) {
			return at + len(mark), nil
		}
		n, err := end(b, at, depth+1)
		if err != nil {
			return 0, err
		}
		at = n
	}
	return 0, broken("an object holds too much")
}

func endString(b []byte, at int) (int, error) {
	for open := 0; at < len(b); at++ {
		switch b[at] {
		case '\\':
			at++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return at + 1, nil
			}
		}
	}
	return 0, broken("a string does not end")
}

// word returns where a run of ordinary characters ends.
func word(b []byte, at int) int {
	for at < len(b) && !isSpace(b[at]) && !isDelimiter(b[at]) {
		at++
	}
	return at
}

// reference returns where "12 0 R" ends that may start at a place.
func reference(b []byte, at int) (int, bool) {
	n := word(b, at)
	g := blank(b, n)
	e := word(b, g)
	r := blank(b, e)
	if n == at || e == g || r >= len(b) || b[r] != 'R' || word(b, r) != r+1 {
		return 0, false
	}
	_, err := strconv.ParseUint(string(b[at:n]), 10, 31)
	_, err2 := strconv.ParseUint(string(b[g:e]), 10, 16)
	return r + 1, err == nil && err2 == nil
}

// refTo reads "12 0 R".
func refTo(b []byte) (int, error) {
	b = b[blank(b, 0):]
	if m, ok := reference(b, 0); !ok || blank(b, m) != len(b) {
		return 0, broken("%.20q is no reference", b)
	}
	return strconv.Atoi(string(b[:word(b, 0)]))
}

// dict reads the entries of a dictionary, whose values stay as they are written.
func dict(b []byte) (map[string][]byte, error) {
	at := blank(b, 0)
	if !bytes.HasPrefix(b[at:], []byte("<<")) {
		return nil, broken("%.20q is no dictionary", b)
	}
	out := map[string][]byte{}
	for at += 2; ; {
		at = blank(b, at)
		if at >= len(b) || len(out) > maxKeys {
			return nil, broken("a dictionary does not end")
		}
		if bytes.HasPrefix(b[at:], []byte(">>")) {
			return out, nil
		}
		if b[at] != '/' {
			return nil, broken("a dictionary's key at byte %d", at)
		}
		n := word(b, at+1)
		key := string(b[at+1 : n])
		e, err := end(b, n, 1)
		if err != nil {
			return nil, err
		}
		if _, twice := out[key]; twice {
			return nil, broken("the key %s stands twice", key)
		}
		out[key] = bytes.TrimSpace(b[n:e])
		at = e
	}
}
