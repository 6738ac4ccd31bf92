package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diwan/country"
	"diwan/internal/app/seed"
	"diwan/internal/gov"
)

func TestMain(m *testing.M) {
	code := m.Run()
	seed.Clean()
	os.Exit(code)
}

// fixedClock stands still.
type fixedClock time.Time

func (c fixedClock) Now() time.Time { return time.Time(c) }

// openApp opens an application on an empty folder.
func openApp(t testing.TB, change func(*Config)) *App {
	t.Helper()
	return openAppAt(t, fixedClock(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)), change)
}

func openAppAt(t testing.TB, clock gov.Clock, change func(*Config)) *App {
	t.Helper()
	c := Defaults()
	c.Data, c.AdminListen = filepath.Join(t.TempDir(), "data"), ""
	if change != nil {
		change(&c)
	}
	if err := c.complete(); err != nil {
		t.Fatal(err)
	}
	if c.Country == "" {
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			t.Fatal(err)
		}
		seed.Into(t, c.Data, strings.HasPrefix(c.Database, "sqlite:"), func(dir string) error {
			first := c
			first.Data, first.Database, first.SealFile, first.Demo = dir, "sqlite:"+filepath.Join(dir, "diwan.db"), filepath.Join(dir, "seal.identity"), false
			a, err := Open(context.Background(), first, slog.New(slog.DiscardHandler), clock)
			if err != nil {
				return err
			}
			return a.Close()
		})
	}
	a, err := Open(t.Context(), c, slog.New(slog.DiscardHandler), clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// get asks the application and returns status and body.
func get(t testing.TB, h http.Handler, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	res := w.Result()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func TestBuiltinPackPassesDoctor(t *testing.T) {
	pack, err := LoadCountry("")
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckPack(pack); err != nil {
		t.Error(err)
	}
}

// A second country is a folder of data: its portal boots, speaks its languages,
// counts its own days and knows nothing of the first.
func TestSecondCountryBoots(t *testing.T) {
	const dir = "testdata/lumeria"
	pack, err := LoadCountry(dir)
	if err != nil {
		t.Fatal(err)
	}
	if faults, err := country.Check(pack.Files); err != nil || len(faults) > 0 {
		t.Fatalf("schema: %v %v", faults, err)
	}
	a := openApp(t, func(c *Config) { c.Country, c.Demo = dir, true })
	res, home := get(t, a.Handler, "/en/")
	if res.StatusCode != 200 || !strings.Contains(home, "Lumeria Desk") || !strings.Contains(home, "Mooring permit") {
		t.Errorf("home: %d\n%s", res.StatusCode, home)
	}
	// Nine days that are not full periods, from Friday 20 November: Sunday 29.
	res, page := get(t, a.Handler, "/fr/procedures/mooring-permit")
	if res.StatusCode != 200 || !strings.Contains(page, "dimanche 29 novembre 2026") {
		t.Errorf("page: %d\n%s", res.StatusCode, page)
	}
	for _, foreign := range []string{"55-19", "Maroc", "/ar/", "DH"} {
		if strings.Contains(page, foreign) {
			t.Errorf("the second country's page says %q", foreign)
		}
	}
	if res, _ := get(t, a.Handler, "/ar/"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a language of another country answers %d", res.StatusCode)
	}
	if res, _ := get(t, a.Handler, "/"); res.Header.Get("Location") != "/en/" {
		t.Errorf("/ leads to %q", res.Header.Get("Location"))
	}
	if got := a.Country.Calendar().Last(gov.Date{Year: 2026, Month: 11, Day: 19}, 12); got.String() != "2026-12-02" {
		t.Errorf("a period that ends on a holiday ends on %s", got)
	}
}

func TestCountryFolderMustBeAPack(t *testing.T) {
	if _, err := LoadCountry(t.TempDir()); err == nil {
		t.Error("an empty folder is a country")
	}
	dir := t.TempDir()
	os.WriteFile(dir+"/country.json", []byte(`{"code":`), 0o600)
	if _, err := LoadCountry(dir); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("LoadCountry = %v", err)
	}
}
