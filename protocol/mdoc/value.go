package mdoc

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// Date is a day without a time, "2006-01-02" (tag 1004, RFC 8943).
type Date string

// NewDate returns the day of t in t's own time zone.
func NewDate(t time.Time) Date { return Date(t.Format(time.DateOnly)) }

func (d Date) valid() bool {
	_, err := time.Parse(time.DateOnly, string(d))
	return err == nil
}

// maxDepth bounds how deep values to be issued lie in each other.
const maxDepth = 12

// encodable copies a value to be issued into what the encoder writes in one form, and
// refuses what has none.
func encodable(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("a value is nested too deep")
	}
	switch v := v.(type) {
	case nil, bool, []byte, int, int64, uint8, uint16, uint32, int32:
		return v, nil
	case uint64:
		if v > math.MaxInt64 {
			return nil, errors.New("a number is too large")
		}
		return v, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, errors.New("a number is not finite")
		}
		return v, nil
	case string:
		if !utf8.ValidString(v) {
			return nil, errors.New("a text is not UTF-8")
		}
		return v, nil
	case Date:
		if !v.valid() {
			return nil, fmt.Errorf("%q is not a date", string(v))
		}
		return cbor.Tag{Number: tagDate, Content: string(v)}, nil
	case time.Time:
		if v.IsZero() {
			return nil, errors.New("a time is not set")
		}
		return v.UTC().Truncate(time.Second), nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = encodable(v[i], depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for n := range v {
			if !utf8.ValidString(n) {
				return nil, errors.New("a name is not UTF-8")
			}
			var err error
			if out[n], err = encodable(v[n], depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("a value of type %T can't be issued", v)
}

// decodeValue reads an element's value as string, int64, float64, bool, nil, []byte,
// [Date], [time.Time], []any and map[string]any. Numbers that name members become
// their decimal text; other tags give what they tag.
func decodeValue(b []byte) (any, error) {
	var v any
	if err := decode(b, &v); err != nil {
		return nil, err
	}
	return plain(v)
}

func plain(v any) (any, error) {
	switch v := v.(type) {
	case cbor.Tag:
		if v.Number != tagDate {
			return plain(v.Content)
		}
		s, _ := v.Content.(string)
		if d := Date(s); d.valid() {
			return d, nil
		}
		return nil, fmt.Errorf("%w: tag %d holds no date", ErrForm, tagDate)
	case cbor.SimpleValue:
		return nil, fmt.Errorf("%w: a simple value without meaning", ErrForm)
	case []any:
		for i := range v {
			var err error
			if v[i], err = plain(v[i]); err != nil {
				return nil, err
			}
		}
		return v, nil
	case map[any]any:
		out := make(map[string]any, len(v))
		for k, m := range v {
			name, err := memberName(k)
			if err != nil {
				return nil, err
			}
			if _, ok := out[name]; ok {
				return nil, fmt.Errorf("%w: two members are called %q", ErrForm, name)
			}
			if out[name], err = plain(m); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

func memberName(k any) (string, error) {
	switch k := k.(type) {
	case string:
		return k, nil
	case int64:
		return strconv.FormatInt(k, 10), nil
	}
	return "", fmt.Errorf("%w: a member's name is neither text nor number", ErrForm)
}

// JSON converts a value of [Document.Elements] to what encoding/json writes, by the
// advice of RFC 8949 §6.1: byte strings in base64url, dates and times as text, numbers
// that are not finite as null. OpenID4VP 1.0 §6.3 compares requested values with this
// form.
func JSON(v any) any {
	switch v := v.(type) {
	case Date:
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case []byte:
		return base64.RawURLEncoding.EncodeToString(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = JSON(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for n := range v {
			out[n] = JSON(v[n])
		}
		return out
	}
	return v
}
