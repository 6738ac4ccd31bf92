package claimpath

import "fmt"

// Match is a value that a path selected and its place: a path without null.
type Match struct {
	Path  Path
	Value any
}

// Select applies the path to a decoded JSON value (maps, slices, strings, numbers,
// booleans and nil) and returns the values that it selects, as OpenID4VP 1.0, section
// 7.1.1 says: an element of another kind than the component asks for is [ErrType], a
// name or index that is absent drops that element, and nothing left is [ErrEmpty].
func (p Path) Select(root any) ([]any, error) {
	found, err := p.Locate(root)
	if err != nil {
		return nil, err
	}
	values := make([]any, len(found))
	for i, m := range found {
		values[i] = m.Value
	}
	return values, nil
}

// Locate is [Path.Select] that also tells where each value stands.
func (p Path) Locate(root any) ([]Match, error) {
	if err := p.Valid(); err != nil {
		return nil, err
	}
	found := []Match{{Value: root}}
	for i, c := range p {
		var next []Match
		for _, m := range found {
			var err error
			if next, err = step(next, m, c); err != nil {
				return nil, fmt.Errorf("%w: component %d of %s", err, i, p)
			}
		}
		found = next
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrEmpty, p)
	}
	return found, nil
}

// step appends to out what one component selects below m.
func step(out []Match, m Match, c any) ([]Match, error) {
	if name, ok := c.(string); ok {
		object, ok := m.Value.(map[string]any)
		if !ok {
			return nil, ErrType
		}
		if v, ok := object[name]; ok {
			out = append(out, m.below(name, v))
		}
		return out, nil
	}
	list, ok := m.Value.([]any)
	if !ok {
		return nil, ErrType
	}
	if i, ok := c.(int); ok {
		if i < len(list) {
			out = append(out, m.below(i, list[i]))
		}
		return out, nil
	}
	for i, v := range list {
		out = append(out, m.below(i, v))
	}
	return out, nil
}

func (m Match) below(c, v any) Match {
	p := make(Path, 0, len(m.Path)+1)
	return Match{append(append(p, m.Path...), c), v}
}
