//go:build !race

package interop

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/internal/app"
	"diwan/internal/app/seed"
	"diwan/internal/gov"
	"diwan/internal/pdf/seal"
	"diwan/internal/wallet/holder"
	"diwan/protocol/jws"
	"diwan/protocol/openid4"
)

// needs skips a test on a developer's machine where something is missing, and fails it
// where everything must run.
func needs(t *testing.T) {
	t.Helper()
	var missing []string
	if _, err := exec.LookPath("node"); err != nil {
		missing = append(missing, "node")
	}
	var pinned struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	b, err := os.ReadFile("package.json")
	if err == nil {
		err = json.Unmarshal(b, &pinned)
	}
	if err != nil {
		t.Fatal(err)
	}
	for p := range pinned.Dependencies {
		if _, err := os.Stat(filepath.Join("node_modules", filepath.FromSlash(p), "package.json")); err != nil {
			missing = append(missing, "the npm package "+p+" (npm ci in interop)")
		}
	}
	if len(missing) == 0 {
		return
	}
	what := "the tests against others need " + strings.Join(missing, ", ")
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// serve runs the program as a demonstration, by the computer's clock: the others know no
// other one.
func serve(t *testing.T) (a *app.App, base string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base = "http://" + l.Addr().String()
	c := app.Defaults()
	c.Data, c.AdminListen, c.PublicURL, c.Demo = t.TempDir(), "", base, true
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	within := func(c app.Config, dir string) app.Config {
		c.Data, c.Database, c.SealFile = dir, "sqlite:"+filepath.Join(dir, "diwan.db"), filepath.Join(dir, "seal.identity")
		return c
	}
	seed.Into(t, c.Data, true, func(dir string) error {
		first := within(c, dir)
		first.Demo = false
		a, err := app.Open(context.Background(), first, log, gov.SystemClock{})
		if err != nil {
			return err
		}
		return a.Close()
	})
	if a, err = app.Open(t.Context(), within(c, c.Data), log, new(app.DemoClock)); err != nil {
		t.Fatal(err)
	}
	srv := &httptest.Server{Listener: l, Config: &http.Server{Handler: a.Handler, ReadHeaderTimeout: time.Second}}
	srv.Start()
	t.Cleanup(func() {
		srv.Close()
		a.Close()
	})
	return a, base
}

type offer struct {
	Link  string `json:"offer"`
	ByRef string `json:"offer_uri"`
	Code  string `json:"tx_code"`
}

func offered(t *testing.T, base, kind string) (o offer) {
	t.Helper()
	res, err := http.Post(base+"/demo/offers", "application/json", strings.NewReader(`{"type":"`+kind+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&o); err != nil || o.Link == "" {
		t.Fatal(res.StatusCode, err)
	}
	return o
}

func anchor(t *testing.T, a *app.App) *x509.Certificate {
	t.Helper()
	der, err := a.Credentials.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// line is what a script says: how a check went, or a link to follow.
type line struct {
	Name, Error, Link string
}

// run runs a script on a job and reports its checks; links are followed by follow.
func run(t *testing.T, script string, job any, checks int, follow func(link string)) {
	t.Helper()
	input, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := 0
	lines := bufio.NewScanner(io.LimitReader(out, 8<<20))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Errorf("the script said %q", lines.Text())
			continue
		}
		if l.Link != "" {
			follow(l.Link)
			continue
		}
		n++
		t.Run(l.Name, func(t *testing.T) {
			if l.Error != "" {
				t.Error(l.Error)
			}
		})
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the script ended early: %v", err)
	}
	if n != checks {
		t.Errorf("%d checks ran, not %d", n, checks)
	}
}

const name = "EL MITAL" // of the demonstration's invented person

// A wallet of others receives what is issued here.
func TestHolderOfOthers(t *testing.T) {
	needs(t)
	a, base := serve(t)
	type wanted struct {
		Name          string `json:"name"`
		Link          string `json:"link"`
		Code          string `json:"tx_code"`
		Configuration string `json:"configuration"`
		Family        string `json:"family_name"`
		Asked         string `json:"asked,omitempty"` // by the verifier here
	}
	birth, sd, iso := offered(t, base, "birth-extract"), offered(t, base, "property-certificate"), offered(t, base, "driving-licence")
	_, stranger, _ := verifierKey(t)
	sale, driver := asked(t, base, "property-sale"), asked(t, base, "driver")
	run(t, "holder.mjs", map[string]any{"anchor": base64.StdEncoding.EncodeToString(anchor(t, a).Raw), "stranger": base64.StdEncoding.EncodeToString(stranger.Raw), "offers": []wanted{
		{"SD-JWT VC", birth.Link, birth.Code, "birth-extract.sd-jwt", name, ""},
		{"SD-JWT VC by reference", sd.ByRef, sd.Code, "property-certificate.sd-jwt", name, sale.Link},
		{"mdoc", iso.Link, iso.Code, "driving-licence.mdoc", name, driver.Link},
	}}, 5, nil)
	for _, v := range []verification{sale, driver} {
		if state := v.state(t); state != "accepted" {
			t.Errorf("what the wallet of others showed is %s", state)
		}
	}
}

// verification is a request of the verifier here.
type verification struct {
	Link   string `json:"link"`
	Status string `json:"status_url"`
}

func asked(t *testing.T, base, template string) (v verification) {
	t.Helper()
	res, err := http.Post(base+"/api/v1/verifications", "application/json", strings.NewReader(`{"template":"`+template+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil || v.Link == "" {
		t.Fatal(res.StatusCode, err)
	}
	return v
}

func (v verification) state(t *testing.T) string {
	t.Helper()
	res, err := http.Get(v.Status)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var s struct {
		State   string          `json:"state"`
		Reasons json.RawMessage `json:"reasons"`
	}
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil {
		t.Fatal(res.StatusCode, err)
	}
	if s.State != "accepted" {
		t.Logf("reasons: %s", s.Reasons)
	}
	return s.State
}

// verifierKey is a verifier's key, an authority that nobody here knows, and a certificate
// below it.
func verifierKey(t *testing.T) (*ecdsa.PrivateKey, *x509.Certificate, []*x509.Certificate) {
	t.Helper()
	keys := [2]*ecdsa.PrivateKey{}
	for i := range keys {
		var err error
		if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	root, err := seal.NewAuthority("Verifiers", "XX", keys[0], time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := root.Issue(keys[1].Public(), seal.Holder{ID: "bank", Name: "Bank", Country: "XX"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return keys[1], root.Certificate, []*x509.Certificate{c}
}

// A verifier of others is shown documents by the holder here.
func TestVerifierOfOthers(t *testing.T) {
	needs(t)
	a, base := serve(t)
	root := anchor(t, a)
	dir := t.TempDir()
	store, err := holder.OpenStore(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	w := &holder.Wallet{Store: store, Anchors: []*x509.Certificate{root}}
	for _, kind := range []string{"birth-extract", "driving-licence"} {
		o := offered(t, base, kind)
		if _, err := w.Receive(t.Context(), o.Link, holder.ReceiveOptions{TxCode: o.Code, Copies: 2}); err != nil {
			t.Fatal(err)
		}
	}
	key, _, chain := verifierKey(t)
	type ask struct {
		Name   string          `json:"name"`
		Format string          `json:"format"`
		Query  json.RawMessage `json:"query"`
		Shows  []string        `json:"shows"`
		Hidden []string        `json:"hidden"`
	}
	run(t, "verifier.mjs", map[string]any{"anchor": base64.StdEncoding.EncodeToString(root.Raw), "key": jose.JSONWebKey{Key: key}, "chain": jws.Chain(chain), "asks": []ask{
		{"SD-JWT VC", openid4.SDJWT, json.RawMessage(`{"credentials":[{"id":"birth","format":"dc+sd-jwt","meta":{"vct_values":["urn:ma:gov:acte-naissance:1"]},"claims":[{"path":["birth_date"]},{"path":["family_name"]}]}]}`),
			[]string{"birth_date", "family_name"}, []string{"given_name", "birth_place", "number"}},
		{"mdoc", openid4.MDoc, json.RawMessage(`{"credentials":[{"id":"mdl","format":"mso_mdoc","meta":{"doctype_value":"org.iso.18013.5.1.mDL"},"claims":[{"path":["org.iso.18013.5.1","age_over_18"]},{"path":["org.iso.18013.5.1","family_name"]}]}]}`),
			[]string{"age_over_18", "family_name"}, nil},
	}}, 2, func(link string) {
		q, err := w.Ask(t.Context(), link)
		if err != nil {
			t.Fatal(err)
		}
		p, err := w.Plan(t.Context(), q, holder.PresentOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Present(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	})
}
