package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"

	"diwan/internal/db"
	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/exchange/gateway/tracing"
	"diwan/internal/exchange/journal"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/gov"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// Gateway is one node of one member. Open makes it, Run lets it work.
type Gateway struct {
	cfg    Config
	log    *slog.Logger
	clock  gov.Clock
	member xroad.ClientID
	style  xroad.Style
	boot   string // of this process, for claims

	db           *db.DB
	store        store
	keys         *keyring
	cert         atomic.Pointer[tls.Certificate]
	signer       *link.Signer
	verifier     *link.Verifier
	journal      *journal.Journal
	keeper       *snapshot.Keeper
	directory    *directory.Client // nil when there is none
	server       *link.Server
	systems      atomic.Pointer[systems]
	peers        peers
	metrics      *metrics
	usage        usage
	leisure      leisure
	monitor      monitor
	meters       meters
	httpPeers    httpPeers
	proof        proofs
	verification verification
	acme         *edgeACME               // nil when the edge shows no certificate of another authority
	traces       *tracing.Tracer         // nil when no collector is named
	extra        map[string]http.Handler // of the admin listener

	trust  atomic.Pointer[trust]
	policy atomic.Pointer[policy]

	reloading sync.Mutex
	looking   sync.Mutex
	policyMu  sync.Mutex
	signed    map[string]contract.Signed

	closing   sync.Mutex
	telling   sync.Mutex              // what the directory hears last is what is
	closed    atomic.Pointer[Closure] // for maintenance; nil while it is open
	untold    atomic.Pointer[Closure] // what the directory is to be told of it
	underWay  atomic.Int64
	bodies    atomic.Int64
	indexedTo atomic.Uint64
	dated     atomic.Pointer[dated]

	listeners listeners
}

// dirMode: nobody but the gateway's user has business in its folders.
const dirMode = 0o700

// maxClockSkew is how far the directory's clock may be ahead of ours.
const maxClockSkew = 2 * time.Minute

// Open opens keys, journal and database, and takes up the directory and the
// contracts as they were last seen. It listens already, so that a port in use is
// known at once; Run answers. The journal has one process at a time.
func Open(ctx context.Context, cfg Config, log *slog.Logger, clock gov.Clock) (_ *Gateway, err error) {
	cfg.defaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	g := &Gateway{cfg: cfg, log: log, clock: clock, member: cfg.memberID(), style: cfg.style(), boot: gov.NewID(), verifier: link.NewVerifier(),
		metrics: newMetrics(), monitor: monitor{userID: cfg.MonitoringUserID}}
	g.peers.g = g
	g.policy.Store(newPolicy(nil, nil, &g.meters, clock.Now()))
	defer func() {
		if err != nil {
			g.Close()
		}
	}()
	if err := os.MkdirAll(cfg.Data, dirMode); err != nil {
		return nil, fmt.Errorf("the data folder: %w", err)
	}
	if err := g.openKeys(); err != nil {
		return nil, err
	}
	if err := errors.Join(g.openTraces(), g.openACME()); err != nil {
		return nil, err
	}
	if err := g.openStore(ctx); err != nil {
		return nil, err
	}
	if err := g.openSystems(); err != nil {
		return nil, err
	}
	if err := g.openDirectory(ctx); err != nil {
		return nil, err
	}
	if err := errors.Join(g.openLink(), g.openHTTP(), g.openProof(ctx)); err != nil {
		return nil, err
	}
	g.gauges()
	return g, g.listen()
}

func (g *Gateway) openKeys() (err error) {
	if g.keys, err = openKeys(g.cfg.Data, g.clock, false); err != nil {
		return fmt.Errorf("opening the node's keys: %w", err)
	}
	cert, err := g.keys.tlsCertificate()
	if err != nil {
		return err
	}
	g.cert.Store(cert)
	g.signer, err = link.NewSigner(g.keys.link, g.cfg.Member)
	return err
}

func (g *Gateway) openStore(ctx context.Context) (err error) {
	if g.db, err = db.Open(ctx, g.cfg.Database); err != nil {
		return err
	}
	g.store = store{g.db, g.cfg.Node}
	if _, err := g.db.Migrate(ctx, migrations(), g.clock.Now()); err != nil {
		return err
	}
	if err := g.openClosure(ctx); err != nil {
		return err
	}
	if err := g.store.beat(ctx, g.boot, g.clock.Now()); err != nil {
		return err
	}
	g.leisure.last = g.Records
	l := &g.cfg.Limits
	g.journal, err = journal.Open(filepath.Join(g.cfg.Data, journalFolder), journal.Options{SegmentBytes: l.SegmentMiB << 20, MinFree: l.MinFreeMiB << 20, Now: g.clock.Now, Log: g.log})
	return err
}

func (g *Gateway) openSystems() error {
	s, err := newSystems(g.cfg, nil)
	if err != nil {
		return err
	}
	g.systems.Store(s)
	return nil
}

// tls is what is trusted of a service and shown to it.
func (c *ServiceConfig) tls() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.SkipVerify} // its owner asked for it, of a machine of their own
	if c.CA != "" {
		b, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, err
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("%s holds no certificate", c.CA)
		}
	}
	if c.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
		if err != nil {
			return nil, err
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return conf, nil
}

func (g *Gateway) openDirectory(ctx context.Context) (err error) {
	trusted, err := g.keys.trustedKeys()
	if err != nil {
		return err
	}
	if g.keeper, err = snapshot.NewKeeper(filepath.Join(g.cfg.Data, directoryCache), g.cfg.Instance, trusted, maxClockSkew); err != nil {
		return err
	}
	if g.cfg.Directory != "" {
		if g.directory, err = directory.New(g.cfg.Directory, directory.Options{Signer: g.keys.link, Now: g.clock.Now}); err != nil {
			return err
		}
	}
	if g.signed, err = g.store.contracts(ctx); err != nil {
		return fmt.Errorf("reading the contracts: %w", err)
	}
	if v := g.keeper.View(); v != nil {
		g.adopt(v)
	}
	return nil
}

// linkConfig is what both sides of the link need.
func (g *Gateway) linkConfig(peer func(tls.ConnectionState) (string, error)) link.Config {
	return link.Config{Signer: g.signer, Keys: linkKeys{g}, Journal: timedJournal{g.journal, g.metrics.flush}, Verifier: g.verifier, PerMessage: g.cfg.PerMessage, Now: g.clock.Now, Log: g.log, Peer: peer,
		Limits: link.Limits{BodyBytes: g.cfg.Limits.BodyMiB << 20, BodyIdle: g.cfg.Limits.BodyTime}}
}

func (g *Gateway) openLink() error {
	now := g.clock.Now()
	replay := link.NewReplayWindow(now, 0, nil)
	if err := g.journal.RestoreReplay(replay, now); err != nil {
		return err
	}
	var err error
	g.server, err = link.NewServer(link.ServerConfig{Config: g.linkConfig(g.peer(x509.ExtKeyUsageClientAuth)), TLS: g.serverTLS(), Handler: &provider{g}, Replay: replay})
	return err
}

// listeners are the open ports; nil where none is configured.
type listeners struct {
	edge, edgeTLS, link, http, admin net.Listener
}

func (g *Gateway) listen() error {
	for _, l := range []struct {
		to      *net.Listener
		name    string
		address string
	}{
		{&g.listeners.edge, "edge", g.cfg.Edge.HTTP}, {&g.listeners.edgeTLS, "edge over TLS", g.cfg.Edge.HTTPS}, {&g.listeners.link, "link", g.cfg.Link.Listen},
		{&g.listeners.http, "second profile", g.cfg.HTTP.Listen}, {&g.listeners.admin, "admin", g.cfg.Admin.Listen},
	} {
		if l.address == "" {
			continue
		}
		var err error
		if *l.to, err = net.Listen("tcp", l.address); err != nil {
			return fmt.Errorf("listening for the %s: %w", l.name, err)
		}
	}
	return nil
}

// Addresses are where this gateway listens, for whoever gave it port 0.
type Addresses struct{ Edge, EdgeTLS, Link, HTTP, Admin string }

// Addresses returns them.
func (g *Gateway) Addresses() Addresses {
	of := func(l net.Listener) string {
		if l == nil {
			return ""
		}
		return l.Addr().String()
	}
	return Addresses{of(g.listeners.edge), of(g.listeners.edgeTLS), of(g.listeners.link), of(g.listeners.http), of(g.listeners.admin)}
}

// Run serves until ctx ends, then lets what is under way come to its end, and
// closes.
func (g *Gateway) Run(ctx context.Context) error {
	work, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	for _, w := range g.workers() {
		wg.Go(func() { w(work) })
	}
	failed := make(chan error, 8)
	var servers []*http.Server
	serve := func(l net.Listener, h http.Handler, conf *tls.Config) {
		if l == nil {
			return
		}
		s := g.httpServer(h)
		if conf != nil {
			l = tls.NewListener(l, conf)
		}
		servers = append(servers, s)
		wg.Go(func() {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	edgeTLS, err := g.edgeTLS()
	if err != nil {
		return errors.Join(err, g.Close())
	}
	serve(g.listeners.edge, newEdge(g, true), nil)
	serve(g.listeners.edgeTLS, newEdge(g, false), edgeTLS)
	serve(g.listeners.http, g.proofHTTP(g.httpProfile()), g.httpServerTLS())
	serve(g.listeners.admin, g.admin(), nil)
	if g.listeners.link != nil {
		wg.Go(func() {
			if err := g.server.Serve(g.listeners.link); !errors.Is(err, link.ErrClosed) {
				failed <- err
			}
		})
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	// Client systems first: what they asked still needs the link.
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	for _, s := range servers {
		if s.Shutdown(grace) != nil {
			s.Close()
		}
	}
	g.server.Shutdown(grace)
	stop()
	wg.Wait()
	g.flushCounters(grace)
	return errors.Join(err, g.Close())
}

// shutdownTime is how long a gateway that ends waits for what is under way.
const shutdownTime = 20 * time.Second

func (g *Gateway) httpServer(h http.Handler) *http.Server {
	l := &g.cfg.Limits
	u := &unread{log: g.log}
	return &http.Server{Handler: u.counting(h), ReadHeaderTimeout: l.HeadTime, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: xroad.MaxHead,
		ConnContext: u.opened, ConnState: u.turned, DisableGeneralOptionsHandler: true,
		ErrorLog: slog.NewLogLogger(g.log.Handler(), slog.LevelInfo), TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}
}

// edgeTLS asks client systems for a certificate and lets the edge decide which
// subsystem it stands for.
func (g *Gateway) edgeTLS() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert, NextProtos: []string{"http/1.1"},
		GetCertificate: g.edgeCertificate}
	if g.acme != nil {
		conf.NextProtos = append(conf.NextProtos, acme.ALPNProto)
	}
	if g.cfg.Edge.Certificate == "" {
		return conf, nil
	}
	pair, err := tls.LoadX509KeyPair(g.cfg.Edge.Certificate, g.cfg.Edge.Key)
	if err != nil {
		return nil, fmt.Errorf("the edge's certificate: %w", err)
	}
	conf.GetCertificate = nil
	conf.Certificates = []tls.Certificate{pair}
	return conf, nil
}

// Close ends everything at once. It may be called after Run.
func (g *Gateway) Close() error {
	var errs []error
	if g.server != nil {
		errs = append(errs, g.server.Close())
	}
	g.peers.close()
	for _, l := range []net.Listener{g.listeners.edge, g.listeners.edgeTLS, g.listeners.link, g.listeners.http, g.listeners.admin} {
		if l != nil {
			l.Close()
		}
	}
	if own := g.systems.Load(); own != nil {
		for _, s := range own.services {
			s.client.Close()
		}
	}
	if g.journal != nil {
		errs = append(errs, g.journal.Close())
	}
	if g.db != nil {
		errs = append(errs, g.db.Close())
	}
	return errors.Join(errs...)
}

// Records is how many records the journal has had: two for each exchange, and some.
func (g *Gateway) Records() uint64 {
	n, _ := g.journal.Durable()
	return n
}

// admit lets an exchange of a client system begin, within what this process may
// have under way.
func (g *Gateway) admit() bool {
	if g.underWay.Add(1) > int64(g.cfg.Limits.Exchanges) {
		g.underWay.Add(-1)
		return false
	}
	return true
}

func (g *Gateway) release() { g.underWay.Add(-1) }

// dated is the text of Date for one second.
type dated struct {
	second int64
	text   string
}

func (g *Gateway) date(now time.Time) string {
	d := g.dated.Load()
	if d == nil || d.second != now.Unix() {
		d = &dated{now.Unix(), now.UTC().Format(http.TimeFormat)}
		g.dated.Store(d)
	}
	return d.text
}

// noteRefusal is the type of the journal's note of a request that was refused:
// identifier 16, side 1 (1 asked), type as text. The request itself is there as a
// message of its own.
const noteRefusal = journal.FirstNote

// noteRefused records a refusal, without waiting: nothing was handed over that
// could be denied later.
func (g *Gateway) noteRefused(id [16]byte, asked bool, e *xroad.Error) {
	b := make([]byte, 0, 64)
	b = append(b, id[:]...)
	side := byte(0)
	if asked {
		side = 1
	}
	b = append(append(b, side), e.Type.String()...)
	if _, err := g.journal.AppendNote(noteRefusal, b); err != nil {
		g.log.Warn("exchange: a refusal is not in the journal", "request", uuid(id), "err", err)
	}
}

// Contracts lists the contracts that stand so, those made last first.
func (g *Gateway) Contracts(state contract.State) []*contract.Contract {
	now := g.clock.Now()
	var out []*contract.Contract
	for _, c := range g.policy.Load().contracts {
		if state == "" || c.State(now) == state {
			out = append(out, c)
		}
	}
	return out
}
