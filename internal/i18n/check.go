package i18n

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Check compares the languages and returns one sentence for each fault: a key
// that a language lacks, a placeholder that differs, a plural form that the
// language needs and lacks or has and does not know. A catalog without faults
// cannot show a reader a hole.
func (c *Catalog) Check() []string {
	var faults []string
	keys := map[string]bool{}
	for _, l := range c.langs {
		for k := range c.messages[l] {
			keys[k] = true
		}
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		faults = append(faults, c.checkKey(k)...)
	}
	return faults
}

func (c *Catalog) checkKey(key string) (faults []string) {
	var want []string
	var plural, seen bool
	for _, l := range c.langs {
		m, ok := c.messages[l][key]
		if !ok {
			faults = append(faults, fmt.Sprintf("%s: %q is missing", l, key))
			continue
		}
		if !seen {
			want, plural, seen = m.placeholders(), m.forms != nil, true
		}
		if plural != (m.forms != nil) {
			faults = append(faults, fmt.Sprintf("%s: %q is plural in one language and not in another", l, key))
		}
		if got := m.placeholders(); !slices.Equal(got, want) {
			faults = append(faults, fmt.Sprintf("%s: %q has placeholders %v, the first language %v", l, key, got, want))
		}
		if m.forms != nil {
			faults = append(faults, checkForms(l, key, m.forms)...)
		}
	}
	return faults
}

// checkForms compares the forms given with those that the language uses for
// whole numbers.
func checkForms(lang, key string, forms map[string]string) (faults []string) {
	need := map[string]bool{"other": true}
	for n := range 1000 {
		need[Form(language.Make(lang), n)] = true
	}
	for f := range need {
		if forms[f] == "" {
			faults = append(faults, fmt.Sprintf("%s: %q lacks the plural form %q", lang, key, f))
		}
	}
	for f := range forms {
		// French has "many" for millions; it may be given and need not be.
		if !need[f] && f != "many" {
			faults = append(faults, fmt.Sprintf("%s: %q has the plural form %q, which the language does not use", lang, key, f))
		}
	}
	slices.Sort(faults)
	return faults
}

// placeholders returns the names in braces, sorted and each once. {n} is left
// out: "no results" and "two results" need not print the number.
func (m message) placeholders() []string {
	set := map[string]bool{}
	texts := []string{m.text}
	for _, f := range m.forms {
		texts = append(texts, f)
	}
	for _, s := range texts {
		for {
			i := strings.IndexByte(s, '{')
			if i < 0 {
				break
			}
			j := strings.IndexByte(s[i:], '}')
			if j < 0 {
				break
			}
			set[s[i+1:i+j]] = true
			s = s[i+j+1:]
		}
	}
	delete(set, "n")
	return slices.Sorted(maps.Keys(set))
}
