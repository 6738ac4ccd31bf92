package statuslist

import (
	"fmt"

	"diwan/protocol/strict"
)

// Bounds on an aggregation.
const (
	maxAggregation = 1 << 20
	maxLists       = 4096
)

// Aggregation names all status lists of an issuer, so that a verifier can have them
// before it needs them (draft -14, section 9).
type Aggregation struct {
	StatusLists []string `json:"status_lists"`
}

// ParseAggregation reads an aggregation document. Each address is absolute and none is
// given twice.
func ParseAggregation(b []byte) (*Aggregation, error) {
	a := new(Aggregation)
	if err := strict.Unmarshal(b, maxAggregation, a); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	if a.StatusLists == nil || len(a.StatusLists) > maxLists {
		return nil, fmt.Errorf("%w: status_lists is absent or names more than %d", ErrForm, maxLists)
	}
	seen := make(map[string]bool, len(a.StatusLists))
	for _, uri := range a.StatusLists {
		if err := (Reference{URI: uri}).Valid(); err != nil {
			return nil, err
		}
		if seen[uri] {
			return nil, fmt.Errorf("%w: %.200q is given twice", ErrForm, uri)
		}
		seen[uri] = true
	}
	return a, nil
}
