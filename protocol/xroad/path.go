package xroad

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrPath is wrapped by every refusal of a path before access rights are asked.
var ErrPath = errors.New("path refused")

// MaxPattern is the longest pattern of an access right, in bytes.
const MaxPattern = 1024

// Path is the decoded path of a request, as access rights see it. It serves for
// the decision only: what is sent on is the raw path.
type Path struct {
	joined string // decoded segments, each after a slash; emptySegment for an empty one
}

// emptySegment stands for a segment of no characters that is not the last. No
// decoded segment can hold NUL. Services often read "a//b" as "a/b", so a single
// star, which stands for something, must not take it for a value.
const emptySegment = "\x00"

// ParsePath reads the raw path behind the service code (Target.ServicePath). It
// decodes segment by segment and refuses a segment that is "." or "..", also
// before a ";" and also when encoded twice, that is nothing before a ";", or that
// holds a slash, a backslash, NUL or what is not UTF-8: programs differ in what they
// make of those, and what the gateway allowed must be what the service does.
func ParsePath(raw string) (Path, error) {
	if raw == "" {
		return Path{""}, nil
	}
	if raw[0] != '/' || strings.ContainsAny(raw, "?#") {
		return Path{}, fmt.Errorf("%w: it is not a path that begins with a slash", ErrPath)
	}
	if len(raw) > MaxTarget {
		return Path{}, fmt.Errorf("%w: %d bytes", ErrPath, len(raw))
	}
	var b strings.Builder
	b.Grow(len(raw))
	rest, more := raw[1:], true
	for more {
		var s string
		s, rest, more = strings.Cut(rest, "/")
		d, err := pathSegment(s)
		if err != nil {
			return Path{}, err
		}
		if d == "" && more {
			d = emptySegment
		}
		b.WriteByte('/')
		b.WriteString(d)
	}
	return Path{b.String()}, nil
}

func pathSegment(s string) (string, error) {
	d, err := decodeSegment(s)
	if err != nil {
		return "", err
	}
	twice, ok := unescape(d)
	if isStep(d) || ok && slices.ContainsFunc(strings.FieldsFunc(twice, isSeparator), isStep) {
		return "", fmt.Errorf("%w: a segment is a step of a path", ErrPath)
	}
	// Programs that drop parameters would be left with an empty segment.
	if strings.HasPrefix(d, ";") || ok && strings.HasPrefix(twice, ";") {
		return "", fmt.Errorf("%w: a segment has parameters alone", ErrPath)
	}
	return d, nil
}

func decodeSegment(s string) (string, error) {
	d, ok := unescape(s)
	switch {
	case !ok:
		return "", fmt.Errorf("%w: bad percent-encoding", ErrPath)
	case !utf8.ValidString(d):
		return "", fmt.Errorf("%w: a segment is not UTF-8", ErrPath)
	case strings.ContainsAny(d, "/\\\x00"):
		return "", fmt.Errorf("%w: a segment holds a separator", ErrPath)
	}
	return d, nil
}

func isSeparator(r rune) bool { return r == '/' || r == '\\' }

// isStep tells whether a program could read a segment as "here" or "up"; some
// drop what follows a ";".
func isStep(s string) bool {
	before, _, _ := strings.Cut(s, ";")
	return before == "." || before == ".."
}

// String is the decoded path, for a log or a page.
func (p Path) String() string { return strings.ReplaceAll(p.joined, emptySegment, "") }

// Glob is a pattern of paths: "*" stands for any characters but a slash, "**" for
// anything. The zero value matches the empty path only.
type Glob struct {
	text  string
	parts []globPart
}

type globPart struct {
	kind globKind
	lit  byte
}

type globKind uint8

const (
	globByte globKind = iota
	globStar
	globAny
)

// ParseGlob reads a pattern. It is written like a path, so that %2A is a star as
// a character; a run of more than two stars means two.
func ParseGlob(pattern string) (Glob, error) {
	if len(pattern) > MaxPattern {
		return Glob{}, fmt.Errorf("%w: a pattern of %d bytes", ErrPath, len(pattern))
	}
	g := Glob{text: pattern}
	segments := strings.Split(pattern, "/")
	for i, s := range segments {
		if i > 0 {
			g.parts = append(g.parts, globPart{globByte, '/'})
		}
		if s == "" && i > 0 && i < len(segments)-1 {
			g.parts = append(g.parts, globPart{globByte, emptySegment[0]})
		}
		if isStep(s) {
			return Glob{}, fmt.Errorf("%w: a segment of the pattern is a step of a path", ErrPath)
		}
		for s != "" {
			n := len(s) - len(strings.TrimLeft(s, "*"))
			if n > 0 {
				g.parts = append(g.parts, globPart{kind: globStar + globKind(min(n, 2)-1)})
				s = s[n:]
				continue
			}
			lit := s
			if j := strings.IndexByte(s, '*'); j >= 0 {
				lit = s[:j]
			}
			d, err := decodeSegment(lit)
			if err != nil {
				return Glob{}, fmt.Errorf("in the pattern: %w", err)
			}
			for k := 0; k < len(d); k++ {
				g.parts = append(g.parts, globPart{globByte, d[k]})
			}
			s = s[len(lit):]
		}
	}
	return g, nil
}

// String is the pattern as it was read.
func (g Glob) String() string { return g.text }

// Match tells whether the pattern stands for the whole path. The time is at most
// the product of both lengths, whatever they hold.
func (g Glob) Match(p Path) bool {
	s := p.joined
	i := 0
	for i < len(g.parts) && g.parts[i].kind == globByte {
		if i >= len(s) || s[i] != g.parts[i].lit {
			return false
		}
		i++
	}
	if i == len(g.parts) {
		return i == len(s)
	}
	return g.run(i, s[i:])
}

// run follows all states of the pattern at once from the part at start on.
func (g Glob) run(start int, s string) bool {
	parts := g.parts[start:]
	var small [2][128]bool // no allocation for the patterns that occur
	now, next := small[0][:], small[1][:]
	if len(parts) >= len(now) {
		now, next = make([]bool, len(parts)+1), make([]bool, len(parts)+1)
	}
	enter := func(set []bool, i int) {
		for set[i] = true; i < len(parts) && parts[i].kind != globByte; {
			i++
			set[i] = true
		}
	}
	enter(now, 0)
	for k := 0; k < len(s); k++ {
		c, alive := s[k], false
		clear(next)
		for i, p := range parts {
			if !now[i] {
				continue
			}
			switch p.kind {
			case globByte:
				if p.lit == c {
					enter(next, i+1)
					alive = true
				}
			case globStar:
				if c != '/' && c != emptySegment[0] {
					enter(next, i)
					alive = true
				}
			case globAny:
				enter(next, i)
				alive = true
			}
		}
		if !alive {
			return false
		}
		now, next = next, now
	}
	return now[len(parts)]
}

// Rule is an access right to an endpoint: a method, "*" or empty for all, and a
// pattern of paths.
type Rule struct {
	Method string
	Path   Glob
}

// Allows tells whether the rule covers a request.
func (r Rule) Allows(method string, p Path) bool {
	return (r.Method == "" || r.Method == "*" || r.Method == method) && r.Path.Match(p)
}
