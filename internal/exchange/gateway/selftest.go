package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/exchange/pki"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/gov"
	"diwan/protocol/link"
)

// Verdict is what a check found.
type Verdict string

const (
	Good  Verdict = "good"
	Doubt Verdict = "doubt" // works, but somebody should look
	Bad   Verdict = "bad"
)

// Check is one line of the self-test. Code is stable, such as
// selftest.certificate.expired; Args are what its sentence names; Text says it in
// English.
type Check struct {
	Code    string            `json:"code"`
	Verdict Verdict           `json:"verdict"`
	Args    map[string]string `json:"args,omitempty"`
	Text    string            `json:"text"`
}

// tester is what the self-test needs, of a gateway that runs or of one that does
// not.
type tester struct {
	cfg     Config
	clock   gov.Clock
	keys    *keyring
	client  *directory.Client
	view    *snapshot.View
	running bool
	out     []Check
}

// SelfTest checks a gateway that runs.
func (g *Gateway) SelfTest(ctx context.Context) []Check {
	t := &tester{cfg: g.setUp(), clock: g.clock, keys: g.keys, client: g.directory, running: true}
	if tr := g.trust.Load(); tr != nil {
		t.view = tr.view
	}
	t.run(ctx)
	if g.journal.Err() != nil {
		t.bad("selftest.journal.unwritable", nil, "The message log can't be written, so nothing is exchanged: "+g.journal.Err().Error())
	}
	t.maintenance(g.closed.Load())
	t.contracts(g.Contracts(""))
	return t.out
}

// SelfTest checks the setup of a node whose gateway need not run.
func SelfTest(ctx context.Context, cfg Config, clock gov.Clock) []Check {
	t := &tester{cfg: cfg, clock: clock}
	t.cfg.defaults()
	if err := t.cfg.check(); err != nil {
		t.bad("selftest.config", map[string]string{"error": err.Error()}, "The configuration is wrong: "+err.Error())
		return t.out
	}
	o, err := OpenOffice(cfg, clock)
	if err != nil {
		t.bad("selftest.keys", map[string]string{"error": err.Error()}, "The keys of this node can't be opened: "+err.Error())
		return t.out
	}
	t.keys, t.client, t.view = o.keys, o.directory, o.keeper.View()
	if _, err := o.keeper.Update(ctx, o.directory, clock.Now()); err == nil {
		t.view = o.keeper.View()
	} else if !errors.Is(err, directory.ErrUnreachable) {
		t.bad("selftest.directory.untrusted", map[string]string{"error": err.Error()}, "The directory answers with something that this gateway must not believe: "+err.Error())
	}
	t.run(ctx)
	t.database(ctx)
	if list, err := o.Contracts(ctx); err == nil {
		t.contracts(list)
	}
	return t.out
}

func (t *tester) add(v Verdict, code string, args map[string]string, text string) {
	t.out = append(t.out, Check{code, v, args, text})
}

func (t *tester) good(code, text string)                            { t.add(Good, code, nil, text) }
func (t *tester) bad(code string, args map[string]string, s string) { t.add(Bad, code, args, s) }

func (t *tester) run(ctx context.Context) {
	t.reachDirectory(ctx)
	t.name()
	t.certificate()
	t.edgeCertificates(ctx)
	t.port(ctx)
	t.services(ctx)
}

// clockLimit is how far the clock may be off before exchanges fail.
const clockLimit = link.MaxSkew

func (t *tester) reachDirectory(ctx context.Context) {
	if t.client == nil {
		t.add(Doubt, "selftest.directory.none", nil, "No directory is configured: this gateway goes on with the copy it has until that ends.")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, theirs, err := t.client.Trust(ctx)
	if err != nil {
		t.bad("selftest.directory.unreachable", map[string]string{"address": t.cfg.Directory, "error": err.Error()},
			"The directory "+t.cfg.Directory+" does not answer. Check the address, the name server and the firewall: "+err.Error())
		return
	}
	t.good("selftest.directory.reachable", "The directory answers.")
	if _, _, err := t.client.Contracts(ctx, ""); err != nil {
		t.bad("selftest.directory.refuses", map[string]string{"error": err.Error()},
			"The directory does not take this node's signature. Its key may have been revoked, or the clock is wrong: "+err.Error())
	}
	if theirs.IsZero() {
		return
	}
	off := t.clock.Now().Sub(theirs).Round(time.Second)
	if off > clockLimit || off < -clockLimit {
		t.bad("selftest.clock.off", map[string]string{"seconds": fmt.Sprint(int(off.Seconds()))},
			fmt.Sprintf("This machine's clock differs from the directory's by %v; more than %v makes other gateways refuse every message. Set up time synchronisation.", off, clockLimit))
		return
	}
	t.good("selftest.clock.right", "The clock agrees with the directory's.")
}

func (t *tester) name() {
	if t.view == nil {
		t.bad("selftest.directory.missing", nil, "There is no copy of the directory yet.")
		return
	}
	if until := t.view.Index.ValidUntil; t.clock.Now().After(until) {
		t.bad("selftest.directory.expired", map[string]string{"until": until.Format(time.RFC3339)}, "The copy of the directory ended on "+until.Format(time.RFC3339)+"; nothing is exchanged until a new one comes.")
	}
	m := t.view.Members[t.cfg.Member]
	if m == nil {
		t.bad("selftest.name.unknown", map[string]string{"member": t.cfg.Member}, "The directory does not list "+t.cfg.Member+". It may be suspended, or the name in the configuration is wrong.")
		return
	}
	for _, n := range m.Nodes {
		if n.Name == t.cfg.Node {
			t.good("selftest.name.known", "The directory lists this node.")
			t.subsystems(m)
			return
		}
	}
	t.bad("selftest.name.node_unknown", map[string]string{"node": t.cfg.Node}, "The directory lists "+t.cfg.Member+" but not its node "+t.cfg.Node+".")
}

func (t *tester) subsystems(m *snapshot.Member) {
	known := map[string]bool{}
	for _, s := range m.Subsystems {
		known[s.Code] = true
		for _, v := range s.Services {
			known[s.Code+"/"+v.Code] = true
		}
	}
	for _, c := range t.cfg.Clients {
		if !known[c.Subsystem] {
			t.bad("selftest.subsystem.unknown", map[string]string{"subsystem": c.Subsystem}, "The client "+c.Subsystem+" is configured here but not registered in the directory: others will refuse it.")
		}
	}
	for _, s := range t.cfg.Services {
		if name := s.Subsystem + "/" + s.Code; !known[name] {
			t.bad("selftest.service.unknown", map[string]string{"service": name}, "The service "+name+" is configured here but not registered in the directory: nobody can ask for it.")
		}
	}
}

// soonEnds is when a certificate that was not renewed is worth a word: renewal
// begins when a third of the life is left.
const soonEnds = pki.NodeLife / 4

func (t *tester) certificate() {
	c, err := t.keys.tlsCertificate()
	if err != nil {
		t.bad("selftest.certificate.missing", map[string]string{"error": err.Error()}, "This node has no certificate that can be used: "+err.Error())
		return
	}
	now := t.clock.Now()
	left := c.Leaf.NotAfter.Sub(now)
	args := map[string]string{"until": c.Leaf.NotAfter.Format(time.RFC3339)}
	switch {
	case left <= 0:
		t.bad("selftest.certificate.expired", args, "The certificate of this node ended on "+args["until"]+". A new invitation is needed.")
		return
	case now.Before(c.Leaf.NotBefore):
		t.bad("selftest.certificate.not_yet", args, "The certificate of this node is not valid yet: the clock is probably wrong.")
		return
	case left < soonEnds:
		t.add(Doubt, "selftest.certificate.ends_soon", args, "The certificate of this node ends on "+args["until"]+" and was not renewed yet.")
	}
	if t.view == nil {
		return
	}
	if n, ok := t.view.NodeOf(c.Leaf); !ok || n.Member != t.cfg.Member {
		t.bad("selftest.certificate.unknown", nil, "The directory does not know the key of this node's certificate: it was revoked, or the data folder is another node's.")
		return
	}
	if _, err := c.Leaf.Verify(x509.VerifyOptions{Roots: t.view.Authorities, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		t.bad("selftest.certificate.untrusted", nil, "The certificate of this node was not issued by the authority that the directory names.")
		return
	}
	der, err := t.keys.linkPKIX()
	if err != nil {
		return
	}
	if k, ok := t.view.Key(snapshot.KeyID(der)); !ok || k.Member != t.cfg.Member || now.After(k.NotAfter) {
		t.bad("selftest.key.unknown", nil, "The directory does not know the key with which this node signs: it was revoked, or it ended.")
		return
	}
	t.good("selftest.certificate.good", "Certificate and keys are those that the directory knows.")
}

// port comes in where others come in.
func (t *tester) port(ctx context.Context) {
	if len(t.cfg.Link.Addresses) == 0 {
		if t.cfg.HTTP.Address == "" {
			t.add(Doubt, "selftest.port.none", nil, "This node has no address: it can ask, and nobody can ask it.")
		}
		return
	}
	for _, a := range t.cfg.Link.Addresses {
		args := map[string]string{"address": a}
		if err := t.knock(ctx, a); err != nil {
			if !t.running {
				t.add(Doubt, "selftest.port.closed_not_running", args, "Nobody answers at "+a+"; start the gateway and test again.")
				continue
			}
			args["error"] = err.Error()
			t.bad("selftest.port.closed", args, "This node can't be reached at "+a+", where others look for it. Check the listener, the forwarding and the firewall: "+err.Error())
			continue
		}
		t.add(Good, "selftest.port.open", args, "This node is reached at "+a+".")
	}
}

var errOther = errors.New("somebody else answers there")

func (t *tester) knock(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	own, err := t.keys.tlsCertificate()
	if err != nil {
		return err
	}
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer nc.Close()
	c := tls.Client(nc, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, NextProtos: []string{link.Protocol}, Certificates: []tls.Certificate{*own}}) // the key is compared below
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	if t.view == nil {
		return nil
	}
	if n, ok := t.view.NodeOf(c.ConnectionState().PeerCertificates[0]); !ok || n.Member != t.cfg.Member {
		return errOther
	}
	return nil
}

// services knocks at the services that this gateway answers for.
func (t *tester) services(ctx context.Context) {
	for _, s := range t.cfg.Services {
		name := s.Subsystem + "/" + s.Code
		args := map[string]string{"service": name, "url": s.URL}
		req, err := http.NewRequestWithContext(ctx, http.MethodHead, s.URL, nil)
		if err != nil {
			continue
		}
		port := req.URL.Port()
		if port == "" {
			port = req.URL.Scheme
		}
		d := net.Dialer{Timeout: 3 * time.Second}
		nc, err := d.DialContext(ctx, "tcp", net.JoinHostPort(req.URL.Hostname(), port))
		if err != nil {
			args["error"] = err.Error()
			t.bad("selftest.service.unreachable", args, "The service "+name+" does not answer at "+s.URL+": "+err.Error())
			continue
		}
		nc.Close()
		t.add(Good, "selftest.service.reachable", args, "The service "+name+" answers.")
		if s.OpenAPI != "" {
			if _, err := os.Stat(s.OpenAPI); err != nil {
				t.bad("selftest.service.description", args, "The description of "+name+" can't be read: "+err.Error())
			}
		}
	}
}

func (t *tester) database(ctx context.Context) {
	d, err := db.Open(ctx, t.cfg.Database)
	if err != nil {
		t.bad("selftest.database", map[string]string{"error": err.Error()}, "The database can't be opened: "+err.Error())
		return
	}
	defer d.Close()
	if c, err := (store{d, t.cfg.Node}).closure(ctx); err == nil && c != nil && c.Reason != "" {
		t.maintenance(c)
	}
}

func (t *tester) maintenance(c *Closure) {
	if c == nil {
		return
	}
	since := c.Since.UTC().Format(time.RFC3339)
	t.add(Doubt, "selftest.maintenance", map[string]string{"reason": c.Reason, "by": c.By, "since": since},
		"This node is closed for maintenance since "+since+", by "+c.By+": "+c.Reason+". Its services answer nobody until it is opened again.")
}

func (t *tester) contracts(list []*contract.Contract) {
	now := t.clock.Now()
	live := 0
	for _, c := range list {
		state := c.State(now)
		args := map[string]string{"contract": c.Hash, "until": time.Unix(c.Validity.NotAfter, 0).UTC().Format(time.RFC3339)}
		switch {
		case len(c.Failures) > 0:
			t.add(Doubt, "selftest.contract.signature", args, "A signature of the contract "+c.Hash+" does not hold: "+errors.Join(c.Failures...).Error())
		case state == contract.Proposed && !c.Has(t.cfg.Member, contract.Accept):
			t.add(Doubt, "selftest.contract.waits_for_us", args, "The contract "+c.Hash+" waits for our answer.")
		case state == contract.Proposed:
			t.add(Doubt, "selftest.contract.waits_for_others", args, "The contract "+c.Hash+" waits for the answer of another party.")
		case state == contract.Live && time.Unix(c.Validity.NotAfter, 0).Sub(now) < 30*24*time.Hour:
			t.add(Doubt, "selftest.contract.ends_soon", args, "The contract "+c.Hash+" ends on "+args["until"]+".")
		}
		if state == contract.Live {
			live++
		}
	}
	if live == 0 {
		t.add(Doubt, "selftest.contract.none", nil, "No contract is in force: services of others, and ours, answer nobody but for the description of what there is.")
		return
	}
	t.add(Good, "selftest.contract.live", map[string]string{"number": fmt.Sprint(live)}, fmt.Sprintf("%d contracts are in force.", live))
}
