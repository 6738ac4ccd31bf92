package sdjwt

import (
	"crypto"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// hider replaces what is marked by digests, from the leaves up.
type hider struct {
	hash        crypto.Hash
	decoys      int
	random      io.Reader
	salt        [saltBytes]byte
	disclosures strings.Builder
	count       int
}

// inner hides what is marked within a value and returns what is to stand for it.
func (w *hider) inner(v any, m *mark) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		return v, w.object(v, m)
	case []any:
		return w.array(v, m)
	}
	return v, nil
}

// object hides members. Digests are sorted, so that their order tells nothing of the
// claims (RFC 9901, section 4.2.4.1).
func (w *hider) object(v map[string]any, m *mark) error {
	var digests []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		below := m.below[name]
		if below == nil {
			continue
		}
		inner, err := w.inner(v[name], below)
		if err != nil {
			return err
		}
		v[name] = inner
		if !below.hide {
			continue
		}
		d, err := w.disclose(name, inner)
		if err != nil {
			return err
		}
		digests = append(digests, d)
		delete(v, name)
	}
	if len(digests) == 0 {
		return nil
	}
	for range w.decoys {
		d, err := w.decoy()
		if err != nil {
			return err
		}
		digests = append(digests, d)
	}
	slices.Sort(digests)
	v["_sd"] = digests
	return nil
}

func (w *hider) array(v []any, m *mark) ([]any, error) {
	hidden := 0
	for i := range v {
		below := m.below[i]
		if below == nil {
			continue
		}
		inner, err := w.inner(v[i], below)
		if err != nil {
			return nil, err
		}
		v[i] = inner
		if !below.hide {
			continue
		}
		d, err := w.disclose(nil, inner)
		if err != nil {
			return nil, err
		}
		v[i] = map[string]any{"...": d}
		hidden++
	}
	if hidden == 0 {
		return v, nil
	}
	for range w.decoys {
		d, err := w.decoy()
		if err != nil {
			return nil, err
		}
		place, err := w.place(len(v) + 1)
		if err != nil {
			return nil, err
		}
		v = slices.Insert(v, place, any(map[string]any{"...": d}))
	}
	return v, nil
}

// disclose writes a disclosure and returns its digest. An element has no name.
func (w *hider) disclose(name, v any) (string, error) {
	if _, err := io.ReadFull(w.random, w.salt[:]); err != nil {
		return "", fmt.Errorf("making a salt: %w", err)
	}
	list := []any{base64.RawURLEncoding.EncodeToString(w.salt[:]), name, v}
	if name == nil {
		list = append(list[:1], v)
	}
	b, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrClaims, err)
	}
	encoded := base64.RawURLEncoding.EncodeToString(b)
	w.disclosures.WriteString(encoded)
	w.disclosures.WriteByte('~')
	w.count++
	return digest(w.hash, encoded), nil
}

// decoy returns a digest that nothing can be found for.
func (w *hider) decoy() (string, error) {
	b := make([]byte, w.hash.Size())
	if _, err := io.ReadFull(w.random, b); err != nil {
		return "", fmt.Errorf("making a decoy: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// place chooses where among n places a decoy stands. It is drawn apart from the decoy:
// a place that follows from the digest would tell which digests are decoys.
func (w *hider) place(n int) (int, error) {
	var b [4]byte
	if _, err := io.ReadFull(w.random, b[:]); err != nil {
		return 0, fmt.Errorf("placing a decoy: %w", err)
	}
	return int(uint64(binary.BigEndian.Uint32(b[:])) * uint64(n) >> 32), nil // #nosec G115 -- less than n
}
