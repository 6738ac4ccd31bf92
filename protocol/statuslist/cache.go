package statuslist

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"sync"
	"time"

	"diwan/protocol/jws"
)

// Options are what a cache needs. The functions may be called by several at once.
type Options struct {
	// Fetch gets a token from its address, with its media type. It bounds time and
	// size and keeps to addresses that it may call. Nil keeps the cache offline: it
	// knows what was imported and nothing else.
	Fetch func(ctx context.Context, uri string) (token []byte, mediaType string, err error)
	// Key, Leeway, MaxEntries and Algorithms are as in [Policy].
	Key        func(h jws.Header, uri string) (crypto.PublicKey, error)
	Leeway     time.Duration
	MaxEntries int
	Algorithms []string
	// MaxLists bounds how many lists are kept; 0 is 256. The one had longest ago goes
	// first.
	MaxLists int
	// Timeout ends a fetch; 0 is 15 seconds.
	Timeout time.Duration
	// MinInterval is the least time between two fetches from one address, whatever its
	// time to live and whether the last failed; 0 is 10 seconds.
	MinInterval time.Duration
}

// Cache keeps verified tokens by their address and fetches each at most once at a
// time. It is safe for concurrent use. Lists that it returns are shared: they may not
// be changed.
type Cache struct {
	o       Options
	mu      sync.Mutex
	entries map[string]*entry
}

// entry is what is known of one address. Its fields are guarded by the cache's mutex.
type entry struct {
	verified *Verified // nil before the first success
	token    []byte
	media    string
	asked    time.Time // when last fetched, by the caller's clock
	failed   error     // of the last fetch
	flight   chan struct{}
}

// NewCache returns an empty cache.
func NewCache(o Options) *Cache {
	if o.MaxLists == 0 {
		o.MaxLists = 256
	}
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	if o.MinInterval == 0 {
		o.MinInterval = 10 * time.Second
	}
	return &Cache{o: o, entries: map[string]*entry{}}
}

// Status returns the status of a credential by a list that is fresh at that time,
// fetching it if need be. With any error nothing is known.
func (c *Cache) Status(ctx context.Context, r Reference, now time.Time) (Value, *Verified, error) {
	if err := r.Valid(); err != nil {
		return 0, nil, err
	}
	v, err := c.Get(ctx, r.URI, now)
	if err != nil {
		return 0, nil, err
	}
	s, err := v.Status(r)
	return s, v, err
}

// Offline returns the status by the list that is there, without the network. Fresh
// tells whether its time to live has not passed; a list past its end is [ErrExpired],
// one that isn't there [ErrFetch].
func (c *Cache) Offline(r Reference, now time.Time) (s Value, v *Verified, fresh bool, err error) {
	v = c.Peek(r.URI)
	if v == nil {
		return 0, nil, false, fmt.Errorf("%w: it is not in the cache", ErrFetch)
	}
	if v.expired(now.Add(-c.o.Leeway)) {
		return 0, v, false, fmt.Errorf("%w: on %s", ErrExpired, v.Expires.Format(time.RFC3339))
	}
	s, err = v.Status(r)
	return s, v, v.Fresh(now), err
}

// Peek returns what is kept for an address, however old, or nil.
func (c *Cache) Peek(uri string) *Verified {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[uri]; e != nil {
		return e.verified
	}
	return nil
}

// Get returns the list of an address, fresh at that time.
func (c *Cache) Get(ctx context.Context, uri string, now time.Time) (*Verified, error) {
	c.mu.Lock()
	e := c.entries[uri]
	if e != nil {
		if done, v, err := c.usable(e, now); done {
			c.mu.Unlock()
			return v, err
		}
	}
	if c.o.Fetch == nil {
		c.mu.Unlock()
		return nil, fmt.Errorf("%w: there is no network", ErrFetch)
	}
	if e == nil {
		e = &entry{}
		c.entries[uri] = e
		c.evict(e)
	}
	flight := e.flight
	if flight == nil {
		flight = make(chan struct{})
		e.flight = flight
		// The fetch goes on for those who wait when the first of them goes away.
		go c.fetch(context.WithoutCancel(ctx), uri, e, flight, now)
	}
	c.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrFetch, ctx.Err())
	case <-flight:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return e.verified.or(e.failed)
}

func (v *Verified) or(err error) (*Verified, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// usable tells whether an entry answers without a fetch: it is fresh, or its address
// was asked so short a time ago that the answer of then stands.
func (c *Cache) usable(e *entry, now time.Time) (done bool, v *Verified, err error) {
	if e.verified != nil && e.verified.Fresh(now) {
		return true, e.verified, nil
	}
	since := now.Sub(e.asked)
	if e.flight != nil || e.asked.IsZero() || since < 0 || since >= c.o.MinInterval {
		return false, nil, nil
	}
	if e.failed == nil && e.verified.expired(now) {
		return true, nil, fmt.Errorf("%w: on %s", ErrExpired, e.verified.Expires.Format(time.RFC3339))
	}
	v, err = e.verified.or(e.failed)
	return true, v, err
}

func (c *Cache) fetch(ctx context.Context, uri string, e *entry, flight chan struct{}, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	token, media, err := c.o.Fetch(ctx, uri)
	var v *Verified
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrFetch, err)
	} else {
		v, err = Verify(media, token, c.policy(uri, now))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e.asked, e.failed, e.flight = now, err, nil
	// An older list in the place of a newer one would take a revocation back.
	if err == nil && e.verified != nil && v.IssuedAt.Before(e.verified.IssuedAt) {
		e.failed = fmt.Errorf("%w: an older one than is known", ErrStale)
	}
	if e.failed == nil {
		e.verified, e.token, e.media = v, token, media
	}
	close(flight)
}

func (c *Cache) policy(uri string, now time.Time) Policy {
	return Policy{URI: uri, Key: c.o.Key, Now: now, Leeway: c.o.Leeway, MaxEntries: c.o.MaxEntries, Algorithms: c.o.Algorithms}
}

// evict drops the entry asked longest ago, other than keep, when there are too many.
// An entry that is being fetched stays, for those who wait.
func (c *Cache) evict(keep *entry) {
	for len(c.entries) > c.o.MaxLists {
		var oldest string
		found := false
		for uri, e := range c.entries {
			if e != keep && e.flight == nil && (!found || e.asked.Before(c.entries[oldest].asked)) {
				oldest, found = uri, true
			}
		}
		if !found {
			return
		}
		delete(c.entries, oldest)
	}
}

// Refresh gets all lists that are not fresh, one after the other, and goes on where one
// fails (section 9). The errors are joined.
func (c *Cache) Refresh(ctx context.Context, uris []string, now time.Time) error {
	var all []error
	for _, uri := range uris {
		if ctx.Err() != nil {
			return errors.Join(append(all, ctx.Err())...)
		}
		if _, err := c.Get(ctx, uri, now); err != nil {
			all = append(all, fmt.Errorf("%.200s: %w", uri, err))
		}
	}
	return errors.Join(all...)
}
