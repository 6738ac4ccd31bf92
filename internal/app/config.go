package app

import (
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"diwan/internal/identity"
)

// Config is how one process is run. The same names are keys of the TOML file,
// flags (with dashes) and environment variables (DIWAN_, upper case); a flag
// wins over the environment, which wins over the file.
type Config struct {
	Data        string // folder of everything that must survive
	Database    string // sqlite:PATH or postgres://…
	Listen      string
	AdminListen string // metrics and profiles; loopback only
	PublicURL   string
	Country     string // folder of a country pack; empty is the built-in one
	SealFile    string // identity that opens keys and backups
	TLSCert     string
	TLSKey      string
	LogLevel    string
	LogFormat   string
	APIRate     int // calls a minute from one address

	MailServer       string // host:port; empty sends no mail
	MailFrom         string
	MailUser         string
	MailPasswordFile string
	MailPlain        string // "yes" talks without TLS
	SMSGateway       string // address that takes short messages; empty sends none
	SMSTokenFile     string // what we show there
	VirusScanner     string // address of clamd; empty scans nothing
	ExchangeEdge     string // address of the gateway by which documents are fetched
	ExchangeClient   string // the subsystem that asks there
	TokenModule      string // PKCS#11 module of the token that holds issuing keys
	TokenLabel       string
	TokenPINFile     string
	WalletAttested   string // "yes" refuses wallets without an attestation
	WebhookNetworks  string // private networks that webhooks may reach

	// SignIn are the OpenID Connect providers; only the file names them.
	SignIn []*identity.Provider

	// DemoPeople is how many invented people a demonstration has, at least those
	// with a story.
	DemoPeople int
	// Demo starts with labelled demonstration data. Only the demo command sets it.
	Demo bool
}

// option is one setting under all its names.
type option struct {
	key, usage string
	get        func(*Config) *string
	num        func(*Config) *int
}

var options = []option{
	{"data", "folder of everything that must survive: database, keys, search index", func(c *Config) *string { return &c.Data }, nil},
	{"database", "sqlite:PATH or postgres://USER@HOST/NAME; empty is a file in the data folder", func(c *Config) *string { return &c.Database }, nil},
	{"listen", "address and port for the public", func(c *Config) *string { return &c.Listen }, nil},
	{"admin_listen", "loopback address and port for metrics and profiles; empty is none", func(c *Config) *string { return &c.AdminListen }, nil},
	{"public_url", "the address people type, such as https://portal.example; used in links and to ask for secure cookies", func(c *Config) *string { return &c.PublicURL }, nil},
	{"country", "folder of a country pack; empty is the built-in one", func(c *Config) *string { return &c.Country }, nil},
	{"seal_file", "identity that seals keys and opens backups; keep a copy off this machine; empty is a file in the data folder", func(c *Config) *string { return &c.SealFile }, nil},
	{"tls_cert", "certificate chain in PEM; empty serves plain HTTP behind a proxy", func(c *Config) *string { return &c.TLSCert }, nil},
	{"tls_key", "private key of the certificate in PEM", func(c *Config) *string { return &c.TLSKey }, nil},
	{"log_level", "debug, info, warn or error", func(c *Config) *string { return &c.LogLevel }, nil},
	{"log_format", "text or json", func(c *Config) *string { return &c.LogFormat }, nil},
	{"mail_server", "host and port of the server that takes mail for those who follow the law; empty sends none", func(c *Config) *string { return &c.MailServer }, nil},
	{"mail_from", "the sender of mails, such as law@portal.example", func(c *Config) *string { return &c.MailFrom }, nil},
	{"mail_user", "account at the mail server; empty does not sign in", func(c *Config) *string { return &c.MailUser }, nil},
	{"mail_password_file", "file with the password of that account", func(c *Config) *string { return &c.MailPasswordFile }, nil},
	{"sms_gateway", "address of the gateway for short messages, https://…; without it none are sent", func(c *Config) *string { return &c.SMSGateway }, nil},
	{"sms_token_file", "file with the token that the gateway for short messages wants", func(c *Config) *string { return &c.SMSTokenFile }, nil},
	{"virus_scanner", "where clamd listens, a socket's path or host:port; without it files are not scanned", func(c *Config) *string { return &c.VirusScanner }, nil},
	{"exchange_edge", "address of the gateway by which documents are fetched from other administrations, http://…", func(c *Config) *string { return &c.ExchangeEdge }, nil},
	{"exchange_client", "subsystem that asks there: INSTANCE/CLASS/MEMBER/SUBSYSTEM", func(c *Config) *string { return &c.ExchangeClient }, nil},
	{"mail_plain", "yes talks to the mail server without encryption, for one on this machine", func(c *Config) *string { return &c.MailPlain }, nil},
	{"token_module", "PKCS#11 module of the token that holds the keys of documents, such as /usr/lib/softhsm/libsofthsm2.so; empty keeps them in sealed files", func(c *Config) *string { return &c.TokenModule }, nil},
	{"token_label", "label of that token", func(c *Config) *string { return &c.TokenLabel }, nil},
	{"token_pin_file", "file with its PIN", func(c *Config) *string { return &c.TokenPINFile }, nil},
	{"wallet_attested", "yes issues documents only to wallets that a trusted provider attests", func(c *Config) *string { return &c.WalletAttested }, nil},
	{"webhook_networks", "private networks that webhooks may reach, such as 10.1.0.0/16, with commas between; empty is none", func(c *Config) *string { return &c.WebhookNetworks }, nil},
	{"api_rate", "calls a minute that one address may make to the API", nil, func(c *Config) *int { return &c.APIRate }},
}

// Defaults returns the configuration before anything was said.
func Defaults() Config {
	return Config{
		Data: "data", Listen: "127.0.0.1:8080", AdminListen: "127.0.0.1:8081",
		LogLevel: "info", LogFormat: "text", APIRate: 600,
	}
}

func (o option) set(c *Config, v string) error {
	if o.get != nil {
		*o.get(c) = v
		return nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		return fmt.Errorf("%s must be a whole number above zero, not %q", o.key, v)
	}
	*o.num(c) = n
	return nil
}

func (o option) value(c *Config) string {
	if o.get != nil {
		return *o.get(c)
	}
	return strconv.Itoa(*o.num(c))
}

func (o option) flag() string { return strings.ReplaceAll(o.key, "_", "-") }
func (o option) env() string  { return "DIWAN_" + strings.ToUpper(o.key) }

// Flags adds the settings named, or all, and --config to a flag set. The
// returned function gives the configuration once the flags are parsed.
func Flags(fs *flag.FlagSet, defaults Config, only ...string) func() (Config, error) {
	file := fs.String("config", "", "TOML file with settings under the same names, with underscores")
	given := map[string]string{}
	for _, o := range options {
		if len(only) > 0 && !slices.Contains(only, o.key) {
			continue
		}
		fs.Func(o.flag(), fmt.Sprintf("%s (default %q; environment %s)", o.usage, o.value(&defaults), o.env()), func(v string) error {
			given[o.key] = v
			return nil
		})
	}
	return func() (Config, error) { return resolve(defaults, *file, os.Environ(), given) }
}

func resolve(c Config, file string, environ []string, flags map[string]string) (Config, error) {
	if file != "" {
		if err := readFile(&c, file); err != nil {
			return c, err
		}
	}
	if err := readEnviron(&c, environ); err != nil {
		return c, err
	}
	for _, o := range options {
		if v, ok := flags[o.key]; ok {
			if err := o.set(&c, v); err != nil {
				return c, err
			}
		}
	}
	return c, c.complete()
}

// readFile reads the TOML file. A key that does not exist is an error: a
// misspelt setting must not be silently without effect.
func readFile(c *Config, name string) error {
	var raw map[string]any
	if _, err := toml.DecodeFile(name, &raw); err != nil {
		return fmt.Errorf("configuration %s: %w", name, err)
	}
	for key, v := range raw {
		if key == signInKey {
			if err := readSignIn(c, name); err != nil {
				return err
			}
			continue
		}
		i := slices.IndexFunc(options, func(o option) bool { return o.key == key })
		if i < 0 {
			return fmt.Errorf("configuration %s: there is no setting %q; `diwan serve --help` lists them", name, key)
		}
		switch v.(type) {
		case string, int64:
		default: // written out, a table or a list would be taken for a strange name
			return fmt.Errorf("configuration %s: %s must be one text or one number", name, key)
		}
		if err := options[i].set(c, fmt.Sprint(v)); err != nil {
			return fmt.Errorf("configuration %s: %w", name, err)
		}
	}
	return nil
}

func readEnviron(c *Config, environ []string) error {
	for _, e := range environ {
		name, v, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, "DIWAN_") || strings.HasPrefix(name, "DIWAN_TEST_") {
			continue
		}
		i := slices.IndexFunc(options, func(o option) bool { return o.env() == name })
		if i < 0 {
			return fmt.Errorf("environment: there is no setting %s; `diwan serve --help` lists them", name)
		}
		if err := options[i].set(c, v); err != nil {
			return fmt.Errorf("environment %s: %w", name, err)
		}
	}
	return nil
}

// complete fills in what follows from the rest and refuses what can't work.
func (c *Config) complete() error {
	if c.Data == "" {
		return fmt.Errorf("data must name a folder")
	}
	if c.Database == "" {
		c.Database = "sqlite:" + filepath.Join(c.Data, "diwan.db")
	}
	if c.SealFile == "" {
		c.SealFile = filepath.Join(c.Data, "seal.identity")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return fmt.Errorf("tls_cert and tls_key go together")
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	if err := checkPublicURL(c.PublicURL); err != nil {
		return err
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel) {
		return fmt.Errorf("log_level must be debug, info, warn or error, not %q", c.LogLevel)
	}
	if !slices.Contains([]string{"text", "json"}, c.LogFormat) {
		return fmt.Errorf("log_format must be text or json, not %q", c.LogFormat)
	}
	if err := c.checkSignIn(); err != nil {
		return err
	}
	return c.checkFollowing()
}

// checkPublicURL refuses what would break every link that is made from it, or
// leave out the protections that an https address brings.
func checkPublicURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("public_url must be a scheme and a host, such as https://portal.example, not %q", s)
	}
	return nil
}

// Usage prints the settings with their flags.
func Usage(w io.Writer, command, about string, fs *flag.FlagSet) {
	fmt.Fprintf(w, "usage: diwan %s\n\n%s\n", command, about)
	fs.SetOutput(w)
	any := false
	fs.VisitAll(func(*flag.Flag) { any = true })
	if any {
		fmt.Fprintln(w, "\noptions:")
		fs.PrintDefaults()
	}
}
