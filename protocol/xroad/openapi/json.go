package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// RewriteJSON is Rewrite for JSON.
func RewriteJSON(doc []byte) ([]byte, error) {
	if len(doc) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrDocument, len(doc))
	}
	if !utf8.Valid(doc) || !json.Valid(doc) {
		return nil, fmt.Errorf("%w: not JSON", ErrDocument)
	}
	r := jsonReader{doc: doc, dec: json.NewDecoder(bytes.NewReader(doc))}
	if err := r.value(root, 0); err != nil {
		return nil, err
	}
	if !r.known {
		return nil, fmt.Errorf("%w: it does not say that it is version 3", ErrDocument)
	}
	return apply(doc, r.edits)
}

type jsonReader struct {
	doc   []byte
	dec   *json.Decoder
	edits []edit
	known bool // the root says version 3
	// of the server being read
	pending      []edit
	hasVariables bool
}

// value reads one value, whose place is p.
func (r *jsonReader) value(p place, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: nested deeper than %d", ErrDocument, maxDepth)
	}
	start := r.next()
	token, err := r.dec.Token()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDocument, err)
	}
	switch token {
	case json.Delim('{'):
		return r.object(p, depth)
	case json.Delim('['):
		item := other
		if p == servers {
			item = server
		}
		for r.dec.More() {
			if err := r.value(item, depth+1); err != nil {
				return err
			}
		}
		_, err = r.dec.Token()
		return err
	}
	s, isString := token.(string)
	switch {
	case p == version && isString && version3(s):
		r.known = true
	case p == address && isString:
		// Strings of a path marshal without fail.
		text, _ := json.Marshal(pathOf(s))
		r.pending = append(r.pending, edit{start, int(r.dec.InputOffset()), string(text)})
	}
	return nil
}

func (r *jsonReader) object(p place, depth int) error {
	if p == server {
		r.pending, r.hasVariables = nil, false
	}
	n := 0
	for ; r.dec.More(); n++ {
		key, err := r.dec.Token()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDocument, err)
		}
		name, _ := key.(string)
		if err := r.value(p.child(name), depth+1); err != nil {
			return err
		}
	}
	switch {
	case p == variables:
		r.hasVariables = r.hasVariables || n > 0
	case p == server && !r.hasVariables:
		r.edits = append(r.edits, r.pending...)
	}
	_, err := r.dec.Token()
	return err
}

// next is where the value that follows begins.
func (r *jsonReader) next() int {
	i := int(r.dec.InputOffset())
	for i < len(r.doc) && bytes.IndexByte([]byte(" \t\r\n:,"), r.doc[i]) >= 0 {
		i++
	}
	return i
}
