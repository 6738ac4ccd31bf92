// Package openapi prepares a service's OpenAPI 3 description for getOpenAPI: the
// address of every server is reduced to its path, so that the names of machines
// inside an administration don't leave it and callers come through the exchange.
// The rest of the text stays as it was written, byte for byte wherever that is
// possible.
package openapi

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// The longest descriptions that are read. A tree of YAML takes some sixty times
// the memory of its text; JSON is read without one.
const (
	MaxBytes     = 4 << 20
	MaxYAMLBytes = 1 << 20
)

// maxDepth bounds how deep a description may nest.
const maxDepth = 200

// ErrDocument is wrapped by every refusal of a description.
var ErrDocument = errors.New("not an OpenAPI 3 description")

// Rewrite reduces the servers of a description. contentType and path are those of
// the answer that brought it and of its address; together they tell JSON from
// YAML, and what they don't tell is read as YAML, which JSON is too.
func Rewrite(doc []byte, contentType, path string) ([]byte, error) {
	base, _, _ := strings.Cut(contentType, ";")
	base = strings.ToLower(strings.TrimSpace(base))
	isYAML := strings.Contains(base, "yaml")
	if strings.Contains(base, "json") || !isYAML && strings.HasSuffix(path, ".json") {
		return RewriteJSON(doc)
	}
	return RewriteYAML(doc)
}

// ContentType is the type that the description is sent on with.
func ContentType(upstream string) string {
	if upstream == "" {
		return "text/plain"
	}
	return upstream
}

// pathOf is what is left of a server's address. An address that can't be read
// is a secret too, and an empty path is the root.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" || u.EscapedPath() == "" {
		return "/"
	}
	return u.EscapedPath()
}

// version3 tells whether the value of the key openapi is one we know.
func version3(v string) bool { return v == "3" || strings.HasPrefix(v, "3.") }

// place says what a value of the description is, as far as servers go.
type place int

const (
	other place = iota
	root
	paths
	pathItem
	operation
	servers
	server
	variables
	address
	version
)

var operations = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"}

// child tells what a key leads to.
func (p place) child(key string) place {
	switch {
	case p == root && key == "openapi":
		return version
	case p == root && (key == "paths" || key == "webhooks"):
		return paths
	case p == paths:
		return pathItem
	case p == pathItem && slices.Contains(operations, key):
		return operation
	case (p == root || p == pathItem || p == operation) && key == "servers":
		return servers
	case p == server && key == "url":
		return address
	case p == server && key == "variables":
		return variables
	}
	return other
}

// edit replaces the bytes from start to end.
type edit struct {
	start, end int
	text       string
}

// apply makes the edits; they may come in any order but not overlap.
func apply(doc []byte, edits []edit) ([]byte, error) {
	slices.SortFunc(edits, func(a, b edit) int { return a.start - b.start })
	out := make([]byte, 0, len(doc))
	at := 0
	for _, e := range edits {
		if e.start < at || e.end > len(doc) {
			return nil, fmt.Errorf("%w: servers overlap", ErrDocument)
		}
		out = append(append(out, doc[at:e.start]...), e.text...)
		at = e.end
	}
	return append(out, doc[at:]...), nil
}
