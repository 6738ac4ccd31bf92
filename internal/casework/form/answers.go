package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/gowebpki/jcs"
)

// Answers are what a person has said so far: JSON objects, arrays, texts, truths,
// whole numbers as int64 and others as float64. Nothing here changes answers that
// it was given; what returns answers returns new ones.
type Answers map[string]any

// maxAnswers bounds stored answers.
const maxAnswers = 1 << 20

// maxWhole is the largest whole number that every reader of JSON keeps exactly.
const maxWhole = 1<<53 - 1

func inRange(n int64) bool   { return n >= -maxWhole && n <= maxWhole }
func finite(x float64) bool  { return !math.IsNaN(x) && !math.IsInf(x, 0) }
func hasNothing(v any) bool  { return v == nil || v == "" || isEmptyList(v) || isEmptyMap(v) }
func isEmptyList(v any) bool { l, ok := v.([]any); return ok && len(l) == 0 }
func isEmptyMap(v any) bool  { m, ok := v.(map[string]any); return ok && len(m) == 0 }

// Decode reads answers as they were stored or sent by a program. It bounds their
// size and depth and refuses names given twice; what they say is for Check.
func Decode(b []byte) (Answers, error) {
	if len(b) > maxAnswers {
		return nil, fmt.Errorf("answers are larger than %d bytes", maxAnswers)
	}
	if err := plainJSON(b); err != nil {
		return nil, fmt.Errorf("reading answers: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return nil, fmt.Errorf("reading answers: %w", err)
	}
	if m == nil {
		return nil, errors.New("reading answers: they are an object")
	}
	return Answers(numbers(m).(map[string]any)), nil
}

// numbers turns numbers as written into int64 and float64.
func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = numbers(x)
		}
	case []any:
		for i, x := range v {
			v[i] = numbers(x)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil && inRange(n) {
			return n
		}
		if x, err := v.Float64(); err == nil && finite(x) {
			return x
		}
		return nil
	}
	return v
}

// Document writes the answers that count as canonical JSON (RFC 8785): what is
// asked now and nothing else, with the form and version that asked. The same
// answers always give the same bytes, so that a hash of them can be kept.
func (f *Form) Document(a Answers) ([]byte, error) {
	return canonical(map[string]any{"form": f.doc.ID, "version": f.doc.Version, "procedure": f.doc.Procedure,
		"answers": map[string]any(f.Prune(a))})
}

// JSON writes the answers as they are, for a draft.
func (a Answers) JSON() ([]byte, error) { return canonical(map[string]any(a)) }

func canonical(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing answers: %w", err)
	}
	if b, err = jcs.Transform(b); err != nil {
		return nil, fmt.Errorf("writing answers: %w", err)
	}
	return b, nil
}

// Clone returns a copy that shares nothing with a.
func (a Answers) Clone() Answers {
	if a == nil {
		return Answers{}
	}
	return Answers(cloneValue(map[string]any(a)).(map[string]any))
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[k] = cloneValue(x)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, x := range v {
			l[i] = cloneValue(x)
		}
		return l
	}
	return v
}

// get returns what stands at a path, nil when nothing does.
func get(m map[string]any, path []string) any {
	for i, name := range path {
		if i == len(path)-1 {
			return m[name]
		}
		m, _ = m[name].(map[string]any)
	}
	return nil
}

// set puts a value at a path; an empty one removes what was there and the
// objects that it leaves empty.
func set(m map[string]any, path []string, v any) {
	name := path[0]
	if len(path) == 1 {
		if hasNothing(v) {
			delete(m, name)
		} else {
			m[name] = v
		}
		return
	}
	next, ok := m[name].(map[string]any)
	if !ok {
		if hasNothing(v) {
			return
		}
		next = map[string]any{}
		m[name] = next
	}
	set(next, path[1:], v)
	if len(next) == 0 {
		delete(m, name)
	}
}

// items returns the items of a group, at most its bound of them.
func items(m map[string]any, r *Repeat) []map[string]any {
	list, _ := m[r.Name].([]any)
	if len(list) > r.Max {
		list = list[:r.Max]
	}
	out := make([]map[string]any, 0, len(list))
	for _, x := range list {
		o, _ := x.(map[string]any)
		if o == nil {
			o = map[string]any{}
		}
		out = append(out, o)
	}
	return out
}

// Get returns the answer at a dotted path, nil when there is none.
func (a Answers) Get(path string) any { return get(a, strings.Split(path, ".")) }
