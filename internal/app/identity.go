package app

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/BurntSushi/toml"

	"diwan/internal/gov"
	"diwan/internal/identity"
	"diwan/internal/mail"
	"diwan/internal/sms"
	"diwan/internal/web"
)

// signInKey is the table of sign-in providers in the configuration.
const signInKey = "sign_in"

// signInTable is one of them as it is written:
//
//	[[sign_in]]
//	id = "national"
//	issuer = "https://id.example"
//	client_id = "portal"
//	client_secret_file = "/etc/diwan/id.secret"
//	for = "people"
//	name = { ar = "…", fr = "…" }
//	[sign_in.claims]
//	national_id = "national_id"
type signInTable struct {
	ID               string            `toml:"id"`
	Issuer           string            `toml:"issuer"`
	ClientID         string            `toml:"client_id"`
	ClientSecretFile string            `toml:"client_secret_file"`
	For              string            `toml:"for"`
	Name             map[string]string `toml:"name"`
	Scopes           []string          `toml:"scopes"`
	UserInfo         bool              `toml:"user_info"`
	Confirms         bool              `toml:"confirms"`
	Claims           struct {
		Name       map[string]string `toml:"name"`
		NationalID string            `toml:"national_id"`
		Birthdate  string            `toml:"birthdate"`
		Represents string            `toml:"represents"`
	} `toml:"claims"`
}

// readSignIn reads the sign-in providers of a configuration file. A key that does
// not exist is an error, as everywhere in the configuration.
func readSignIn(c *Config, name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	var file struct {
		SignIn []signInTable `toml:"sign_in"`
	}
	meta, err := toml.NewDecoder(bytes.NewReader(b)).Decode(&file)
	if err != nil {
		return fmt.Errorf("configuration %s: %w", name, err)
	}
	for _, k := range meta.Undecoded() {
		if k[0] == signInKey {
			return fmt.Errorf("configuration %s: there is no setting %q", name, k)
		}
	}
	c.SignIn = nil
	for _, t := range file.SignIn {
		p, err := t.provider()
		if err == nil {
			for _, other := range c.SignIn {
				if other.ID == p.ID || other.Issuer == p.Issuer {
					err = fmt.Errorf("sign-in provider %s: its id or its issuer is there twice", p.ID)
				}
			}
		}
		if err != nil {
			return fmt.Errorf("configuration %s: %w", name, err)
		}
		c.SignIn = append(c.SignIn, p)
	}
	return nil
}

func (t *signInTable) provider() (*identity.Provider, error) {
	p := &identity.Provider{ID: t.ID, Issuer: t.Issuer, ClientID: t.ClientID, For: t.For, Name: gov.Text{}, Scopes: t.Scopes, UserInfo: t.UserInfo, Confirms: t.Confirms,
		Claims: identity.ClaimNames{Name: t.Claims.Name, NationalID: t.Claims.NationalID, Birthdate: t.Claims.Birthdate, Represents: t.Claims.Represents}}
	for l, n := range t.Name {
		p.Name[gov.Lang(l)] = n
	}
	if p.For == "" {
		p.For = identity.ForPeople
	}
	if t.ClientSecretFile != "" {
		b, err := os.ReadFile(t.ClientSecretFile)
		if err != nil {
			return nil, fmt.Errorf("sign-in provider %s: %w", t.ID, err)
		}
		p.ClientSecret = strings.TrimRight(string(b), "\r\n")
	}
	return p, p.Check()
}

// checkSignIn refuses providers without the address that they send people back to.
func (c *Config) checkSignIn() error {
	if len(c.SignIn) > 0 && c.PublicURL == "" {
		return errors.New("sign_in needs public_url: providers send people back to it")
	}
	return nil
}

// openIdentity prepares what people's accounts need beside the database: the vault,
// whose secret comes from the identity that seals the keys and so lies where the
// database does not.
func (a *App) openIdentity() error {
	seal, err := os.ReadFile(a.Config.SealFile)
	if err != nil {
		return fmt.Errorf("reading the identity that seals what is known of people: %w", err)
	}
	secret, err := hkdf.Key(sha256.New, bytes.TrimSpace(seal), nil, "diwan: vault of people", 32)
	if err != nil {
		return err
	}
	if a.Accounts.Vault, err = identity.NewVault(secret); err != nil {
		return err
	}
	a.Accounts.Zone = a.Country.Zone()
	if a.Config.Demo {
		return a.openDemoSignIn()
	}
	return nil
}

// openDoors builds the ways in. It needs the pages.
func (a *App) openDoors(sessions *identity.Sessions) *identity.Doors {
	return &identity.Doors{Accounts: a.Accounts, Sessions: sessions, Providers: a.Config.SignIn, Languages: a.Country.Order(), Base: a.visitedURL}
}

// visitedURL is this installation's address as the reader knows it. A demonstration
// is reached under two names of the same machine, and who began under one has to
// come back to it.
func (a *App) visitedURL(r *http.Request) string {
	base := a.baseURL(r)
	if a.Config.Demo && r.Host != "" && "http://"+r.Host == localName(base) {
		return "http://" + r.Host
	}
	return base
}

// localName is the address of a demonstration by the name of this machine: browsers
// know no passkeys for an address by number.
func localName(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		return ""
	}
	return u.Scheme + "://localhost:" + u.Port()
}

// openPasskeys returns the passkeys of this installation's address, nil when it has
// none that browsers know passkeys for.
func (a *App) openPasskeys() *identity.Passkeys {
	base := a.Config.PublicURL
	if base == "" {
		base = "http://" + a.Config.Listen
	}
	if local := localName(base); local != "" {
		base = local
	}
	if u, err := url.Parse(base); err != nil || u.Hostname() == "" || net.ParseIP(u.Hostname()) != nil {
		return nil
	}
	name, _ := a.Country.Portal.In(a.Country.Languages[0].Code, a.Country.Order())
	p, err := identity.NewPasskeys(a.Accounts, name, base)
	if err != nil {
		a.log.Warn("there are no passkeys", "error", err)
		return nil
	}
	return p
}

// signInPages are the pages of one part of the site.
func (a *App) signInPages(sessions *identity.Sessions, doors *identity.Doors, root string) *identity.Pages {
	return &identity.Pages{Site: a.Site, Accounts: a.Accounts, Sessions: sessions, Root: root, Doors: doors, Passkeys: a.openPasskeys(), Messenger: a.messenger(),
		NameOf:    func(id string) gov.Text { return a.Catalogue.Snapshot().AdministrationName(id) },
		Procedure: func(id string) bool { return a.Catalogue.Snapshot().Procedure(id) != nil }}
}

// fewTries puts what providers send people and messages to under a limit.
func (a *App) fewTries(next http.Handler) http.Handler {
	return web.NewRateLimit(a.Config.APIRate, a.Config.APIRate, a.clock.Now, a.Site.Fail).Wrap(next)
}

// messenger sends codes to addresses, with what the program sends mail with.
func (a *App) messenger() identity.Messenger {
	if a.sender != nil || a.sms != nil {
		return codeSender{a.sender, a.sms, a.clock}
	}
	return nil
}

// codeSender sends by mail and by short message; each may be nil.
type codeSender struct {
	mail  mail.Sender
	sms   sms.Sender
	clock gov.Clock
}

// Sends tells by which ways codes go.
func (s codeSender) Sends(channel string) bool {
	return channel == identity.ChannelMail && s.mail != nil || channel == identity.ChannelSMS && s.sms != nil
}

// SendCode sends one message.
func (s codeSender) SendCode(ctx context.Context, channel, address string, lang gov.Lang, subject, text string) error {
	if channel == identity.ChannelSMS {
		return s.sms.Send(ctx, sms.Message{ID: gov.NewID(), To: address, Text: text})
	}
	return s.mail.Send(ctx, mail.Message{To: address, Subject: subject, Text: text, Lang: string(lang), ID: gov.NewID(), At: s.clock.Now()})
}
