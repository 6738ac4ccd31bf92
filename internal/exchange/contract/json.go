package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"unicode/utf8"
)

// strictJSON tells whether raw is I-JSON (RFC 7493) within our bounds: one value,
// valid UTF-8, no name twice in one object, no number that a double can't hold.
// encoding/json lets the last of two equal names win, so two programs could read
// one signed contract in two ways.
func strictJSON(raw []byte) error {
	if !utf8.Valid(raw) {
		return ErrNotIJSON
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := strictValue(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return ErrNotIJSON
	}
	return nil
}

func strictValue(d *json.Decoder, depth int) error {
	if depth > maxDepth {
		return ErrTooLarge
	}
	t, err := d.Token()
	if err != nil {
		return ErrNotIJSON
	}
	switch v := t.(type) {
	case json.Number:
		if f, err := v.Float64(); err != nil || math.Trunc(f) == f && math.Abs(f) >= 1<<53 {
			return ErrNotIJSON
		}
	case json.Delim:
		names := map[string]bool{}
		for d.More() {
			if v == '{' {
				name, err := d.Token()
				if err != nil || names[name.(string)] {
					return ErrNotIJSON
				}
				names[name.(string)] = true
			}
			if err := strictValue(d, depth+1); err != nil {
				return err
			}
		}
		if _, err := d.Token(); err != nil {
			return ErrNotIJSON
		}
	}
	return nil
}
