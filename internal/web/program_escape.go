package web

import (
	"bytes"
	"fmt"
	"html/template"
	"reflect"
	"strings"
	"sync"
)

// writer writes a value, escaped for the place where it stands.
type writer func(buf *bytes.Buffer, v reflect.Value) error

var (
	htmlKind = reflect.TypeFor[template.HTML]()
	jsKind   = reflect.TypeFor[template.JS]()
)

// escaper returns the writer for the escapers that html/template chose. In text
// and in quoted attributes that is one table of characters; addresses that hold
// anything unusual, and values that are marked as safe for another place, are
// given to html/template itself.
func (p *program) escaper(chain []string) (writer, error) {
	switch key := strings.Join(chain, " "); key {
	case "_html_template_htmlescaper":
		return func(buf *bytes.Buffer, v reflect.Value) error {
			if v.IsValid() && v.Type() == htmlKind {
				buf.WriteString(v.String())
				return nil
			}
			return writeText(buf, v)
		}, nil
	case "_html_template_rcdataescaper", "_html_template_attrescaper":
		return func(buf *bytes.Buffer, v reflect.Value) error {
			if v.IsValid() && v.Type() == htmlKind {
				return errBeyond // tags are stripped there
			}
			return writeText(buf, v)
		}, nil
	case "_html_template_jsvalescaper":
		return func(buf *bytes.Buffer, v reflect.Value) error {
			if !v.IsValid() || v.Type() != jsKind {
				return errBeyond
			}
			buf.WriteString(v.String())
			return nil
		}, nil
	default:
		page, ok := p.deep.forChain[key]
		if !ok {
			return nil, fmt.Errorf("the escapers %s are not compiled", key)
		}
		return page.write, nil
	}
}

// writeText writes a value as html/template prints it.
func writeText(buf *bytes.Buffer, v reflect.Value) error {
	s, err := textOf(v)
	if err == nil {
		escapeText(buf, s)
	}
	return err
}

// plainKinds remembers which types print as what they hold.
var plainKinds sync.Map // reflect.Type to bool

var (
	stringerType = reflect.TypeFor[fmt.Stringer]()
)

func textOf(v reflect.Value) (string, error) {
	for v.IsValid() && v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return "", errBeyond
	}
	t := v.Type()
	plain, known := plainKinds.Load(t)
	if !known {
		plain = !t.Implements(stringerType) && !t.Implements(errorType) && t.PkgPath() != "html/template"
		plainKinds.Store(t, plain)
	}
	if plain.(bool) && v.Kind() == reflect.String {
		return v.String(), nil
	}
	if v.Kind() == reflect.Pointer || !v.CanInterface() || t.PkgPath() == "html/template" {
		return "", errBeyond
	}
	return fmt.Sprint(v.Interface()), nil
}

// escapeText replaces the characters that mean something in text and in quoted
// attributes, as html/template does.
func escapeText(buf *bytes.Buffer, s string) {
	last := 0
	for i := 0; i < len(s); i++ {
		var r string
		switch s[i] {
		case 0:
			r = "\uFFFD"
		case '"':
			r = "&#34;"
		case '&':
			r = "&amp;"
		case '\'':
			r = "&#39;"
		case '+':
			r = "&#43;"
		case '<':
			r = "&lt;"
		case '>':
			r = "&gt;"
		default:
			continue
		}
		buf.WriteString(s[last:i])
		buf.WriteString(r)
		last = i + 1
	}
	buf.WriteString(s[last:])
}

// urlEscapers escapes addresses. What consists of characters that stay as they
// are at that place is written directly; all else goes through html/template in a
// place of the same kind.
type urlEscapers struct {
	forChain map[string]*urlEscaper
}

type urlEscaper struct {
	page           *template.Template
	before, behind string
	// stays tells whether an address may be written as it is.
	stays func(s string) bool
}

func newURLEscapers() *urlEscapers {
	escaper := func(before string, stays func(string) bool) *urlEscaper {
		t := template.Must(template.New("x").Parse(before + `{{.}}">`))
		return &urlEscaper{t, before, `">`, stays}
	}
	return &urlEscapers{map[string]*urlEscaper{
		"_html_template_urlnormalizer _html_template_attrescaper": escaper(`<a href="/x/`, normal),
		"_html_template_urlescaper _html_template_attrescaper":    escaper(`<a href="/x?y=`, unreserved),
		// A whole address: its scheme must not be one that runs scripts.
		"_html_template_urlfilter _html_template_urlnormalizer _html_template_attrescaper": escaper(`<a href="`, func(s string) bool {
			return (s == "" || s[0] == '/' || s[0] == '?' || strings.HasPrefix(s, "https://")) && normal(s)
		}),
	}}
}

func (u *urlEscaper) write(buf *bytes.Buffer, v reflect.Value) error {
	s, err := textOf(v)
	if err != nil {
		return err
	}
	if u.stays(s) {
		buf.WriteString(s)
		return nil
	}
	var b strings.Builder
	if err := u.page.Execute(&b, s); err != nil {
		return err
	}
	buf.WriteString(strings.TrimSuffix(strings.TrimPrefix(b.String(), u.before), u.behind))
	return nil
}

// unreserved reports whether every character is one that RFC 3986, section 2.3,
// never escapes.
func unreserved(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isUnreserved(s[i]) {
			return false
		}
	}
	return true
}

// normal reports whether every character may stand in an address as it is: the
// unreserved ones and the delimiters that mean nothing in HTML.
func normal(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '/', ':', '?', '=', '#', '@', ',', ';':
		default:
			if !isUnreserved(c) {
				return false
			}
		}
	}
	return true
}

func isUnreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}
