package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"diwan/internal/exchange/gateway/tracing"
	"diwan/protocol/xroad"
)

// Config is what a gateway is told by its owner. Zero values of limits mean
// their defaults.
type Config struct {
	Instance string `toml:"instance"`
	Member   string `toml:"member"` // INSTANCE/CLASS/CODE
	Node     string `toml:"node"`
	Data     string `toml:"data"`     // folder of keys, journal and directory
	Database string `toml:"database"` // sqlite:PATH or postgres://…; empty: a file in Data

	Directory string `toml:"directory"` // https address; empty: none is asked

	Edge  EdgeConfig  `toml:"edge"`
	Link  LinkConfig  `toml:"link"`
	HTTP  HTTPConfig  `toml:"http"`
	Admin AdminConfig `toml:"admin"`

	Traces TracesConfig `toml:"traces"`

	Clients       []ClientConfig       `toml:"client"`
	Services      []ServiceConfig      `toml:"service"`
	Subscriptions []SubscriptionConfig `toml:"subscription"`

	Limits Limits      `toml:"limits"`
	Proof  ProofConfig `toml:"proof"`

	ErrorStyle string `toml:"error_style"` // 7.8 or older
	// PerMessage signs every message alone instead of many under one signature.
	PerMessage    bool `toml:"per_message"`
	RetentionDays int  `toml:"retention_days"` // of journal and index; 0: ten years
	// MonitoringUserID writes X-Road-UserId, which is personal data, into
	// monitoring records.
	MonitoringUserID bool `toml:"monitoring_user_id"`

	file   string           // that it was read from
	traces tracing.Settings // Traces under the environment
}

// EdgeConfig is where client systems come in.
type EdgeConfig struct {
	HTTP  string `toml:"http"`  // loopback only
	HTTPS string `toml:"https"` // with client certificates
	// Certificate and Key are PEM files of the HTTPS listener; empty: the node's
	// own certificate.
	Certificate string     `toml:"certificate"`
	Key         string     `toml:"key"`
	ACME        ACMEConfig `toml:"acme"`
}

// LinkConfig is where other gateways come in.
type LinkConfig struct {
	Listen string `toml:"listen"`
	// Addresses are host:port under which others reach this node.
	Addresses []string `toml:"addresses"`
}

// HTTPConfig is the second profile, for partners that sign HTTP messages.
type HTTPConfig struct {
	Listen  string `toml:"listen"`
	Address string `toml:"address"` // https base under which others reach it
}

// AdminConfig is the listener for operators: loopback only.
type AdminConfig struct {
	Listen string `toml:"listen"`
}

// ClientConfig is an information system that may ask through this gateway.
type ClientConfig struct {
	Subsystem string `toml:"subsystem"`
	// Plain lets it in without a certificate, on the loopback listener.
	Plain bool `toml:"plain"`
	// Pins are the SHA-256 (hexadecimal) of certificates that it may show.
	Pins []string `toml:"pins"`
}

// ServiceConfig is a service that this gateway answers for.
type ServiceConfig struct {
	Subsystem string `toml:"subsystem"`
	Code      string `toml:"code"`
	URL       string `toml:"url"`
	// CA is a PEM file of authorities for an https URL; Certificate and Key are
	// shown to the service. SkipVerify trusts any certificate.
	CA          string `toml:"ca"`
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`
	SkipVerify  bool   `toml:"skip_verify"`
	// Timeout is until the head of the answer, and between bytes of its body.
	Timeout  time.Duration `toml:"timeout"`
	OpenAPI  string        `toml:"openapi"` // file
	Disabled string        `toml:"disabled"`
}

// SubscriptionConfig is an event stream that a client of ours follows.
type SubscriptionConfig struct {
	Name    string        `toml:"name"`
	Client  string        `toml:"client"`  // our subsystem
	Service string        `toml:"service"` // INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE
	Types   []string      `toml:"types"`   // empty: all that the contract names
	URL     string        `toml:"url"`     // where each event is POSTed
	Every   time.Duration `toml:"every"`
	// Attempts is after how many an event goes to the dead letters.
	Attempts int `toml:"attempts"`
}

// Limits bound what one client system or peer may hold of this process.
type Limits struct {
	Exchanges   int           `toml:"exchanges"`    // under way at the edge; 1024
	MemoryMiB   int64         `toml:"memory_mib"`   // of bodies held whole; 64
	BodyMiB     int64         `toml:"body_mib"`     // of one body; 65536
	HeadTime    time.Duration `toml:"head_time"`    // for a client to send its head; 10s
	BodyTime    time.Duration `toml:"body_time"`    // for a short body, and between bytes of a long one; 60s
	AnswerTime  time.Duration `toml:"answer_time"`  // for the whole of an exchange up to the answer's head; 90s
	MinFreeMiB  uint64        `toml:"min_free_mib"` // of disk, below which nothing new is taken; 256
	SegmentMiB  int64         `toml:"segment_mib"`  // of the journal; 64
	LookEvery   time.Duration `toml:"look_every"`   // at the directory; 10s
	OutcomeKept time.Duration `toml:"outcome_kept"` // how long a repeated X-Road-Id is known; 24h
}

func orElse[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func (c *Config) defaults() {
	orElse(&c.Database, "sqlite:"+filepath.Join(c.Data, "gateway.db"))
	orElse(&c.ErrorStyle, "7.8")
	orElse(&c.RetentionDays, 3653)
	l := &c.Limits
	orElse(&l.Exchanges, 1024)
	orElse(&l.MemoryMiB, 64)
	orElse(&l.BodyMiB, 64<<10)
	orElse(&l.HeadTime, 10*time.Second)
	orElse(&l.BodyTime, time.Minute)
	orElse(&l.AnswerTime, 90*time.Second)
	orElse(&l.MinFreeMiB, 256)
	orElse(&l.SegmentMiB, 64)
	orElse(&l.LookEvery, 10*time.Second)
	orElse(&l.OutcomeKept, 24*time.Hour)
	for i := range c.Services {
		orElse(&c.Services[i].Timeout, time.Minute)
	}
	for i := range c.Subscriptions {
		orElse(&c.Subscriptions[i].Every, 5*time.Second)
		orElse(&c.Subscriptions[i].Attempts, 20)
	}
}

// ConfigError says which setting is wrong.
type ConfigError struct{ Setting, Reason string }

func (e *ConfigError) Error() string { return "setting " + e.Setting + ": " + e.Reason }

// ReadConfig reads a file. Settings that are not known are errors: a misspelt
// limit would be no limit. Paths in it are relative to its folder.
func ReadConfig(name string) (Config, error) {
	var c Config
	b, err := os.ReadFile(name)
	if err != nil {
		return c, fmt.Errorf("reading the configuration: %w", err)
	}
	meta, err := toml.Decode(string(b), &c)
	if err != nil {
		return c, fmt.Errorf("reading the configuration %s: %w", name, err)
	}
	if left := meta.Undecoded(); len(left) > 0 {
		return c, &ConfigError{left[0].String(), "is not known"}
	}
	c.file = name
	dir := filepath.Dir(name)
	paths := []*string{&c.Data, &c.Edge.Certificate, &c.Edge.Key, &c.Traces.CA, &c.Edge.ACME.CA, &c.Edge.ACME.EABKey}
	for i := range c.Services {
		s := &c.Services[i]
		paths = append(paths, &s.CA, &s.Certificate, &s.Key, &s.OpenAPI)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	if file, ok := strings.CutPrefix(c.Database, "sqlite:"); ok && !filepath.IsAbs(file) {
		c.Database = "sqlite:" + filepath.Join(dir, file)
	}
	if c.traces, err = c.Traces.settings(os.Getenv); err != nil {
		return c, err
	}
	return c, c.check()
}

// check holds what a running gateway relies on.
func (c *Config) check() error {
	m, err := xroad.ParseClientID(c.Member)
	switch {
	case c.Instance == "":
		return &ConfigError{"instance", "is missing"}
	case err != nil || m.Subsystem != "" || m.Instance != c.Instance || m.Registrable() != nil:
		return &ConfigError{"member", "is not INSTANCE/CLASS/CODE of this instance"}
	case c.Node == "":
		return &ConfigError{"node", "is missing"}
	case c.Data == "":
		return &ConfigError{"data", "is missing"}
	case c.ErrorStyle != "" && c.ErrorStyle != "7.8" && c.ErrorStyle != "older":
		return &ConfigError{"error_style", "is neither 7.8 nor older"}
	case c.RetentionDays < 0:
		return &ConfigError{"retention_days", "is negative"}
	case c.Edge.HTTP != "" && !loopbackAddress(c.Edge.HTTP):
		return &ConfigError{"edge.http", "is not a loopback address: what is said there is in the clear"}
	case c.Admin.Listen != "" && !loopbackAddress(c.Admin.Listen):
		return &ConfigError{"admin.listen", "is not a loopback address: it asks for no password"}
	}
	return errors.Join(c.Edge.checkACME(), c.checkClients(m), c.checkServices(), c.checkSubscriptions())
}

func loopbackAddress(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *Config) checkClients(m xroad.ClientID) error {
	for _, k := range c.Clients {
		id := m
		id.Subsystem = k.Subsystem
		if k.Subsystem == "" || id.Registrable() != nil {
			return &ConfigError{"client.subsystem", fmt.Sprintf("%q is no code", k.Subsystem)}
		}
		for _, p := range k.Pins {
			if len(p) != 64 || strings.Trim(p, "0123456789abcdef") != "" {
				return &ConfigError{"client.pins", "is not a SHA-256 in lower-case hexadecimal"}
			}
		}
		if !k.Plain && len(k.Pins) == 0 {
			return &ConfigError{"client." + k.Subsystem, "has neither plain nor pins: nobody could be it"}
		}
	}
	return nil
}

func (c *Config) checkServices() error {
	seen := map[string]bool{}
	for _, s := range c.Services {
		name := s.Subsystem + "/" + s.Code
		id, err := xroad.ParseServiceID(c.Member + "/" + name)
		if err != nil || id.Registrable() != nil || s.Code == eventsCode {
			return &ConfigError{"service.code", fmt.Sprintf("%q is no code of a service", name)}
		}
		u, err := url.Parse(s.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return &ConfigError{"service.url", fmt.Sprintf("%q of %s is no http address", s.URL, name)}
		}
		if seen[name] {
			return &ConfigError{"service", name + " is there twice"}
		}
		seen[name] = true
	}
	return nil
}

func (c *Config) checkSubscriptions() error {
	seen := map[string]bool{}
	for _, s := range c.Subscriptions {
		_, err := xroad.ParseServiceID(s.Service)
		switch {
		case s.Name == "" || seen[s.Name]:
			return &ConfigError{"subscription.name", "is missing or there twice"}
		case err != nil:
			return &ConfigError{"subscription.service", "is not a service of five parts"}
		case !slices.ContainsFunc(c.Clients, func(k ClientConfig) bool { return k.Subsystem == s.Client }):
			return &ConfigError{"subscription.client", "is not among the clients"}
		}
		if u, err := url.Parse(s.URL); err != nil || u.Host == "" {
			return &ConfigError{"subscription.url", "is no http address"}
		}
		seen[s.Name] = true
	}
	return nil
}

// style is how error types are spelt.
func (c *Config) style() xroad.Style {
	if c.ErrorStyle == "older" {
		return xroad.StylePascal
	}
	return xroad.Style78
}

// memberID is the member as an identifier; check has let no other through.
func (c *Config) memberID() xroad.ClientID {
	id, _ := xroad.ParseClientID(c.Member)
	return id
}
