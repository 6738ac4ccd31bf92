package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Bounds of a schema: one that goes deeper or wider describes no form.
const (
	maxSchemaDepth = 12
	maxSchemaNodes = 3000
	maxItems       = 500
)

// shape is one place in the answers, as the schema describes it.
type shape struct {
	path   string // from the root of the answers, "" for the root
	at     string // JSON pointer of its schema
	json   string // JSON type
	fields map[string]*shape
	must   []string // "required" of an object
	items  *shape
	max    int // characters, or items; 0 when the schema sets no bound
	enum   []any
}

// keywords that a schema of answers may use. Conditions and obligations stand in
// the questions, where they can be shown and explained, so that what combines
// schemas is not among them; nor is anything that could load another document.
var keywords = []string{"type", "properties", "required", "additionalProperties", "items", "$ref", "$defs", "title",
	"description", "enum", "const", "minLength", "maxLength", "pattern", "format", "minimum", "maximum",
	"exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "$schema", "$comment"}

const schemaURL = "form:///answers.json"

// draft is the one that answers follow.
const draft = "https://json-schema.org/draft/2020-12/schema"

// schemaReader walks a schema.
type schemaReader struct {
	defs   map[string]any
	nodes  int
	faults *Faults
}

// readSchema returns the shape of the answers. raw must be valid JSON.
func readSchema(raw json.RawMessage, faults *Faults) (*shape, any) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	root, ok := doc.(map[string]any)
	if err != nil || !ok {
		*faults = append(*faults, fault("schema", "form_document.schema.object"))
		return nil, nil
	}
	if s, ok := root["$schema"]; ok && s != draft {
		*faults = append(*faults, fault("schema.$schema", "form_document.schema.draft", "draft", draft))
	}
	r := &schemaReader{faults: faults}
	if defs, ok := root["$defs"].(map[string]any); ok {
		r.defs = defs
		for _, name := range sortedKeys(defs) {
			r.keywords(defs[name], "#/$defs/"+pointer(name))
		}
	}
	s := r.read(root, "", "#", 0)
	if s != nil && s.json != "object" {
		r.fault("#", "form_document.schema.object")
	}
	return s, doc
}

func (r *schemaReader) fault(at, code string, args ...string) {
	*r.faults = append(*r.faults, fault("schema"+strings.TrimPrefix(at, "#"), code, args...))
}

// read returns the shape of one schema, nil when it is not one.
func (r *schemaReader) read(v any, path, at string, depth int) *shape {
	r.nodes++
	if depth > maxSchemaDepth || r.nodes > maxSchemaNodes {
		if depth > maxSchemaDepth || r.nodes == maxSchemaNodes+1 {
			r.fault(at, "form_document.schema.deep", "max", fmt.Sprint(maxSchemaDepth))
		}
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		r.fault(at, "form_document.schema.object")
		return nil
	}
	if ref, ok := m["$ref"]; ok {
		name, local := strings.CutPrefix(fmt.Sprint(ref), "#/$defs/")
		def, known := r.defs[unpointer(name)]
		if !local || !known {
			r.fault(at, "form_document.schema.ref", "ref", clip(fmt.Sprint(ref)))
			return nil
		}
		return r.read(def, path, "#/$defs/"+name, depth+1)
	}
	r.own(m, at)
	s := &shape{path: path, at: at}
	s.json, _ = m["type"].(string)
	s.enum, _ = m["enum"].([]any)
	switch s.json {
	case "object":
		r.object(s, m, depth)
	case "array":
		s.max = whole(m["maxItems"])
		if s.max > maxItems {
			r.fault(at, "form_document.schema.max", "max", fmt.Sprint(maxItems))
		}
		s.items = r.read(m["items"], join(path, "[]"), at+"/items", depth+1)
	case "string":
		s.max = whole(m["maxLength"])
		if s.max > maxText {
			r.fault(at, "form_document.schema.max", "max", fmt.Sprint(maxText))
		}
	case "integer", "number", "boolean":
	default:
		r.fault(at, "form_document.schema.type")
	}
	return s
}

func (r *schemaReader) object(s *shape, m map[string]any, depth int) {
	s.fields = map[string]*shape{}
	props, _ := m["properties"].(map[string]any)
	for _, name := range sortedKeys(props) {
		if !isName(name) {
			r.fault(s.at+"/properties/"+pointer(name), "form_document.name")
			continue
		}
		if f := r.read(props[name], join(s.path, name), s.at+"/properties/"+pointer(name), depth+1); f != nil {
			s.fields[name] = f
		}
	}
	if list, ok := m["required"].([]any); ok {
		for _, x := range list {
			s.must = append(s.must, fmt.Sprint(x))
		}
	}
	if open, ok := m["additionalProperties"]; !ok || open != false {
		r.fault(s.at, "form_document.schema.open")
	}
}

// own refuses the keywords of one schema that answers must not use.
func (r *schemaReader) own(m map[string]any, at string) {
	for _, k := range sortedKeys(m) {
		if !slices.Contains(keywords, k) {
			r.fault(at, "form_document.schema.keyword", "keyword", clip(k))
		}
	}
	if p, ok := m["pattern"].(string); ok && len(p) > 400 {
		r.fault(at+"/pattern", "form_document.schema.max", "max", "400")
	}
	if e, ok := m["enum"].([]any); ok && len(e) > maxItems {
		r.fault(at+"/enum", "form_document.schema.max", "max", fmt.Sprint(maxItems))
	}
}

// keywords checks a definition even when nothing refers to it.
func (r *schemaReader) keywords(v any, at string) {
	if m, ok := v.(map[string]any); ok {
		if _, isRef := m["$ref"]; !isRef {
			r.own(m, at)
		}
		return
	}
	r.fault(at, "form_document.schema.object")
}

// compileSchemas compiles the whole schema and that of every question.
func (f *Form) compileSchemas(doc any, faults *Faults) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(noLoader{})
	err := c.AddResource(schemaURL, doc)
	if err == nil {
		f.schema, err = c.Compile(schemaURL)
	}
	if err != nil {
		*faults = append(*faults, fault("schema", "form_document.schema.bad", "why", clip(err.Error())))
		return
	}
	for _, q := range f.questions {
		if q.schema, err = c.Compile(schemaURL + q.shape.at); err != nil {
			*faults = append(*faults, fault("schema"+strings.TrimPrefix(q.shape.at, "#"), "form_document.schema.bad", "why", clip(err.Error())))
		}
	}
}

// noLoader refuses every document that is not given: a schema must not make the
// program read a file or ask another host.
type noLoader struct{}

var errNoLoad = errors.New("a schema of answers refers to itself only")

func (noLoader) Load(string) (any, error) { return nil, errNoLoad }

// whole reads a whole number that the schema's reader left as it was written.
func whole(v any) int {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	i, err := n.Int64()
	if err != nil || i < 0 || i > 1<<31 {
		return 1 << 31
	}
	return int(i)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func pointer(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}

func unpointer(s string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
}

// clip keeps what others wrote short in an answer to them.
func clip(s string) string {
	const max = 200
	s = strings.ToValidUTF8(s, "")
	if r := []rune(s); len(r) > max {
		return string(r[:max]) + "…"
	}
	return s
}

func sortedKeys(m map[string]any) []string {
	ks := make([]string, 0, len(m))
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}
