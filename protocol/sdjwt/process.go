package sdjwt

import (
	"fmt"
	"slices"

	"diwan/protocol/claimpath"
)

// processor puts the disclosures in the place of their digests (RFC 9901, section
// 7.1, step 3). Each place is visited once: a digest that occurs twice is refused
// before the disclosure would be put in again, so a small token can't unfold into a
// large one, nor into itself.
type processor struct {
	disclosures []Disclosure
	byDigest    map[string]int
	seen        map[string]bool
	path        claimpath.Path
	parent      int
}

func (t *Token) process(payload map[string]any) error {
	p := &processor{
		disclosures: t.Disclosures,
		byDigest:    make(map[string]int, len(t.Disclosures)),
		seen:        make(map[string]bool, 2*len(t.Disclosures)),
		path:        make(claimpath.Path, 0, 8),
		parent:      -1,
	}
	for i := range t.Disclosures {
		d := t.Disclosures[i].digest
		if _, twice := p.byDigest[d]; twice {
			return fmt.Errorf("%w: a disclosure is given twice", ErrDigest)
		}
		p.byDigest[d] = i
	}
	delete(payload, "_sd_alg")
	claims, err := p.object(payload)
	if err != nil {
		return err
	}
	for i := range t.Disclosures {
		if !t.Disclosures[i].placed {
			return fmt.Errorf("%w: a disclosure belongs to no digest", ErrDigest)
		}
	}
	t.claims = claims
	return nil
}

func (p *processor) value(v any) (any, error) {
	if len(p.path) >= MaxDepth {
		return nil, fmt.Errorf("%w: the claims are nested deeper than %d", ErrForm, MaxDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		return p.object(v)
	case []any:
		return p.array(v)
	}
	return v, nil
}

func (p *processor) object(in map[string]any) (map[string]any, error) {
	for _, name := range []string{"...", "_sd_alg"} {
		if _, ok := in[name]; ok {
			return nil, fmt.Errorf("%w: %q stands at %s", ErrForm, name, p.path)
		}
	}
	digests, hidden := in["_sd"]
	delete(in, "_sd")
	for name, v := range in {
		var err error
		if in[name], err = p.below(name, v); err != nil {
			return nil, err
		}
	}
	if !hidden {
		return in, nil
	}
	list, ok := digests.([]any)
	if !ok {
		return nil, fmt.Errorf("%w: _sd is not an array", ErrForm)
	}
	for _, v := range list {
		i, err := p.find(v)
		if err != nil {
			return nil, err
		}
		if i < 0 {
			continue
		}
		if err := p.member(in, i); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// member puts a disclosed member into its object.
func (p *processor) member(in map[string]any, i int) error {
	d := &p.disclosures[i]
	if d.Element {
		return fmt.Errorf("%w: the disclosure of an element stands in an object", ErrDigest)
	}
	if slices.Contains([]string{"_sd", "...", "_sd_alg"}, d.Name) {
		return fmt.Errorf("%w: a disclosure is named %q", ErrDigest, d.Name)
	}
	if _, ok := in[d.Name]; ok {
		return fmt.Errorf("%w: the claim %.100q is there already", ErrDigest, d.Name)
	}
	v, err := p.disclosed(i, d.Name)
	if err != nil {
		return err
	}
	in[d.Name] = v
	return nil
}

func (p *processor) array(in []any) ([]any, error) {
	out := make([]any, 0, len(in))
	for _, v := range in {
		hidden, ok := placeholder(v)
		if !ok {
			v, err := p.below(len(out), v)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
			continue
		}
		i, err := p.find(hidden)
		if err != nil {
			return nil, err
		}
		if i < 0 {
			continue
		}
		if !p.disclosures[i].Element {
			return nil, fmt.Errorf("%w: the disclosure of a member stands in an array", ErrDigest)
		}
		v, err := p.disclosed(i, len(out))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// placeholder returns the digest of {"...": digest}, the form of a hidden element.
func placeholder(v any) (any, bool) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return nil, false
	}
	d, ok := m["..."]
	return d, ok
}

// find returns the disclosure of a digest, or -1.
func (p *processor) find(v any) (int, error) {
	d, ok := v.(string)
	if !ok {
		return 0, fmt.Errorf("%w: a digest is not a text", ErrForm)
	}
	if p.seen[d] {
		return 0, fmt.Errorf("%w: a digest occurs twice", ErrDigest)
	}
	p.seen[d] = true
	if i, ok := p.byDigest[d]; ok {
		return i, nil
	}
	return -1, nil
}

// disclosed returns the value of a disclosure that stands at c below the present
// place, with what lies below it.
func (p *processor) disclosed(i int, c any) (any, error) {
	d := &p.disclosures[i]
	if isProtected(c) && len(p.path) == 0 || len(p.path) > 0 && isProtected(p.path[0]) {
		return nil, fmt.Errorf("%w: %s", ErrProtected, append(slices.Clone(p.path), c))
	}
	d.placed, d.Parent, d.Path = true, p.parent, append(slices.Clone(p.path), c)
	outer := p.parent
	p.parent = i
	v, err := p.below(c, d.raw)
	p.parent = outer
	d.Value, d.raw = v, nil
	return v, err
}

func (p *processor) below(c, v any) (any, error) {
	p.path = append(p.path, c)
	v, err := p.value(v)
	p.path = p.path[:len(p.path)-1]
	return v, err
}
