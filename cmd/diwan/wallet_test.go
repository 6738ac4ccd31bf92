package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diwan/internal/app"
	"diwan/internal/app/seed"
)

// issuer runs the program as a demonstration and returns its address, and a file with
// the certificate on which all that it issues rests.
func issuer(t *testing.T) (base, anchor string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base = "http://" + l.Addr().String()
	open := func(dir string, demo bool) (*app.App, error) {
		c := app.Defaults()
		c.Data, c.AdminListen, c.PublicURL, c.Demo = dir, "", base, demo
		c.Database, c.SealFile = "sqlite:"+filepath.Join(dir, "diwan.db"), filepath.Join(dir, "seal.identity")
		return app.Open(context.Background(), c, slog.New(slog.DiscardHandler), new(app.DemoClock))
	}
	dir := t.TempDir()
	seed.Into(t, dir, true, func(dir string) error {
		a, err := open(dir, false)
		if err != nil {
			return err
		}
		return a.Close()
	})
	a, err := open(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	srv := &httptest.Server{Listener: l, Config: &http.Server{Handler: a.Handler, ReadHeaderTimeout: time.Second}}
	srv.Start()
	t.Cleanup(func() {
		srv.Close()
		a.Close()
	})
	der, err := a.Credentials.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	anchor = filepath.Join(t.TempDir(), "anchor.pem")
	if err := os.WriteFile(anchor, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return base, anchor
}

func demand(t *testing.T, url, body string, into any) {
	t.Helper()
	res, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		t.Fatal(res.StatusCode, err)
	}
}

// A document on the command line, from the offer to the verifier and into a backup.
func TestWalletCommand(t *testing.T) {
	base, anchor := issuer(t)
	dir := filepath.Join(t.TempDir(), "wallet")
	var said, aside bytes.Buffer
	try := func(stdin string, args ...string) error {
		said.Reset()
		aside.Reset()
		return wallet(t.Context(), environment{strings.NewReader(stdin), &said, &aside, nil}, append(args, "--data", dir, "--anchor", anchor))
	}
	do := func(stdin string, args ...string) string {
		t.Helper()
		if err := try(stdin, args...); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return said.String()
	}
	var o struct {
		Link string `json:"offer"`
		Code string `json:"tx_code"`
	}
	demand(t, base+"/demo/offers", `{"type":"property-certificate"}`, &o)
	if err := try("", "receive", o.Link); err == nil || !strings.Contains(err.Error(), "code") {
		t.Errorf("without the code: %v", err)
	}
	if got := do("", "receive", o.Link, "--tx-code", o.Code, "--copies", "2", "--format", "sd-jwt"); !strings.Contains(got, "2 of 2 copies unused") || strings.Contains(got, "vouched") {
		t.Errorf("receive says %q", got)
	}
	var list []app.WalletDocument
	if err := json.Unmarshal([]byte(do("", "list", "--json")), &list); err != nil || len(list) != 1 || !list[0].Listed {
		t.Fatal(list, err)
	}
	id := list[0].ID
	if got := do("", "show", id[:8], "--lang", "fr"); !strings.Contains(got, "EL MITAL") || !strings.Contains(got, "valid") {
		t.Errorf("show says %q", got)
	}
	var v struct {
		Link string `json:"link"`
	}
	demand(t, base+"/api/v1/verifications", `{"template":"property-sale"}`, &v)
	if err := try("n\n", "present", v.Link); !errors.Is(err, errUnanswered) || !strings.Contains(aside.String(), "asks") {
		t.Errorf("after a no: %v %s", err, aside.String())
	}
	if err := try("", "present", v.Link, "--claims", "title", "--yes"); err == nil {
		t.Error("less than was asked for was shown")
	}
	if got := do("y\n", "present", v.Link, "--document", id); !strings.HasPrefix(got, "shown") {
		t.Errorf("present says %q", got)
	}
	demand(t, base+"/api/v1/verifications", `{"template":"property-sale"}`, &v)
	if got := do("", "decline", v.Link, "--json"); !strings.Contains(got, `"declined"`) {
		t.Errorf("decline says %q", got)
	}
	if got := do("", "show", id, "--json"); !strings.Contains(got, `"unused":1`) || strings.Contains(got, "PRIVATE") || strings.Contains(got, `"key"`) {
		t.Errorf("show says %q", got)
	}
	demand(t, base+"/demo/offers", `{"type":"driving-licence"}`, &o)
	do("", "receive", o.Link, "--tx-code", o.Code, "--copies", "1")
	if err := json.Unmarshal([]byte(do("", "list", "--json")), &list); err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	for _, d := range list {
		if got := do("", "show", d.ID, "--lang", "fr", "--offline"); d.ID != id && (!strings.Contains(got, "Catégorie B · À partir du 2016-04-01 · Jusqu’au 2036-03-31\n") ||
			strings.Count(got, "2036-03-31") < 2 || !strings.Contains(got, "(picture)") || strings.Contains(got, "vehicle_category_code")) {
			t.Errorf("show says %q", got)
		}
	}
	file := filepath.Join(t.TempDir(), "backup")
	do("correct horse battery\n", "export", file)
	if err := try("correct horse battery\n", "export", file); err == nil {
		t.Error("a backup was written over")
	}
	do("", "remove", id)
	if err := try("", "show", id); err == nil {
		t.Error("a removed document is shown")
	}
	if got := do("correct horse battery\n", "import", file); !strings.HasPrefix(got, "1 documents") {
		t.Errorf("import says %q", got)
	}
}

func TestWalletUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"nonsense"}, {"list", "x"}, {"show"}, {"receive"}, {"receive", "x", "--format", "pdf"}, {"present"}, {"import"}} {
		err := wallet(t.Context(), environment{strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}, nil}, append(args, "--data", t.TempDir()))
		if !errors.Is(err, errUsage) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// What a stranger wrote can't move the cursor or turn the line around.
func TestCleanText(t *testing.T) {
	for in, want := range map[string]string{"Bank": "Bank", "a\x1b[2Jb": "a[2Jb", "a\nb": "ab", "a\u202eb": "ab", "\u0645 1": "\u0645 1"} {
		if got := clean(in); got != want {
			t.Errorf("%q becomes %q", in, got)
		}
	}
	if got := clean(strings.Repeat("é", 1000)); len([]rune(got)) != maxSaid {
		t.Errorf("%d characters", len([]rune(got)))
	}
}
