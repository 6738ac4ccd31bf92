package link_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"diwan/protocol/link"
)

// authority is a CA for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newAuthority() *authority {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true,
		BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der := must(x509.CreateCertificate(rand.Reader, t, t, key.Public(), key))
	a := &authority{cert: must(x509.ParseCertificate(der)), key: key, pool: x509.NewCertPool()}
	a.pool.AddCert(a.cert)
	return a
}

// tls is the TLS of a member, as server and as client.
func (a *authority) tls(member string) *tls.Config {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	t := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: member}, DNSNames: []string{"gateway.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der := must(x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		RootCAs: a.pool, ClientCAs: a.pool, ClientAuth: tls.RequireAndVerifyClientCert, ServerName: "gateway.example"}
}

func peerName(s tls.ConnectionState) (string, error) {
	if len(s.PeerCertificates) == 0 {
		return "", errors.New("no certificate")
	}
	return s.PeerCertificates[0].Subject.CommonName, nil
}

func newSigner(member string) *link.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return must(link.NewSigner(key, member))
}

// ring is Keys in memory.
type ring struct {
	mu   sync.RWMutex
	keys map[link.KeyID]*link.PublicKey
}

func newRing(signers ...*link.Signer) *ring {
	r := &ring{keys: map[link.KeyID]*link.PublicKey{}}
	for _, s := range signers {
		r.keys[s.Public().ID()] = s.Public()
	}
	return r
}

func (r *ring) Key(id link.KeyID, _ time.Time) (*link.PublicKey, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if k := r.keys[id]; k != nil {
		return k, nil
	}
	return nil, link.ErrUnknownKey
}

func (r *ring) drop(id link.KeyID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.keys, id)
}

// memory is a Journal in memory.
type memory struct {
	mu      sync.Mutex
	records []link.Record
	fail    error
	waited  uint64
}

func (m *memory) Append(rs []link.Record) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return 0, m.fail
	}
	for _, r := range rs {
		e := *r.Envelope
		m.records = append(m.records, link.Record{Envelope: &e, Signature: slices.Clone(r.Signature), Head: slices.Clone(r.Head), Sent: r.Sent})
	}
	return uint64(len(m.records)), nil
}

func (m *memory) Wait(_ context.Context, seq uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waited = max(m.waited, seq)
	return nil
}

// durable says whether a wait has covered a record of this kind and exchange.
func (m *memory) durable(id link.RequestID, kind link.Kind) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, r := range m.records {
		if r.Envelope.ID() == id && r.Envelope.Kind() == kind && uint64(i) < m.waited {
			return true
		}
	}
	return false
}

// world is a consumer and a provider over loopback.
type world struct {
	ca         *authority
	keys       *ring
	cs, ps     *link.Signer
	cj, pj     *memory
	server     *link.Server
	client     *link.Client
	address    string
	serverConf link.ServerConfig
	clientConf link.ClientConfig
	child      *providerProcess // of benchmarks
}

const consumer, provider = "XX/GOV/ONE", "XX/GOV/TWO"

// newWorld starts a provider with this handler and makes a consumer. change may
// alter both configurations before they are used.
func newWorld(t testing.TB, h link.Handler, change func(*world)) *world {
	t.Helper()
	w := &world{ca: newAuthority(), cs: newSigner(consumer), ps: newSigner(provider), cj: &memory{}, pj: &memory{}}
	w.keys = newRing(w.cs, w.ps)
	replay := link.NewReplayWindow(time.Now(), 0, nil)
	replay.Restored()
	w.serverConf = link.ServerConfig{Config: link.Config{Signer: w.ps, Keys: w.keys, Journal: w.pj, Peer: peerName},
		TLS: w.ca.tls(provider), Handler: h, Replay: replay}
	w.clientConf = link.ClientConfig{Config: link.Config{Signer: w.cs, Keys: w.keys, Journal: w.cj, Peer: peerName},
		Member: provider, TLS: w.ca.tls(consumer)}
	if change != nil {
		change(w)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.address = l.Addr().String()
	w.server = must(link.NewServer(w.serverConf))
	go w.server.Serve(l)
	if w.clientConf.Addresses == nil {
		w.clientConf.Addresses = []string{w.address}
	}
	w.client = must(link.NewClient(w.clientConf))
	t.Cleanup(func() { w.client.Close(); w.server.Close() })
	return w
}

// echo answers with the request's head and body.
var echo = link.HandlerFunc(func(_ context.Context, r *link.Request) (*link.Reply, error) {
	return &link.Reply{Status: 200, Head: r.Head, Body: r.Body}, nil
})
