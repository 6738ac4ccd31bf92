package statuslist

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"diwan/protocol/strict"
)

// MaxBundle bounds what [Cache.Import] reads.
const MaxBundle = 64 << 20

// bundle is a cache in bytes: the tokens as they were received, so that whoever
// imports them checks their signatures anew and needs to trust no file.
type bundle struct {
	Lists []bundled `json:"lists"`
}

type bundled struct {
	URI   string `json:"uri"`
	Media string `json:"media_type"`
	Token []byte `json:"token"`
}

// Export returns the tokens of the cache, for use without a network.
func (c *Cache) Export() ([]byte, error) {
	b := bundle{Lists: []bundled{}}
	c.mu.Lock()
	for uri, e := range c.entries {
		if e.verified != nil {
			b.Lists = append(b.Lists, bundled{uri, e.media, e.token})
		}
	}
	c.mu.Unlock()
	slices.SortFunc(b.Lists, func(x, y bundled) int {
		if x.URI < y.URI {
			return -1
		}
		return 1
	})
	out, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("exporting status lists: %w", err)
	}
	if len(out) > MaxBundle {
		return nil, fmt.Errorf("%w: %d bytes to export, at most %d", ErrLarge, len(out), MaxBundle)
	}
	return out, nil
}

// Import verifies the tokens that [Cache.Export] wrote and keeps those that are newer
// than what is known. It returns how many it kept; those refused are in the error and
// don't keep the others out. The time to live of an imported list counts from when it
// was issued, since when it was received can't be checked.
func (c *Cache) Import(b []byte, now time.Time) (int, error) {
	var in bundle
	if err := strict.Unmarshal(b, MaxBundle, &in); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrForm, err)
	}
	if len(in.Lists) > c.o.MaxLists {
		return 0, fmt.Errorf("%w: %d lists, at most %d", ErrLarge, len(in.Lists), c.o.MaxLists)
	}
	kept := 0
	var refused []error
	for _, l := range in.Lists {
		v, err := Verify(l.Media, l.Token, c.policy(l.URI, now))
		if err != nil {
			refused = append(refused, fmt.Errorf("%.200s: %w", l.URI, err))
			continue
		}
		v.Resolved = v.IssuedAt
		if c.keep(v, l) {
			kept++
		}
	}
	return kept, errors.Join(refused...)
}

func (c *Cache) keep(v *Verified, l bundled) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[l.URI]
	if e == nil {
		e = &entry{asked: v.IssuedAt}
		c.entries[l.URI] = e
		c.evict(e)
	}
	if e.verified != nil && !v.IssuedAt.After(e.verified.IssuedAt) {
		return false
	}
	e.verified, e.token, e.media = v, l.Token, l.Media
	return true
}
