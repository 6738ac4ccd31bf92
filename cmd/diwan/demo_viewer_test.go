//go:build !race

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needsBrowser returns where the browser's scripts are and the path of Chromium.
// Without them the test is skipped, but where everything must run.
func needsBrowser(t *testing.T) (scripts, chromium string) {
	t.Helper()
	chromium = os.Getenv("DIWAN_TEST_CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	scripts = filepath.Join("..", "..", "internal", "app", "browser")
	for _, need := range []string{chromium, filepath.Join(scripts, "node_modules", "playwright-core")} {
		if _, err := os.Stat(need); err != nil && os.Getenv("CI") == "" {
			t.Skip("this needs Chromium and the npm packages of the browser tests: ", err)
		}
	}
	return scripts, chromium
}

// An officer with a code looks into the log of a gateway, in a browser: what they
// find is proven, and every page can be used on a phone and by everybody.
func TestViewerInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole demonstration is not started in a short run")
	}
	scripts, chromium := needsBrowser(t)
	r := startDemo(t)
	x := r.demo.Exchange
	call := x.Services[0]
	_, head, _ := r.ask(x.Client, call.Method, call.ID+call.Path, "")
	if status, _, _ := r.ask(x.OtherClient, call.Method, call.ID+call.Path, ""); status != http.StatusInternalServerError {
		t.Fatalf("without a contract: %d", status)
	}
	if res, err := http.Get(x.Nodes[0].Admin + "/viewer/exchanges.json"); err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the log without a code: %v %v", res, err)
	}
	codes := map[string]string{}
	for _, l := range []string{"ar", "fr"} {
		var out bytes.Buffer
		if status := run(t.Context(), environment{stdout: &out, stderr: os.Stderr}, []string{"gateway", "viewer", "--config", x.Nodes[0].Config, "--officer", "Sample officer"}); status != exitDone {
			t.Fatalf("making a code ended with %d", status)
		}
		codes[l], _, _ = strings.Cut(out.String(), "\n")
	}
	input, err := json.Marshal(map[string]any{"base": x.Nodes[0].Admin + "/viewer/", "chromium": chromium, "codes": codes, "request": head.Get("X-Road-Request-Id")})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "viewer.mjs")
	cmd.Dir, cmd.Stdin, cmd.Stderr = scripts, bytes.NewReader(input), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Error(err)
	}
	n := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); n++ {
		var o struct{ Name, Error string }
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil || o.Error != "" {
			t.Errorf("%s: %s", o.Name, o.Error)
		}
	}
	if n < 20 {
		t.Errorf("%d checks ran", n)
	}
}
