package holder

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"
	"time"

	"diwan/protocol/jws"
	"diwan/protocol/openid4"
	"diwan/protocol/statuslist"
	"diwan/protocol/trustlist"
)

// listPath is where an issuer publishes who may issue what, below its identifier.
const listPath = "/trust/issuers"

// trust decides whose signatures are taken for what an issuer gives out.
type trust struct {
	issuer string
	list   *trustlist.List // nil: only the form of certificates is checked
	now    time.Time
}

// trustIn asks an issuer for the list of issuers when there are anchors to believe it by.
func (w *Wallet) trustIn(ctx context.Context, issuer string) (*trust, error) {
	t := &trust{issuer: issuer, now: w.now()}
	if len(w.Anchors) == 0 {
		return t, nil
	}
	a, err := w.get(ctx, "asking for the list of issuers", strings.TrimSuffix(issuer, "/")+listPath, trustlist.MediaType)
	if err != nil {
		return nil, err
	}
	t.list, err = trustlist.Verify(string(a.body), issuer, w.Anchors, t.now)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	return t, nil
}

// signer checks who signed a document of a type under a chain of certificates.
func (t *trust) signer(chain []*x509.Certificate, kind string) (crypto.PublicKey, error) {
	if len(chain) == 0 {
		return nil, fmt.Errorf("%w: it carries no certificate", ErrUntrusted)
	}
	if err := openid4.CheckChain(chain); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	if t.list == nil {
		return chain[0].PublicKey, nil
	}
	key, _, err := t.list.Key(chain, kind, t.now)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	return key, nil
}

// statusSigner checks who signed a status list. Without a list of issuers only one at
// the issuer's own host is taken: whoever names another could say what they like.
func (t *trust) statusSigner(h jws.Header, uri string) (crypto.PublicKey, error) {
	if t.list == nil {
		at, err := url.Parse(uri)
		own, err2 := url.Parse(t.issuer)
		if err != nil || err2 != nil || at.Scheme != own.Scheme || at.Host != own.Host {
			return nil, fmt.Errorf("%w: the status list lies elsewhere than the issuer", ErrUntrusted)
		}
	}
	return t.signer(h.X5C, trustlist.StatusLists)
}

// Standing is how a document stands today.
type Standing string

// Standings. Unknown is never taken for valid by a verifier.
const (
	Valid     Standing = "valid"
	Revoked   Standing = "revoked"
	Suspended Standing = "suspended"
	Expired   Standing = "expired"
	NotYet    Standing = "not_yet_valid"
	Unknown   Standing = "unknown"
	Waiting   Standing = "waiting"
)

// Standing tells how a document stands. Where the status can't be had it is Unknown, and
// the error says why.
func (w *Wallet) Standing(ctx context.Context, d *Document) (Standing, error) {
	if d.Pending != nil {
		return Waiting, nil
	}
	c, err := d.Content()
	if err != nil {
		return Unknown, err
	}
	if s := w.InTime(c); s != Valid {
		return s, nil
	}
	switch {
	case c.StatusOther:
		return Unknown, fmt.Errorf("asking for the status: %w", statuslist.ErrMechanism)
	case c.Status == nil:
		return Valid, nil
	}
	t, err := w.trustIn(ctx, d.Issuer)
	if err != nil {
		return Unknown, err
	}
	cache := statuslist.NewCache(statuslist.Options{Key: t.statusSigner, Leeway: leeway, Fetch: func(ctx context.Context, uri string) ([]byte, string, error) {
		a, err := w.get(ctx, "asking for the status", uri, statuslist.MediaJWT+", "+statuslist.MediaCWT+";q=0.5")
		if err != nil {
			return nil, "", err
		}
		return a.body, a.kind(), nil
	}})
	l, err := cache.Get(ctx, c.Status.URI, w.now())
	if err != nil {
		return Unknown, err
	}
	v, err := l.Status(*c.Status)
	switch {
	case err != nil:
		return Unknown, err
	case v == statuslist.Valid:
		return Valid, nil
	case v == statuslist.Suspended:
		return Suspended, nil
	case v == statuslist.Invalid:
		return Revoked, nil
	}
	return Unknown, fmt.Errorf("the status is %s, which this wallet does not know", v)
}

// InTime tells whether a document may be used today by its dates alone.
func (w *Wallet) InTime(c *Content) Standing {
	now := w.now()
	switch {
	case !c.From.IsZero() && now.Add(leeway).Before(c.From):
		return NotYet
	case !c.Until.IsZero() && !now.Add(-leeway).Before(c.Until):
		return Expired
	}
	return Valid
}
