package verifier

import (
	"slices"

	"diwan/internal/verifier/check"
	"diwan/protocol/claimpath"
)

// Values writes what was disclosed for programs: by question, then by the name of the
// claim, or its whole path where two have one name. What lies in a list is there as a
// list, of the entries that were disclosed.
func Values(shown []Shown) map[string]any {
	out := map[string]any{}
	for _, x := range shown {
		m := named(x.Result.Claims)
		if !x.Many {
			out[x.Query] = m
			continue
		}
		list, _ := out[x.Query].([]any)
		out[x.Query] = append(list, m)
	}
	return out
}

func named(claims []check.Claim) map[string]any {
	m := map[string]any{}
	lists, called := map[string]node{}, map[string]string{}
	free := func(name string, path claimpath.Path) string {
		if _, taken := m[name]; taken || name == "" {
			return path.String()
		}
		return name
	}
	for _, c := range claims {
		list, within := c.List()
		if list == nil {
			m[free(c.Name(), c.Path)] = c.Value
			continue
		}
		at := list.String()
		if lists[at] == nil {
			lists[at], called[at] = node{}, free(check.Claim{Path: list}.Name(), list)
			m[called[at]] = nil // the name is taken
		}
		lists[at].put(within, c.Value)
	}
	for at, n := range lists {
		m[called[at]] = n.plain()
	}
	return m
}

// node is a list or a map while it is put together again of its values.
type node map[any]any

func (n node) put(path claimpath.Path, v any) {
	if len(path) == 1 {
		n[path[0]] = v
		return
	}
	below, ok := n[path[0]].(node)
	if !ok {
		below = node{}
		n[path[0]] = below
	}
	below.put(path[1:], v)
}

// plain is the list or the map as JSON has it. A place that was not disclosed leaves no gap.
func (n node) plain() any {
	value := func(v any) any {
		if below, ok := v.(node); ok {
			return below.plain()
		}
		return v
	}
	var places []int
	members := map[string]any{}
	for k, v := range n {
		switch k := k.(type) {
		case int:
			places = append(places, k)
		case string:
			members[k] = value(v)
		}
	}
	if len(places) == 0 {
		return members
	}
	slices.Sort(places)
	list := make([]any, len(places))
	for i, at := range places {
		list[i] = value(n[at])
	}
	return list
}
