// Package strict reads JSON that came from outside and that something was signed
// over or decided by. encoding/json accepts a name given twice and takes the last,
// and matches a struct's fields whatever their case: two readers of one signed text
// can then see two things. Here such a text is refused, as are values nested deeper
// than [MaxDepth], invalid UTF-8 and anything after the value.
//
// The text is read by the package that encoding/json/v2 stands on.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
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
	r := reader{folds: true}
	if _, err := r.all(b, max); err != nil {
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
	r := reader{keeps: true}
	return r.all(b, max)
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

// reader reads one value. It keeps what it reads, or only checks it.
type reader struct {
	dec          *jsontext.Decoder
	keeps, folds bool
}

func (r *reader) all(b []byte, max int) (any, error) {
	if len(b) > max {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrLarge, len(b), max)
	}
	r.dec = jsontext.NewDecoder(bytes.NewBuffer(b))
	v, err := r.value()
	if err != nil {
		return nil, err
	}
	if _, err := r.dec.ReadToken(); err != io.EOF {
		return nil, fmt.Errorf("%w: more follows the value", ErrForm)
	}
	return v, nil
}

func (r *reader) token() (jsontext.Token, error) {
	t, err := r.dec.ReadToken()
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return t, fmt.Errorf("%w: %w", ErrDuplicate, err)
	case err != nil:
		return t, fmt.Errorf("%w: %w", ErrForm, err)
	case r.dec.StackDepth() > MaxDepth:
		return t, ErrDepth
	}
	return t, nil
}

func (r *reader) value() (any, error) {
	t, err := r.token()
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case '{':
		return r.object()
	case '[':
		return r.array()
	case '"':
		if r.keeps {
			return t.String(), nil
		}
	case '0':
		if r.keeps {
			return json.Number(t.String()), nil
		}
	case 't', 'f':
		return t.Bool(), nil
	}
	return nil, nil
}

func (r *reader) object() (any, error) {
	var m map[string]any
	if r.keeps {
		m = map[string]any{}
	}
	var folded map[string]bool
	if r.folds {
		folded = map[string]bool{}
	}
	for r.dec.PeekKind() != '}' {
		t, err := r.token()
		if err != nil {
			return nil, err
		}
		name := t.String()
		if r.folds {
			low := strings.ToLower(name)
			if folded[low] {
				return nil, fmt.Errorf("%w: %q", ErrDuplicate, name)
			}
			folded[low] = true
		}
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		if r.keeps {
			m[name] = v
		}
	}
	if _, err := r.token(); err != nil {
		return nil, err
	}
	return m, nil
}

func (r *reader) array() (any, error) {
	out := []any{}
	for r.dec.PeekKind() != ']' {
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		if r.keeps {
			out = append(out, v)
		}
	}
	if _, err := r.token(); err != nil {
		return nil, err
	}
	return out, nil
}
