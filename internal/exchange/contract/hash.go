package contract

import (
	"crypto/sha3"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/gowebpki/jcs"
)

// Numbers of the standard's type mappings.
const (
	hashOfContract            = "$1$1$"
	hashOfConnection          = "$1$3$"
	hashOfDelegatedConnection = "$1$4$"
)

// Hash is the content hash (FSC Core, "The content hash"): of the canonical form
// of the bytes that were received, whatever this program made of them.
func Hash(raw []byte) (string, error) {
	if err := strictJSON(raw); err != nil {
		return "", err
	}
	canonical, err := jcs.Transform(raw)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNotIJSON, err)
	}
	return hashOfContract + digest(canonical), nil
}

// GrantHashes name the grants of a contract (FSC Core, "Grant hash"), in their
// order, from the bytes that were received.
func GrantHashes(raw []byte) ([]string, error) {
	hash, err := Hash(raw)
	if err != nil {
		return nil, err
	}
	var c struct {
		Grants []struct {
			Data json.RawMessage `json:"data"`
		} `json:"grants"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotIJSON, err)
	}
	var out []string
	for _, g := range c.Grants {
		var kind struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(g.Data, &kind); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotIJSON, err)
		}
		canonical, err := jcs.Transform(g.Data)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotIJSON, err)
		}
		prefix := hashOfConnection
		if kind.Type == DelegatedConnection {
			prefix = hashOfDelegatedConnection
		}
		out = append(out, prefix+digest(append([]byte(hash), canonical...)))
	}
	return out, nil
}

func digest(b []byte) string {
	sum := sha3.Sum512(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
