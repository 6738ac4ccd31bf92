package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACMEConfig has the certificate of the HTTPS edge issued by an authority that client
// systems know already, by ACME (RFC 8555). The challenge is answered on that listener
// itself (tls-alpn-01, RFC 8737), so that it must be reached at port 443 under each
// host. What gateways show each other is not touched: there the exchange's own
// authority and the pins of the directory hold.
type ACMEConfig struct {
	Directory   string   `toml:"directory"` // https address; empty: no ACME
	Hosts       []string `toml:"hosts"`
	Email       string   `toml:"email"`
	CA          string   `toml:"ca"`           // PEM file, of an authority's own server
	AcceptTerms bool     `toml:"accept_terms"` // of the authority; without it nothing is asked for
	// EABID and EABKey (a file, base64url) bind to an account that the authority knows.
	EABID  string `toml:"eab_id"`
	EABKey string `toml:"eab_key"`
}

// maxACMEHosts bounds the certificates of one gateway.
const maxACMEHosts = 8

var hostForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$`)

func (c *EdgeConfig) checkACME() error {
	a := &c.ACME
	if a.Directory == "" {
		return nil
	}
	u, err := url.Parse(a.Directory)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil:
		return &ConfigError{"edge.acme.directory", "is no https address"}
	case c.HTTPS == "" || c.Certificate != "":
		return &ConfigError{"edge.acme", "needs edge.https, and no edge.certificate beside it"}
	case !a.AcceptTerms:
		return &ConfigError{"edge.acme.accept_terms", "is not set: the authority's terms are to be accepted by who runs this gateway"}
	case len(a.Hosts) == 0 || len(a.Hosts) > maxACMEHosts || slices.ContainsFunc(a.Hosts, func(h string) bool { return !hostForm.MatchString(h) || len(h) > 253 }):
		return &ConfigError{"edge.acme.hosts", fmt.Sprintf("are not 1 to %d names of hosts in lower case", maxACMEHosts)}
	case (a.EABID == "") != (a.EABKey == ""):
		return &ConfigError{"edge.acme.eab_id", "and eab_key go together"}
	}
	return nil
}

// edgeACME has certificates of the edge issued and renewed.
type edgeACME struct {
	hosts   []string
	manager *autocert.Manager
	cache   sealedCache
}

func (g *Gateway) openACME() error {
	a := &g.cfg.Edge.ACME
	if a.Directory == "" {
		return nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.CA != "" {
		b, err := os.ReadFile(a.CA)
		if err != nil {
			return fmt.Errorf("the authority's own certificate: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(b) {
			return fmt.Errorf("%s holds no certificate", a.CA)
		}
	}
	e := &edgeACME{hosts: a.Hosts, cache: sealedCache{g.keys}}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: conf, MaxResponseHeaderBytes: 64 << 10}}
	e.manager = &autocert.Manager{Prompt: autocert.AcceptTOS, Cache: e.cache, HostPolicy: autocert.HostWhitelist(a.Hosts...), Email: a.Email,
		Client: &acme.Client{DirectoryURL: a.Directory, HTTPClient: client, UserAgent: "diwan-gateway"}}
	if a.EABID != "" {
		b, err := os.ReadFile(a.EABKey)
		if err != nil {
			return fmt.Errorf("the key of the account at the authority: %w", err)
		}
		key, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(string(b)), "="))
		if err != nil || len(key) == 0 {
			return fmt.Errorf("the key of the account at the authority: %s is not base64url", filepath.Base(a.EABKey))
		}
		e.manager.ExternalAccountBinding = &acme.ExternalAccountBinding{KID: a.EABID, Key: key}
	}
	g.acme = e
	return nil
}

// edgeCertificate is what the edge shows: the authority's where the client names one of
// its hosts, the node's own otherwise. An authority that is away closes no door: the
// node's own is shown then, to those who know it.
func (g *Gateway) edgeCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	own := g.cert.Load()
	if g.acme == nil || !slices.Contains(g.acme.hosts, strings.TrimSuffix(hello.ServerName, ".")) {
		return own, nil
	}
	c, err := g.acme.manager.GetCertificate(hello)
	if err == nil {
		return c, nil
	}
	if slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
		return nil, err // the authority asks, and is told by nothing else
	}
	g.log.Warn("exchange: no certificate from the edge's authority", "host", hello.ServerName, "err", err)
	return own, nil
}

// lookAtCertificates is how often it is seen to the edge's certificates. Authorities
// bound how often somebody may fail.
const lookAtCertificates = 15 * time.Minute

// wantCertificates has the certificates issued before a client asks, and kept in
// memory, from where they are renewed in time. A gateway that ends does not wait for
// the authority.
func (g *Gateway) wantCertificates(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- g.acme.issue() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *edgeACME) issue() error {
	var errs []error
	for _, h := range e.hosts {
		// What clients of today can do: the kind of key follows from it.
		hello := &tls.ClientHelloInfo{ServerName: h, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
			SupportedCurves: []tls.CurveID{tls.CurveP256}, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
		if _, err := e.manager.GetCertificate(hello); err != nil {
			errs = append(errs, fmt.Errorf("the certificate of %s: %w", h, err))
		}
	}
	return errors.Join(errs...)
}

// sealedCache keeps account and certificates in files that are sealed to the node's
// identity: no private key lies in the clear.
type sealedCache struct{ keys *keyring }

const (
	acmeFolder = "acme"
	maxCached  = 1 << 20
)

func (c sealedCache) path(name string) string {
	return filepath.Join(c.keys.dir, keysFolder, acmeFolder, url.PathEscape(name)+".age")
}

// Get implements autocert.Cache.
func (c sealedCache) Get(_ context.Context, name string) ([]byte, error) {
	f, err := os.Open(c.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, autocert.ErrCacheMiss
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	id, err := c.keys.identity()
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(io.LimitReader(f, maxCached), id)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// Put implements autocert.Cache.
func (c sealedCache) Put(_ context.Context, name string, data []byte) error {
	var b bytes.Buffer
	w, err := age.Encrypt(&b, c.keys.store.Recipient())
	if err == nil {
		_, err = w.Write(data)
	}
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.path(name)), dirMode); err != nil {
		return err
	}
	return writeFile(c.path(name), b.Bytes())
}

// Delete implements autocert.Cache.
func (c sealedCache) Delete(_ context.Context, name string) error {
	if err := os.Remove(c.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// edgeCertificates says how the certificates of the edge's authority stand.
func (t *tester) edgeCertificates(ctx context.Context) {
	a := &t.cfg.Edge.ACME
	if a.Directory == "" {
		return
	}
	for _, h := range a.Hosts {
		args := map[string]string{"host": h}
		leaf, err := kept(ctx, sealedCache{t.keys}, h)
		switch {
		case err != nil:
			args["error"] = err.Error()
			t.bad("selftest.edge_certificate.missing", args, "There is no certificate for "+h+" yet. The authority must reach this node's HTTPS edge at port 443 under that name; the gateway's log says what it answered.")
		case leaf.NotAfter.Sub(t.clock.Now()) < leaf.NotAfter.Sub(leaf.NotBefore)/5:
			args["until"] = leaf.NotAfter.Format(time.RFC3339)
			t.add(Doubt, "selftest.edge_certificate.ends_soon", args, "The certificate for "+h+" ends on "+args["until"]+" and was not renewed yet.")
		default:
			args["until"] = leaf.NotAfter.Format(time.RFC3339)
			t.add(Good, "selftest.edge_certificate.good", args, "The certificate for "+h+" is good until "+args["until"]+".")
		}
	}
}

// kept is the leaf of a host's certificate in the cache.
func kept(ctx context.Context, c sealedCache, host string) (*x509.Certificate, error) {
	b, err := c.Get(ctx, host)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(b, b)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(pair.Certificate[0])
}
