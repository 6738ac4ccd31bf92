package akn

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Namespace is that of the vocabulary 3.0, which the standard 1.0 defines.
const Namespace = "http://docs.oasis-open.org/legaldocml/ns/akn/3.0"

// Attr is an attribute; Name may carry a prefix ("xml:lang").
type Attr struct{ Name, Value string }

// Node is an element, or a run of text when Name is "".
type Node struct {
	Name     string
	Attrs    []Attr
	Children []*Node
	Text     string
}

// E makes an element. A child may be a *Node, a string (text), an Attr, or a
// slice of nodes; nil is left out.
func E(name string, children ...any) *Node {
	n := &Node{Name: name}
	for _, c := range children {
		n.add(c)
	}
	return n
}

func (n *Node) add(c any) {
	switch c := c.(type) {
	case nil:
	case *Node:
		if c != nil {
			n.Children = append(n.Children, c)
		}
	case []*Node:
		n.Children = append(n.Children, c...)
	case string:
		if c != "" {
			n.Children = append(n.Children, &Node{Text: c})
		}
	case Attr:
		n.Attrs = append(n.Attrs, c)
	default:
		panic(fmt.Sprintf("akn: a child of type %T", c))
	}
}

// A makes an attribute.
func A(name, value string) Attr { return Attr{name, value} }

// Attr returns the value of an attribute, or "".
func (n *Node) Attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// Child returns the first child element of that name, or nil. It may be called
// on nil.
func (n *Node) Child(names ...string) *Node {
	for _, name := range names {
		var found *Node
		if n != nil {
			for _, c := range n.Children {
				if c.Name == name {
					found = c
					break
				}
			}
		}
		n = found
	}
	return n
}

// Elements returns the child elements.
func (n *Node) Elements() []*Node {
	if n == nil {
		return nil
	}
	var out []*Node
	for _, c := range n.Children {
		if c.Name != "" {
			out = append(out, c)
		}
	}
	return out
}

// Find calls fn for each element below n, parents first; fn returns false to
// leave out what is below.
func (n *Node) Find(fn func(*Node) bool) {
	if n == nil {
		return
	}
	for _, c := range n.Children {
		if c.Name != "" && fn(c) {
			c.Find(fn)
		}
	}
}

// PlainText returns the text of n and of all below it, white space folded.
func (n *Node) PlainText() string {
	var b strings.Builder
	n.plain(&b)
	return strings.Join(strings.Fields(b.String()), " ")
}

func (n *Node) plain(b *strings.Builder) {
	if n == nil {
		return
	}
	b.WriteString(n.Text)
	for _, c := range n.Children {
		c.plain(b)
	}
}

// Write prints a document: the declaration, then n, which must be the
// akomaNtoso element and is given the namespace. Elements that hold only
// elements are put on lines of their own.
func Write(w io.Writer, n *Node) error {
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	root := *n
	if root.Attr("xmlns") == "" {
		root.Attrs = append([]Attr{{"xmlns", Namespace}}, root.Attrs...)
	}
	root.write(&b, 0, true)
	_, err := w.Write(b.Bytes())
	return err
}

func (n *Node) write(b *bytes.Buffer, depth int, lines bool) {
	if n.Name == "" {
		escape(b, n.Text)
		return
	}
	b.WriteByte('<')
	b.WriteString(n.Name)
	for _, a := range n.Attrs {
		b.WriteByte(' ')
		b.WriteString(a.Name)
		b.WriteString(`="`)
		escape(b, a.Value)
		b.WriteByte('"')
	}
	if len(n.Children) == 0 {
		b.WriteString("/>")
		if lines {
			b.WriteByte('\n')
		}
		return
	}
	b.WriteByte('>')
	inside := lines && !n.mixed()
	if inside {
		b.WriteByte('\n')
	}
	for _, c := range n.Children {
		if inside {
			b.WriteString(strings.Repeat(" ", min(depth+1, 40)))
		}
		c.write(b, depth+1, inside)
	}
	if inside {
		b.WriteString(strings.Repeat(" ", min(depth, 40)))
	}
	b.WriteString("</")
	b.WriteString(n.Name)
	b.WriteByte('>')
	if lines {
		b.WriteByte('\n')
	}
}

// mixed reports an element whose text a line break would change.
func (n *Node) mixed() bool {
	for _, c := range n.Children {
		if c.Name == "" {
			return true
		}
	}
	return false
}

// escape writes text so that any XML reader gives it back; characters that XML
// 1.0 can't hold become U+FFFD.
func escape(b *bytes.Buffer, s string) {
	for _, r := range s {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		case r == '\r':
			b.WriteString("&#13;")
		case r < ' ' && r != '\t' && r != '\n', r == 0xfffe, r == 0xffff:
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
}

// Limits bound what Parse takes from outside.
type Limits struct {
	Bytes int // of the document
	Depth int // of elements in each other
	Nodes int // elements and runs of text
}

// DefaultLimits are enough for the longest codes.
var DefaultLimits = Limits{Bytes: 64 << 20, Depth: 60, Nodes: 2_000_000}

// maxTag bounds the bytes of one tag: the longest attributes are addresses and
// titles.
const maxTag = 64 << 10

// Errors of Parse.
var (
	ErrTooLarge = errors.New("akn: the document is beyond the bounds")
	ErrSyntax   = errors.New("akn: not a well-formed document")
)

// Parse reads a document and returns its root. Names come without their
// namespace prefix; comments, processing instructions and document type
// declarations are left out, so no entity is ever expanded.
func Parse(data []byte, lim Limits) (*Node, error) {
	if len(data) > lim.Bytes {
		return nil, ErrTooLarge
	}
	dec := xml.NewDecoder(BoundTags(bytes.NewReader(data), maxTag, len(data)))
	var root *Node
	var stack []*Node
	nodes := 0
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if errors.Is(err, ErrTooLarge) {
			return nil, ErrTooLarge
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		if nodes++; nodes > lim.Nodes || len(stack) > lim.Depth {
			return nil, ErrTooLarge
		}
		switch t := tok.(type) {
		case xml.StartElement:
			n := element(t)
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				top.Children = append(top.Children, n)
			} else if root == nil {
				root = n
			}
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				top.Children = append(top.Children, &Node{Text: string(t)})
			}
		}
	}
	if root == nil {
		return nil, fmt.Errorf("%w: it is empty", ErrSyntax)
	}
	return root, nil
}

func element(t xml.StartElement) *Node {
	n := &Node{Name: t.Name.Local}
	for _, a := range t.Attr {
		name := a.Name.Local
		switch a.Name.Space {
		case "":
		case "xmlns":
			continue
		case "xml", "http://www.w3.org/XML/1998/namespace":
			name = "xml:" + name
		default:
			continue // of another vocabulary
		}
		if name != "xmlns" {
			n.Attrs = append(n.Attrs, Attr{name, a.Value})
		}
	}
	return n
}
