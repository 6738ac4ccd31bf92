package check

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"diwan/protocol/claimpath"
	"diwan/protocol/sdjwt"
)

// maxShown bounds the claims of a result.
const maxShown = 400

// registered are claims about the document itself, which are told in other ways.
var registered = []string{"iss", "nbf", "exp", "iat", "cnf", "vct", "vct#integrity", "status", "aka_vcts"}

// names lists what a type is called, by language.
func names(t *sdjwt.TypeMetadata) map[string]string {
	if t == nil || len(t.Display) == 0 {
		return nil
	}
	m := map[string]string{}
	for _, d := range t.Display {
		put(m, d.Locale, d.Name)
	}
	return m
}

// put keeps words under their language without its region; those that name no region
// come before those that do.
func put(m map[string]string, locale, words string) {
	base, _, region := strings.Cut(locale, "-")
	if m[base] == "" || !region {
		m[base] = words
	}
}

// show lists what a document says, each value that holds no others by its path, in the
// order in which its type describes them. The values of one entry of a list stay together.
func (r *Result) show(claims map[string]any, t *sdjwt.TypeMetadata) {
	r.Names = names(t)
	r.walk(nil, claims, t)
	type place struct{ outer, entry, own int }
	places, first := map[string]place{}, map[string]int{}
	for i, c := range r.Claims {
		p := place{own: described(c.Path, t), entry: i}
		p.outer = p.own
		if list, within := c.List(); list != nil {
			p.outer = described(list, t)
			key := append(slices.Clone(list), within[0]).String()
			if _, known := first[key]; !known {
				first[key] = i
			}
			p.entry = first[key]
		}
		places[c.Path.String()] = p
	}
	slices.SortStableFunc(r.Claims, func(a, b Claim) int {
		p, q := places[a.Path.String()], places[b.Path.String()]
		return cmp.Or(cmp.Compare(p.outer, q.outer), cmp.Compare(p.entry, q.entry), cmp.Compare(p.own, q.own))
	})
}

// described is the place at which a type describes a value, or what lies in it; after all
// others when it does not.
func described(path claimpath.Path, t *sdjwt.TypeMetadata) int {
	if t == nil {
		return 0
	}
	for i, c := range t.Claims {
		for n := len(c.Path); n > 0; n-- {
			if (n == len(c.Path) || c.Path[n] == nil) && describes(c.Path[:n], path) {
				return i
			}
		}
	}
	return len(t.Claims)
}

func (r *Result) walk(path claimpath.Path, v any, t *sdjwt.TypeMetadata) {
	if len(r.Claims) >= maxShown {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if len(path) == 0 && r.Form == FormSDJWT && slices.Contains(registered, name) {
				continue
			}
			r.walk(append(slices.Clone(path), name), v[name], t)
		}
		return
	case []any:
		for i, e := range v {
			r.walk(append(slices.Clone(path), i), e, t)
		}
		return
	}
	c := Claim{Path: path, Labels: labels(path, t), Value: v}
	if list, _ := c.List(); list != nil {
		c.Of = labels(list, t)
	}
	r.Claims = append(r.Claims, c)
}

func labels(path claimpath.Path, t *sdjwt.TypeMetadata) map[string]string {
	if t == nil {
		return nil
	}
	for _, c := range t.Claims {
		if !describes(c.Path, path) || len(c.Display) == 0 {
			continue
		}
		m := map[string]string{}
		for _, d := range c.Display {
			put(m, d.Locale, d.Label)
		}
		return m
	}
	return nil
}

// describes tells whether a description is of a claim. One of an ISO document may leave
// the name space out.
func describes(described, path claimpath.Path) bool {
	if len(described) == len(path) && described.Covers(path) {
		return true
	}
	return len(path) > 1 && len(path) == len(described)+1 && described.Covers(path[1:])
}

// isPicture tells whether a text is a picture in base64url, as one in an ISO document comes:
// one that begins as JPEG or PNG files do.
func isPicture(s string) bool {
	if len(s) < 64 {
		return false
	}
	return strings.HasPrefix(s, "_9j_") || strings.HasPrefix(s, "iVBORw0KGgo")
}

// Text writes a value for people; a picture has none.
func (c Claim) Text() (text string, picture bool) {
	switch v := c.Value.(type) {
	case string:
		if len(v) > 5 && (v[:5] == "data:" || len(v) > 4096) || isPicture(v) {
			return "", true
		}
		return v, false
	case bool, nil:
		return "", false
	}
	b, err := json.Marshal(c.Value)
	if err != nil {
		return "", false
	}
	return string(b), false
}

// List cuts the path of a value that lies in a list into the path of the list and the
// rest, which begins with the place in it; nil for one that lies in none.
func (c Claim) List() (list, within claimpath.Path) {
	for i, x := range c.Path {
		if _, ok := x.(int); ok {
			return c.Path[:i:i], c.Path[i:]
		}
	}
	return nil, nil
}

// Name returns the last part of the path that is a name.
func (c Claim) Name() string {
	for i := len(c.Path) - 1; i >= 0; i-- {
		if s, ok := c.Path[i].(string); ok {
			return s
		}
	}
	return ""
}
