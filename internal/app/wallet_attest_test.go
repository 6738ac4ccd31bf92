package app

import (
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"diwan/internal/db/dbtest"
	"diwan/internal/wallet/holder"
)

// An issuer that takes attested wallets only takes the one on the command line after its
// holder registered its key, and no longer when the device was revoked.
func TestCommandWalletIsAttested(t *testing.T) {
	run := func(t *testing.T, database string) {
		i := serveApp(t, func(c *Config) {
			c.WalletAttested = "yes"
			if database != "" {
				c.Database = database
			}
		})
		ctx, w, b := t.Context(), i.wallet(), i.reader("salma.demo")
		receive := func(w *holder.Wallet) error {
			o := i.offer(birthExtract)
			_, err := w.Receive(ctx, o["offer"], holder.ReceiveOptions{TxCode: o["tx_code"], Copies: 1})
			return err
		}
		if err := receive(w); err == nil {
			t.Fatal("a wallet that nobody vouches for was served")
		}
		key, err := w.DeviceKey(i.base)
		if again, err2 := w.DeviceKey(i.base + "/"); err != nil || err2 != nil || again != key || len(key) != 43 {
			t.Fatal(key, again, err, err2)
		}
		if _, err := w.Attested(ctx, i.base, "nosuchdevice"); !errors.Is(err, holder.ErrDevice) {
			t.Error("before it is registered:", err)
		}
		for _, bad := range []string{"", key + "A", strings.Repeat("/", 43)} {
			if status, _ := b.read(b.PostForm(i.base+"/en/me/wallets", url.Values{"name": {"Server"}, "key": {bad}})); status != 400 && status != 422 {
				t.Errorf("the key %q: %d", bad, status)
			}
		}
		res, err := b.PostForm(i.base+"/en/me/wallets", url.Values{"name": {"Server"}, "key": {key}})
		if err != nil {
			t.Fatal(err)
		}
		id := res.Request.URL.Query().Get("added")
		if status, page := b.read(res, nil); status != 200 || id == "" || !strings.Contains(page, id) {
			t.Fatal(status, id)
		}
		other := i.wallet()
		if _, err := other.DeviceKey(i.base); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Attested(ctx, i.base, id); !errors.Is(err, holder.ErrDevice) {
			t.Error("with the key of another wallet:", err)
		}
		if err := receive(other); err == nil {
			t.Error("another wallet was served")
		}
		if ends, err := w.Attested(ctx, i.base, id); err != nil || !ends.After(i.clock.Now()) {
			t.Fatal(ends, err)
		}
		if err := receive(w); err != nil {
			t.Fatal("attested:", err)
		}
		person, err := i.Accounts.ByLogin(ctx, "salma.demo")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Request(ctx, i.base, holder.ReceiveOptions{Configurations: []string{birthExtract + ".sd-jwt"}, Copies: 1, Browse: i.consents(person.Actor, true)}); err != nil {
			t.Error("with consent:", err)
		}
		if err := i.Credentials.RevokeWallet(ctx, person.Actor, id); err != nil {
			t.Fatal(err)
		}
		if err := receive(w); err == nil {
			t.Error("a revoked wallet was served")
		}
	}
	t.Run("sqlite", func(t *testing.T) { run(t, "") })
	t.Run("postgres", func(t *testing.T) { run(t, dbtest.Postgres(t, nil).URL()) })
}

// The key of a device lies sealed, like documents.
func TestDeviceKeyIsSealed(t *testing.T) {
	dir := t.TempDir()
	s, err := holder.OpenStore(dir, filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	w := &holder.Wallet{Store: s}
	if _, err := w.DeviceKey("http://example.org"); err == nil {
		t.Error("an issuer without TLS is known by a key")
	}
	if _, err := w.DeviceKey("https://example.org"); err != nil {
		t.Fatal(err)
	}
	if all, err := s.List(); err != nil || len(all) != 0 {
		t.Error("a key is listed as a document:", len(all), err)
	}
	stranger, err := holder.OpenStore(dir, filepath.Join(t.TempDir(), "other"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&holder.Wallet{Store: stranger}).DeviceKey("https://example.org"); err == nil {
		t.Error("the key opens with another identity")
	}
}
