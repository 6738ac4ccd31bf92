package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// RewriteYAML is Rewrite for YAML. An address that is written on one line is
// replaced where it stands; if one is not, the whole description is written anew
// with the same meaning. Aliases and merged mappings are followed, never
// expanded.
func RewriteYAML(doc []byte) ([]byte, error) {
	doc = bytes.TrimPrefix(doc, []byte("\ufeff"))
	if len(doc) > MaxYAMLBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrDocument, len(doc))
	}
	if !utf8.Valid(doc) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrDocument)
	}
	tree, err := readYAML(doc)
	if err != nil {
		return nil, err
	}
	r := yamlReader{seen: map[*yaml.Node]bool{}}
	if err := r.walk(tree.Content[0], root, 0); err != nil {
		return nil, err
	}
	if !r.known {
		return nil, fmt.Errorf("%w: it does not say that it is version 3", ErrDocument)
	}
	edits, ok := inPlace(doc, r.found)
	if ok {
		return apply(doc, edits)
	}
	for _, n := range r.found {
		n.Value, n.Style, n.Tag = pathOf(n.Value), yaml.DoubleQuotedStyle, "!!str"
	}
	out, err := yaml.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	return out, nil
}

// readYAML reads exactly one document: what follows it would pass unread.
func readYAML(doc []byte) (tree *yaml.Node, err error) {
	// The parser reports some faults of its input by a panic of its own.
	defer func() {
		if p := recover(); p != nil {
			tree, err = nil, fmt.Errorf("%w: %v", ErrDocument, p)
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(doc))
	var first, second yaml.Node
	if err := d.Decode(&first); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if err := d.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more than one document", ErrDocument)
	}
	if first.Kind != yaml.DocumentNode || len(first.Content) != 1 {
		return nil, fmt.Errorf("%w: empty", ErrDocument)
	}
	return &first, nil
}

type yamlReader struct {
	known bool
	found []*yaml.Node // addresses to replace, each once
	seen  map[*yaml.Node]bool
	steps int
}

// maxSteps bounds the walk: an alias can be followed from many places.
const maxSteps = 1 << 20

func (r *yamlReader) walk(n *yaml.Node, p place, depth int) error {
	if r.steps++; depth > maxDepth || r.steps > maxSteps {
		return fmt.Errorf("%w: nested too deep", ErrDocument)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return r.walk(n.Alias, p, depth+1)
	case yaml.SequenceNode:
		if p == servers {
			for _, item := range n.Content {
				if err := r.walk(item, server, depth+1); err != nil {
					return err
				}
			}
		}
	case yaml.MappingNode:
		return r.mapping(n, p, depth)
	case yaml.ScalarNode:
		switch {
		case p == version && version3(n.Value):
			r.known = true
		case p == address && n.ShortTag() != "!!null" && !r.seen[n]:
			r.seen[n] = true
			r.found = append(r.found, n)
		}
	}
	return nil
}

func (r *yamlReader) mapping(n *yaml.Node, p place, depth int) error {
	if p == other || p == server && hasVariables(n, 0) {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		var err error
		switch {
		case key.Tag == "!!merge" && value.Kind == yaml.SequenceNode:
			for _, merged := range value.Content {
				if err = r.walk(merged, p, depth+1); err != nil {
					break
				}
			}
		case key.Tag == "!!merge":
			err = r.walk(value, p, depth+1)
		default:
			if at := p.child(key.Value); at != other {
				err = r.walk(value, at, depth+1)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hasVariables tells whether a server's address is a template.
func hasVariables(n *yaml.Node, depth int) bool {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode || depth > 4 {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if key.Value == "variables" && value.Kind == yaml.MappingNode && len(value.Content) > 0 ||
			key.Tag == "!!merge" && hasVariables(value, depth+1) {
			return true
		}
	}
	return false
}

// inPlace finds where the addresses stand in the text; ok is false when one of
// them is not written plainly on one line.
func inPlace(doc []byte, found []*yaml.Node) (edits []edit, ok bool) {
	if bytes.IndexByte(doc, '\r') >= 0 && !bytes.Contains(doc, []byte("\r\n")) || bytes.ContainsAny(doc, "\u0085\u2028\u2029") {
		return nil, false // other line ends than ours count for the parser
	}
	lines := bytes.SplitAfter(doc, []byte("\n"))
	starts := make([]int, len(lines))
	for i := 1; i < len(lines); i++ {
		starts[i] = starts[i-1] + len(lines[i-1])
	}
	for _, n := range found {
		if n.Line < 1 || n.Line > len(lines) {
			return nil, false
		}
		line := string(lines[n.Line-1])
		at := 0
		for col := 1; col < n.Column && at < len(line); col++ {
			_, size := utf8.DecodeRuneInString(line[at:])
			at += size
		}
		length, ok := scalarLength(line[at:], n)
		if !ok {
			return nil, false
		}
		text, _ := json.Marshal(pathOf(n.Value)) // a JSON string is one of YAML
		start := starts[n.Line-1] + at
		edits = append(edits, edit{start, start + length, string(text)})
	}
	return edits, true
}

// scalarLength is the length of a node's text at the beginning of s.
func scalarLength(s string, n *yaml.Node) (int, bool) {
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return 0, false
	}
	quoted := ""
	switch n.Style {
	case 0:
		return len(n.Value), n.Value != "" && strings.HasPrefix(s, n.Value)
	case yaml.SingleQuotedStyle:
		quoted = "'" + n.Value + "'"
	case yaml.DoubleQuotedStyle:
		quoted = `"` + n.Value + `"`
	default:
		return 0, false
	}
	return len(quoted), !strings.ContainsAny(n.Value, `'"\`) && strings.HasPrefix(s, quoted)
}
