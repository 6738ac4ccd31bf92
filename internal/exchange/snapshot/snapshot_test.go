package snapshot

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"

	"diwan/protocol/xroad"
)

var start = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)

// directory is one that a test changes at will.
type directory struct {
	t     *testing.T
	key   *ecdsa.PrivateKey
	ca    *x509.Certificate
	caKey *ecdsa.PrivateKey
	index Index
	parts map[string][]byte
	asked int // parts that were fetched
	raw   []byte
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func pkixOf(t *testing.T, pub any) []byte {
	t.Helper()
	b, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newDirectory(t *testing.T) *directory {
	d := &directory{t: t, key: newKey(t), caKey: newKey(t), parts: map[string][]byte{}}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: start.AddDate(-1, 0, 0), NotAfter: start.AddDate(9, 0, 0)}
	d.ca = d.issue(tmpl, tmpl, &d.caKey.PublicKey)
	d.index = Index{Version: 1, Instance: "XX", Serial: 1, IssuedAt: start, ValidUntil: start.Add(24 * time.Hour), Authorities: [][]byte{d.ca.Raw},
		DirectoryKeys: [][]byte{pkixOf(t, &d.key.PublicKey)}, Members: map[string]string{}}
	return d
}

func (d *directory) issue(tmpl, parent *x509.Certificate, pub any) *x509.Certificate {
	d.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, pub, d.caKey)
	if err != nil {
		d.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

func (d *directory) put(m *Member) {
	d.t.Helper()
	part, hash, err := EncodePart(m)
	if err != nil {
		d.t.Fatal(err)
	}
	d.parts[hash] = part
	d.index.Members[m.ID] = hash
}

func (d *directory) sign() {
	d.t.Helper()
	raw, err := Sign(&d.index, d.key)
	if err != nil {
		d.t.Fatal(err)
	}
	d.raw = raw
}

func (d *directory) Index(_ context.Context, have string) ([]byte, error) {
	if have == Fingerprint(d.raw) {
		return nil, nil
	}
	return d.raw, nil
}

func (d *directory) Part(_ context.Context, hash string) ([]byte, error) {
	d.asked++
	if p, ok := d.parts[hash]; ok {
		return p, nil
	}
	return nil, errors.New("no such part")
}

func (d *directory) keeper(dir string) *Keeper {
	d.t.Helper()
	k, err := NewKeeper(dir, "XX", [][]byte{pkixOf(d.t, &d.key.PublicKey)}, time.Minute)
	if err != nil {
		d.t.Fatal(err)
	}
	return k
}

func TestKeeper(t *testing.T) {
	d := newDirectory(t)
	d.put(&Member{ID: "XX/GOV/CIVIL", Name: map[string]string{"en": "Civil registry"}})
	d.put(&Member{ID: "XX/COM/TOWN", Name: map[string]string{"en": "Town"}})
	d.sign()
	dir := t.TempDir()
	k := d.keeper(dir)
	if _, err := k.Valid(start); !errors.Is(err, ErrExpired) {
		t.Errorf("before the first: %v", err)
	}
	update := func(now time.Time) (bool, error) { return k.Update(t.Context(), d, now) }
	if changed, err := update(start); !changed || err != nil {
		t.Fatalf("the first: %v, %v", changed, err)
	}
	if changed, err := update(start); changed || err != nil {
		t.Errorf("the same again: %v, %v", changed, err)
	}
	if d.asked != 2 {
		t.Errorf("%d parts fetched", d.asked)
	}
	d.index.Serial = 2
	d.put(&Member{ID: "XX/COM/TOWN", Name: map[string]string{"en": "New Town"}})
	d.sign()
	second := d.raw
	if changed, err := update(start); !changed || err != nil || d.asked != 3 {
		t.Errorf("one part new: %v, %v, %d fetched", changed, err, d.asked)
	}

	older := d.index
	older.Serial = 1
	d.raw, _ = Sign(&older, d.key)
	if _, err := update(start); !errors.Is(err, ErrRollback) {
		t.Errorf("an older one: %v", err)
	}
	d.index.IssuedAt = start.Add(time.Second)
	d.sign()
	if _, err := update(start); !errors.Is(err, ErrRollback) {
		t.Errorf("another under the same serial: %v", err)
	}

	// Without the directory, after a restart: all from the folder, up to its end.
	k = d.keeper(dir)
	if v, err := k.Valid(start.Add(24 * time.Hour)); err != nil || v.Members["XX/COM/TOWN"].Name["en"] != "New Town" {
		t.Errorf("after a restart: %v", err)
	}
	if _, err := k.Valid(start.Add(24*time.Hour + 1)); !errors.Is(err, ErrExpired) {
		t.Errorf("past its end: %v", err)
	}
	d.raw = second
	if changed, err := update(start); changed || err != nil {
		t.Errorf("the same after a restart: %v, %v", changed, err)
	}
}

func TestKeeperRefuses(t *testing.T) {
	town := &Member{ID: "XX/COM/TOWN"}
	link, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	node := []Node{{Name: "n", Keys: []Key{{Public: pkixOf(t, link)}}}}
	for name, tt := range map[string]struct {
		change func(d *directory)
		want   error
	}{
		"another exchange":          {func(d *directory) { d.index.Instance = "YY" }, ErrInstance},
		"an index that ended":       {func(d *directory) { d.index.ValidUntil = start.Add(-1); d.index.IssuedAt = start.AddDate(0, 0, -1) }, ErrExpired},
		"one of tomorrow":           {func(d *directory) { d.index.IssuedAt = start.Add(2 * time.Hour) }, ErrExpired},
		"another key":               {func(d *directory) { d.key = newKey(d.t) }, ErrUntrusted},
		"another version":           {func(d *directory) { d.index.Version = 2 }, ErrIndex},
		"a part under another name": {func(d *directory) { d.index.Members["XX/GOV/CIVIL"] = d.index.Members["XX/COM/TOWN"] }, ErrPart},
		"a part with other bytes":   {func(d *directory) { d.parts[d.index.Members["XX/COM/TOWN"]] = []byte(`{"id":"XX/COM/TOWN"} `) }, ErrPart},
		"a path for a hash":         {func(d *directory) { d.index.Members["XX/COM/TOWN"] = "../../etc/passwd" }, ErrIndex},
		"two who claim one key": {func(d *directory) {
			d.put(&Member{ID: "XX/COM/TOWN", Nodes: node})
			d.put(&Member{ID: "XX/GOV/CIVIL", Nodes: node})
		}, ErrPart},
		"a certificate of another": {func(d *directory) {
			c := d.issue(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{SerialNumber: "XX/GOV/CIVIL"}}, d.ca, &newKey(d.t).PublicKey)
			d.put(&Member{ID: "XX/COM/TOWN", Certificates: [][]byte{c.Raw}})
		}, ErrPart},
		"a certificate that it made itself": {func(d *directory) {
			tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{SerialNumber: "XX/COM/TOWN"}}
			key := newKey(d.t)
			der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
			if err != nil {
				d.t.Fatal(err)
			}
			d.put(&Member{ID: "XX/COM/TOWN", Certificates: [][]byte{der}})
		}, ErrPart},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDirectory(t)
			d.put(town)
			k := d.keeper(t.TempDir())
			tt.change(d)
			d.sign()
			if _, err := k.Update(t.Context(), d, start); !errors.Is(err, tt.want) || k.View() != nil {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func TestKeysChangeHands(t *testing.T) {
	d := newDirectory(t)
	d.sign()
	dir := t.TempDir()
	k := d.keeper(dir)
	first, next := d.key, newKey(t)
	step := func(want error) {
		t.Helper()
		d.index.Serial++
		d.sign()
		if _, err := k.Update(t.Context(), d, start); !errors.Is(err, want) {
			t.Errorf("serial %d: %v", d.index.Serial, err)
		}
	}
	step(nil)
	d.index.DirectoryKeys = [][]byte{pkixOf(t, &first.PublicKey), pkixOf(t, &next.PublicKey)}
	step(nil)
	d.key, d.index.DirectoryKeys = next, [][]byte{pkixOf(t, &next.PublicKey)}
	step(nil)
	d.key = first
	step(ErrUntrusted)
	d.key = first // what the gateway was given when it joined
	again := d.keeper(dir)
	if again.View() == nil {
		t.Error("what was kept is not trusted after the change of keys")
	}
}

func TestView(t *testing.T) {
	d := newDirectory(t)
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der := pkixOf(t, pub)
	cert := d.issue(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{SerialNumber: "XX/GOV/CIVIL"}, NotAfter: start.AddDate(1, 0, 0)}, d.ca, &newKey(t).PublicKey)
	m := &Member{ID: "XX/GOV/CIVIL", Name: map[string]string{"en": "Civil"}, Certificates: [][]byte{cert.Raw},
		Nodes:      []Node{{Name: "one", Keys: []Key{{Public: der}}, TLS: []Pin{{SHA256: hexSum(cert.RawSubjectPublicKeyInfo)}}}},
		Subsystems: []Subsystem{{Code: "REGISTRY", Services: []Service{{Code: "births"}}}}}
	members := map[string]*Member{m.ID: m}
	v, err := NewView(&d.index, members)
	if err != nil {
		t.Fatal(err)
	}
	if k, ok := v.Key(KeyID(der)); !ok || k.Member != m.ID || k.Node != "one" {
		t.Errorf("key %+v, %v", k, ok)
	}
	if n, ok := v.NodeOf(cert); !ok || n.Node != "one" {
		t.Errorf("node %+v, %v", n, ok)
	}
	if len(v.KeyPrints(m.ID)) != 1 {
		t.Errorf("key prints %v", v.KeyPrints(m.ID))
	}
	id, err := xroad.ParseServiceID("XX/GOV/CIVIL/REGISTRY/births")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := v.Service(id); !ok {
		t.Error("the service is not found")
	}
	if got := v.Clients("fr"); len(got) != 2 || got[0].Name != "Civil" || got[1].ID.Subsystem != "REGISTRY" {
		t.Errorf("clients %+v", got)
	}
	d.index.Revoked = []Revocation{{SHA256: hexSum(der)}, {SHA256: hexSum(cert.Raw)}, {SHA256: hexSum(cert.RawSubjectPublicKeyInfo)}}
	if v, err = NewView(&d.index, members); err != nil {
		t.Fatal(err)
	}
	if _, ok := v.Key(KeyID(der)); ok {
		t.Error("a revoked key is known")
	}
	if _, ok := v.NodeOf(cert); ok {
		t.Error("a revoked certificate is known")
	}
	if len(v.KeyPrints(m.ID)) != 0 {
		t.Error("a revoked certificate signs contracts")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("eyJhbGciOiJFUzI1NiIsInR5cCI6ImRpd2FuLWV4Y2hhbmdlLWluZGV4K2p3cyJ9.e30.AAAA"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if x, err := Open(b, nil); err == nil {
			t.Fatalf("trusted without a key: %+v", x)
		}
	})
}

func FuzzOpenPart(f *testing.F) {
	f.Add([]byte(`{"id":"XX/COM/TOWN","nodes":[{"name":"n","keys":[{"public":"AAAA"}],"tls":[{"sha256":"00"}]}],"certificates":["AAAA"]}`))
	d := Index{Version: 1, Members: map[string]string{}}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := OpenPart(b, "XX/COM/TOWN", Hash(b))
		if err != nil {
			return
		}
		NewView(&d, map[string]*Member{m.ID: m}) // must not panic
	})
}
