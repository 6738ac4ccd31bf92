package gateway

import (
	"slices"
	"sync"
	"time"

	"diwan/internal/exchange/contract"
	"diwan/protocol/xroad"
)

// policy is what the contracts allow, made ready for each request. It is replaced
// whole when a contract or the directory changes.
type policy struct {
	grants    map[pair][]*grant
	clients   map[string][]*grant // by client, for events
	contracts []*contract.Contract
}

// pair is a client and a service as their identifiers' text.
type pair struct{ client, service string }

// grant is one permit of a contract that nobody has rejected or revoked and all
// have accepted; its time is asked with each request.
type grant struct {
	contract.Permit
	meter *meter
}

// newPolicy makes the grants of contracts ready. A grant that is bound to a key
// the asking member does not have (any more) gives nothing.
func newPolicy(list []*contract.Contract, t *trust, meters *meters, now time.Time) *policy {
	p := &policy{grants: map[pair][]*grant{}, clients: map[string][]*grant{}, contracts: list}
	if t == nil {
		return p
	}
	prints := map[string][]string{}
	for _, c := range list {
		if s := c.State(now); s != contract.Live && s != contract.Waiting {
			continue
		}
		permits, err := c.Permits()
		if err != nil {
			continue
		}
		for i := range permits {
			g := &grant{Permit: permits[i], meter: meters.of(&permits[i])}
			client, err := xroad.ParseClientID(g.Client)
			if err != nil {
				continue
			}
			member := client.MemberID().String()
			if prints[member] == nil {
				prints[member] = append([]string{}, t.view.KeyPrints(member)...)
			}
			if !slices.Contains(prints[member], g.KeyPrint) {
				continue
			}
			k := pair{g.Client, g.Service}
			p.grants[k] = append(p.grants[k], g)
			p.clients[g.Client] = append(p.clients[g.Client], g)
		}
	}
	return p
}

// find returns the grant under which a request may pass, nil when there is none.
// Of several the one without limits to its answer comes first.
func (p *policy) find(client, service, method string, path xroad.Path, now time.Time) *grant {
	var best *grant
	for _, g := range p.grants[pair{client, service}] {
		if !g.Allows(method, path, now) {
			continue
		}
		if g.Filter == nil {
			return g
		}
		if best == nil {
			best = g
		}
	}
	return best
}

// rebuild makes the policy anew from the contracts that are kept and the
// directory as it is.
func (g *Gateway) rebuild() {
	g.policyMu.Lock()
	defer g.policyMu.Unlock()
	t := g.trust.Load()
	var list []*contract.Contract
	if t != nil {
		for hash, s := range g.signed {
			c, err := contract.Open(s, t.view.Signer)
			if err != nil || c.Hash != hash {
				g.log.Warn("a contract can't be read", "contract", hash, "err", err)
				continue
			}
			list = append(list, c)
		}
		slices.SortFunc(list, func(a, b *contract.Contract) int { return int(b.CreatedAt - a.CreatedAt) })
	}
	g.policy.Store(newPolicy(list, t, &g.meters, g.clock.Now()))
}

// meters hold what was used of contracts; they outlive the policies.
type meters struct {
	mu      sync.Mutex
	byGrant map[string]*meter
}

// meter counts what passed under one grant. Nodes of one member add up through
// the database once a minute (see spent), so that a limit may be passed by what
// the others let through in that time.
type meter struct {
	perMinute int
	perDay    int64

	mu     sync.Mutex
	minute int64
	calls  int
	day    int64
	bytes  int64 // today, as known from all nodes
	unsaid int64 // of these, not yet in the database
}

func (m *meters) of(p *contract.Permit) *meter {
	if p.Properties.CallsPerMinute == 0 && p.Properties.BytesPerDay == 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byGrant == nil {
		m.byGrant = map[string]*meter{}
	}
	k := m.byGrant[p.Grant]
	if k == nil {
		k = &meter{perMinute: p.Properties.CallsPerMinute, perDay: p.Properties.BytesPerDay}
		m.byGrant[p.Grant] = k
	}
	return k
}

// admit tells whether one more call may pass, and counts it.
func (m *meter) admit(now time.Time) bool {
	if m == nil {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if minute := now.Unix() / 60; minute != m.minute {
		m.minute, m.calls = minute, 0
	}
	m.turn(now)
	if m.perMinute > 0 && m.calls >= m.perMinute || m.perDay > 0 && m.bytes >= m.perDay {
		return false
	}
	m.calls++
	return true
}

func (m *meter) turn(now time.Time) {
	if day := now.Unix() / 86400; day != m.day {
		m.day, m.bytes, m.unsaid = day, 0, 0
	}
}

// spend counts bytes of an answer. The answer that passes the limit is the last
// one that goes out.
func (m *meter) spend(n int64, now time.Time) {
	if m == nil || m.perDay == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	m.bytes += n
	m.unsaid += n
}
