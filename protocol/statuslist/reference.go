package statuslist

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

// Bounds on a reference.
const (
	MaxEntries = 1 << 28 // the largest index is one less
	maxURI     = 2048
)

// Reference names one entry of a status list: what a credential carries as
// status.status_list (draft -14, sections 6.2 and 6.3).
type Reference struct {
	Index int    `json:"idx" cbor:"idx"`
	URI   string `json:"uri" cbor:"uri"`
}

// Status is the content of a credential's status claim as this package writes it,
// in JSON and in CBOR.
type Status struct {
	StatusList Reference `json:"status_list" cbor:"status_list"`
}

// Claim returns the reference as the decoded JSON value of a status claim.
func (r Reference) Claim() map[string]any {
	return map[string]any{"status_list": map[string]any{"idx": r.Index, "uri": r.URI}}
}

// Valid tells whether the index is within the bounds and the address absolute.
func (r Reference) Valid() error {
	if r.Index < 0 || r.Index >= MaxEntries {
		return fmt.Errorf("%w: index %d", ErrReference, r.Index)
	}
	u, err := url.Parse(r.URI)
	if err != nil || len(r.URI) > maxURI || !u.IsAbs() {
		return fmt.Errorf("%w: address %.100q", ErrReference, r.URI)
	}
	return nil
}

// FromClaim reads the reference from a decoded status claim: JSON with its numbers as
// [json.Number] or float64, or CBOR with its numbers as uint64 or int64 and its maps
// as map[string]any or map[any]any. A claim without status_list, which names another
// mechanism, is [ErrMechanism].
func FromClaim(status any) (Reference, error) {
	var r Reference
	list, ok := member(status, "status_list")
	if !ok {
		if _, object := status.(map[string]any); !object {
			if _, object := status.(map[any]any); !object {
				return r, fmt.Errorf("%w: the status is not an object", ErrReference)
			}
		}
		return r, ErrMechanism
	}
	idx, _ := member(list, "idx")
	uri, _ := member(list, "uri")
	if r.Index, ok = index(idx); !ok {
		return r, fmt.Errorf("%w: idx", ErrReference)
	}
	if r.URI, ok = uri.(string); !ok {
		return r, fmt.Errorf("%w: uri", ErrReference)
	}
	return r, r.Valid()
}

func member(v any, name string) (any, bool) {
	switch m := v.(type) {
	case map[string]any:
		found, ok := m[name]
		return found, ok
	case map[any]any:
		found, ok := m[name]
		return found, ok
	}
	return nil, false
}

// index reads a number that must be a whole one and written as such.
func index(v any) (int, bool) {
	switch n := v.(type) {
	case json.Number:
		i, err := strconv.Atoi(string(n))
		return i, err == nil && strconv.Itoa(i) == string(n)
	case float64:
		return int(n), n >= 0 && n < MaxEntries && n == float64(int(n))
	case uint64:
		return int(n), n < MaxEntries // #nosec G115 -- bounded by the condition
	case int64:
		return int(n), true
	case int:
		return n, true
	}
	return 0, false
}
