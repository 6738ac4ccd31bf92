package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"diwan/internal/exchange/pki"
	"diwan/internal/exchange/snapshot"
	"diwan/protocol/link"
)

// trust is a view of the directory with the keys of the link made ready. It is
// replaced whole when the view is.
type trust struct {
	view *snapshot.View
	keys sync.Map // link.KeyID to *linkKey, filled as they are met
}

type linkKey struct {
	key                 *link.PublicKey
	notBefore, notAfter time.Time
}

// key returns a signing key if it may sign at a moment. It does not ask whether
// the view itself is still valid: records must stay readable when it is not, and
// who acts on a message asks separately.
func (t *trust) key(id link.KeyID, now time.Time) (*link.PublicKey, error) {
	var k *linkKey
	if v, ok := t.keys.Load(id); ok {
		k = v.(*linkKey)
	} else {
		s, ok := t.view.Key(id)
		if !ok {
			return nil, link.ErrUnknownKey
		}
		pub, err := link.NewPublicKey(s.Public, s.Member)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", link.ErrUnknownKey, err)
		}
		k = &linkKey{pub, s.NotBefore, s.NotAfter}
		t.keys.Store(id, k)
	}
	if now.Before(k.notBefore) || !now.Before(k.notAfter) {
		return nil, fmt.Errorf("%w: valid from %v to %v", link.ErrUnknownKey, k.notBefore, k.notAfter)
	}
	return k.key, nil
}

// linkKeys is the link's Keys.
type linkKeys struct{ g *Gateway }

// Key implements link.Keys.
func (l linkKeys) Key(id link.KeyID, now time.Time) (*link.PublicKey, error) {
	t := l.g.trust.Load()
	if t == nil {
		return nil, link.ErrUnknownKey
	}
	return t.key(id, now)
}

// valid returns the trust if the directory that it stands on may still be used.
func (g *Gateway) valid(now time.Time) *trust {
	t := g.trust.Load()
	if t == nil || now.After(t.view.Index.ValidUntil) {
		return nil
	}
	return t
}

// peer tells which member TLS has proved: a certificate of the exchange's
// authority, valid now, whose key the directory pins.
func (g *Gateway) peer(usage x509.ExtKeyUsage) func(tls.ConnectionState) (string, error) {
	return func(s tls.ConnectionState) (member string, err error) {
		t := g.trust.Load()
		if t == nil {
			return "", fmt.Errorf("%w: no directory yet", pki.ErrPeer)
		}
		now := g.clock.Now()
		err = pki.VerifyPeer(func() *x509.CertPool { return t.view.Authorities }, func() time.Time { return now }, usage, func(c *x509.Certificate) error {
			n, ok := t.view.NodeOf(c)
			if !ok || now.After(n.NotAfter) {
				return fmt.Errorf("%w: the directory does not know its key", pki.ErrPeer)
			}
			member = n.Member
			return nil
		})(s)
		return member, err
	}
}

// serverTLS and clientTLS take the certificate as it is at each handshake, so
// that a renewal needs no restart. Whom to trust is said in Peer, from the
// signed directory: names in certificates play no part.
func (g *Gateway) serverTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAnyClientCert,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return g.cert.Load(), nil }}
}

func (g *Gateway) clientTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, // Peer verifies, against the directory
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return g.cert.Load(), nil }}
}

// adopt takes a new view into use and cuts the connections of those whom it
// trusts less than the one before.
func (g *Gateway) adopt(v *snapshot.View) {
	old := g.trust.Load()
	g.trust.Store(&trust{view: v})
	g.rebuild()
	if old == nil {
		return
	}
	gone := lostPins(old.view, v)
	if len(gone) > 0 && g.server != nil {
		g.server.Disconnect(func(member string) bool { return gone[member] })
	}
	g.peers.refresh(v, gone)
}

// lostPins names the members that lost a TLS key, or are no longer there.
func lostPins(old, now *snapshot.View) map[string]bool {
	gone := map[string]bool{}
	for id, m := range old.Members {
		next := now.Members[id]
		if next == m {
			continue
		}
		var pins []string
		if next != nil {
			for _, n := range next.Nodes {
				for _, p := range n.TLS {
					pins = append(pins, p.SHA256)
				}
			}
		}
		for _, n := range m.Nodes {
			for _, p := range n.TLS {
				if !slices.Contains(pins, p.SHA256) {
					gone[id] = true
				}
			}
		}
		if next == nil {
			gone[id] = true
		}
	}
	revoked := map[string]bool{}
	for _, r := range now.Index.Revoked {
		revoked[r.SHA256] = true
	}
	for _, r := range old.Index.Revoked {
		delete(revoked, r.SHA256)
	}
	if len(revoked) == 0 {
		return gone
	}
	for _, id := range slices.Sorted(maps.Keys(now.Members)) {
		for _, n := range now.Members[id].Nodes {
			for _, p := range n.TLS {
				if revoked[p.SHA256] {
					gone[id] = true
				}
			}
		}
	}
	return gone
}
