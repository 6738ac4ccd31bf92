//go:build !race

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"diwan/internal/db/dbtest"
)

// TestDocument follows a building permit from its decision to a bank and to its end, and
// a driving licence beside it; then the printed permit is checked from its picture,
// without a network: the demonstration is not asked any more.
func TestDocument(t *testing.T) {
	if testing.Short() {
		t.Skip("the journey takes a minute")
	}
	chromium := os.Getenv("DIWAN_TEST_CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	scripts := filepath.Join("..", "..", "internal", "app", "browser")
	for _, need := range []string{chromium, filepath.Join(scripts, "node_modules", "playwright-core"), "/usr/bin/pdftoppm"} {
		if _, err := os.Stat(need); err != nil && os.Getenv("CI") == "" {
			t.Skip("the journey needs Chromium, the npm packages of the browser tests and poppler-utils: ", err)
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
			demo, dir := startDemo(t, more...), t.TempDir()
			printed, kit := filepath.Join(dir, "permit.pdf"), filepath.Join(dir, "kit.json")
			input, err := json.Marshal(map[string]any{"base": demo.portal, "chromium": chromium, "lang": run.lang, "file": file, "words": plan.Words[run.lang], "answers": plan.Answers, "print": printed, "kit": kit})
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "node", "wallet.mjs")
			cmd.Dir, cmd.Stdin = scripts, bytes.NewReader(input)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			picture := filepath.Join(dir, "page")
			if out, err := exec.CommandContext(t.Context(), "pdftoppm", "-r", "150", "-jpeg", "-l", "1", "-singlefile", printed, picture).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var said strings.Builder
			status := saying(t.Context(), &said, "verify", "--kit", kit, "--json", picture+".jpg")
			var found struct {
				State  string `json:"state"`
				Claims []struct {
					Value any `json:"value"`
				} `json:"claims"`
			}
			if err := json.Unmarshal([]byte(said.String()), &found); err != nil || status != exitDone || found.State != "accepted" || len(found.Claims) == 0 {
				t.Errorf("the printed page: status %d, %v\n%s", status, err, said.String())
			}
		})
	}
}

// saying runs a command of the program with what it says in one place.
func saying(ctx context.Context, to *strings.Builder, args ...string) int {
	return run(ctx, environment{stdin: strings.NewReader(""), stdout: to, stderr: to, stop: func() {}}, args)
}
