package cpsv

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
)

// maxFaults is how many faults are reported at once; a document that is wrong
// throughout need not be described throughout.
const maxFaults = 100

// decoder reads things of the model from a graph.
type decoder struct {
	names
	g      *graph
	faults []problem.Field
	depth  int
}

// maxDepth bounds how deep parts lie in one another; the model needs four. A
// document may say that a part belongs to itself.
const maxDepth = 8

// fault notes something wrong at the place of a term, or else of its node.
func (d *decoder) fault(n *node, t term, code string, args ...string) {
	if len(d.faults) >= maxFaults {
		return
	}
	line, col := t.line, t.col
	if line == 0 {
		line, col = n.line, n.col
	}
	args = append(args, "node", n.id)
	d.faults = append(d.faults, problem.At(place(line, col), code, args...))
}

// place says where in a document, in the words of all error reports.
func place(line, col int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprintf("line %d, column %d", line, col)
}

// thing reads a node into a struct of a class.
func (d *decoder) thing(c *class, n *node, into reflect.Value) {
	d.depth++
	defer func() { d.depth-- }()
	if d.depth > maxDepth {
		d.fault(n, term{}, "import.rdf.deep", "limit", strconv.Itoa(maxDepth))
		return
	}
	for _, b := range c.table {
		values := n.values(d.iri(b.prop))
		for _, p := range b.also {
			if len(values) == 0 {
				values = n.values(d.iri(p))
			}
		}
		if b.shape != words && b.shape != literals { // in those nothing depends on it
			values = distinct(values)
		}
		if len(values) > 0 {
			d.set(n, b, field(into, b.field), values)
		}
	}
}

// distinct drops what is said twice: a statement is made or not, and documents
// that were put together make some again.
func distinct(values []term) []term {
	seen := make(map[term]bool, len(values))
	return slices.DeleteFunc(slices.Clone(values), func(t term) bool {
		t.line, t.col = 0, 0
		was := seen[t]
		seen[t] = true
		return was
	})
}

// single are the shapes of which a thing has one.
func (s shape) single() bool {
	switch s {
	case text, words, literals, codes, refs, parts:
		return false
	}
	return true
}

func (d *decoder) set(n *node, b binding, f reflect.Value, values []term) {
	if b.shape.single() && len(values) > 1 {
		d.fault(n, values[1], "import.rdf.many", "name", b.prop)
		return
	}
	switch b.shape {
	case text:
		d.text(n, b, f, values)
	case words:
		m := map[gov.Lang][]string{}
		for _, t := range values {
			if d.tagged(n, b, t) {
				m[gov.Lang(t.lang)] = append(m[gov.Lang(t.lang)], t.value)
			}
		}
		f.Set(reflect.ValueOf(m))
	case parts:
		d.parts(n, b, f, values)
	case literals, codes, refs:
		f.Set(reflect.MakeSlice(f.Type(), 0, len(values)))
		for _, t := range values {
			if s, ok := d.named(n, b, t); ok {
				f.Set(reflect.Append(f, reflect.ValueOf(s).Convert(f.Type().Elem())))
			}
		}
	case literal, code, ref:
		if s, ok := d.named(n, b, values[0]); ok {
			f.SetString(s)
		}
	default:
		d.value(n, b, f, values[0])
	}
}

func (d *decoder) text(n *node, b binding, f reflect.Value, values []term) {
	m := gov.Text{}
	for _, t := range values {
		if !d.tagged(n, b, t) {
			continue
		}
		if _, twice := m[gov.Lang(t.lang)]; twice {
			d.fault(n, t, "import.rdf.many", "name", b.prop)
			continue
		}
		m[gov.Lang(t.lang)] = t.value
	}
	f.Set(reflect.ValueOf(m))
}

func (d *decoder) tagged(n *node, b binding, t term) bool {
	if t.kind != literalTerm || t.lang == "" {
		d.fault(n, t, "import.rdf.language", "name", b.prop)
		return false
	}
	return true
}

// named reads a string, a code or the id of a thing.
func (d *decoder) named(n *node, b binding, t term) (string, bool) {
	switch b.shape {
	case literal, literals:
		if t.kind == literalTerm && t.lang == "" && (t.datatype == "" || t.datatype == xsdString || t.datatype == xsd+"anyURI") {
			return t.value, true
		}
	case code, codes:
		if t.kind == iriTerm {
			if v, ok := d.uncode(b.list, t.value); ok {
				return v, true
			}
			// Somebody else's code list: what it is called there.
			if other := d.g.nodes[t.value]; other != nil && !strings.HasPrefix(t.value, d.own) {
				if ids := other.values(d.iri("dct:identifier")); len(ids) == 1 && ids[0].kind == literalTerm {
					return ids[0].value, true
				}
			}
		}
	case ref, refs:
		if id, ok := d.reference(t); ok {
			return id, true
		}
	}
	d.fault(n, t, "import.rdf.value", "name", b.prop, "value", short(t.value))
	return "", false
}

// reference returns the id of the thing that a statement points at: the
// identifier that the document gives it, or else the end of its address.
func (d *decoder) reference(t term) (string, bool) {
	if !t.resource() {
		return "", false
	}
	if n := d.g.nodes[t.key()]; n != nil {
		if ids := n.values(d.iri("dct:identifier")); len(ids) == 1 && ids[0].kind == literalTerm && ids[0].value != "" {
			return ids[0].value, true
		}
	}
	if t.kind == blankTerm {
		return "", false
	}
	id := idOf(t.value)
	return id, id != ""
}

func (d *decoder) parts(n *node, b binding, f reflect.Value, values []term) {
	of := classes[b.list]
	type placed struct {
		at int
		v  reflect.Value
	}
	var all []placed
	for i, t := range values {
		part := d.g.nodes[t.key()]
		if !t.resource() || part == nil {
			d.fault(n, t, "import.rdf.value", "name", b.prop, "value", short(t.value))
			continue
		}
		p := placed{i + 1, reflect.New(of.model).Elem()}
		if at := part.values(d.iri(positionProp)); len(at) == 1 {
			if k, err := strconv.Atoi(at[0].value); err == nil {
				p.at = k
			}
		}
		d.thing(of, part, p.v)
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	out := reflect.MakeSlice(f.Type(), 0, len(all))
	for _, p := range all {
		out = reflect.Append(out, p.v)
	}
	f.Set(out)
}

// value reads a number, a day, an amount or a yes or no.
func (d *decoder) value(n *node, b binding, f reflect.Value, t term) {
	ok := t.kind == literalTerm
	switch b.shape {
	case number:
		v, err := strconv.ParseInt(t.value, 10, 32)
		if ok = ok && err == nil && t.datatype != "" && t.datatype != xsdString; ok {
			f.SetInt(v)
		}
	case flag:
		if ok = ok && t.datatype == xsd+"boolean"; ok {
			switch t.value {
			case "true", "1":
				f.SetBool(true)
			case "false", "0":
			default:
				ok = false
			}
		}
	case day:
		v, err := gov.ParseDate(t.value)
		if ok = ok && err == nil && t.datatype == xsd+"date"; ok {
			f.Set(reflect.ValueOf(v))
		}
	case double, decimal:
		v, good := centimes(t.value)
		if ok = ok && good && t.datatype != "" && t.datatype != xsdString; ok {
			f.Set(reflect.ValueOf(&v))
		}
	}
	if !ok {
		d.fault(n, t, "import.rdf.value", "name", b.prop, "value", short(t.value))
	}
}

// maxUnits bounds amounts so that hundredths stay exact in a float64.
const maxUnits = 1e12

// centimes reads an amount in whole units of the money, and refuses one that is
// not a whole number of hundredths.
func centimes(s string) (gov.Centimes, bool) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > maxUnits || strings.ContainsAny(s, "xXpP_") {
		return 0, false
	}
	c := math.Round(v * 100)
	if math.Abs(v*100-c) > 1e-3 {
		return 0, false
	}
	return gov.Centimes(c), true
}

// short keeps a value that is shown in an error to a length that can be read.
func short(s string) string {
	const most = 80
	if r := []rune(s[:min(len(s), 8*most)]); len(r) > most {
		return string(r[:most]) + "…"
	}
	return strings.ToValidUTF8(s[:min(len(s), 8*most)], "")
}
