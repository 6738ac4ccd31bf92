package cpsv

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// WriteTurtle writes the catalogue as Turtle.
func (d *Dataset) WriteTurtle(w io.Writer) error {
	t := &turtleWriter{w: bufio.NewWriter(w), names: d.names}
	t.prefixes()
	if err := d.walk(t.node); err != nil {
		return err
	}
	return t.w.Flush()
}

type turtleWriter struct {
	names
	w *bufio.Writer
}

// sorted returns all prefixes with their addresses, the portal's own included.
func (n names) sorted() [][2]string {
	var out [][2]string
	for _, p := range slices.Sorted(maps.Keys(prefixes)) {
		out = append(out, [2]string{p, prefixes[p]})
	}
	return append(out, [2]string{ownPrefix, n.own})
}

func (t *turtleWriter) prefixes() {
	for _, p := range t.sorted() {
		fmt.Fprintf(t.w, "@prefix %s: <%s> .\n", p[0], p[1])
	}
}

func (t *turtleWriter) node(n *node) error {
	t.w.WriteString("\n")
	t.w.WriteString(t.name(n.id))
	for i, p := range n.props {
		if i > 0 {
			t.w.WriteString(" ;")
		}
		t.w.WriteString("\n  ")
		if p.iri == rdfType {
			t.w.WriteString("a")
		} else {
			t.w.WriteString(t.name(p.iri))
		}
		for j, v := range p.values {
			if j > 0 {
				t.w.WriteString(",")
			}
			t.w.WriteString(" ")
			t.w.WriteString(t.term(v))
		}
	}
	_, err := t.w.WriteString(" .\n")
	return err
}

// name writes an address, short when its vocabulary has a prefix.
func (t *turtleWriter) name(iri string) string {
	if s, ok := t.short(iri); ok {
		return s
	}
	var b strings.Builder
	b.WriteByte('<')
	for _, r := range iri {
		if r <= ' ' || strings.ContainsRune("<>\"{}|^`\\", r) {
			fmt.Fprintf(&b, `\u%04X`, r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteByte('>')
	return b.String()
}

// short returns "prefix:local" for an address in a known vocabulary whose local
// name needs no escape.
func (n names) short(iri string) (string, bool) {
	i := strings.LastIndexAny(iri, "#/") + 1
	local := iri[i:]
	if local == "" || !simpleLocal(local) {
		return "", false
	}
	if iri[:i] == n.own {
		return ownPrefix + ":" + local, true
	}
	p, ok := prefixOf[iri[:i]]
	return p + ":" + local, ok
}

var prefixOf = func() map[string]string {
	m := map[string]string{}
	for p, iri := range prefixes {
		m[iri] = p
	}
	return m
}()

func simpleLocal(s string) bool {
	for i, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '-' && c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}

func (t *turtleWriter) term(v term) string {
	switch {
	case v.kind == iriTerm:
		return t.name(v.value)
	case v.kind == blankTerm:
		return "_:" + v.value
	case v.lang != "":
		return quoted(v.value) + "@" + v.lang
	case v.datatype == xsd+"boolean" || v.datatype == xsd+"integer" || v.datatype == xsd+"decimal":
		return v.value
	case v.datatype != "" && v.datatype != xsdString:
		return quoted(v.value) + "^^" + t.name(v.datatype)
	}
	return quoted(v.value)
}

// quoted writes a string in Turtle's short form.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case utf8.RuneError:
			b.WriteString(`\uFFFD`)
		default:
			if r < ' ' || r == 0x7f {
				fmt.Fprintf(&b, `\u%04X`, r)
			} else {
				b.WriteRune(r)
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}
