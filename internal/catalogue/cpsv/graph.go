package cpsv

// termKind says what sort of thing a term is.
type termKind byte

const (
	iriTerm termKind = iota
	blankTerm
	literalTerm
)

// term is an object of a statement: a resource or a literal. Line and col say
// where it was read, from 1; 0 when it was not read or the place is not known.
type term struct {
	kind      termKind
	value     string // the address, the label of a blank node, or the words
	lang      string // of a language-tagged string, lower case
	datatype  string // full address; "" is xsd:string
	line, col int
}

// resource reports whether the term names a node.
func (t term) resource() bool { return t.kind != literalTerm }

// node is a subject with its properties, in the order in which they were said.
type node struct {
	id        string // a blank node's id begins with "_:"
	props     []property
	line, col int
}

// property holds the values of one property of a subject.
type property struct {
	iri    string // full address
	values []term
}

func (n *node) add(iri string, ts ...term) {
	if len(ts) == 0 {
		return
	}
	for i := range n.props {
		if n.props[i].iri == iri {
			n.props[i].values = append(n.props[i].values, ts...)
			return
		}
	}
	n.props = append(n.props, property{iri, ts})
}

func (n *node) values(iri string) []term {
	for i := range n.props {
		if n.props[i].iri == iri {
			return n.props[i].values
		}
	}
	return nil
}

// is reports whether the node has a type.
func (n *node) is(iri string) bool {
	for _, t := range n.values(rdfType) {
		if t.resource() && t.value == iri {
			return true
		}
	}
	return false
}

// graph is what was read.
type graph struct {
	nodes map[string]*node
	order []*node
	size  int // statements
}

func newGraph() *graph { return &graph{nodes: map[string]*node{}} }

// node returns the node of a subject and makes it when it is new.
func (g *graph) node(id string, line, col int) *node {
	n := g.nodes[id]
	if n == nil {
		n = &node{id: id, line: line, col: col}
		g.nodes[id] = n
		g.order = append(g.order, n)
	}
	return n
}

func (g *graph) add(subject term, iri string, object term) {
	g.node(subject.key(), subject.line, subject.col).add(iri, object)
	g.size++
}

// key is the name under which a resource's node is kept.
func (t term) key() string {
	if t.kind == blankTerm {
		return "_:" + t.value
	}
	return t.value
}
