package check

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"diwan/protocol/cosecode"
	"diwan/protocol/jws"
	"diwan/protocol/sdjwt"
	"diwan/protocol/statuslist"
	"diwan/protocol/trustlist"
)

// Bounds of a kit.
const (
	maxTypes = 1000
	// retry is the least time between two askings for the list of issuers.
	retry = 10 * time.Second
	// noEnd bounds how long a status list is relied on that names no end of its own.
	noEnd = 24 * time.Hour
)

// Fetch gets what lies at an address, with its media type. It bounds bytes and time,
// follows no redirects, and reaches only what it may; see [Fetcher].
type Fetch func(ctx context.Context, url string) (body []byte, mediaType string, err error)

// Options say what a kit relies on and where it renews itself.
type Options struct {
	// Operator is who publishes the list of issuers, and Anchors whom its signature
	// leads to. Everything else is believed because of these two.
	Operator string
	Anchors  []*x509.Certificate
	// Addresses of the list of issuers and of the names of all status lists. Empty ones
	// are not asked.
	TrustURL, ListsURL string
	// Fetch is nil for a kit that never uses a network.
	Fetch Fetch
	// Types describes the types of documents, for people; nil where nobody does.
	Types func(ctx context.Context) ([]*sdjwt.TypeMetadata, error)
	// Failed is told when the lists could not be renewed; nil tells nobody. What is at hand
	// is relied on all the same until its end.
	Failed func(ctx context.Context, err error)
	// Now is the clock, nil for the computer's.
	Now func() time.Time
	// Leeway is by how much clocks may differ; 0 is one minute.
	Leeway time.Duration
}

// Kit is all that checking needs. It is safe for concurrent use.
type Kit struct {
	o      Options
	status *statuslist.Cache
	renew  sync.Mutex // held by the one who asks for the list of issuers

	mu    sync.Mutex // guards what follows
	token string
	list  *trustlist.List
	had   time.Time // when the list was had from its address
	asked time.Time
	certs map[string]*x509.Certificate // of the list, by the name of their key
	types map[string]*sdjwt.TypeMetadata
	// failure is why the lists could last not be renewed, and when that was.
	failure  error
	failedAt time.Time
	// chains that were found good, of the list of now.
	chains map[[32]byte]known
}

// New returns a kit that holds nothing yet.
func New(o Options) *Kit {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Leeway == 0 {
		o.Leeway = time.Minute
	}
	k := &Kit{o: o, types: map[string]*sdjwt.TypeMetadata{}, chains: map[[32]byte]known{}}
	s := statuslist.Options{Key: k.statusKey, Leeway: o.Leeway}
	if o.Fetch != nil {
		s.Fetch = o.Fetch
	}
	k.status = statuslist.NewCache(s)
	return k
}

// ErrTrust means that there is no list of issuers to rely on.
var ErrTrust = errors.New("there is no list of issuers that can be relied on")

// statusKey lets those sign status lists whom the list of issuers names for it.
func (k *Kit) statusKey(h jws.Header, _ string) (crypto.PublicKey, error) {
	l, fresh := k.trust()
	if l == nil || !fresh {
		return nil, ErrTrust
	}
	key, _, err := l.Key(h.X5C, trustlist.StatusLists, k.o.Now())
	return key, err
}

// trust returns the list of issuers, nil for none, and whether it has not ended.
func (k *Kit) trust() (l *trustlist.List, fresh bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.list == nil {
		return nil, false
	}
	return k.list, k.o.Now().Before(time.Unix(k.list.Expires, 0))
}

// SetTrust takes a list of issuers over, unless it is older than the one at hand. One
// that has ended is kept, to tell its age; it makes nothing accepted.
func (k *Kit) SetTrust(token string) error {
	l, err := trustlist.Verify(token, k.o.Operator, k.o.Anchors, k.o.Now())
	if err != nil && !errors.Is(err, trustlist.ErrStale) {
		return err
	}
	certs := map[string]*x509.Certificate{}
	for _, x := range l.Issuers {
		for _, text := range x.Certificates {
			der, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				continue // the list was read, so that there is none
			}
			if c, err := x509.ParseCertificate(der); err == nil {
				certs[hex.EncodeToString(cosecode.KeyID(c))] = c
			}
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.list == nil || l.IssuedAt >= k.list.IssuedAt {
		k.token, k.list, k.certs = token, l, certs
		clear(k.chains)
	}
	return nil
}

// SetTypes replaces the descriptions of types.
func (k *Kit) SetTypes(list []*sdjwt.TypeMetadata) {
	m := map[string]*sdjwt.TypeMetadata{}
	for _, t := range list[:min(len(list), maxTypes)] {
		m[t.VCT] = t
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.types = m
}

// Describe returns the description of a vct or doctype, or nil.
func (k *Kit) Describe(kind string) *sdjwt.TypeMetadata {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.types[kind]
}

// Refresh asks for the list of issuers and the descriptions of types when the time to live of the list has passed. With an error what was there remains.
func (k *Kit) Refresh(ctx context.Context) error { return k.refresh(ctx, false) }

// refresh notes a failure: what is at hand decides then, and whoever looks after the
// installation sees it. It asks anew in any case when anew is set, though not more often
// than retry.
func (k *Kit) refresh(ctx context.Context, anew bool) error {
	err := k.renewed(ctx, anew)
	if err != nil {
		k.failed(ctx, err)
	}
	return err
}

func (k *Kit) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // who asked went away, which says nothing of the lists
	}
	k.mu.Lock()
	k.failure, k.failedAt = err, k.o.Now()
	k.mu.Unlock()
	if k.o.Failed != nil {
		k.o.Failed(ctx, err)
	}
}

// Freshness is how old what a kit relies on is.
type Freshness struct {
	// Made and Ends are of the list of issuers, zero for none; Had is when it was had from
	// its address.
	Made, Ends, Had time.Time
	// Failure is why the lists could last not be renewed, nil when they always could, and
	// FailedAt when that was. It is over when Had is later.
	Failure  error
	FailedAt time.Time
}

// Fresh tells whether the list of issuers can be relied on at a moment.
func (f Freshness) Fresh(now time.Time) bool { return !f.Made.IsZero() && now.Before(f.Ends) }

// Failing tells whether the last try to renew the lists failed.
func (f Freshness) Failing() bool { return f.Failure != nil && !f.Had.After(f.FailedAt) }

// Freshness tells how old what the kit relies on is, and what went wrong last.
func (k *Kit) Freshness() Freshness {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := Freshness{Had: k.had, Failure: k.failure, FailedAt: k.failedAt}
	if k.list != nil {
		f.Made, f.Ends = time.Unix(k.list.IssuedAt, 0).UTC(), time.Unix(k.list.Expires, 0).UTC()
	}
	return f
}

func (k *Kit) renewed(ctx context.Context, anew bool) error {
	if k.o.Fetch == nil || k.o.TrustURL == "" || !k.due(anew) {
		return nil
	}
	// Whoever has a list does not wait for somebody else who asks for the next.
	if !k.renew.TryLock() {
		if l, fresh := k.trust(); l != nil && fresh && !anew {
			return nil
		}
		k.renew.Lock()
	}
	defer k.renew.Unlock()
	if !k.due(anew) { // somebody else was faster
		return nil
	}
	k.mu.Lock()
	k.asked = k.o.Now()
	k.mu.Unlock()
	body, _, err := k.o.Fetch(ctx, k.o.TrustURL)
	if err != nil {
		return fmt.Errorf("asking for the list of issuers: %w", err)
	}
	if err := k.SetTrust(string(body)); err != nil {
		return err
	}
	k.mu.Lock()
	k.had = k.o.Now()
	k.mu.Unlock()
	return k.fetchTypes(ctx)
}

func (k *Kit) due(anew bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.o.Now()
	since := now.Sub(k.asked)
	if !k.asked.IsZero() && since >= 0 && since < retry {
		return false
	}
	return anew || k.list == nil || k.had.IsZero() || !now.Before(k.had.Add(time.Duration(min(k.list.TTL, 1<<30))*time.Second))
}

func (k *Kit) fetchTypes(ctx context.Context) error {
	if k.o.Types == nil {
		return nil
	}
	list, err := k.o.Types(ctx)
	if err != nil {
		return fmt.Errorf("asking for the descriptions of types: %w", err)
	}
	k.SetTypes(list)
	return nil
}

// Load gets everything that checking without a network needs: the list of issuers and
// all status lists.
func (k *Kit) Load(ctx context.Context) error {
	if err := k.refresh(ctx, true); err != nil {
		return err
	}
	if k.o.Fetch == nil || k.o.ListsURL == "" {
		return nil
	}
	body, _, err := k.o.Fetch(ctx, k.o.ListsURL)
	if err != nil {
		return fmt.Errorf("asking for the names of status lists: %w", err)
	}
	a, err := statuslist.ParseAggregation(body)
	if err != nil {
		return err
	}
	return k.status.Refresh(ctx, a.StatusLists, k.o.Now())
}
