package cpsv

import (
	"net/url"
	"strconv"
	"strings"

	"diwan/internal/problem"
)

// readTurtle parses a Turtle document, of which N-Triples is a part (W3C RDF 1.1
// Turtle). It is strict: the first fault ends it. The error names the line and
// the column.
func readTurtle(s string) (g *graph, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case syntax:
			e := problem.New(problem.Invalid, "import.refused", "count", "1")
			e.Fields = []problem.Field{r.field}
			g, err = nil, e
		default:
			panic(r)
		}
	}()
	p := &turtleParser{x: lexer{s: strings.TrimPrefix(s, "\ufeff"), line: 1, col: 1}, g: newGraph(), prefix: map[string]string{}}
	p.advance()
	for p.t.kind != tokEnd {
		p.statement()
	}
	return p.g, nil
}

type turtleParser struct {
	x      lexer
	t      turtleToken // the one being looked at
	g      *graph
	prefix map[string]string
	base   *url.URL
	blanks int
	depth  int
}

func (p *turtleParser) advance() { p.t = p.x.next() }

func (p *turtleParser) fail() {
	what := strings.ReplaceAll(p.t.text, "\x00", ":")
	fail(p.t.line, p.t.col, "import.rdf.syntax", "value", short(what))
}

func (p *turtleParser) punct(s string) bool {
	if p.t.kind == tokPunct && p.t.text == s {
		p.advance()
		return true
	}
	return false
}

func (p *turtleParser) want(s string) {
	if !p.punct(s) {
		p.fail()
	}
}

func (p *turtleParser) statement() {
	switch {
	case p.t.kind == tokLang && (p.t.text == "prefix" || p.t.text == "base"):
		p.directive(p.t.text)
		p.want(".")
	case p.t.kind == tokWord && (strings.EqualFold(p.t.text, "PREFIX") || strings.EqualFold(p.t.text, "BASE")):
		p.directive(strings.ToLower(p.t.text))
	default:
		p.triples()
		p.want(".")
	}
}

func (p *turtleParser) directive(which string) {
	p.advance()
	if which == "base" {
		if p.t.kind != tokIRI {
			p.fail()
		}
		u, err := url.Parse(p.resolve(p.t.text))
		if err != nil {
			p.fail()
		}
		p.base = u
		p.advance()
		return
	}
	name, local, _ := strings.Cut(p.t.text, "\x00")
	if p.t.kind != tokName || local != "" {
		p.fail()
	}
	p.advance()
	if p.t.kind != tokIRI {
		p.fail()
	}
	p.prefix[name] = p.resolve(p.t.text)
	p.advance()
}

// resolve makes an address absolute. Without a base it stays as it is.
func (p *turtleParser) resolve(s string) string {
	if p.base == nil {
		return s
	}
	u, err := url.Parse(s)
	if err != nil || u.IsAbs() {
		return s
	}
	return p.base.ResolveReference(u).String()
}

func (p *turtleParser) triples() {
	if p.t.kind == tokPunct && p.t.text == "[" {
		subject := p.blankNode()
		if p.t.kind != tokPunct || p.t.text != "." {
			p.properties(subject)
		}
		return
	}
	subject := p.object()
	if !subject.resource() {
		fail(subject.line, subject.col, "import.rdf.syntax", "value", short(subject.value))
	}
	p.properties(subject)
}

// properties reads a list of properties with their objects.
func (p *turtleParser) properties(subject term) {
	for {
		iri := p.verb()
		for {
			object := p.object()
			if p.g.size >= maxStatements {
				fail(object.line, object.col, "import.large", "limit", strconv.Itoa(maxStatements))
			}
			p.g.add(subject, iri, object)
			if !p.punct(",") {
				break
			}
		}
		if !p.punct(";") {
			return
		}
		for p.punct(";") {
		}
		if p.t.kind == tokPunct && (p.t.text == "." || p.t.text == "]") {
			return
		}
	}
}

func (p *turtleParser) verb() string {
	if p.t.kind == tokWord && p.t.text == "a" {
		p.advance()
		return rdfType
	}
	if p.t.kind != tokIRI && p.t.kind != tokName {
		p.fail()
	}
	return p.object().value
}

// object reads a term; collections and nameless nodes make statements of their
// own.
func (p *turtleParser) object() term {
	t := p.t
	out := term{line: t.line, col: t.col}
	switch t.kind {
	case tokIRI:
		out.value = p.resolve(t.text)
	case tokName:
		prefix, local, _ := strings.Cut(t.text, "\x00")
		base, known := p.prefix[prefix]
		if !known {
			fail(t.line, t.col, "import.rdf.prefix", "value", short(prefix))
		}
		out.value = base + local
	case tokBlank:
		out.kind, out.value = blankTerm, "n"+t.text
	case tokString:
		return p.literal()
	case tokInteger, tokDecimal, tokDouble:
		out.kind, out.value = literalTerm, t.text
		out.datatype = xsd + map[tokenKind]string{tokInteger: "integer", tokDecimal: "decimal", tokDouble: "double"}[t.kind]
	case tokWord:
		if t.text != "true" && t.text != "false" {
			p.fail()
		}
		out.kind, out.value, out.datatype = literalTerm, t.text, xsd+"boolean"
	case tokPunct:
		switch t.text {
		case "[":
			return p.blankNode()
		case "(":
			return p.collection()
		}
		p.fail()
	default:
		p.fail()
	}
	p.advance()
	return out
}

func (p *turtleParser) literal() term {
	out := term{kind: literalTerm, value: p.t.text, line: p.t.line, col: p.t.col}
	p.advance()
	switch {
	case p.t.kind == tokLang:
		out.lang = strings.ToLower(p.t.text)
		p.advance()
	case p.punct("^^"):
		if p.t.kind != tokIRI && p.t.kind != tokName {
			p.fail()
		}
		out.datatype = p.object().value
	}
	return out
}

// fresh makes a node without a name.
func (p *turtleParser) fresh(line, col int) term {
	p.blanks++
	return term{kind: blankTerm, value: "b" + strconv.Itoa(p.blanks), line: line, col: col}
}

// deeper bounds how far brackets lie in one another.
func (p *turtleParser) deeper() {
	if p.depth++; p.depth > maxNesting {
		fail(p.t.line, p.t.col, "import.rdf.deep", "limit", strconv.Itoa(maxNesting))
	}
}

func (p *turtleParser) blankNode() term {
	p.deeper()
	defer func() { p.depth-- }()
	n := p.fresh(p.t.line, p.t.col)
	p.want("[")
	if !p.punct("]") {
		p.properties(n)
		p.want("]")
	}
	return n
}

func (p *turtleParser) collection() term {
	p.deeper()
	defer func() { p.depth-- }()
	line, col := p.t.line, p.t.col
	p.want("(")
	var first, last term
	for !p.punct(")") {
		at := p.t
		object := p.object()
		n := p.fresh(at.line, at.col)
		p.g.add(n, rdfFirst, object)
		if last.value == "" {
			first = n
		} else {
			p.g.add(last, rdfRest, n)
		}
		last = n
		if p.g.size >= maxStatements {
			fail(at.line, at.col, "import.large", "limit", strconv.Itoa(maxStatements))
		}
	}
	end := term{value: rdfNil, line: line, col: col}
	if last.value == "" {
		return end
	}
	p.g.add(last, rdfRest, end)
	return first
}
