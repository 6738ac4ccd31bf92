package cpsv

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sort"
	"strconv"
	"strings"

	"github.com/piprate/json-gold/ld"

	"diwan/internal/problem"
)

// contextPath follows a portal's address in the address of its JSON-LD context.
const contextPath = "/api/v1/context.jsonld"

// maxJSONDepth bounds how deep objects lie in one another.
const maxJSONDepth = 64

// readJSONLD reads a JSON-LD 1.1 document. Contexts are never fetched: a
// document holds its own, or names that of a portal like this one, which the
// program knows.
func readJSONLD(b []byte) (*graph, error) {
	at, err := scanJSON(b)
	if err != nil {
		return nil, err
	}
	doc, err := ld.DocumentFromReader(bytes.NewReader(b))
	if err != nil {
		return nil, refused("", "import.json")
	}
	load := new(loader)
	expanded, err := expand(doc, load)
	if err != nil {
		return nil, at.explain(err, load)
	}
	c := &collector{g: newGraph(), at: at}
	for _, v := range expanded {
		if err := c.value(v); err != nil {
			return nil, err
		}
	}
	return c.g, nil
}

// expand writes all names out. The library is guarded: a document that makes it
// panic is refused like any other that is malformed.
func expand(doc any, load *loader) (out []any, err error) {
	defer func() {
		if recover() != nil {
			out, err = nil, errors.New("the document can't be expanded")
		}
	}()
	opts := ld.NewJsonLdOptions("")
	opts.ProcessingMode = ld.JsonLd_1_1
	opts.DocumentLoader = load
	return ld.NewJsonLdProcessor().Expand(doc, opts)
}

// loader knows one context and fetches nothing. It remembers the address that
// would have had to be fetched, for the error.
type loader struct{ refused string }

var errRemote = errors.New("contexts are not fetched")

// LoadDocument returns the context of a portal, made here from its address.
func (l *loader) LoadDocument(u string) (*ld.RemoteDocument, error) {
	base, ok := strings.CutSuffix(u, contextPath)
	if !ok || len(u) > 300 {
		l.refused = u
		return nil, errRemote
	}
	b, err := Context(base)
	if err != nil {
		return nil, err
	}
	doc, err := ld.DocumentFromReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return &ld.RemoteDocument{DocumentURL: u, Document: doc}, nil
}

// jsonPlaces knows where things stand in a JSON document.
type jsonPlaces struct {
	b     []byte
	lines []int          // offsets of the beginnings of lines
	ids   map[string]int // "@id" value: offset behind it
}

// scanJSON reads the document once for its shape: errors with their places, the
// depth, and where each node stands.
func scanJSON(b []byte) (*jsonPlaces, error) {
	p := &jsonPlaces{b: b, lines: []int{0}, ids: map[string]int{}}
	for i, c := range b {
		if c == '\n' {
			p.lines = append(p.lines, i+1)
		}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	var open []bool // whether each open value is an object
	key, isID := true, false
	if err := json.Unmarshal(b, new(json.RawMessage)); err != nil {
		at := len(b)
		if e, ok := errors.AsType[*json.SyntaxError](err); ok && !strings.Contains(e.Error(), "end of JSON") {
			at = int(e.Offset) - 1 // it counts the byte that it stumbled over
		}
		return nil, refused(p.place(at), "import.json")
	}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return nil, refused(p.place(int(d.InputOffset())), "import.json")
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if len(open) >= maxJSONDepth {
				return nil, refused(p.place(int(d.InputOffset())-1), "import.rdf.deep", "limit", strconv.Itoa(maxJSONDepth))
			}
			open, key, isID = append(open, t == json.Delim('{')), true, false
			continue
		case json.Delim('}'), json.Delim(']'):
			open, key, isID = open[:len(open)-1], true, false
			continue
		}
		inObject := len(open) > 0 && open[len(open)-1]
		s, isString := t.(string)
		if inObject && key {
			key, isID = false, s == "@id"
			continue
		}
		if _, seen := p.ids[s]; isString && isID && !seen {
			p.ids[s] = int(d.InputOffset())
		}
		key, isID = true, false
	}
}

// place says in words where an offset is.
func (p *jsonPlaces) place(at int) string {
	line, col := p.position(at)
	return place(line, col)
}

func (p *jsonPlaces) position(at int) (line, col int) {
	at = max(0, min(at, len(p.b)))
	line = sort.SearchInts(p.lines, at+1)
	return line, len([]rune(string(p.b[p.lines[line-1]:at]))) + 1
}

// explain says what the library found wrong.
func (p *jsonPlaces) explain(err error, load *loader) error {
	if u := load.refused; u != "" {
		quoted, _ := json.Marshal(u) // of a string: can't fail
		return refused(p.place(max(0, bytes.Index(p.b, quoted))), "import.rdf.remote", "value", short(u))
	}
	if e, ok := errors.AsType[*ld.JsonLdError](err); ok {
		return refused(p.place(max(0, bytes.Index(p.b, []byte(`"@context"`)))), "import.rdf.syntax", "value", short(string(e.Code)))
	}
	return refused("", "import.rdf.syntax", "value", short(err.Error()))
}

// refused is the error for a document with one fault.
func refused(path, code string, args ...string) error {
	e := problem.New(problem.Invalid, "import.refused", "count", "1")
	e.Fields = []problem.Field{problem.At(path, code, args...)}
	return e
}

// collector turns an expanded document into statements.
type collector struct {
	g      *graph
	at     *jsonPlaces
	blanks int
}

// resource makes the term of a node's id.
func (c *collector) resource(id string) term {
	t := term{value: id}
	if label, ok := strings.CutPrefix(id, "_:"); ok {
		t.kind, t.value = blankTerm, "n"+label
	}
	if at, ok := c.at.ids[id]; ok {
		t.line, t.col = c.at.position(at - len(id) - 2)
	}
	return t
}

func (c *collector) fresh() term {
	c.blanks++
	return term{kind: blankTerm, value: "b" + strconv.Itoa(c.blanks)}
}

func (c *collector) add(subject term, iri string, object term) error {
	if c.g.size >= maxStatements {
		return refused("", "import.large", "limit", strconv.Itoa(maxStatements))
	}
	c.g.add(subject, iri, object)
	return nil
}

// value reads something at the top of a graph.
func (c *collector) value(v any) error {
	m, ok := v.(map[string]any)
	if !ok || m["@value"] != nil {
		return nil
	}
	_, err := c.node(m)
	return err
}

// node reads a node and returns its name.
func (c *collector) node(m map[string]any) (term, error) {
	self := c.fresh()
	if id, ok := m["@id"].(string); ok {
		self = c.resource(id)
	}
	for _, key := range sortedKeys(m) {
		values, _ := m[key].([]any)
		switch key {
		case "@type":
			for _, t := range values {
				if s, ok := t.(string); ok {
					if err := c.add(self, rdfType, c.resource(s)); err != nil {
						return self, err
					}
				}
			}
		case "@graph", "@included":
			for _, v := range values {
				if err := c.value(v); err != nil {
					return self, err
				}
			}
		case "@reverse":
			if err := c.reverse(self, m[key]); err != nil {
				return self, err
			}
		default:
			if strings.HasPrefix(key, "@") {
				continue
			}
			if err := c.objects(self, key, values); err != nil {
				return self, err
			}
		}
	}
	return self, nil
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func (c *collector) objects(subject term, iri string, values []any) error {
	for _, v := range values {
		o, err := c.object(v)
		if err != nil {
			return err
		}
		if o.line == 0 {
			o.line, o.col = subject.line, subject.col
		}
		if err := c.add(subject, iri, o); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) reverse(object term, v any) error {
	m, _ := v.(map[string]any)
	for _, iri := range sortedKeys(m) {
		values, _ := m[iri].([]any)
		for _, v := range values {
			subject, err := c.object(v)
			if err != nil {
				return err
			}
			if !subject.resource() {
				continue
			}
			if err := c.add(subject, iri, object); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *collector) object(v any) (term, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return plain(""), nil
	}
	if list, ok := m["@list"].([]any); ok {
		return c.list(list)
	}
	value, ok := m["@value"]
	if !ok {
		return c.node(m)
	}
	t := term{kind: literalTerm}
	t.lang, _ = m["@language"].(string)
	t.lang = strings.ToLower(t.lang)
	t.datatype, _ = m["@type"].(string)
	switch x := value.(type) {
	case string:
		t.value = x
	case bool:
		t.value = strconv.FormatBool(x)
		if t.datatype == "" {
			t.datatype = xsd + "boolean"
		}
	case float64:
		t.value = strconv.FormatFloat(x, 'f', -1, 64)
		if t.datatype == "" {
			t.datatype = xsd + "double"
			if !strings.Contains(t.value, ".") {
				t.datatype = xsd + "integer"
			}
		}
	}
	return t, nil
}

func (c *collector) list(values []any) (term, error) {
	head := term{value: rdfNil}
	for i := len(values) - 1; i >= 0; i-- {
		o, err := c.object(values[i])
		if err != nil {
			return head, err
		}
		n := c.fresh()
		if err := c.add(n, rdfFirst, o); err != nil {
			return head, err
		}
		if err := c.add(n, rdfRest, head); err != nil {
			return head, err
		}
		head = n
	}
	return head, nil
}
