package claimpath

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

func document(t testing.TB) any {
	b, err := os.ReadFile("testdata/credential.json")
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSelect(t *testing.T) {
	cases := []struct {
		path, want string
		err        error
	}{
		{`["name"]`, `["Arthur Dent"]`, nil},
		{`["address"]`, `[{"locality":"Milliways"}]`, nil},
		{`["address","locality"]`, `["Milliways"]`, nil},
		{`["degrees",null,"type"]`, `["Bachelor","Master"]`, nil},
		{`["degrees",null,"university"]`, `["Betelgeuse"]`, nil},
		{`["nationalities",1]`, `["Betelgeusian"]`, nil},
		{`["nationalities",null]`, `["British","Betelgeusian"]`, nil},
		{`["nothing"]`, `[null]`, nil},
		{`["address","street"]`, ``, ErrEmpty},
		{`["absent","below"]`, ``, ErrEmpty},
		{`["nationalities",2]`, ``, ErrEmpty},
		{`["empty",null]`, ``, ErrEmpty},
		{`["name","first"]`, ``, ErrType},
		{`["name",0]`, ``, ErrType},
		{`["address",null]`, ``, ErrType},
		{`["address",0]`, ``, ErrType},
		{`["nationalities","name"]`, ``, ErrType},
		{`["nothing","below"]`, ``, ErrType},
		{`["mixed",null,"a"]`, ``, ErrType},
		{`[null]`, ``, ErrType},
	}
	root := document(t)
	for _, c := range cases {
		t.Run(c.path, func(t *testing.T) {
			p, err := Parse([]byte(c.path))
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Select(root)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err == nil {
				if b, _ := json.Marshal(got); string(b) != c.want {
					t.Errorf("got %s, want %s", b, c.want)
				}
			}
			if p.String() != c.path {
				t.Errorf("written as %s", p)
			}
		})
	}
}

func TestLocate(t *testing.T) {
	found, err := Path{"degrees", nil, "university"}.Locate(document(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []Match{{Path{"degrees", 1, "university"}, "Betelgeuse"}}
	if !reflect.DeepEqual(found, want) {
		t.Errorf("got %v, want %v", found, want)
	}
}

func TestForm(t *testing.T) {
	for _, text := range []string{
		``, `{}`, `"name"`, `[]`, `[-1]`, `[1.5]`, `["a",1e0]`, `["a",1.0]`, `["a",true]`, `["a",["b"]]`, `["a",{}]`,
		`["a",9999999]`, `["a"] ["b"]`, "[\"\xff\"]", `[` + strings.Repeat(`"a",`, MaxLen) + `"a"]`,
		`["` + strings.Repeat("x", maxBytes) + `"]`,
	} {
		if p, err := Parse([]byte(text)); !errors.Is(err, ErrForm) {
			t.Errorf("%.60s was read as %v, %v", text, p, err)
		}
		var p Path
		if json.Unmarshal([]byte(text), &p) == nil {
			t.Errorf("%.60s was unmarshalled as %v", text, p)
		}
	}
	if _, err := (Path{"a", int64(1)}).Select(nil); !errors.Is(err, ErrForm) {
		t.Errorf("a component of a wrong type: %v", err)
	}
	if p, err := Of([]any{"a", 1.0, nil}); err != nil || !p.Equal(Path{"a", 1, nil}) {
		t.Errorf("decoded without json.Number: %v, %v", p, err)
	}
}

func TestRelations(t *testing.T) {
	cases := []struct {
		p, q                  Path
		equal, prefix, covers bool
	}{
		{Path{"a"}, Path{"a"}, true, true, true},
		{Path{"a"}, Path{"a", "b"}, false, true, true},
		{Path{"a", "b"}, Path{"a"}, false, false, false},
		{Path{"a", nil}, Path{"a", 3}, false, false, true},
		{Path{"a", nil, "c"}, Path{"a", 3, "c", "d"}, false, false, true},
		{Path{"a", nil}, Path{"a", "b"}, false, false, false},
		{Path{"a", 0}, Path{"a", 1}, false, false, false},
		{Path{"a", nil}, Path{"a", nil}, true, true, true},
	}
	for _, c := range cases {
		if got := c.p.Equal(c.q); got != c.equal {
			t.Errorf("%s equals %s: %v", c.p, c.q, got)
		}
		if got := c.p.Prefix(c.q); got != c.prefix {
			t.Errorf("%s begins %s: %v", c.p, c.q, got)
		}
		if got := c.p.Covers(c.q); got != c.covers {
			t.Errorf("%s covers %s: %v", c.p, c.q, got)
		}
	}
}

// FuzzPath checks that what is read is written back as it was, selects without a
// panic, and that each match is where its path says.
func FuzzPath(f *testing.F) {
	for _, s := range []string{`["a",null,0]`, `["degrees",null,"type"]`, `[null]`, `[-1]`, `["a",1e0]`, `["\ud800"]`, `[["a"]]`} {
		f.Add([]byte(s))
	}
	root := document(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse([]byte(p.String()))
		if err != nil || !again.Equal(p) {
			t.Fatalf("%s was read again as %s: %v", p, again, err)
		}
		found, err := p.Locate(root)
		if err != nil {
			return
		}
		for _, m := range found {
			if !p.Covers(m.Path) {
				t.Errorf("%s selected %s", p, m.Path)
			}
			one, err := m.Path.Select(root)
			if err != nil || len(one) != 1 || !reflect.DeepEqual(one[0], m.Value) {
				t.Errorf("%s holds %v, %v", m.Path, one, err)
			}
		}
	})
}
