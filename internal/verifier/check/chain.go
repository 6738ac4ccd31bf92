package check

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"time"

	"diwan/protocol/trustlist"
)

// maxChains bounds the chains that are remembered; there are about as many as issuers.
const maxChains = 4096

// known is a chain that was found to lead to an issuer of a list, with the span of time
// for which that holds: within it nothing that is checked of the chain depends on when.
type known struct {
	list        *trustlist.List
	issuer      *trustlist.Issuer
	from, until time.Time
}

// issuer finds who signed under a chain and may issue a type. One that is not on the list
// may have begun to issue since: then the list is asked for anew, as seldom as ever.
func (k *Kit) issuer(ctx context.Context, l *trustlist.List, chain []*x509.Certificate, kind string, at time.Time) (*trustlist.Issuer, error) {
	x, err := k.listed(l, chain, kind, at)
	if err == nil || k.refresh(ctx, true) != nil {
		return x, err
	}
	newer, fresh := k.trust()
	if newer == l || !fresh {
		return x, err
	}
	return k.listed(newer, chain, kind, at)
}

// listed finds who signed under a chain and may issue a type, as the list does. A chain
// that was found good before is not computed again: that is a fifth of the cost of
// checking a presentation.
func (k *Kit) listed(l *trustlist.List, chain []*x509.Certificate, kind string, at time.Time) (*trustlist.Issuer, error) {
	h := sha256.New()
	for _, c := range chain {
		h.Write(c.Raw) // DER tells its own length
	}
	h.Write([]byte(kind))
	id := [sha256.Size]byte(h.Sum(nil))
	k.mu.Lock()
	e, ok := k.chains[id]
	k.mu.Unlock()
	if ok && e.list == l && !at.Before(e.from) && at.Before(e.until) {
		return e.issuer, nil
	}
	x, err := l.Issuer(chain, kind, at)
	if err != nil {
		return nil, err
	}
	e = known{list: l, issuer: x, until: time.Unix(1<<40, 0)}
	if x.From != 0 {
		e.from = time.Unix(x.From, 0)
	}
	if x.Until != 0 {
		e.until = time.Unix(x.Until, 0)
	}
	for _, c := range chain {
		e.within(c)
	}
	// Which of the roots it leads to is not told: the span is that of all of them.
	for _, r := range x.Roots {
		der, err := base64.StdEncoding.DecodeString(r)
		if err != nil {
			return x, nil
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return x, nil
		}
		e.within(c)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.chains) >= maxChains {
		clear(k.chains)
	}
	k.chains[id] = e
	return x, nil
}

func (e *known) within(c *x509.Certificate) {
	if c.NotBefore.After(e.from) {
		e.from = c.NotBefore
	}
	if c.NotAfter.Before(e.until) {
		e.until = c.NotAfter
	}
}

// key returns the key of the leaf of a trusted chain.
func (k *Kit) key(ctx context.Context, l *trustlist.List, chain []*x509.Certificate, kind string, at time.Time) (crypto.PublicKey, *trustlist.Issuer, error) {
	x, err := k.issuer(ctx, l, chain, kind, at)
	if err != nil {
		return nil, nil, err
	}
	p, ok := chain[0].PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, nil, fmt.Errorf("%w: its key is not on a NIST curve", trustlist.ErrUntrusted)
	}
	return p, x, nil
}
