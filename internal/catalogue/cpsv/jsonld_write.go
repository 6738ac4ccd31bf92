package cpsv

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"sync"
)

// WriteJSONLD writes the catalogue as JSON-LD with its context inside, so that
// nobody has to fetch one.
func (d *Dataset) WriteJSONLD(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString(`{"@context":`)
	context, err := encodeJSON(context(d.names))
	if err != nil {
		return err
	}
	b.Write(context)
	b.WriteString(",\n\"@graph\":[")
	first := true
	err = d.walk(func(n *node) error {
		if !first {
			b.WriteByte(',')
		}
		first = false
		out, err := encodeJSON(jsonNode(d.names, n))
		if err != nil {
			return err
		}
		b.WriteByte('\n')
		_, err = b.Write(out)
		return err
	})
	if err != nil {
		return err
	}
	b.WriteString("\n]}\n")
	return b.Flush()
}

// encodeJSON marshals without escaping what only matters inside HTML.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// coercion says how the values of a property are written short.
type coercion string

const (
	asLanguages coercion = "@language"
	asResource  coercion = "@id"
	asInteger   coercion = "xsd:integer"
	asDate      coercion = "xsd:date"
	asDouble    coercion = "xsd:double"
	asDecimal   coercion = "xsd:decimal"
	asDuration  coercion = "xsd:duration"
)

var shapeCoercion = map[shape]coercion{
	text: asLanguages, words: asLanguages, number: asInteger, day: asDate, double: asDouble, decimal: asDecimal,
	code: asResource, codes: asResource, ref: asResource, refs: asResource, parts: asResource,
}

// derived are the properties that no table has.
var derived = map[string]coercion{
	"adms:status": asResource, "cv:contactPage": asResource, "cv:contactPoint": asResource, "cv:currency": asResource,
	"cv:hasChannel": asResource, "cv:hasLegalResource": asResource, "cv:hasParticipant": asResource,
	"cv:hasParticipation": asResource, "cv:hasRelatedService": asResource, "cv:isGroupedBy": asResource,
	"cv:openingHours": asResource, "cv:processingTime": asDuration, "cv:relatedService": asResource, "cv:role": asResource,
	"cv:telephone": "", "cv:email": "", "dct:isPartOf": asResource, "dct:language": asResource, "dct:publisher": asResource,
	"dct:spatial": asResource, positionProp: asInteger, nameAsDescription: "", formatProp: "", ownPrefix + ":version": asInteger,
}

// coercions are all properties that are written, by short name.
var coercions = sync.OnceValue(func() map[string]coercion {
	m := maps.Clone(derived)
	for _, c := range classes {
		for _, b := range c.table {
			m[b.prop] = shapeCoercion[b.shape]
		}
	}
	return m
})

// context is the JSON-LD context of a portal's documents.
func context(n names) map[string]any {
	c := map[string]any{}
	for _, p := range n.sorted() {
		c[p[0]] = p[1]
	}
	for prop, how := range coercions() {
		switch how {
		case "":
		case asLanguages:
			c[prop] = map[string]string{"@id": prop, "@container": "@language"}
		default:
			c[prop] = map[string]string{"@id": prop, "@type": string(how)}
		}
	}
	return c
}

// Context returns the JSON-LD context alone, for documents that others write
// about their own part of the catalogue.
func Context(base string) ([]byte, error) {
	return encodeJSON(map[string]any{"@context": context(namesOf(base))})
}

func jsonNode(ns names, n *node) map[string]any {
	out := map[string]any{"@id": n.id}
	for _, p := range n.props {
		if p.iri == rdfType {
			var types []string
			for _, t := range p.values {
				types = append(types, shortOr(ns, t.value))
			}
			out["@type"] = one(types)
			continue
		}
		name := shortOr(ns, p.iri)
		if coercions()[name] == asLanguages {
			out[name] = languageMap(p.values)
			continue
		}
		var values []any
		for _, v := range p.values {
			values = append(values, jsonValue(ns, v, coercions()[name]))
		}
		out[name] = one(values)
	}
	return out
}

func one[T any](values []T) any {
	if len(values) == 1 {
		return values[0]
	}
	return values
}

func shortOr(ns names, iri string) string {
	if s, ok := ns.short(iri); ok {
		return s
	}
	return iri
}

func languageMap(values []term) map[string]any {
	words := map[string][]string{}
	for _, v := range values {
		words[v.lang] = append(words[v.lang], v.value)
	}
	out := map[string]any{}
	for _, l := range slices.Sorted(maps.Keys(words)) {
		out[l] = one(words[l])
	}
	return out
}

func jsonValue(ns names, v term, how coercion) any {
	switch {
	case v.kind == iriTerm && how == asResource:
		return shortOr(ns, v.value)
	case v.kind == iriTerm:
		return map[string]string{"@id": v.value}
	case v.datatype == xsd+"boolean" && how == "":
		return v.value == "true"
	case v.datatype == xsd+"integer" && how == asInteger:
		return json.Number(v.value)
	case how != "" && how != asResource && v.datatype == namesOf("").iri(string(how)):
		return v.value
	case v.lang != "":
		return map[string]string{"@value": v.value, "@language": v.lang}
	case v.datatype != "" && v.datatype != xsdString:
		return map[string]string{"@value": v.value, "@type": v.datatype}
	case how == "":
		return v.value
	}
	return map[string]string{"@value": v.value}
}
