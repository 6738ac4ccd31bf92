package sdjwt

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"diwan/protocol/claimpath"
	"diwan/protocol/strict"
)

// Bounds on type metadata.
const (
	MaxMetadata = 256 << 10 // bytes of one document
	maxExtends  = 8         // documents in a chain of extends
	maxClaims   = 512
	maxDisplays = 64
)

// Whether an issuer makes a claim selectively disclosable (SD-JWT VC, section 9.4).
const (
	SDAlways  = "always"
	SDAllowed = "allowed"
	SDNever   = "never"
)

// TypeMetadata describes a type of credential (SD-JWT VC, section 6).
type TypeMetadata struct {
	VCT              string          `json:"vct"`
	Name             string          `json:"name,omitempty"`
	Description      string          `json:"description,omitempty"`
	Extends          string          `json:"extends,omitempty"`
	ExtendsIntegrity string          `json:"extends#integrity,omitempty"`
	Display          []TypeDisplay   `json:"display,omitempty"`
	Claims           []ClaimMetadata `json:"claims,omitempty"`
}

// TypeDisplay names a type in one language.
type TypeDisplay struct {
	Locale      string `json:"locale"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Rendering is kept as it was written: what it points to is for those who show it.
	Rendering json.RawMessage `json:"rendering,omitempty"`
}

// ClaimMetadata describes a claim, or the claims that a path selects.
type ClaimMetadata struct {
	Path      claimpath.Path `json:"path"`
	Display   []ClaimDisplay `json:"display,omitempty"`
	Mandatory bool           `json:"mandatory,omitempty"`
	SD        string         `json:"sd,omitempty"` // empty is SDAllowed
	SVGID     string         `json:"svg_id,omitempty"`

	saysMandatory bool
}

// ClaimDisplay names a claim in one language.
type ClaimDisplay struct {
	Locale      string `json:"locale"`
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
}

// UnmarshalJSON also remembers whether mandatory was said, since a type that extends
// another inherits what it doesn't say.
func (c *ClaimMetadata) UnmarshalJSON(b []byte) error {
	type plainClaim ClaimMetadata
	var read struct {
		*plainClaim
		Mandatory *bool `json:"mandatory"`
	}
	read.plainClaim = (*plainClaim)(c)
	if err := json.Unmarshal(b, &read); err != nil {
		return err
	}
	if read.Mandatory != nil {
		c.Mandatory, c.saysMandatory = *read.Mandatory, true
	}
	return nil
}

// ParseType reads a type metadata document. Properties that it doesn't know are
// passed over, as the draft asks.
func ParseType(b []byte) (*TypeMetadata, error) {
	m := new(TypeMetadata)
	if err := strict.Unmarshal(b, MaxMetadata, m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	if m.VCT == "" || len(m.Claims) > maxClaims || len(m.Display) > maxDisplays {
		return nil, fmt.Errorf("%w: no vct, or too many claims or languages", ErrMetadata)
	}
	locales := map[string]bool{}
	for _, d := range m.Display {
		if d.Locale == "" || d.Name == "" || locales[d.Locale] {
			return nil, fmt.Errorf("%w: a display without locale or name, or a locale twice", ErrMetadata)
		}
		locales[d.Locale] = true
	}
	for i, c := range m.Claims {
		if err := c.valid(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(m.Claims[:i], func(o ClaimMetadata) bool { return o.Path.Equal(c.Path) }) {
			return nil, fmt.Errorf("%w: the claim %s is described twice", ErrMetadata, c.Path)
		}
	}
	return m, nil
}

func (c *ClaimMetadata) valid() error {
	if err := c.Path.Valid(); err != nil {
		return fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	if !slices.Contains([]string{"", SDAlways, SDAllowed, SDNever}, c.SD) {
		return fmt.Errorf("%w: sd is %.40q at %s", ErrMetadata, c.SD, c.Path)
	}
	if len(c.Display) > maxDisplays {
		return fmt.Errorf("%w: too many languages at %s", ErrMetadata, c.Path)
	}
	locales := map[string]bool{}
	for _, d := range c.Display {
		if d.Locale == "" || d.Label == "" || locales[d.Locale] {
			return fmt.Errorf("%w: a display without locale or label, or a locale twice, at %s", ErrMetadata, c.Path)
		}
		locales[d.Locale] = true
	}
	return nil
}

// Source returns the document of a type. Whoever fetches it bounds time and size and
// keeps to addresses that it may call.
type Source func(ctx context.Context, vct string) ([]byte, error)

// ResolveType gets the document of a type and of those that it extends, checks each
// against the integrity metadata that names it (none where empty), and returns the
// type with what it inherits. A type that extends itself, directly or not, is refused.
func ResolveType(ctx context.Context, vct, integrity string, get Source) (*TypeMetadata, error) {
	var chain []*TypeMetadata
	for next := vct; next != ""; {
		if len(chain) == maxExtends || slices.ContainsFunc(chain, func(m *TypeMetadata) bool { return m.VCT == next }) {
			return nil, fmt.Errorf("%w: %.200q is extended in a circle or too deep", ErrMetadata, next)
		}
		b, err := get(ctx, next)
		if err != nil {
			return nil, fmt.Errorf("getting the type %.200q: %w", next, err)
		}
		if integrity != "" {
			if err := CheckIntegrity(b, integrity); err != nil {
				return nil, err
			}
		}
		m, err := ParseType(b)
		if err != nil {
			return nil, err
		}
		if m.VCT != next {
			return nil, fmt.Errorf("%w: it describes %.200q, not %.200q", ErrIntegrity, m.VCT, next)
		}
		chain = append(chain, m)
		next, integrity = m.Extends, m.ExtendsIntegrity
	}
	for i := len(chain) - 2; i >= 0; i-- {
		if err := chain[i].inherit(chain[i+1]); err != nil {
			return nil, err
		}
	}
	return chain[0], nil
}

// inherit takes over what the extended type says (SD-JWT VC, sections 8.2 and 9.5).
func (m *TypeMetadata) inherit(base *TypeMetadata) error {
	if len(m.Display) == 0 {
		m.Display = base.Display
	}
	claims := slices.Clone(base.Claims)
	for _, c := range m.Claims {
		i := slices.IndexFunc(claims, func(o ClaimMetadata) bool { return o.Path.Equal(c.Path) })
		if i < 0 {
			claims = append(claims, c)
			continue
		}
		over, err := c.override(claims[i])
		if err != nil {
			return err
		}
		claims[i] = over
	}
	m.Claims = claims
	return nil
}

// override returns the claim as the extending type has it. What it leaves unsaid of
// labels, sd and mandatory stays as it was; what the extended type settled may not be changed.
func (c ClaimMetadata) override(base ClaimMetadata) (ClaimMetadata, error) {
	fixed := base.SD == SDAlways || base.SD == SDNever
	switch {
	case c.SD == "":
		c.SD = base.SD
	case fixed && c.SD != base.SD:
		return c, fmt.Errorf("%w: sd of %s is %s and can't become %s", ErrMetadata, c.Path, base.SD, c.SD)
	}
	if len(c.Display) == 0 {
		c.Display = base.Display
	}
	switch {
	case !c.saysMandatory:
		c.Mandatory, c.saysMandatory = base.Mandatory, base.saysMandatory
	case base.Mandatory && !c.Mandatory:
		return c, fmt.Errorf("%w: %s is mandatory and can't become optional", ErrMetadata, c.Path)
	}
	return c, nil
}
