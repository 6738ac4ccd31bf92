package app

import (
	"bytes"
	"context"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diwan/internal/audit"
	"diwan/internal/catalogue/model"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/internal/jobs"
)

var quietLog = slog.New(slog.DiscardHandler)

// onEach gives an open application on each engine.
func onEach(t *testing.T, test func(t *testing.T, a *App)) {
	t.Run("sqlite", func(t *testing.T) { test(t, openApp(t, nil)) })
	t.Run("postgres", func(t *testing.T) {
		d := dbtest.Postgres(t, nil)
		test(t, openApp(t, func(c *Config) { c.Database = d.URL() }))
	})
}

// The restore drill: a backup taken from a running installation comes back whole
// in another place, and nothing else does.
func TestRestoreDrill(t *testing.T) {
	onEach(t, func(t *testing.T, a *App) {
		ctx := t.Context()
		key, err := a.Keys.Signer("portal")
		if err != nil {
			t.Fatal(err)
		}
		p := *a.Catalogue.Snapshot().Procedures[0].Procedure
		p.Validity = gov.Text{a.Country.Languages[0].Code: "drill"}
		if _, err := a.Catalogue.Save(ctx, operator, &p, 1); err != nil {
			t.Fatal(err)
		}
		if err := a.AddAccount(ctx, "ali", "Ali", "", "", []string{"editor"}); err != nil {
			t.Fatal(err)
		}
		scan, err := a.Files.Put([]byte("a page of the gazette"))
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		m, err := Backup(ctx, a.Config, quietLog, a.clock, &file)
		if err != nil || len(m.Files) < 2 {
			t.Fatalf("Backup = %+v, %v", m, err)
		}
		// Sealed bytes hold every short word now and then: only a long one tells.
		if !bytes.HasPrefix(file.Bytes(), []byte("age-encryption.org/v1")) || bytes.Contains(file.Bytes(), []byte("SQLite format")) {
			t.Error("the backup can be read without the identity")
		}

		target := a.Config
		target.Data = t.TempDir()
		if a.DB.Engine() == db.SQLite {
			target.Database = "sqlite:" + filepath.Join(target.Data, "diwan.db")
		} else {
			target.Database = dbtest.Postgres(t, nil).URL()
			dropLedger(t, target.Database)
		}
		damaged := bytes.Clone(file.Bytes())
		damaged[len(damaged)/2] ^= 1
		if _, err := Restore(ctx, target, quietLog, a.clock, bytes.NewReader(damaged)); err == nil {
			t.Fatal("restored a damaged backup")
		}
		if _, err := Restore(ctx, target, quietLog, a.clock, bytes.NewReader(file.Bytes()[:file.Len()/2])); err == nil {
			t.Fatal("restored half a backup")
		}
		if _, err := Restore(ctx, target, quietLog, a.clock, bytes.NewReader(file.Bytes())); err != nil {
			t.Fatalf("Restore = %v", err)
		}
		if _, err := Restore(ctx, target, quietLog, a.clock, bytes.NewReader(file.Bytes())); err == nil {
			t.Error("restored over an installation in use")
		}

		back, err := Open(ctx, target, quietLog, a.clock)
		if err != nil {
			t.Fatal(err)
		}
		defer back.Close()
		v, err := back.Catalogue.Latest(ctx, p.ID)
		if err != nil || v.State != model.Draft || v.Procedure.Validity[a.Country.Languages[0].Code] != "drill" {
			t.Errorf("the draft came back as %+v, %v", v, err)
		}
		if len(back.Catalogue.Snapshot().Procedures) != len(a.Catalogue.Snapshot().Procedures) {
			t.Error("procedures were lost")
		}
		if k, err := back.Keys.Signer("portal"); err != nil || k.ID != key.ID {
			t.Errorf("another key signs after the restore: %v", err)
		}
		if b, err := back.Files.Get(scan); string(b) != "a page of the gazette" {
			t.Errorf("the scanned page came back as %q, %v", b, err)
		}
		if _, err := back.Accounts.ByLogin(ctx, "ali"); err != nil {
			t.Error(err)
		}
		if n, err := back.Audit.Verify(ctx); err != nil || n == 0 {
			t.Errorf("audit trail: %d, %v", n, err)
		}
		queueWorks(t, back)
	})
}

// dropLedger empties a database that the test helper had prepared.
func dropLedger(t *testing.T, url string) {
	t.Helper()
	d, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Writer().Exec(`DROP TABLE IF EXISTS schema_migration`); err != nil {
		t.Fatal(err)
	}
}

// queueWorks inserts a job: the queue's own counters must stand past the
// restored rows.
func queueWorks(t *testing.T, a *App) {
	t.Helper()
	err := a.DB.RunTx(t.Context(), func(tx *db.Tx) error { return a.Queue.Insert(t.Context(), tx, probeArgs{}) })
	if err != nil && !strings.Contains(err.Error(), "not registered") {
		t.Errorf("the queue after a restore: %v", err)
	}
}

type probeArgs struct{}

func (probeArgs) Kind() string { return "probe" }

var _ jobs.Args = probeArgs{}

func TestRestoreNeedsTheIdentity(t *testing.T) {
	a := openApp(t, nil)
	var file bytes.Buffer
	if _, err := Backup(t.Context(), a.Config, quietLog, a.clock, &file); err != nil {
		t.Fatal(err)
	}
	other := openApp(t, nil)
	target := other.Config
	target.Data = t.TempDir()
	target.Database = "sqlite:" + filepath.Join(target.Data, "x.db")
	if _, err := Restore(t.Context(), target, quietLog, a.clock, &file); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("opened with another installation's identity: %v", err)
	}
	if _, err := os.Stat(filepath.Join(target.Data, "x.db")); err == nil {
		t.Error("a failed restore left a database")
	}
}

func TestServeAndStop(t *testing.T) {
	a := openApp(t, func(c *Config) { c.Listen, c.AdminListen = "127.0.0.1:0", "127.0.0.1:0" })
	ctx, cancel := context.WithCancel(t.Context())
	address := make(chan string, 1)
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx, func(s string) { address <- s }) }()
	base := "http://" + <-address
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/demo.json": 404, "/metrics": 404, "/debug/pprof/": 404} {
		res, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s answers %d, want %d", path, res.StatusCode, want)
		}
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("did not stop")
	}
	if _, err := http.Get(base + "/healthz"); err == nil {
		t.Error("still answers after stopping")
	}
}

func TestOneProcessAFolder(t *testing.T) {
	a := openApp(t, nil)
	_, err := Open(t.Context(), a.Config, quietLog, a.clock)
	if err == nil || !strings.Contains(err.Error(), "in use by another diwan") {
		t.Errorf("a second one on the same folder: %v", err)
	}
}

func TestSecondStartKeepsTheData(t *testing.T) {
	a := openApp(t, func(c *Config) { c.Demo = true })
	if err := a.Catalogue.Feedback(t.Context(), "x", 1, "fr", true, "kept"); err != nil {
		t.Fatal(err)
	}
	c := a.Config
	a.Close()
	b, err := Open(t.Context(), c, quietLog, fixedClock(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if o, err := b.Catalogue.Opinions(t.Context(), "x"); err != nil || o.Useful != 1 {
		t.Errorf("after a second start: %+v, %v", o, err)
	}
}

func TestAdminListenerStaysAtHome(t *testing.T) {
	a := openApp(t, func(c *Config) { c.Listen, c.AdminListen = "127.0.0.1:0", "0.0.0.0:0" })
	if err := a.Serve(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("profiles to the whole network: %v", err)
	}
}

func TestConfiguration(t *testing.T) {
	file := func(s string) string {
		name := filepath.Join(t.TempDir(), "c.toml")
		if err := os.WriteFile(name, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	tests := []struct {
		name  string
		toml  string
		env   []string
		flags map[string]string
		check func(Config) bool
		err   string
	}{
		{"defaults", "", nil, nil, func(c Config) bool { return c.Database == "sqlite:data/diwan.db" }, ""},
		{"file", "listen = \"1.2.3.4:5\"\napi_rate = 7", nil, nil, func(c Config) bool { return c.Listen == "1.2.3.4:5" && c.APIRate == 7 }, ""},
		{"environment wins over file", "listen = \"a:1\"", []string{"DIWAN_LISTEN=b:2"}, nil, func(c Config) bool { return c.Listen == "b:2" }, ""},
		{"flag wins", "listen = \"a:1\"", []string{"DIWAN_LISTEN=b:2"}, map[string]string{"listen": "c:3"}, func(c Config) bool { return c.Listen == "c:3" }, ""},
		{"unknown key", "lisen = \"a:1\"", nil, nil, nil, `no setting "lisen"`},
		{"unknown variable", "", []string{"DIWAN_LISEN=x"}, nil, nil, "DIWAN_LISEN"},
		{"test variables are not settings", "", []string{"DIWAN_TEST_X=x", "PATH=x"}, nil, func(Config) bool { return true }, ""},
		{"malformed", "listen = ", nil, nil, nil, "configuration"},
		{"half of TLS", "", nil, map[string]string{"tls_cert": "x"}, nil, "go together"},
		{"level", "", nil, map[string]string{"log_level": "loud"}, nil, "log_level"},
		{"rate", "api_rate = 0", nil, nil, nil, "above zero"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := ""
			if tt.toml != "" {
				name = file(tt.toml)
			}
			c, err := resolve(Defaults(), name, tt.env, tt.flags)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error = %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil || !tt.check(c) {
				t.Errorf("%+v, %v", c, err)
			}
		})
	}
}

func TestHelpNamesEverySetting(t *testing.T) {
	fs := flag.NewFlagSet("x", flag.ContinueOnError)
	Flags(fs, Defaults())
	var b bytes.Buffer
	Usage(&b, "x", "about", fs)
	for _, o := range options {
		if !strings.Contains(b.String(), "-"+o.flag()) || !strings.Contains(b.String(), o.env()) {
			t.Errorf("help does not name %s", o.key)
		}
	}
}

func TestDoctorFindsTrouble(t *testing.T) {
	a := openApp(t, nil)
	for _, f := range Doctor(t.Context(), a.Config, gov.SystemClock{}, true) {
		if !f.OK && f.Check != "clock" && f.Check != "disk" {
			t.Errorf("a sound installation fails %s: %s", f.Check, f.What)
		}
	}
	if _, err := a.DB.Writer().Exec(`UPDATE audit_entry SET actor = 'x' WHERE seq = 1`); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(a.Config.SealFile, 0o644); err != nil {
		t.Fatal(err)
	}
	bad := map[string]bool{}
	for _, f := range Doctor(t.Context(), a.Config, gov.SystemClock{}, true) {
		if !f.OK {
			bad[f.Check] = true
			if f.Do == "" {
				t.Errorf("%s does not say what to do", f.Check)
			}
		}
	}
	if !bad["audit trail"] || !bad["seal"] {
		t.Errorf("found only %v", bad)
	}
}

func TestMigrationsAreSafe(t *testing.T) {
	for _, set := range append(Migrations(), audit.Migrations()) {
		bad, err := set.Unsafe()
		if err != nil || len(bad) > 0 {
			t.Errorf("%s: %v %v", set.Slice, bad, err)
		}
	}
}

func TestDemoClockOnlyGoesForward(t *testing.T) {
	var c DemoClock
	if err := c.Advance(-time.Hour); err == nil {
		t.Error("went back")
	}
	if err := c.Advance(maxAhead + 1); err == nil {
		t.Error("went too far")
	}
	if err := c.Advance(720 * time.Hour); err != nil || time.Until(c.Now()) < 719*time.Hour {
		t.Errorf("%v, %v", c.Now(), err)
	}
}

// A script over the limit is told so in a form that it can read, also from a page
// of another site, and when to come back.
func TestOverTheLimit(t *testing.T) {
	a := openApp(t, func(c *Config) { c.APIRate = 5 })
	for i := range 7 {
		res, body := get(t, a.Handler, "/api/v1/procedures?page_size=1")
		switch {
		case i < 5 && res.StatusCode != http.StatusOK:
			t.Errorf("call %d: %d", i+1, res.StatusCode)
		case i >= 5 && (res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" ||
			res.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(body, `"code":"too_many"`)):
			t.Errorf("call %d: %d %v %s", i+1, res.StatusCode, res.Header, body)
		}
	}
	if res, _ := get(t, a.Handler, "/fr/"); res.StatusCode != http.StatusOK {
		t.Errorf("people are limited too: %d", res.StatusCode)
	}
}
