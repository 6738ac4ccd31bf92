package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diwan/internal/db"
	"diwan/internal/exchange/journal"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/exchange/translog"
	"diwan/internal/exchange/translog/stamp"
)

// ProofConfig is about the transparency log.
type ProofConfig struct {
	// Stamps is the address of a time-stamp authority (RFC 3161 over HTTP); empty
	// leaves checkpoints without stamps.
	Stamps string `toml:"stamps"`
	// StampEvery is the time between stamps; one minute.
	StampEvery time.Duration `toml:"stamp_every"`
	// Witness cosigns the logs of other members. It is reached through the listener
	// of the second profile, so that must be configured.
	Witness bool `toml:"witness"`
}

// proofs is what a gateway does beside the exchange so that it can be proved:
// every record of the journal goes into the member's transparency log, whose
// checkpoints others cosign. None of it is on the way of a message, and nothing
// that fails here stops one.
type proofs struct {
	log       *translog.Log
	published string // the log's key; "" when this node does not hold it
	witness   *translog.Witness
	known     atomic.Pointer[knownLogs]
	checking  sync.Mutex
	asked     atomic.Int64 // verifications that somebody waits for
	fault     atomic.Pointer[string]
	fed       atomic.Uint64
	anchored  time.Time // belongs to the worker
}

// knownLogs are the logs of a view of the directory.
type knownLogs struct {
	view *snapshot.View
	keys map[string][]string
}

// quorum is how many witnesses a checkpoint should have. Without witnesses in the
// directory proofs go without.
const quorum = 1

// maxWitnesses is how many cosign one log. Which ones follows from the names, so
// that the work is spread over all of them.
const maxWitnesses = 3

// openProof opens log and witness.
func (g *Gateway) openProof(ctx context.Context) error {
	p := &g.proof
	origin := translog.MemberOrigin(g.cfg.Member)
	key, err := g.keys.logKey()
	if err != nil {
		return err
	}
	if key == nil {
		p.log = translog.Attach(g.db, origin, quorum)
		if err := p.log.Begin(ctx); err != nil {
			return err
		}
	} else {
		if p.log, err = translog.Open(ctx, g.db, translog.Options{Origin: origin, Key: key, Quorum: quorum}); err != nil {
			return err
		}
		p.published = p.log.Key()
	}
	g.proofGauges()
	if !g.cfg.Proof.Witness {
		return nil
	}
	if key, err = g.keys.sealedKey(witnessFile, true); err != nil {
		return err
	}
	p.witness, err = translog.NewWitness(g.db, translog.WitnessOptions{Name: translog.WitnessName(g.cfg.Member), Key: key, Known: g.logKeys, Now: g.clock.Now})
	return err
}

// proofGauges are read when they are asked for.
func (g *Gateway) proofGauges() {
	for _, f := range []struct {
		name, help string
		read       func() float64
	}{
		{"diwan_exchange_log_behind", "Records of the journal that the transparency log has not taken in.", func() float64 {
			n, _ := g.journal.Durable()
			return float64(n) - float64(g.proof.fed.Load())
		}},
		{"diwan_exchange_log_broken", "1 when the journal is not the one that the transparency log was fed from.", func() float64 {
			if g.ProofFault() != "" {
				return 1
			}
			return 0
		}},
		{"diwan_exchange_log_unstamped_seconds", "Since the newest time stamp of the log; -1 when there is none.", func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			at, err := g.proof.log.LastStamp(ctx)
			if err != nil || at.IsZero() {
				return -1
			}
			return g.clock.Now().Sub(at).Seconds()
		}},
	} {
		g.metrics.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: f.name, Help: f.help}, f.read))
	}
}

// logKeys finds the key of another member's log in the directory.
func (g *Gateway) logKeys(origin string) []string {
	t := g.trust.Load()
	if t == nil {
		return nil
	}
	k := g.proof.known.Load()
	if k == nil || k.view != t.view {
		k = &knownLogs{t.view, map[string][]string{}}
		for id, m := range t.view.Members {
			if m.Log != "" && id != g.cfg.Member {
				name := translog.MemberOrigin(id)
				k.keys[name] = append(k.keys[name], m.Log)
			}
		}
		g.proof.known.Store(k)
	}
	return k.keys[origin]
}

// proofWorkers go on beside the exchange.
func (g *Gateway) proofWorkers() []func(context.Context) {
	list := []func(context.Context){
		g.every("transparency log", time.Second, g.feedOn),
		g.every("thinning of checkpoints", time.Hour, func(ctx context.Context) error {
			return errors.Join(g.proof.log.ThinCovered(ctx), g.proof.log.Thin(ctx, g.clock.Now().Add(-24*time.Hour)))
		}),
		g.checkNowAndThen,
	}
	if g.proof.published != "" {
		list = append(list, g.keepLog, g.every("anchor", time.Second, g.anchor))
	}
	if g.directory != nil {
		list = append(list, g.every("log key", g.cfg.Limits.LookEvery, g.announceLog))
	}
	return list
}

// The feeder takes records in batches, in the gateway's leisure: under load the log
// falls behind and catches up. Small batches leave no message waiting for long.
const (
	feedBatch = 256
	feedWait  = 200 * time.Millisecond
)

// ErrJournalChanged says that the journal is not the one that the log was fed
// from: it was cut, altered or replaced by an older copy.
var ErrJournalChanged = errors.New("the journal does not continue what the log was fed")

// feedOn feeds the log from the journal until something fails.
func (g *Gateway) feedOn(ctx context.Context) error {
	fed, err := g.proof.log.Fed(ctx, g.cfg.Node)
	if err == nil {
		err = g.continues(ctx, fed)
	}
	if err != nil {
		g.setFault(err)
		return err
	}
	g.proof.fault.Store(nil)
	g.proof.fed.Store(fed)
	r := g.journal.Reader(fed + 1)
	defer r.Close()
	list := make([]translog.Entry, 0, feedBatch)
	for {
		last, _ := g.journal.Durable()
		err := g.leisure.spend(ctx, last-min(last, fed), func() (err error) {
			list, err = g.feed(ctx, r, fed, list[:0])
			return err
		})
		if err != nil {
			return err
		}
		fed += uint64(len(list))
		g.proof.fed.Store(fed)
		if len(list) == feedBatch {
			continue
		}
		if err := g.journal.WaitBeyond(ctx, fed); err != nil {
			return err
		}
		if !pause(ctx, feedWait) {
			return ctx.Err()
		}
	}
}

// feed takes one batch in, and returns it.
func (g *Gateway) feed(ctx context.Context, r *journal.Reader, fed uint64, list []translog.Entry) ([]translog.Entry, error) {
	for len(list) < feedBatch {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		list = append(list, translog.EntryOf(e.Bytes()))
	}
	if len(list) == 0 {
		return list, nil
	}
	_, _, err := g.proof.log.Feed(ctx, g.cfg.Node, fed+1, list)
	return list, err
}

func (g *Gateway) setFault(err error) {
	if s := err.Error(); errors.Is(err, ErrJournalChanged) {
		g.proof.fault.Store(&s)
	}
}

// continues checks, before anything is fed, that the journal is the one that was
// fed before: the last record that the log has must be there as it was.
func (g *Gateway) continues(ctx context.Context, fed uint64) error {
	if fed == 0 {
		return nil
	}
	last, _ := g.journal.Durable()
	if last < fed {
		return fmt.Errorf("%w: it ends at record %d, and the log holds up to %d", ErrJournalChanged, last, fed)
	}
	r := g.journal.Reader(fed)
	defer r.Close()
	e, err := r.Next()
	if errors.Is(err, journal.ErrDropped) {
		return nil
	}
	if err != nil {
		return err
	}
	_, ok, err := g.proof.log.Index(ctx, translog.EntryOf(e.Bytes()))
	if err == nil && !ok {
		err = fmt.Errorf("%w: record %d is not the one that the log holds", ErrJournalChanged, fed)
	}
	return err
}

// noteAnchor is the type of the journal's note of a cosigned checkpoint of the log:
// the checkpoint as it was published. With it, the journal shows that a log was set
// back, as the log shows it of the journal.
const noteAnchor = journal.FirstNote + 32

// anchorWait is the least time between two of them.
const anchorWait = 10 * time.Second

// anchor notes the newest cosigned checkpoint, unless everything that it covers
// beyond the last one noted is that note itself.
func (g *Gateway) anchor(ctx context.Context) error {
	if time.Since(g.proof.anchored) < anchorWait {
		return nil
	}
	s, err := g.proof.log.Latest(ctx)
	if errors.Is(err, translog.ErrNotThere) {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := g.store.cursor(ctx, anchorCursor)
	if err != nil {
		return err
	}
	var noted int64
	fmt.Sscan(text, &noted)
	if s.Size <= noted+1 {
		return nil
	}
	if _, err := g.journal.AppendNote(noteAnchor, s.Published()); err != nil {
		return err
	}
	g.proof.anchored = time.Now()
	return g.db.RunTx(ctx, func(tx *db.Tx) error { return g.store.setCursor(ctx, tx, anchorCursor, fmt.Sprint(s.Size)) })
}

// anchorCursor names the size of the last checkpoint that the journal notes.
const anchorCursor = "anchor"

// keepLog signs checkpoints and has them cosigned and stamped. When the directory
// names other witnesses it begins anew with them.
func (g *Gateway) keepLog(ctx context.Context) {
	for ctx.Err() == nil {
		t := g.trust.Load()
		list := g.witnessesOf(t)
		k := &translog.Keeper{Log: g.proof.log, Witnesses: g.witnessClients(list), StampEvery: g.cfg.Proof.StampEvery, MaxWait: time.Minute, Now: g.clock.Now, Logger: g.log}
		if g.cfg.Proof.Stamps != "" {
			k.Stamps = stamper{g}
		}
		round, stop := context.WithCancel(ctx)
		var done sync.WaitGroup
		done.Go(func() { k.Run(round) })
		for pause(ctx, g.cfg.Limits.LookEvery) {
			if now := g.trust.Load(); now != t {
				t = now
				if !slices.Equal(g.witnessesOf(t), list) {
					break
				}
			}
		}
		stop()
		done.Wait()
	}
}

// witnessRef is a witness in the directory.
type witnessRef struct{ member, key, address string }

// witnessesOf chooses the witnesses of our log.
func (g *Gateway) witnessesOf(t *trust) []witnessRef {
	if t == nil {
		return nil
	}
	var list []witnessRef
	for id, m := range t.view.Members {
		if m.Witness == "" || id == g.cfg.Member {
			continue
		}
		for _, n := range m.Nodes {
			if n.HTTP != "" {
				list = append(list, witnessRef{id, m.Witness, n.HTTP})
				break
			}
		}
	}
	rank := func(w witnessRef) [32]byte { return sha256.Sum256([]byte(g.cfg.Member + "\n" + w.member)) }
	slices.SortFunc(list, func(a, b witnessRef) int {
		x, y := rank(a), rank(b)
		return strings.Compare(string(x[:]), string(y[:]))
	})
	return list[:min(len(list), maxWitnesses)]
}

func (g *Gateway) witnessClients(list []witnessRef) []*translog.WitnessClient {
	var out []*translog.WitnessClient
	for _, w := range list {
		client := *g.httpPeers.of(g, w.member)
		client.Timeout = 15 * time.Second
		c, err := translog.NewWitnessClient(w.address, w.key, &client)
		if err != nil {
			g.log.Warn("exchange: a witness in the directory can't be asked", "member", w.member, "err", err)
			continue
		}
		out = append(out, c)
	}
	return out
}

// stamper asks the configured authority and believes what the directory believes.
type stamper struct{ g *Gateway }

// Stamp implements translog.Stamper.
func (s stamper) Stamp(ctx context.Context, data []byte) ([]byte, time.Time, error) {
	t := s.g.trust.Load()
	if t == nil {
		return nil, time.Time{}, errors.New("no directory yet that says whose time stamps to believe")
	}
	trust := stampTrust(t.view)
	if trust.Roots == nil {
		return nil, time.Time{}, errors.New("the directory names no time-stamp authority")
	}
	c := stamp.Client{URL: s.g.cfg.Proof.Stamps, Trust: trust, Now: s.g.clock.Now}
	return c.Stamp(ctx, data)
}

// stampTrust is whose time stamps a view of the directory believes.
func stampTrust(v *snapshot.View) stamp.Trust {
	var t stamp.Trust
	for _, der := range v.Index.StampAuthorities {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			continue
		}
		if t.Roots == nil {
			t.Roots = x509.NewCertPool()
		}
		t.Roots.AddCert(c)
	}
	return t
}

// announceLog tells the directory the keys of log and witness when it does not
// show them yet.
func (g *Gateway) announceLog(ctx context.Context) error {
	t := g.trust.Load()
	if t == nil {
		return nil
	}
	m := t.view.Members[g.cfg.Member]
	if m == nil {
		return nil
	}
	log, witness := "", ""
	if m.Log == "" {
		log = g.proof.published
	}
	if m.Witness == "" && g.proof.witness != nil {
		witness = g.proof.witness.Key()
	}
	if log == "" && witness == "" && g.proof.published != "" && m.Log != g.proof.published {
		return fmt.Errorf("the directory holds another key of this member's log; the desk of the exchange can let this one in with a new invitation")
	}
	moved := g.cfg.HTTP.Address != "" && !slices.ContainsFunc(m.Nodes, func(n snapshot.Node) bool { return n.Name == g.cfg.Node && n.HTTP == g.cfg.HTTP.Address })
	if log == "" && witness == "" && !moved {
		return nil
	}
	return g.tellState(ctx, log, witness)
}

// proofHTTP serves witness and log to the gateways of other members, beside the
// messages of the second profile. TLS has proved by then that they are such.
func (g *Gateway) proofHTTP(next http.Handler) http.Handler {
	log := http.StripPrefix("/log", g.proof.log)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/add-checkpoint" && g.proof.witness != nil:
			g.proof.witness.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/log/"):
			log.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// migrations are those of all that a gateway keeps.
func migrations() []db.Migrations { return []db.Migrations{Migrations(), translog.Migrations()} }
