package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of an answer that is filtered: it must be read whole before a byte of it
// may pass.
const (
	MaxFiltered   = 8 << 20
	maxJSONDepth  = 64
	maxFieldParts = 16
)

// ErrFilter says that an answer can't be brought down to the fields that were
// agreed on; it must not pass.
var ErrFilter = errors.New("contract.filter")

// Filter lets the agreed fields of a JSON answer pass and nothing else. A field
// is names with dots between; arrays on the way are looked through, so that
// "children.name" is the name of each child. A name given ends the path: all
// below it passes. "*" stands for any one name.
type Filter struct{ root *branch }

type branch struct {
	all  bool
	kids map[string]*branch
}

// validField tells whether a field can be part of a contract.
func validField(f string) bool {
	parts := strings.Split(f, ".")
	if f == "" || len(f) > 500 || len(parts) > maxFieldParts || !utf8.ValidString(f) {
		return false
	}
	for _, p := range parts {
		if p == "" {
			return false
		}
	}
	return true
}

// NewFilter returns the filter of a list of fields, nil for an empty list.
func NewFilter(fields []string) *Filter {
	if len(fields) == 0 {
		return nil
	}
	root := &branch{kids: map[string]*branch{}}
	for _, f := range fields {
		at := root
		for name := range strings.SplitSeq(f, ".") {
			next := at.kids[name]
			if next == nil {
				next = &branch{kids: map[string]*branch{}}
				at.kids[name] = next
			}
			at = next
		}
		at.all = true
	}
	return &Filter{root}
}

// below returns what of b holds for a name.
func (b *branch) below(name string) *branch {
	exact, any := b.kids[name], b.kids["*"]
	switch {
	case exact == nil || any == nil || exact.all:
		if exact == nil {
			return any
		}
		return exact
	case any.all:
		return any
	}
	both := &branch{kids: map[string]*branch{}}
	for _, from := range []*branch{any, exact} {
		for n, k := range from.kids {
			both.kids[n] = k
		}
	}
	return both
}

// Apply returns the part of a JSON document that may pass, with names in their
// order and numbers as they were written. A document that is not one JSON value,
// names a field twice, or is too large or too deep gives ErrFilter.
func (f *Filter) Apply(doc []byte) ([]byte, error) {
	if len(doc) > MaxFiltered || !utf8.Valid(doc) {
		return nil, ErrFilter
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var out bytes.Buffer
	if err := filterValue(d, &out, f.root, 0); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFilter, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrFilter
	}
	return out.Bytes(), nil
}

// filterValue copies a value; with no branch it is read and dropped. A plain
// value where only parts of an object were agreed on becomes null.
func filterValue(d *json.Decoder, w *bytes.Buffer, b *branch, depth int) error {
	if depth > maxJSONDepth {
		return errors.New("too deep")
	}
	t, err := d.Token()
	if err != nil {
		return err
	}
	delim, ok := t.(json.Delim)
	switch {
	case ok && delim == '{':
		return filterObject(d, w, b, depth)
	case ok:
		return filterArray(d, w, b, depth)
	case b == nil:
		return nil
	case !b.all:
		t = nil
	}
	return write(w, t)
}

func filterObject(d *json.Decoder, w *bytes.Buffer, b *branch, depth int) error {
	put(w, b, '{')
	first := true
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name := t.(string)
		if seen[name] {
			return fmt.Errorf("%.40q is there twice", name)
		}
		seen[name] = true
		next := b
		if b != nil && !b.all {
			next = b.below(name)
		}
		if next != nil {
			if !first {
				w.WriteByte(',')
			}
			first = false
			if err := write(w, name); err != nil {
				return err
			}
			w.WriteByte(':')
		}
		if err := filterValue(d, w, next, depth+1); err != nil {
			return err
		}
	}
	put(w, b, '}')
	_, err := d.Token()
	return err
}

func filterArray(d *json.Decoder, w *bytes.Buffer, b *branch, depth int) error {
	put(w, b, '[')
	for first := true; d.More(); first = false {
		if !first {
			put(w, b, ',')
		}
		if err := filterValue(d, w, b, depth+1); err != nil {
			return err
		}
	}
	put(w, b, ']')
	_, err := d.Token()
	return err
}

func put(w *bytes.Buffer, b *branch, c byte) {
	if b != nil {
		w.WriteByte(c)
	}
}

// write writes a name or a plain value without escaping what HTML needs escaped.
func write(w *bytes.Buffer, v any) error {
	e := json.NewEncoder(lineless{w})
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// lineless drops the line break that an Encoder ends each value with.
type lineless struct{ w *bytes.Buffer }

func (l lineless) Write(p []byte) (int, error) {
	_, err := l.w.Write(bytes.TrimSuffix(p, []byte{'\n'}))
	return len(p), err
}
