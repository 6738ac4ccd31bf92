package gateway

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"diwan/internal/exchange/snapshot"
	"diwan/protocol/link"
)

// peers are the connections to the gateways of other members. A client holds one
// connection, to whichever of the member's nodes answers, and moves on when that
// one is gone.
type peers struct {
	g  *Gateway
	mu sync.Mutex
	m  map[peerName]*peer
}

// peerName is a member, and one node of it when a client asked for that one.
type peerName struct{ member, node string }

type peer struct {
	client    *link.Client
	addresses []string
	used      atomic.Int64 // Unix seconds
}

// unusedFor is when a connection that nobody uses is closed.
const unusedFor = 10 * time.Minute

// errNoAddress: the member has no gateway that can be reached over the link.
var errNoAddress = errors.New("the directory names no address of this member's gateways")

// reach returns the client for a member.
func (p *peers) reach(name peerName, v *snapshot.View, now time.Time) (*link.Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.m[name]; c != nil {
		c.used.Store(now.Unix())
		return c.client, nil
	}
	addresses := addressesOf(v, name)
	if len(addresses) == 0 {
		return nil, errNoAddress
	}
	c, err := link.NewClient(link.ClientConfig{Config: p.g.linkConfig(p.g.peer(x509.ExtKeyUsageServerAuth)), Member: name.member, Addresses: addresses, TLS: p.g.clientTLS()})
	if err != nil {
		return nil, fmt.Errorf("reaching %s: %w", name.member, err)
	}
	n := &peer{client: c, addresses: addresses}
	n.used.Store(now.Unix())
	if p.m == nil {
		p.m = map[peerName]*peer{}
	}
	p.m[name] = n
	return c, nil
}

func addressesOf(v *snapshot.View, name peerName) []string {
	m := v.Members[name.member]
	if m == nil {
		return nil
	}
	var out []string
	for _, n := range m.Nodes {
		if name.node == "" || n.Name == name.node {
			out = append(out, n.Addresses...)
		}
	}
	return out
}

// refresh drops the connections to members that moved or lost keys. What is under
// way on one that only moved may end.
func (p *peers) refresh(v *snapshot.View, gone map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, c := range p.m {
		switch {
		case gone[name.member]:
			c.client.Close()
		case !slices.Equal(c.addresses, addressesOf(v, name)):
			time.AfterFunc(p.g.cfg.Limits.AnswerTime, func() { c.client.Close() })
		default:
			continue
		}
		delete(p.m, name)
	}
}

// sweep closes what nobody uses.
func (p *peers) sweep(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, c := range p.m {
		if now.Unix()-c.used.Load() > int64(unusedFor/time.Second) {
			delete(p.m, name)
			time.AfterFunc(p.g.cfg.Limits.AnswerTime, func() { c.client.Close() })
		}
	}
}

func (p *peers) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.m {
		c.client.Close()
	}
	p.m = nil
}

// Connect opens the link to a member as a test of the way there.
func (g *Gateway) Connect(ctx context.Context, member string) error {
	now := g.clock.Now()
	t := g.valid(now)
	if t == nil {
		return snapshot.ErrExpired
	}
	c, err := g.peers.reach(peerName{member: member}, t.view, now)
	if err != nil {
		return err
	}
	return c.Connect(ctx)
}
