package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"diwan/internal/exchange/backend"
)

// systems are the member's own: who may ask here and what is answered for. They
// are replaced whole, so that a request sees one state from its beginning to its
// end.
type systems struct {
	config   Config                 // its clients and services
	services map[string]*service    // by SUBSYSTEM/CODE
	clients  map[string]*edgeClient // by subsystem
}

// newSystems makes the systems of a configuration ready. A service that stands in
// old as it does now keeps its connections.
func newSystems(cfg Config, old *systems) (*systems, error) {
	s := &systems{config: cfg, services: map[string]*service{}, clients: map[string]*edgeClient{}}
	for _, c := range cfg.Clients {
		k := &edgeClient{plain: c.Plain, pins: map[[sha256.Size]byte]bool{}}
		for _, p := range c.Pins {
			var sum [sha256.Size]byte
			hex.Decode(sum[:], []byte(p)) // check has seen to the form
			k.pins[sum] = true
		}
		s.clients[c.Subsystem] = k
	}
	for _, c := range cfg.Services {
		name := c.Subsystem + "/" + c.Code
		if old != nil && old.services[name] != nil && old.services[name].config == c {
			s.services[name] = old.services[name]
			continue
		}
		client, err := c.client()
		if err != nil {
			return nil, fmt.Errorf("service %s: %w", name, err)
		}
		s.services[name] = &service{c, client}
	}
	return s, nil
}

func (c *ServiceConfig) client() (*backend.Client, error) {
	conf, err := c.tls()
	if err != nil {
		return nil, err
	}
	return backend.New(c.URL, backend.Options{TLS: conf, ResponseTimeout: c.Timeout, BodyTimeout: c.Timeout})
}

// service returns a service of ours, nil when there is none.
func (g *Gateway) service(subsystem, code string) *service {
	return g.systems.Load().services[subsystem+"/"+code]
}

// setUp is the configuration with the systems as they are now.
func (g *Gateway) setUp() Config {
	c, own := g.cfg, g.systems.Load().config
	c.Clients, c.Services = own.Clients, own.Services
	return c
}

// Reload takes up the client systems and the services as the configuration file
// names them now, and looks at the directory and the contracts at once. Exchanges
// under way go on as they began; other settings wait for the next start. With an
// error about the file everything stays as it was.
func (g *Gateway) Reload(ctx context.Context) error {
	if g.cfg.file == "" {
		return &badRequest{"this gateway was not started from a file"}
	}
	cfg, err := ReadConfig(g.cfg.file)
	if err != nil {
		return &badRequest{err.Error()}
	}
	cfg.defaults()
	g.reloading.Lock()
	defer g.reloading.Unlock()
	old := g.systems.Load()
	now, err := newSystems(cfg, old)
	if err != nil {
		return &badRequest{err.Error()}
	}
	g.systems.Store(now)
	for name, s := range old.services {
		if now.services[name] != s {
			time.AfterFunc(2*s.config.Timeout, s.client.Close) // requests that began before may still need it
		}
	}
	g.log.Info("exchange: the systems were read anew", "clients", len(now.clients), "services", len(now.services))
	if g.directory == nil {
		return nil
	}
	return g.lookUp(ctx)
}
