//go:build !race

package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocument follows a building permit from its decision to a bank and to its end, and
// a driving licence beside it; then the printed permit is checked from its picture,
// without a network: the demonstration is not asked any more.
func TestDocument(t *testing.T) {
	newJourney(t, "/usr/bin/pdftoppm").each(t, func(t *testing.T, run func(script string, more map[string]any)) {
		dir := t.TempDir()
		printed, kit, picture := filepath.Join(dir, "permit.pdf"), filepath.Join(dir, "kit.json"), filepath.Join(dir, "page")
		run("wallet.mjs", map[string]any{"print": printed, "kit": kit})
		if out, err := exec.CommandContext(t.Context(), "pdftoppm", "-r", "150", "-jpeg", "-l", "1", "-singlefile", printed, picture).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		verified(t, kit, picture+".jpg")
	})
}

// verified checks a picture by the command, with a kit and nothing else.
func verified(t *testing.T, kit, picture string) {
	t.Helper()
	var said strings.Builder
	status := run(t.Context(), environment{stdin: strings.NewReader(""), stdout: &said, stderr: &said, stop: func() {}}, []string{"verify", "--kit", kit, "--json", picture})
	var found struct {
		State  string `json:"state"`
		Claims []struct {
			Value any `json:"value"`
		} `json:"claims"`
	}
	if err := json.Unmarshal([]byte(said.String()), &found); err != nil || status != exitDone || found.State != "accepted" || len(found.Claims) == 0 {
		t.Errorf("the printed page: status %d, %v\n%s", status, err, said.String())
	}
}
