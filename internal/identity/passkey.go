package identity

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Passkeys are the keys that officers carry in their devices (W3C WebAuthn). A key
// is bound to the address of this site, always asks its holder to prove presence
// and identity, and is told apart from a copy by its counter where it has one.
type Passkeys struct {
	accounts *Accounts
	sites    []*relying
}

// relying is one address under which this site may be visited.
type relying struct {
	host string
	*webauthn.WebAuthn
}

// maxPasskeys is how many keys one account may have.
const maxPasskeys = 20

// NewPasskeys returns the passkeys for the origins at which this site is visited,
// such as "https://portal.example"; the first is the one of all others. Browsers
// know no passkeys for an address by number.
func NewPasskeys(a *Accounts, name string, origins ...string) (*Passkeys, error) {
	p := &Passkeys{accounts: a}
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("passkeys: %q is not an origin", o)
		}
		w, err := webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: name, RPOrigins: []string{u.Scheme + "://" + u.Host},
			AttestationPreference: protocol.PreferNoAttestation,
			AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired,
				RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired}})
		if err != nil {
			return nil, fmt.Errorf("passkeys for %s: %w", o, err)
		}
		p.sites = append(p.sites, &relying{u.Host, w})
	}
	if len(p.sites) == 0 {
		return nil, errors.New("passkeys need an origin")
	}
	return p, nil
}

// Elsewhere is the origin at which passkeys work, when this request came by an address
// by number, as that of a demonstration on this machine: browsers know none there.
func (p *Passkeys) Elsewhere(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return ""
	}
	return p.sites[0].Config.RPOrigins[0]
}

// site returns the one of our own origins that was asked, never what a header
// makes up.
func (p *Passkeys) site(r *http.Request) *relying {
	for _, s := range p.sites {
		if s.host == r.Host {
			return s
		}
	}
	return p.sites[0]
}

// Passkey is one key of an account.
type Passkey struct {
	ID, Account, Name string
	Created, Used     time.Time
	credential        webauthn.Credential
	version           int64
}

// List returns the keys of an account, oldest first.
func (p *Passkeys) List(ctx context.Context, account string) ([]Passkey, error) {
	rows, err := p.accounts.db.Reader().QueryContext(ctx, `SELECT id, account, name, credential, version, created_at, used_at FROM identity_passkey
		WHERE account = $1 ORDER BY created_at, id LIMIT $2`, account, maxPasskeys)
	if err != nil {
		return nil, fmt.Errorf("listing passkeys: %w", err)
	}
	defer rows.Close()
	var out []Passkey
	for rows.Next() {
		var k Passkey
		var text string
		var created, used int64
		if err := rows.Scan(&k.ID, &k.Account, &k.Name, &text, &k.version, &created, &used); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(text), &k.credential); err != nil {
			return nil, err
		}
		k.Created = db.Time(created)
		if used != 0 {
			k.Used = db.Time(used)
		}
		out = append(out, k)
	}
	return out, rows.Err()
}

// holder is an account as the library sees it.
type holder struct {
	Account
	keys []Passkey
}

// WebAuthnID names the account to authenticators; it says nothing of the person.
func (h holder) WebAuthnID() []byte { return []byte(h.ID) }

// WebAuthnName is shown where somebody has several keys.
func (h holder) WebAuthnName() string { return h.Login }

// WebAuthnDisplayName is the same: a name of a person has no place in a device
// that others use too.
func (h holder) WebAuthnDisplayName() string { return h.Login }

// WebAuthnCredentials returns the keys.
func (h holder) WebAuthnCredentials() []webauthn.Credential {
	out := make([]webauthn.Credential, len(h.keys))
	for i, k := range h.keys {
		out[i] = k.credential
	}
	return out
}

func (p *Passkeys) holder(ctx context.Context, a Account) (holder, error) {
	keys, err := p.List(ctx, a.ID)
	return holder{a, keys}, err
}

// ceremony is what is remembered between the two halves of a use of a key.
type ceremony struct {
	Site    string
	Session webauthn.SessionData
	Account string
}

// offer is what a page's script hands to the browser.
type offer struct {
	Token   string `json:"token"`
	Options any    `json:"options"`
}

// beginEnrol begins to add a key to an account.
func (p *Passkeys) beginEnrol(r *http.Request, a Account, binding string) (offer, error) {
	h, err := p.holder(r.Context(), a)
	if err != nil {
		return offer{}, err
	}
	if len(h.keys) >= maxPasskeys {
		return offer{}, problem.New(problem.TooMany, "passkey.many")
	}
	site := p.site(r)
	options, session, err := site.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return offer{}, err
	}
	token, err := p.accounts.openFlow(r.Context(), flowEnrol, binding, flowLife, ceremony{site.host, *session, a.ID})
	return offer{token, options}, err
}

// enrol adds the key that an authenticator has made.
func (p *Passkeys) enrol(r *http.Request, a Account, binding, token, name string, answer []byte) error {
	c, site, err := p.take(r, flowEnrol, binding, token)
	if err != nil {
		return err
	}
	if c.Account != a.ID {
		return errFlow
	}
	h, err := p.holder(r.Context(), a)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return refusedKey(err)
	}
	credential, err := site.CreateCredential(h, c.Session, parsed)
	if err != nil {
		return refusedKey(err)
	}
	if name = cleanLine(name, 60); name == "" {
		name = fmt.Sprint(len(h.keys) + 1)
	}
	text, err := json.Marshal(credential)
	if err != nil {
		return err
	}
	return p.accounts.db.RunTx(r.Context(), func(tx *db.Tx) error {
		if _, err := tx.ExecContext(r.Context(), `INSERT INTO identity_passkey (id, account, name, credential, version, created_at, used_at) VALUES ($1, $2, $3, $4, 0, $5, 0)`,
			keyID(credential.ID), a.ID, name, string(text), db.Micros(p.accounts.clock.Now())); err != nil {
			if db.IsDuplicate(err) {
				return refusedKey(err)
			}
			return fmt.Errorf("keeping a passkey: %w", err)
		}
		return p.accounts.audit.Append(r.Context(), tx, chain, a.Actor, "passkey.added", a.ID, map[string]string{"key": keyID(credential.ID)})
	})
}

func keyID(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

func refusedKey(err error) error { return problem.Wrap(err, problem.Forbidden, "passkey.refused") }

// take ends an exchange and returns it with the address of ours that it began at.
func (p *Passkeys) take(r *http.Request, kind, binding, token string) (ceremony, *relying, error) {
	var c ceremony
	if err := p.accounts.takeFlow(r.Context(), kind, binding, token, &c); err != nil {
		return c, nil, err
	}
	for _, s := range p.sites {
		if s.host == c.Site {
			return c, s, nil
		}
	}
	return c, nil, errFlow
}

// begin begins a use of a key: of any account when a is nil, or of this one.
func (p *Passkeys) begin(r *http.Request, a *Account, binding string) (offer, error) {
	site := p.site(r)
	c := ceremony{Site: site.host}
	var options *protocol.CredentialAssertion
	var session *webauthn.SessionData
	var err error
	if a == nil {
		options, session, err = site.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	} else {
		var h holder
		if h, err = p.holder(r.Context(), *a); err != nil {
			return offer{}, err
		}
		if len(h.keys) == 0 {
			return offer{}, problem.New(problem.NotFound, "passkey.none")
		}
		c.Account = a.ID
		options, session, err = site.BeginLogin(h, webauthn.WithUserVerification(protocol.VerificationRequired))
	}
	if err != nil {
		return offer{}, err
	}
	c.Session = *session
	token, err := p.accounts.openFlow(r.Context(), flowPasskey, binding, flowLife, c)
	return offer{token, options}, err
}

// finish ends a use of a key and returns whose it is. The account of the exchange
// holds, when it began for one.
func (p *Passkeys) finish(r *http.Request, binding, token string, answer []byte) (Account, error) {
	c, site, err := p.take(r, flowPasskey, binding, token)
	if err != nil {
		return Account{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Account{}, refusedKey(err)
	}
	var h holder
	find := func(_, user []byte) (webauthn.User, error) {
		a, err := p.accounts.ByID(r.Context(), string(user))
		if err == nil {
			h, err = p.holder(r.Context(), a)
		}
		return h, err
	}
	var used *webauthn.Credential
	if c.Account == "" {
		_, used, err = site.ValidatePasskeyLogin(find, c.Session, parsed)
	} else if _, err = find(nil, []byte(c.Account)); err == nil {
		used, err = site.ValidateLogin(h, c.Session, parsed)
	}
	if err != nil {
		return Account{}, refusedKey(err)
	}
	if !p.accounts.open(h.Account) {
		return Account{}, errDisabled(h.Account)
	}
	return h.Account, p.used(r.Context(), h, used)
}

// used keeps the key's counter. A key whose counter went back is a copy of
// another, and opens nothing; so is one that two requests use at once.
func (p *Passkeys) used(ctx context.Context, h holder, c *webauthn.Credential) error {
	i := slices.IndexFunc(h.keys, func(k Passkey) bool { return k.ID == keyID(c.ID) })
	if i < 0 {
		return refusedKey(sql.ErrNoRows)
	}
	if c.Authenticator.CloneWarning {
		if err := p.accounts.note(ctx, h.Actor, "passkey.copied", h.ID, map[string]string{"key": h.keys[i].ID}); err != nil {
			return err
		}
		return problem.New(problem.Forbidden, "passkey.copied")
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return p.accounts.db.RunTx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE identity_passkey SET credential = $2, used_at = $3, version = version + 1 WHERE id = $1 AND version = $4`,
			h.keys[i].ID, string(text), db.Micros(p.accounts.clock.Now()), h.keys[i].version)
		if err != nil {
			return fmt.Errorf("keeping a passkey's counter: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return refusedKey(err)
		}
		return nil
	})
}

// Remove takes a key away from an account.
func (p *Passkeys) Remove(ctx context.Context, by gov.Actor, account, id string) error {
	return p.accounts.db.RunTx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM identity_passkey WHERE id = $1 AND account = $2`, id, account)
		if err != nil {
			return fmt.Errorf("removing a passkey: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = problem.New(problem.NotFound, "passkey.none")
			}
			return err
		}
		return p.accounts.audit.Append(ctx, tx, chain, by, "passkey.removed", account, map[string]string{"key": id})
	})
}
