package cpsv

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"diwan/internal/gov"
)

// encoder says things of the model as nodes. seen is told about each code, so
// that the lists in use can be written out.
type encoder struct {
	names
	seen func(list, value string)
}

// thing says one thing of the model under an id: its own node first, then those
// of its parts.
func (e *encoder) thing(c *class, id string, v reflect.Value) []*node {
	n := &node{id: id}
	for _, t := range c.types {
		n.add(rdfType, iriOf(e.iri(t)))
	}
	out := []*node{n}
	for _, b := range c.table {
		f := field(v, b.field)
		if b.shape == parts {
			of := classes[b.list]
			for i := range f.Len() {
				part := e.part(id, b, i)
				n.add(e.iri(b.prop), iriOf(part))
				nodes := e.thing(of, part, f.Index(i))
				nodes[0].add(e.iri(positionProp), typed(strconv.Itoa(i+1), xsd+"integer"))
				out = append(out, nodes...)
			}
			continue
		}
		n.add(e.iri(b.prop), e.values(b, f)...)
	}
	return out
}

// part is the address of a part of a thing.
func (e *encoder) part(id string, b binding, i int) string {
	sep := "#"
	if _, local, ok := cutLast(id, '#'); ok && local != "" {
		sep = "-"
	}
	return id + sep + b.list + "-" + strconv.Itoa(i+1)
}

func cutLast(s string, c byte) (before, after string, ok bool) {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == c {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// values says a field that is not made of parts.
func (e *encoder) values(b binding, f reflect.Value) []term {
	switch b.shape {
	case text:
		return texts(f.Interface().(gov.Text))
	case words:
		var out []term
		m := f.Interface().(map[gov.Lang][]string)
		for _, l := range slices.Sorted(maps.Keys(m)) {
			for _, w := range m[l] {
				out = append(out, tagged(w, string(l)))
			}
		}
		return out
	case number:
		if f.Int() != 0 {
			return []term{typed(strconv.FormatInt(f.Int(), 10), xsd+"integer")}
		}
	case flag:
		if f.Bool() {
			return []term{typed("true", xsd+"boolean")}
		}
	case day:
		if d := f.Interface().(gov.Date); !d.IsZero() {
			return []term{typed(d.String(), xsd+"date")}
		}
	case double, decimal:
		if c := f.Interface().(*gov.Centimes); c != nil {
			return []term{typed(units(*c), map[shape]string{double: xsd + "double", decimal: xsd + "decimal"}[b.shape])}
		}
	case literal, code, ref:
		if f.String() != "" {
			return []term{e.named(b, f.String())}
		}
	case literals, codes, refs:
		var out []term
		for i := range f.Len() {
			out = append(out, e.named(b, f.Index(i).String()))
		}
		return out
	}
	return nil
}

func (e *encoder) named(b binding, s string) term {
	switch b.shape {
	case code, codes:
		if e.seen != nil {
			e.seen(b.list, s)
		}
		return iriOf(e.code(b.list, s))
	case ref, refs:
		if e.seen != nil && b.list == themeClass.name { // a theme is a code too: a concept
			e.seen(b.list, s)
		}
		return iriOf(e.names.thing(classes[b.list], s))
	}
	return plain(s)
}

// texts says a text in each of its languages.
func texts(t gov.Text) []term {
	var out []term
	for _, l := range slices.Sorted(maps.Keys(t)) {
		if t[l] != "" && l != "" {
			out = append(out, tagged(t[l], string(l)))
		}
	}
	return out
}

// units writes an amount in whole units of the money, exactly.
func units(c gov.Centimes) string {
	sign := ""
	if c < 0 {
		sign, c = "-", -c
	}
	return fmt.Sprintf("%s%d.%02d", sign, c/100, c%100)
}
