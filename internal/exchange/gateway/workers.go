package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/exchange/pki"
)

// workers go on beside the exchange; none is on the way of a message.
func (g *Gateway) workers() []func(context.Context) {
	look := g.cfg.Limits.LookEvery
	list := []func(context.Context){
		g.follow,
		g.every("counters", time.Minute, g.flushCounters),
		g.every("retention", time.Hour, g.retain),
		g.every("sign of life", beatEvery, g.beat),
		g.every("connections", time.Minute, func(context.Context) error { g.peers.sweep(g.clock.Now()); return nil }),
	}
	if g.directory != nil {
		list = append(list,
			g.every("directory", look, g.lookUp),
			g.every("certificate", time.Hour, g.renewIfDue),
			g.every("notices", look, g.sendNotices),
			g.every("usage", 2*time.Minute, g.sendUsage))
	}
	if g.acme != nil {
		list = append(list, g.every("edge certificates", lookAtCertificates, g.wantCertificates))
	}
	if g.traces != nil {
		list = append(list, g.traces.Run)
	}
	return append(append(list, g.proofWorkers()...), g.subscriptions()...)
}

// every runs a task now and then; a failure is logged and tried again, later each
// time up to a minute's delay.
func (g *Gateway) every(name string, wait time.Duration, task func(context.Context) error) func(context.Context) {
	return func(ctx context.Context) {
		failures := 0
		for {
			err := task(ctx)
			next := wait
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				failures++
				g.log.Warn("exchange: a task failed", "task", name, "failures", failures, "err", err)
				next = max(wait, min(wait<<min(failures, 10), time.Minute))
			default:
				failures = 0
			}
			if !pause(ctx, next) {
				return
			}
		}
	}
}

// lookUp fetches what is new of the directory and of the contracts.
func (g *Gateway) lookUp(ctx context.Context) error {
	g.looking.Lock()
	defer g.looking.Unlock()
	changed, err := g.keeper.Update(ctx, g.directory, g.clock.Now())
	if err != nil {
		return err
	}
	if changed {
		g.adopt(g.keeper.View())
	}
	return errors.Join(g.fetchContracts(ctx), g.announce(ctx))
}

// announce tells the directory when this node is elsewhere than it says, or closed
// or open otherwise than it was told.
func (g *Gateway) announce(ctx context.Context) error {
	if err := g.tellClosure(ctx); err != nil {
		return err
	}
	t := g.trust.Load()
	if t == nil || !g.reachable() {
		return nil
	}
	m := t.view.Members[g.cfg.Member]
	if m == nil {
		return nil
	}
	for _, n := range m.Nodes {
		if n.Name == g.cfg.Node && (n.HTTP != g.cfg.HTTP.Address || !slices.Equal(n.Addresses, g.cfg.Link.Addresses)) {
			return g.tellState(ctx, "", "")
		}
	}
	return nil
}

// contractsCursor names how far the contracts were read.
const contractsCursor = "contracts"

// fetchContracts reads the member's contracts that changed. What is kept is what
// came; what it is worth is found when the policy is made.
func (g *Gateway) fetchContracts(ctx context.Context) error {
	after, err := g.store.cursor(ctx, contractsCursor)
	if err != nil {
		return err
	}
	for {
		list, next, err := g.directory.Contracts(ctx, after)
		if err != nil || len(list) == 0 || next == after {
			return err
		}
		err = g.db.RunTx(ctx, func(tx *db.Tx) error {
			for _, c := range list {
				if err := g.store.putContract(ctx, tx, c.Hash, c.Signed); err != nil {
					return err
				}
			}
			return g.store.setCursor(ctx, tx, contractsCursor, next)
		})
		if err != nil {
			return err
		}
		g.policyMu.Lock()
		signed := make(map[string]contract.Signed, len(g.signed)+len(list))
		for h, s := range g.signed {
			signed[h] = s
		}
		for _, c := range list {
			signed[c.Hash] = c.Signed
		}
		g.signed = signed
		g.policyMu.Unlock()
		g.rebuild()
		after = next
	}
}

// renewIfDue renews the certificate when a third of its life is left.
func (g *Gateway) renewIfDue(ctx context.Context) error {
	c := g.cert.Load().Leaf
	if left := c.NotAfter.Sub(g.clock.Now()); left > c.NotAfter.Sub(c.NotBefore)/3 {
		return nil
	}
	return g.Renew(ctx)
}

// Renew gets a new certificate on a new key. The old one is used until the
// directory shows the new one's key, for others would not know it before.
func (g *Gateway) Renew(ctx context.Context) error {
	if g.directory == nil {
		return errNoDirectory
	}
	key, err := g.keys.store.Rotate(tlsPurpose)
	if err != nil {
		return err
	}
	csr, err := pki.NewRequest(key)
	if err != nil {
		return err
	}
	a, err := g.directory.Renew(ctx, directory.Renewal{TLSRequest: csr})
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(a.TLSCertificate)
	if err != nil {
		return err
	}
	if pub, ok := key.Public().(*ecdsa.PublicKey); !ok || !pub.Equal(cert.PublicKey) {
		return errors.New("the new certificate is for another key")
	}
	if err := writeCertificate(filepath.Join(g.cfg.Data, tlsFile), cert.Raw); err != nil {
		return err
	}
	if _, err := g.keeper.Update(ctx, g.directory, g.clock.Now()); err != nil {
		return err
	}
	g.adopt(g.keeper.View())
	// Others see the directory a little later than we do.
	time.AfterFunc(3*g.cfg.Limits.LookEvery, func() {
		if c, err := g.keys.tlsCertificate(); err == nil {
			g.cert.Store(c)
		}
	})
	g.log.Info("exchange: the certificate was renewed", "until", cert.NotAfter)
	return nil
}

var errNoDirectory = errors.New("no directory is configured")

// retain drops what was kept for long enough.
func (g *Gateway) retain(ctx context.Context) error {
	now := g.clock.Now()
	kept := time.Duration(g.cfg.RetentionDays) * 24 * time.Hour
	if g.indexedTo.Load() > 0 {
		if _, err := g.journal.DropBefore(ctx, now.Add(-kept)); err != nil {
			return err
		}
	}
	return g.store.sweep(ctx, now, g.cfg.Limits.OutcomeKept, kept)
}
