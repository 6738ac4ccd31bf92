// Package i18n says things in the reader's language. Messages live in JSON
// files beside the slice that uses them, one file per language, and are loaded
// once at start; a catalog never changes after that and may be read by everyone.
//
// A message is a string with placeholders in braces, "{count} results", or an
// object of plural forms under the names of CLDR: zero, one, two, few, many,
// other. Arabic has all six.
package i18n

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// message is one text, or its plural forms.
type message struct {
	text  string
	forms map[string]string
}

// Catalog holds the messages of all languages.
type Catalog struct {
	langs    []string
	messages map[string]map[string]message // language, key
}

// Load reads the files LANG.json of each folder. A key that two folders define
// is an error, so that no slice can change the words of another by accident;
// the folders in overrides may replace keys and are how a country pack puts
// things in its own words.
func Load(langs []string, folders []fs.FS, overrides ...fs.FS) (*Catalog, error) {
	c := &Catalog{langs: slices.Clone(langs), messages: map[string]map[string]message{}}
	for _, l := range langs {
		c.messages[l] = map[string]message{}
	}
	for _, f := range folders {
		if err := c.add(f, false); err != nil {
			return nil, err
		}
	}
	for _, f := range overrides {
		if err := c.add(f, true); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Catalog) add(f fs.FS, replace bool) error {
	for _, l := range c.langs {
		name := l + ".json"
		b, err := fs.ReadFile(f, name)
		if replace && err != nil {
			continue // a country pack need not reword every language
		}
		if err != nil {
			return fmt.Errorf("messages in %q: %w", l, err)
		}
		ms, err := parse(b)
		if err != nil {
			return fmt.Errorf("messages file %s: %w", path.Base(name), err)
		}
		for k, m := range ms {
			if _, dup := c.messages[l][k]; dup && !replace {
				return fmt.Errorf("message %q is defined twice in %q", k, l)
			}
			c.messages[l][k] = m
		}
	}
	return nil
}

// parse reads one file of messages.
func parse(b []byte) (map[string]message, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, err
	}
	out := make(map[string]message, len(raw))
	for k, v := range raw {
		var m message
		if err := json.Unmarshal(v, &m.text); err != nil {
			if err := json.Unmarshal(v, &m.forms); err != nil {
				return nil, fmt.Errorf("message %q is neither a string nor plural forms", k)
			}
		}
		out[k] = m
	}
	return out, nil
}

// Languages returns the languages in their order.
func (c *Catalog) Languages() []string { return slices.Clone(c.langs) }

// Keys returns all keys of the first language, sorted.
func (c *Catalog) Keys() []string {
	return slices.Sorted(maps.Keys(c.messages[c.langs[0]]))
}

// Has reports whether the language has the key.
func (c *Catalog) Has(lang, key string) bool {
	_, ok := c.messages[lang][key]
	return ok
}

// Printer says messages in one language.
type Printer struct {
	messages map[string]message
	tag      language.Tag
}

// Printer returns the printer of a language, or that of the first one when the
// language is not known.
func (c *Catalog) Printer(lang string) *Printer {
	if _, ok := c.messages[lang]; !ok {
		lang = c.langs[0]
	}
	return &Printer{c.messages[lang], language.Make(lang)}
}

// T returns the message with its placeholders filled from pairs of name and
// value. A key without a message comes back as itself in brackets: visible, and
// caught by tests, rather than empty.
func (p *Printer) T(key string, pairs ...string) string {
	m, ok := p.messages[key]
	if !ok {
		return "[" + key + "]"
	}
	return fill(m.text, pairs)
}

// N returns the plural form for n. The placeholder {n} is filled with shown, the
// number as the reader writes it.
func (p *Printer) N(key string, n int, shown string, pairs ...string) string {
	m, ok := p.messages[key]
	if !ok {
		return "[" + key + "]"
	}
	if m.forms == nil {
		return fill(m.text, append(pairs, "n", shown))
	}
	s, ok := m.forms[Form(p.tag, n)]
	if !ok {
		s = m.forms["other"]
	}
	return fill(s, append(pairs, "n", shown))
}

// Form returns the name of the CLDR cardinal plural form of a whole number.
func Form(tag language.Tag, n int) string {
	if n < 0 {
		n = -n
	}
	switch plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0) {
	case plural.Zero:
		return "zero"
	case plural.One:
		return "one"
	case plural.Two:
		return "two"
	case plural.Few:
		return "few"
	case plural.Many:
		return "many"
	}
	return "other"
}

func fill(s string, pairs []string) string {
	if len(pairs) == 0 || !strings.Contains(s, "{") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '{')
		j := -1
		if i >= 0 {
			j = strings.IndexByte(s[i:], '}')
		}
		if j < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		b.WriteString(lookup(pairs, s[i+1:i+j], s[i:i+j+1]))
		s = s[i+j+1:]
	}
}

func lookup(pairs []string, name, missing string) string {
	for k := 0; k+1 < len(pairs); k += 2 {
		if pairs[k] == name {
			return pairs[k+1]
		}
	}
	return missing
}
