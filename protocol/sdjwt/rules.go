package sdjwt

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"diwan/protocol/claimpath"
)

// Disclosable returns the paths that an issuer hides: those that the type says are
// always selectively disclosable, and with allowed those that may be.
func (m *TypeMetadata) Disclosable(allowed bool) []claimpath.Path {
	var out []claimpath.Path
	for _, c := range m.Claims {
		may := (c.SD == "" || c.SD == SDAllowed) && allowed && !isProtected(c.Path[0])
		if c.SD == SDAlways || may {
			out = append(out, c.Path)
		}
	}
	return out
}

// Check tells whether a credential keeps to the rules of its type: disclosed are the
// places of what came by disclosures. With complete, for an issuer and a holder who
// see every claim, mandatory claims must be there; a verifier can't tell one that is
// absent from one that is not shown.
func (m *TypeMetadata) Check(claims map[string]any, disclosed []claimpath.Path, complete bool) error {
	if claims["vct"] != m.VCT {
		return fmt.Errorf("%w: the credential is of another type", ErrRules)
	}
	for _, c := range m.Claims {
		found, err := c.Path.Locate(claims)
		switch {
		case errors.Is(err, claimpath.ErrEmpty):
			if c.Mandatory && complete {
				return fmt.Errorf("%w: %s is mandatory", ErrRules, c.Path)
			}
			continue
		case err != nil:
			return fmt.Errorf("%w: %w", ErrRules, err)
		}
		for _, f := range found {
			hidden := slices.ContainsFunc(disclosed, f.Path.Equal)
			if hidden && c.SD == SDNever {
				return fmt.Errorf("%w: %s may not be disclosed selectively", ErrRules, f.Path)
			}
			if !hidden && c.SD == SDAlways {
				return fmt.Errorf("%w: %s must be disclosed selectively", ErrRules, f.Path)
			}
		}
	}
	return nil
}

// Describe returns the description that fits a place best: that of the very place,
// by name or index before by null; nil when the type doesn't describe it.
func (m *TypeMetadata) Describe(place claimpath.Path) *ClaimMetadata {
	var best *ClaimMetadata
	for i := range m.Claims {
		c := &m.Claims[i]
		if len(c.Path) != len(place) || !c.Path.Covers(place) {
			continue
		}
		if c.Path.Equal(place) {
			return c
		}
		if best == nil {
			best = c
		}
	}
	return best
}

// In returns the display for the first of the languages (RFC 5646 tags, best first) that
// the type has, failing that the type's first, or nil when it has none.
func (m *TypeMetadata) In(languages ...string) *TypeDisplay {
	i := choose(len(m.Display), func(i int) string { return m.Display[i].Locale }, languages)
	if i < 0 {
		return nil
	}
	return &m.Display[i]
}

// In is [TypeMetadata.In] for a claim.
func (c *ClaimMetadata) In(languages ...string) *ClaimDisplay {
	i := choose(len(c.Display), func(i int) string { return c.Display[i].Locale }, languages)
	if i < 0 {
		return nil
	}
	return &c.Display[i]
}

// choose returns the index of the locale that fits best: for each language in turn the
// same tag, then one of the same primary language; else the first, -1 of none.
func choose(n int, locale func(int) string, languages []string) int {
	primary := func(tag string) string {
		tag, _, _ = strings.Cut(tag, "-")
		return tag
	}
	for _, want := range languages {
		for i := range n {
			if strings.EqualFold(locale(i), want) {
				return i
			}
		}
		for i := range n {
			if strings.EqualFold(primary(locale(i)), primary(want)) {
				return i
			}
		}
	}
	return min(n, 1) - 1
}
