package credential

import (
	"strings"

	"diwan/internal/gov"
)

// maxEntries bounds the entries of a list.
const maxEntries = 50

// cleanList brings a list into its form: each entry has the members of the list, those
// that must be there and no others. An entry that says nothing is refused.
func (k *Claim) cleanList(v any) (any, bool) {
	list, ok := v.([]any)
	if !ok || len(list) == 0 || len(list) > maxEntries {
		return nil, false
	}
	out := make([]any, len(list))
	for i, x := range list {
		entry, ok := x.(map[string]any)
		if !ok {
			return nil, false
		}
		if out[i], ok = k.cleanEntry(entry); !ok {
			return nil, false
		}
	}
	return out, true
}

func (k *Claim) cleanEntry(entry map[string]any) (map[string]any, bool) {
	out := map[string]any{}
	for i := range k.Members {
		m := &k.Members[i]
		x, there := entry[m.Name]
		if s, ok := x.(string); !there || x == nil || ok && strings.TrimSpace(s) == "" {
			if m.Mandatory {
				return nil, false
			}
			continue
		}
		clean, good := m.value().clean(x)
		if !good {
			return nil, false
		}
		out[m.Name] = clean
	}
	for name := range entry {
		if !k.has(name) {
			return nil, false // what nobody described would be signed unread
		}
	}
	return out, len(out) > 0
}

func (k *Claim) has(member string) bool {
	for _, m := range k.Members {
		if m.Name == member {
			return true
		}
	}
	return false
}

// elements are the entries of a list as an mdoc has them: maps, whose dates are dates.
func (k *Claim) elements(v any) (any, error) {
	list, _ := v.([]any)
	out := make([]any, len(list))
	for i, x := range list {
		entry, _ := x.(map[string]any)
		said := map[string]any{}
		for _, m := range k.Members {
			one, ok := entry[m.Name]
			if !ok {
				continue
			}
			var err error
			if said[m.Name], err = m.value().element(one); err != nil {
				return nil, err
			}
		}
		out[i] = said
	}
	return out, nil
}

// entries are those of a list as pages show them, each member in the order of the type.
func (k *Claim) entries(v any) ([][]Said, error) {
	list, _ := v.([]any)
	var out [][]Said
	for _, x := range list {
		entry, _ := x.(map[string]any)
		var one []Said
		for _, m := range k.Members {
			x, ok := entry[m.Name]
			if !ok {
				continue
			}
			s := Said{Label: m.Label, Kind: m.Kind}
			if err := s.take(x); err != nil {
				return nil, err
			}
			one = append(one, s)
		}
		out = append(out, one)
	}
	return out, nil
}

// take fills in a value that has no members.
func (s *Said) take(v any) (err error) {
	switch v := v.(type) {
	case bool:
		s.Yes = v
	case interface{ String() string }:
		s.Text = v.String()
	case string:
		if s.Kind == Day {
			s.Day, err = gov.ParseDate(v)
			return err
		}
		s.Text = v
	}
	return nil
}
