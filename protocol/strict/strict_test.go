package strict

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestUnmarshal(t *testing.T) {
	deep := strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1)
	cases := []struct {
		name, text string
		want       error
	}{
		{"object", `{"a":1,"b":[{"a":2},{"a":3}],"unknown":null}`, nil},
		{"name twice", `{"a":1,"a":2}`, ErrDuplicate},
		{"name twice by escape", `{"a":1,"\u0061":2}`, ErrDuplicate},
		{"name twice by case", `{"a":1,"A":2}`, ErrDuplicate},
		{"name twice below", `{"b":[{"a":2,"a":3}]}`, ErrDuplicate},
		{"as deep as may be", strings.Repeat(`{"b":`, MaxDepth) + "1" + strings.Repeat("}", MaxDepth), nil},
		{"too deep", deep, ErrDepth},
		{"nothing", "", ErrForm},
		{"two values", `{} {}`, ErrForm},
		{"cut", `{"a":`, ErrForm},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", ErrForm},
		{"too large", `{"a":"` + strings.Repeat("x", 1000) + `"}`, ErrLarge},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var v any
			if err := Unmarshal([]byte(c.text), 900, &v); !errors.Is(err, c.want) {
				t.Errorf("Unmarshal(%s) = %v, want %v", c.text, err, c.want)
			}
		})
	}
}

// TestValue checks that what only differs by case stays, and numbers as written.
func TestValue(t *testing.T) {
	m, err := Object([]byte(`{"a":12345678901234567890,"A":[true,null]}`), 100)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"a": json.Number("12345678901234567890"), "A": []any{true, nil}}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got %v, want %v", m, want)
	}
	if _, err := Object([]byte(`[]`), 100); !errors.Is(err, ErrForm) {
		t.Errorf("an array as an object: %v", err)
	}
}

func FuzzValue(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":[{"a":2}]}`, `{"a":1,"a":2}`, `[[[`, `"\ud800"`, `1e999`, ` null `} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Value(b, 1<<12)
		if err != nil {
			return
		}
		if _, err := json.Marshal(v); err != nil {
			t.Errorf("%q was read as what can't be written: %v", b, err)
		}
	})
}
