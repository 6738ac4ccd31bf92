//go:build !race

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"diwan/internal/db/dbtest"
)

// journeyWords are what the journey's people write, in their languages.
type journeyWords struct {
	Text     string `json:"text"`
	Question string `json:"question"`
	Reason   string `json:"reason"`
}

// TestBuildingPermit follows an application on a phone, from signing in to reading
// the reasons of the decision, and another one to the silence that becomes
// acceptance, in Arabic and in French, on both engines.
func TestBuildingPermit(t *testing.T) {
	if testing.Short() {
		t.Skip("the journey takes a minute")
	}
	chromium := os.Getenv("DIWAN_TEST_CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	scripts := filepath.Join("..", "..", "internal", "app", "browser")
	for _, need := range []string{chromium, filepath.Join(scripts, "node_modules", "playwright-core")} {
		if _, err := os.Stat(need); err != nil && os.Getenv("CI") == "" {
			t.Skip("the journey needs Chromium and the npm packages of the browser tests: ", err)
		}
	}
	b, err := os.ReadFile(filepath.Join("testdata", "casework.json"))
	if err != nil {
		t.Fatal(err)
	}
	var plan struct {
		Words   map[string]journeyWords `json:"words"`
		Answers [][2]string             `json:"answers"`
	}
	if err := json.Unmarshal(b, &plan); err != nil {
		t.Fatal(err)
	}
	file, err := filepath.Abs(filepath.Join("testdata", "plan.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range []struct{ lang, database string }{{"ar", ""}, {"fr", os.Getenv("DIWAN_TEST_POSTGRES")}} {
		t.Run(run.lang, func(t *testing.T) {
			t.Parallel()
			var more []string
			if run.database != "" {
				more = []string{"--database", dbtest.Postgres(t, nil).URL()}
			}
			demo := startDemo(t, more...)
			input, err := json.Marshal(map[string]any{"base": demo.portal, "chromium": chromium, "lang": run.lang, "file": file, "words": plan.Words[run.lang], "answers": plan.Answers})
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "node", "casework.mjs")
			cmd.Dir, cmd.Stdin = scripts, bytes.NewReader(input)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
