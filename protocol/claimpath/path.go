package claimpath

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"diwan/protocol/strict"
)

// Bounds on a path.
const (
	MaxLen   = strict.MaxDepth // components: no credential that is read lies deeper
	MaxIndex = 1 << 20
	maxBytes = 16 << 10
)

// Errors, wrapped with where they were found.
var (
	ErrForm  = errors.New("not a claims path pointer")
	ErrType  = errors.New("the path asks for a member of what has none")
	ErrEmpty = errors.New("the path selects nothing")
)

// Path is a claims path pointer. Its components are a string (the member of that
// name), an int of 0 or more (the element at that index) or nil (all elements).
type Path []any

// Parse reads a path from its JSON text.
func Parse(b []byte) (Path, error) {
	v, err := strict.Value(b, maxBytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return Of(v)
}

// Of makes a path of a decoded JSON array. Numbers may be int, float64 or
// [json.Number].
func Of(v any) (Path, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%w: not an array", ErrForm)
	}
	p := make(Path, len(list))
	for i, c := range list {
		var err error
		if p[i], err = component(c); err != nil {
			return nil, err
		}
	}
	return p, p.Valid()
}

// component returns a component with its number as an int. Only the plain form of an
// index is read: 1.0 and 1e0 are the same number to some readers and not to others.
func component(c any) (any, error) {
	switch n := c.(type) {
	case json.Number:
		i, err := strconv.Atoi(string(n))
		if err != nil || strconv.Itoa(i) != string(n) {
			return nil, fmt.Errorf("%w: index %s", ErrForm, n)
		}
		return i, nil
	case float64:
		if n != float64(int(n)) {
			return nil, fmt.Errorf("%w: index %v", ErrForm, n)
		}
		return int(n), nil
	}
	return c, nil
}

// Valid tells whether the path is one: not empty, within the bounds, of the three
// kinds of component.
func (p Path) Valid() error {
	if len(p) == 0 || len(p) > MaxLen {
		return fmt.Errorf("%w: %d components, want 1 to %d", ErrForm, len(p), MaxLen)
	}
	for _, c := range p {
		switch c := c.(type) {
		case nil, string:
		case int:
			if c < 0 || c > MaxIndex {
				return fmt.Errorf("%w: index %d", ErrForm, c)
			}
		default:
			return fmt.Errorf("%w: a component of type %T", ErrForm, c)
		}
	}
	return nil
}

// UnmarshalJSON reads a path as [Parse] does.
func (p *Path) UnmarshalJSON(b []byte) error {
	read, err := Parse(b)
	if err != nil {
		return err
	}
	*p = read
	return nil
}

// String returns the path as JSON, the form in which the protocols write it.
func (p Path) String() string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode([]any(p)); err != nil {
		return fmt.Sprintf("%q", []any(p))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Equal tells whether two paths are the same, component by component.
func (p Path) Equal(q Path) bool {
	return len(p) == len(q) && p.Prefix(q)
}

// Prefix tells whether q begins with p. Here null equals only null.
func (p Path) Prefix(q Path) bool {
	if len(p) > len(q) {
		return false
	}
	for i := range p {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}

// Covers tells whether the place q, a path without null, is among those that p stands
// for or lies within one of them.
func (p Path) Covers(q Path) bool {
	if len(p) > len(q) {
		return false
	}
	for i := range p {
		if p[i] == q[i] {
			continue
		}
		if _, index := q[i].(int); p[i] != nil || !index {
			return false
		}
	}
	return true
}
