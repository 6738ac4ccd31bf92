package translog

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/exchange/pki"
	"diwan/internal/exchange/translog/stamp"
)

// stampHouse makes a time-stamp authority and a client of it.
func stampHouse(t testing.TB, d *db.DB, now func() time.Time) (*stamp.Authority, *stamp.Client) {
	t.Helper()
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root, err := pki.NewRoot("TEST", rootKey, now())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := root.IssueStamp(key.Public(), "Stamps", now())
	if err != nil {
		t.Fatal(err)
	}
	policy := asn1.ObjectIdentifier{2, 5, 29, 32, 0, 55}
	a, err := stamp.NewAuthority(d, stamp.AuthorityOptions{Certificate: cert, Key: key, Policy: policy, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root.Certificate)
	return a, &stamp.Client{URL: "http://stamps.invalid/", HTTP: &http.Client{Transport: direct{a}}, Now: now,
		Trust: stamp.Trust{Roots: pool, Policies: []asn1.ObjectIdentifier{policy}}}
}

var allSets = []db.Migrations{Migrations(), stamp.Migrations()}

// proven makes a log with two witnesses and a stamp, and a bundle of record 7.
func proven(t testing.TB, d *db.DB) (*Log, *Bundle, Trust) {
	t.Helper()
	l := openLog(t, d)
	l.quorum = 2
	add(t, l, 0, 300)
	checkpoint(t, l)
	trust := Trust{Log: l.Key(), Need: 2, NeedStamp: true, Record: func(b []byte) ([]Fact, error) {
		if !bytes.HasPrefix(b, []byte("record ")) {
			return nil, errors.New("another kind of record")
		}
		return []Fact{{"number", string(b[7:])}}, nil
	}}
	for i := range 2 {
		w := newWitness(t, d, fmt.Sprint("witness-", i), l.Key())
		if err := l.Cosign(ctx, clientOf(t, w), t0); err != nil {
			t.Fatal(err)
		}
		trust.Witnesses = append(trust.Witnesses, w.Key())
	}
	_, c := stampHouse(t, d, time.Now)
	if asked, err := l.Stamp(ctx, c); !asked || err != nil {
		t.Fatalf("stamping: %v, %v", asked, err)
	}
	trust.Stamps = c.Trust
	b, err := l.Prove(ctx, record(7))
	if err != nil {
		t.Fatal(err)
	}
	return l, b, trust
}

func outcomes(checks []Check) string {
	var b strings.Builder
	for _, c := range checks {
		fmt.Fprintf(&b, "%s=%s ", c.Code, c.Outcome)
	}
	return strings.TrimSpace(b.String())
}

const allPassed = "format=passed record=passed entry=passed log_signature=passed inclusion=passed witnesses=passed time_stamp=passed"

func TestBundle(t *testing.T) {
	dbtest.Each(t, allSets, func(t *testing.T, d *db.DB) {
		l, b, trust := proven(t, d)
		data, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseBundle(data)
		if err != nil {
			t.Fatal(err)
		}
		checks := Verify(again, trust)
		if got := outcomes(checks); got != allPassed || !Proven(checks) {
			t.Errorf("%s\n%+v", got, checks)
		}
		if f := checks[1].Facts; len(f) != 1 || f[0].Value != "7" {
			t.Errorf("facts of the record: %v", f)
		}
		if _, err := l.Prove(ctx, record(9999)); !errors.Is(err, ErrNotThere) {
			t.Errorf("proving what is not there: %v", err)
		}
		add(t, l, 300, 301)
		if _, err := l.Prove(ctx, record(300)); !errors.Is(err, ErrNotThere) {
			t.Errorf("proving what is under no checkpoint: %v", err)
		}
	})
}

// Whatever is changed in a bundle shows, at the check that it belongs to.
func TestBundleTampering(t *testing.T) {
	l, good, trust := proven(t, dbtest.SQLite(t, allSets))
	other, err := l.Prove(ctx, record(8))
	if err != nil {
		t.Fatal(err)
	}
	stranger := keyNamed("stranger")
	otherLog, err := Open(ctx, l.db, Options{Origin: "exchange/TEST/GOV/B", Key: stranger})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := otherLog.Append(ctx, entriesOf(7, 8)); err != nil {
		t.Fatal(err)
	}
	if _, err := otherLog.Checkpoint(ctx, t0); err != nil {
		t.Fatal(err)
	}
	elsewhere, err := otherLog.Prove(ctx, record(7))
	if err != nil {
		t.Fatal(err)
	}
	// One root signed anew by the log itself, after the stamp.
	c, _, err := OpenCheckpoint([]byte(good.Checkpoint), &l.signer.logKey)
	if err != nil {
		t.Fatal(err)
	}
	c.Size++
	resigned := string(forge(t, c, keyNamed("log")))
	foreign := c
	foreign.Origin = "exchange/TEST/GOV/B"
	alias, err := WitnessKey("witness-alias", newWitness(t, l.db, "witness-0").key.pub)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name   string
		change func(b *Bundle, t *Trust)
		failed string
	}{
		{"format", func(b *Bundle, _ *Trust) { b.Format = "other" }, CheckFormat},
		{"no record", func(b *Bundle, _ *Trust) { b.Record = nil }, CheckFormat},
		{"index below", func(b *Bundle, _ *Trust) { b.Index = -1 }, CheckFormat},
		{"record is no record", func(b *Bundle, _ *Trust) { b.Record = []byte("x") }, CheckRecord},
		{"nobody reads records", func(_ *Bundle, t *Trust) { t.Record = nil }, CheckRecord},
		{"record", func(b *Bundle, _ *Trust) { b.Record = []byte("record 8") }, CheckInclusion},
		{"index", func(b *Bundle, _ *Trust) { b.Index++ }, CheckInclusion},
		{"index beyond", func(b *Bundle, _ *Trust) { b.Index = 1 << 40 }, CheckInclusion},
		{"hash", func(b *Bundle, _ *Trust) { b.Inclusion[3][0] ^= 1 }, CheckInclusion},
		{"hash missing", func(b *Bundle, _ *Trust) { b.Inclusion = b.Inclusion[1:] }, CheckInclusion},
		{"hash more", func(b *Bundle, _ *Trust) { b.Inclusion = append(b.Inclusion, b.Inclusion[0]) }, CheckInclusion},
		{"hash short", func(b *Bundle, _ *Trust) { b.Inclusion[0] = b.Inclusion[0][1:] }, CheckInclusion},
		{"proof of another", func(b *Bundle, _ *Trust) { b.Inclusion = other.Inclusion }, CheckInclusion},
		{"checkpoint edited", func(b *Bundle, _ *Trust) { b.Checkpoint = strings.Replace(b.Checkpoint, "\n300\n", "\n301\n", 1) }, CheckLog},
		{"checkpoint empty", func(b *Bundle, _ *Trust) { b.Checkpoint = "" }, CheckLog},
		{"another log", func(b *Bundle, _ *Trust) { *b = *elsewhere }, CheckLog},
		{"another log's name", func(b *Bundle, _ *Trust) { b.Checkpoint = string(forge(t, foreign, keyNamed("log"))) }, CheckLog},
		{"no key", func(_ *Bundle, t *Trust) { t.Log = "" }, CheckLog},
		{"another size", func(b *Bundle, _ *Trust) { b.Checkpoint = resigned }, CheckWitnesses},
		{"another size, stamped before", func(b *Bundle, _ *Trust) { b.Checkpoint = resigned }, CheckStamp},
		{"witness missing", func(b *Bundle, _ *Trust) { b.Cosignatures = b.Cosignatures[:1] }, CheckWitnesses},
		{"witness twice", func(b *Bundle, _ *Trust) { b.Cosignatures[1] = b.Cosignatures[0] }, CheckWitnesses},
		{"witness edited", func(b *Bundle, _ *Trust) {
			b.Cosignatures[1] = strings.Replace(b.Cosignatures[1], "witness-1", "witness-0", 1)
		}, CheckWitnesses},
		{"one key, two names", func(b *Bundle, t *Trust) { t.Witnesses[1] = alias }, CheckWitnesses},
		{"bad witness key", func(b *Bundle, t *Trust) { t.Witnesses[1] = "x" }, CheckWitnesses},
		{"many lines", func(b *Bundle, t *Trust) { b.Cosignatures = make([]string, 101) }, CheckFormat},
		{"stamp missing", func(b *Bundle, _ *Trust) { b.Stamp = nil }, CheckStamp},
		{"stamp edited", func(b *Bundle, _ *Trust) { b.Stamp[len(b.Stamp)-3] ^= 1 }, CheckStamp},
		{"stamp of another", func(b *Bundle, _ *Trust) { b.Checkpoint += "\u2014 x AAAAAAAAAA==\n" }, CheckStamp},
		{"no authority", func(_ *Bundle, t *Trust) { t.Stamps = stamp.Trust{} }, CheckStamp},
	} {
		data, err := json.Marshal(good)
		if err != nil {
			t.Fatal(err)
		}
		b, err := ParseBundle(data)
		if err != nil {
			t.Fatal(err)
		}
		tr := trust
		tr.Witnesses = slices.Clone(trust.Witnesses)
		x.change(b, &tr)
		checks := Verify(b, tr)
		if Proven(checks) || !strings.Contains(outcomes(checks), x.failed+"=failed") || len(checks) != 7 {
			t.Errorf("%s: %s", x.name, outcomes(checks))
		}
	}
	// What the reader does not ask for may be missing.
	bare := *good
	bare.Cosignatures, bare.Stamp = nil, nil
	trust.Need, trust.NeedStamp = 0, false
	if checks := Verify(&bare, trust); !Proven(checks) || !strings.HasSuffix(outcomes(checks), "witnesses=absent time_stamp=absent") {
		t.Errorf("bare: %s", outcomes(checks))
	}
	trust.Stamps = stamp.Trust{}
	if checks := Verify(good, trust); !Proven(checks) || !strings.HasSuffix(outcomes(checks), "time_stamp=absent") {
		t.Errorf("no authority trusted: %s", outcomes(checks))
	}
}

func TestParseBundleRefuses(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "list": "[]", "unknown": `{"format":"x","more":1}`, "trailing": `{"format":"x"} {}`,
		"types": `{"index":"1"}`, "base64": `{"record":"*"}`, "long": `{"format":"` + strings.Repeat("x", MaxBundle) + `"}`} {
		if _, err := ParseBundle([]byte(text)); !errors.Is(err, ErrBundle) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if Proven(nil) {
		t.Error("no checks prove nothing")
	}
}
