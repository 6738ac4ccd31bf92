package sdjwt

import (
	"errors"
	"fmt"
	"strings"

	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
)

// Needed returns which disclosures, by their index in t.Disclosures, show what the
// paths select, and no others: those of the selected values, those within which these
// lie, and those within the selected values, since a path selects a claim with its
// sub-claims. A path that selects nothing in this token is [ErrPath].
func (t *Token) Needed(paths ...claimpath.Path) ([]int, error) {
	need := make([]bool, len(t.Disclosures))
	for _, p := range paths {
		found, err := p.Locate(t.claims)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPath, err)
		}
		for _, m := range found {
			for i := range t.Disclosures {
				d := t.Disclosures[i].Path
				if d.Prefix(m.Path) || m.Path.Prefix(d) {
					need[i] = true
				}
			}
		}
	}
	var out []int
	for i, n := range need {
		if n {
			out = append(out, i)
		}
	}
	return out, nil
}

// Present returns the token with only the disclosures that [Token.Needed] names: with
// no paths, only what its issuer did not hide. What [Token.Verify] found of this token
// holds of the result, whose key binding, if there was one, is gone.
func (t *Token) Present(paths ...claimpath.Path) (*Token, error) {
	need, err := t.Needed(paths...)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(t.issuer)
	b.WriteByte('~')
	for _, i := range need {
		b.WriteString(t.Disclosures[i].Encoded)
		b.WriteByte('~')
	}
	shown, err := Parse(b.String(), jws.Want{Types: []string{t.Header.Typ}, Algorithms: []string{t.Header.Alg}})
	if err != nil {
		return nil, errors.Join(ErrPath, err)
	}
	return shown, nil
}
