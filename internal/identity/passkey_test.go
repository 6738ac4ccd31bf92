package identity

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// device is an authenticator with one key, at a site.
type device struct {
	t    *testing.T
	p    *Passkeys
	site virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

// fullKey is how long a public key on P-256 is in COSE when no coordinate begins
// with a zero byte; the library drops those, which no authenticator may.
const fullKey = 77

func newKey() virtualwebauthn.Credential {
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == fullKey {
			return c
		}
	}
}

func (d *device) request() *http.Request {
	return httptest.NewRequest("POST", "https://portal.example/", nil)
}

func (d *device) options(o offer) string {
	b, err := json.Marshal(o.Options)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

func (d *device) enrol(a Account, binding string) error {
	d.t.Helper()
	o, err := d.p.beginEnrol(d.request(), a, binding)
	if err != nil {
		return err
	}
	options, err := virtualwebauthn.ParseAttestationOptions(d.options(o))
	if err != nil {
		d.t.Fatal(err)
	}
	d.auth.Options.UserHandle = []byte(a.ID)
	answer := virtualwebauthn.CreateAttestationResponse(d.site, d.auth, d.key, *options)
	if err := d.p.enrol(d.request(), a, binding, o.Token, "desk", []byte(answer)); err != nil {
		return err
	}
	d.auth.AddCredential(d.key)
	return nil
}

// answer begins a use of a key and answers as the device does.
func (d *device) answer(a *Account, binding string) (token string, answer []byte) {
	d.t.Helper()
	o, err := d.p.begin(d.request(), a, binding)
	if err != nil {
		d.t.Fatal(err)
	}
	options, err := virtualwebauthn.ParseAssertionOptions(d.options(o))
	if err != nil {
		d.t.Fatal(err)
	}
	return o.Token, []byte(virtualwebauthn.CreateAssertionResponse(d.site, d.auth, d.key, *options))
}

func devices(t *testing.T, test func(t *testing.T, d *device, a *Accounts, ali Account, clock *movingClock)) {
	dbtest.Each(t, []db.Migrations{audit.Migrations(), Migrations()}, func(t *testing.T, database *db.DB) {
		clock := &movingClock{t: time.Now()}
		a := NewAccounts(database, audit.New(database, clock), clock)
		for _, login := range []string{"ali", "mona"} {
			if err := a.Put(t.Context(), gov.Actor{ID: "op"}, Account{Actor: gov.Actor{Login: login, Name: gov.Text{"en": login}, Roles: []gov.Role{gov.RoleSign}, Administration: "north"}}); err != nil {
				t.Fatal(err)
			}
		}
		ali, err := a.ByLogin(t.Context(), "ali")
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPasskeys(a, "Portal", "https://portal.example")
		if err != nil {
			t.Fatal(err)
		}
		d := &device{t: t, p: p, site: virtualwebauthn.RelyingParty{Name: "Portal", ID: "portal.example", Origin: "https://portal.example"},
			auth: virtualwebauthn.NewAuthenticator(), key: newKey()}
		test(t, d, a, ali, clock)
	})
}

func TestPasskey(t *testing.T) {
	devices(t, func(t *testing.T, d *device, a *Accounts, ali Account, _ *movingClock) {
		if err := d.enrol(ali, "browser"); err != nil {
			t.Fatal(err)
		}
		keys, err := d.p.List(t.Context(), ali.ID)
		if err != nil || len(keys) != 1 || keys[0].Name != "desk" {
			t.Fatalf("keys: %+v, %v", keys, err)
		}
		d.key.Counter++
		token, answer := d.answer(nil, "browser")
		if got, err := d.p.finish(d.request(), "browser", token, answer); err != nil || got.Login != "ali" {
			t.Fatalf("signing in: %v, %v", got.Login, err)
		}
		if _, err := d.p.finish(d.request(), "browser", token, answer); !problem.Is(err, problem.Forbidden) {
			t.Errorf("the same answer again: %v", err)
		}
		d.key.Counter++
		token, answer = d.answer(&ali, "browser")
		if got, err := d.p.finish(d.request(), "browser", token, answer); err != nil || got.ID != ali.ID {
			t.Errorf("confirming: %v, %v", got.Login, err)
		}
		if err := d.p.Remove(t.Context(), ali.Actor, "somebody", keys[0].ID); !problem.Is(err, problem.NotFound) {
			t.Errorf("somebody else's key: %v", err)
		}
		if err := d.p.Remove(t.Context(), ali.Actor, ali.ID, keys[0].ID); err != nil {
			t.Fatal(err)
		}
		token, answer = d.answer(nil, "browser")
		if _, err := d.p.finish(d.request(), "browser", token, answer); !problem.Is(err, problem.Forbidden) {
			t.Errorf("a removed key: %v", err)
		}
	})
}

func TestPasskeyIsRefused(t *testing.T) {
	devices(t, func(t *testing.T, d *device, a *Accounts, ali Account, clock *movingClock) {
		if err := d.enrol(ali, "browser"); err != nil {
			t.Fatal(err)
		}
		refused := func(name, binding, token string, answer []byte) {
			t.Helper()
			if got, err := d.p.finish(d.request(), binding, token, answer); !problem.Is(err, problem.Forbidden) {
				t.Errorf("%s: %s, %v", name, got.Login, err)
			}
		}
		good := d.site
		d.site.Origin = "https://portal.example.evil.example"
		token, answer := d.answer(nil, "browser")
		refused("another origin", "browser", token, answer)
		d.site = virtualwebauthn.RelyingParty{Name: "Portal", ID: "evil.example", Origin: "https://portal.example"}
		o, err := d.p.begin(d.request(), nil, "browser")
		if err != nil {
			t.Fatal(err)
		}
		options, err := virtualwebauthn.ParseAssertionOptions(d.options(o))
		if err != nil {
			t.Fatal(err)
		}
		refused("another site's key", "browser", o.Token, []byte(virtualwebauthn.CreateAssertionResponse(d.site, d.auth, d.key, *options)))
		d.site = good
		token, answer = d.answer(nil, "browser")
		refused("another browser", "other", token, answer)
		other, _ := d.answer(nil, "browser")
		refused("the answer to another question", "browser", other, answer)
		for _, nonsense := range []string{"", "{}", "null", `{"id":"x"}`, "\x00"} {
			token, _ = d.answer(nil, "browser")
			refused("nonsense", "browser", token, []byte(nonsense))
		}
		token, answer = d.answer(nil, "browser")
		clock.pass(flowLife + time.Second)
		refused("too late", "browser", token, answer)
		d.auth.Options.UserNotVerified = true
		token, answer = d.answer(nil, "browser")
		refused("a holder who did not prove themselves", "browser", token, answer)
		d.auth.Options.UserNotVerified = false
		mona, err := a.ByLogin(t.Context(), "mona")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.p.begin(d.request(), &mona, "browser"); !problem.Is(err, problem.NotFound) {
			t.Errorf("confirming without a key: %v", err)
		}
		stranger := d.auth
		stranger.Options.UserHandle = []byte(mona.ID)
		mine := d.auth
		d.auth = stranger
		token, answer = d.answer(nil, "browser")
		refused("a key under another's name", "browser", token, answer)
		d.auth = mine
		if err := d.enrol(mona, "browser"); err == nil {
			t.Error("one key was added to two accounts")
		}
		d.auth.Options.UserHandle = []byte(ali.ID)
		ali.Disabled = true
		if err := a.Put(t.Context(), gov.Actor{}, ali); err != nil {
			t.Fatal(err)
		}
		token, answer = d.answer(nil, "browser")
		refused("a disabled account", "browser", token, answer)
	})
}

// A key whose counter goes back was copied: one of the two is in wrong hands.
func TestCopiedPasskey(t *testing.T) {
	devices(t, func(t *testing.T, d *device, a *Accounts, ali Account, _ *movingClock) {
		if err := d.enrol(ali, "browser"); err != nil {
			t.Fatal(err)
		}
		d.key.Counter = 9
		token, answer := d.answer(nil, "browser")
		if _, err := d.p.finish(d.request(), "browser", token, answer); err != nil {
			t.Fatal(err)
		}
		d.key.Counter = 5
		token, answer = d.answer(nil, "browser")
		if _, err := d.p.finish(d.request(), "browser", token, answer); err == nil || problem.From(err).Code != "passkey.copied" {
			t.Errorf("a counter that went back: %v", err)
		}
		list, err := a.audit.Recent(t.Context(), chain, 0, 1)
		if err != nil || len(list) != 1 || list[0].Action != "passkey.copied" {
			t.Errorf("the audit trail: %+v, %v", list, err)
		}
	})
}
