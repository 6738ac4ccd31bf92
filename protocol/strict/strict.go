// Package strict reads JSON that came from outside and that something was signed
// over or decided by. encoding/json accepts a name given twice and takes the last,
// and matches a struct's fields whatever their case: two readers of one signed text
// can then see two things. Here such a text is refused, as are values nested deeper
// than [MaxDepth], invalid UTF-8 and anything after the value.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may lie in each other.
const MaxDepth = 32

// Errors that reading returns, wrapped with where they were found.
var (
	ErrLarge     = errors.New("the text is too large")
	ErrDepth     = errors.New("values are nested too deep")
	ErrDuplicate = errors.New("a name is given twice")
	ErrForm      = errors.New("the text is not one JSON value")
)

// Unmarshal decodes the value in b, of at most max bytes, into v. Names in one object
// that differ by case alone count as the same, since v may be a struct. Names that v
// does not know are ignored, as the protocols ask.
func Unmarshal(b []byte, max int, v any) error {
	if err := check(b, max, strings.ToLower); err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	return nil
}

// Value returns the value in b, of at most max bytes, as maps, slices, strings,
// booleans, nil and [json.Number]: numbers stay as they were written.
func Value(b []byte, max int) (any, error) {
	if err := check(b, max, func(s string) string { return s }); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return v, nil
}

// Object is [Value] for a text that must be an object.
func Object(b []byte, max int) (map[string]any, error) {
	v, err := Value(b, max)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: not an object", ErrForm)
	}
	return m, nil
}

// level is an array or object that is being read. In an object names and values come
// in turn.
type level struct {
	names map[string]bool // nil in an array
	value bool            // the next token is a value
}

func check(b []byte, max int, fold func(string) string) error {
	if len(b) > max {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrLarge, len(b), max)
	}
	if !utf8.Valid(b) {
		return fmt.Errorf("%w: invalid UTF-8", ErrForm)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var open []level
	for {
		tok, err := dec.Token()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrForm, err)
		}
		if d, ok := tok.(json.Delim); ok && (d == '}' || d == ']') {
			open = open[:len(open)-1]
		} else {
			if len(open) > 0 && open[len(open)-1].names != nil {
				o := &open[len(open)-1]
				if !o.value {
					name := fold(tok.(string))
					if o.names[name] {
						return fmt.Errorf("%w: %q", ErrDuplicate, tok)
					}
					o.names[name], o.value = true, true
					continue
				}
				o.value = false
			}
			if ok {
				l := level{}
				if d == '{' {
					l.names = map[string]bool{}
				}
				if open = append(open, l); len(open) > MaxDepth {
					return ErrDepth
				}
			}
		}
		if len(open) == 0 {
			break
		}
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("%w: more follows the value", ErrForm)
	}
	return nil
}
