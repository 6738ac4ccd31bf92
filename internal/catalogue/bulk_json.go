package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"diwan/internal/catalogue/model"
)

// readProcedures reads an array of procedures. Everything that is wrong is noted
// with its place; one procedure that is wrong does not hide the next.
func readProcedures(f *file, b []byte) []incoming {
	at := func(offset int) string { return f.place(lineColumn(b, offset)) }
	if offset, ok := wellFormed(b); !ok {
		f.fault(at(offset), "import.json")
		return nil
	}
	if offset, name := unclearName(b); name != "" {
		f.fault(at(offset), "import.json_name", "name", clip(name))
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		f.fault(at(0), "import.json_array")
		return nil
	}
	var all []incoming
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil { // not after wellFormed
			f.fault(at(int(d.InputOffset())), "import.json")
			return all
		}
		start := int(d.InputOffset()) - len(raw)
		if len(all) >= maxImportRows {
			f.fault(at(start), "import.rows", "limit", strconv.Itoa(maxImportRows))
			return nil
		}
		p := new(model.Procedure)
		strict := json.NewDecoder(bytes.NewReader(raw))
		strict.DisallowUnknownFields()
		if err := strict.Decode(p); err != nil {
			jsonFault(f, b, start, raw, err)
			continue
		}
		all = append(all, incoming{id: p.ID, at: at(start),
			where: func(path string) string { return at(start + pathOffset(raw, path)) },
			build: func(*model.Procedure) *model.Procedure { return p }})
	}
	return all
}

// wellFormed reports whether b is one JSON value, and where it stops being one.
func wellFormed(b []byte) (offset int, ok bool) {
	err := json.Unmarshal(b, new(json.RawMessage))
	if err == nil {
		return 0, true
	}
	if e, is := errors.AsType[*json.SyntaxError](err); is && int(e.Offset) <= len(b) && !strings.Contains(e.Error(), "end of JSON") {
		return int(e.Offset) - 1, false // it counts the byte that it stumbled over
	}
	return len(b), false
}

var unknownField = regexp.MustCompile(`unknown field "([^"]+)"`)

// jsonFault notes why a value is not a procedure.
func jsonFault(f *file, b []byte, start int, raw []byte, err error) {
	at, code, args := start, "import.json", []string(nil)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		at = start + max(0, int(e.Offset)-1)
		code, args = "import.json_type", []string{"name", clip(e.Field), "want", jsonKind(e.Type)}
	} else if m := unknownField.FindStringSubmatch(err.Error()); m != nil {
		if i := bytes.Index(raw, []byte(`"`+m[1]+`"`)); i >= 0 {
			at = start + i
		}
		code, args = "import.json_field", []string{"name", clip(m[1])}
	}
	f.fault(f.place(lineColumn(b, at)), code, args...)
}

// jsonKind says in JSON's own words what is expected.
func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "number"
	case reflect.Bool:
		return "true, false"
	case reflect.Slice:
		return "[ ]"
	case reflect.Map, reflect.Struct:
		return "{ }"
	}
	return `" "`
}

// pathOffset returns where the value at a path ("evidence.2.from") begins in a
// JSON value, or where the closest thing above it does.
func pathOffset(raw []byte, path string) int {
	d := json.NewDecoder(bytes.NewReader(raw))
	at := 0
	for _, name := range strings.Split(path, ".") {
		next, ok := descend(d, raw, name)
		if !ok {
			return at
		}
		at = next
	}
	return at
}

// descend enters the object or array that comes next and stops before the member
// of a name.
func descend(d *json.Decoder, raw []byte, name string) (int, bool) {
	t, err := d.Token()
	if err != nil || t != json.Delim('{') && t != json.Delim('[') {
		return 0, false
	}
	for i := 0; d.More(); i++ {
		this := strconv.Itoa(i)
		if t == json.Delim('{') {
			key, err := d.Token()
			if err != nil {
				return 0, false
			}
			this, _ = key.(string)
		}
		if this == name {
			at := int(d.InputOffset())
			return at + len(raw[at:]) - len(bytes.TrimLeft(raw[at:], " \t\r\n:,")), true
		}
		var skip json.RawMessage
		if d.Decode(&skip) != nil {
			return 0, false
		}
	}
	return 0, false
}

// unclearName finds a name that stands twice in one object or is not written in
// small letters: the decoder would take the last, and any case, while whoever
// reviewed the file may have read another value. The JSON is well formed.
func unclearName(b []byte) (offset int, name string) {
	d := json.NewDecoder(bytes.NewReader(b))
	type object struct {
		names map[string]bool // nil in an array
		value bool            // a name was read, its value comes next
	}
	var open []object
	for {
		t, err := d.Token()
		if err != nil {
			return 0, ""
		}
		top := len(open) - 1
		if s, ok := t.(string); ok && top >= 0 && open[top].names != nil && !open[top].value {
			if open[top].names[s] || strings.ToLower(s) != s {
				return max(0, int(d.InputOffset())-len(s)-2), s
			}
			open[top].names[s], open[top].value = true, true
			continue
		}
		if top >= 0 {
			open[top].value = false
		}
		switch t {
		case json.Delim('{'):
			open = append(open, object{names: map[string]bool{}})
		case json.Delim('['):
			open = append(open, object{})
		case json.Delim('}'), json.Delim(']'):
			open = open[:top]
		}
	}
}
