//go:build !race

package browser

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"diwan/internal/app/apptest"
	"diwan/internal/gov"
)

// job is what the scripts are told, as JSON on their standard input.
type job struct {
	Base      string         `json:"base"`
	Chromium  string         `json:"chromium"`
	Person    string         `json:"person"` // the sample account that is nobody of the office
	Languages []gov.Lang     `json:"languages"`
	Pages     []apptest.Page `json:"pages"`
	Only      bool           `json:"only"` // the pages alone, no journey
}

// outcome is a line of what they answer: one check.
type outcome struct {
	Name  string `json:"name"`
	Error string `json:"error"`
	Note  string `json:"note"`
}

// onlyVariable is an environment variable with a part of the names of the kinds of
// pages to look at, for who works on those.
const onlyVariable = "DIWAN_TEST_PAGES"

// TestBrowser runs every check in one Chromium, against the program as it is
// served.
func TestBrowser(t *testing.T) {
	chromium := needs(t)
	a := apptest.Open(t)
	pages := apptest.Pages(t, a)
	only := os.Getenv(onlyVariable)
	if only != "" {
		pages = slices.DeleteFunc(pages, func(p apptest.Page) bool { return !strings.Contains(p.Kind, only) })
	}
	input, err := json.Marshal(job{apptest.Serve(t, a), chromium, apptest.Person, apptest.Languages(a), pages, only != ""})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "run.mjs")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := 0
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var o outcome
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Errorf("the scripts said %q", lines.Text())
			continue
		}
		n++
		t.Run(o.Name, func(t *testing.T) {
			if o.Note != "" {
				t.Log(o.Note)
			}
			if o.Error != "" {
				t.Error(o.Error)
			}
		})
	}
	if err := lines.Err(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the scripts ended early: %v", err)
	}
	if n < len(pages) {
		t.Errorf("%d checks ran, fewer than the %d pages", n, len(pages))
	}
}

// needs returns the path of Chromium. Without it, node or its packages the test
// is skipped on a developer's machine and fails where everything must run.
func needs(t *testing.T) string {
	t.Helper()
	missing := []string{}
	if _, err := exec.LookPath("node"); err != nil {
		missing = append(missing, "node")
	}
	for _, p := range []string{"playwright-core", "axe-core"} {
		if _, err := os.Stat("node_modules/" + p + "/package.json"); err != nil {
			missing = append(missing, "the npm package "+p+" (npm ci in internal/app/browser)")
		}
	}
	chromium := os.Getenv("DIWAN_TEST_CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	if _, err := os.Stat(chromium); err != nil {
		missing = append(missing, "Chromium (its path in DIWAN_TEST_CHROMIUM)")
	}
	if len(missing) == 0 {
		return chromium
	}
	what := "the browser tests need " + strings.Join(missing, ", ")
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
	return ""
}
