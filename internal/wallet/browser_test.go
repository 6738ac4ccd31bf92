//go:build !race

package wallet

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"diwan/internal/credential"
)

// licenceWords are the name of the driving licence and what the words of its list are, as a
// reader of Arabic sees them.
func licenceWords(t *testing.T, w *world) (name string, words []string) {
	kind, err := w.issuer.Type(t.Context(), "driving-licence")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kind.Claims {
		for _, m := range k.Members {
			words = append(words, m.Label["ar"])
		}
		if k.Kind == credential.List {
			words = append(words, k.Label["ar"])
		}
	}
	return kind.Name["ar"], words
}

// TestBrowser uses the wallet as a person does. It needs Chromium and the packages of
// the browser tests.
func TestBrowser(t *testing.T) {
	chromium, modules := os.Getenv("DIWAN_TEST_CHROMIUM"), filepath.Join("..", "app", "browser", "node_modules")
	if _, err := os.Stat(modules); err != nil || chromium == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("Chromium and the browser test packages are needed: set DIWAN_TEST_CHROMIUM")
		}
		t.Skip("DIWAN_TEST_CHROMIUM is not set, or the browser test packages are not installed")
	}
	w := newWorld(t)
	kind, err := w.issuer.Type(t.Context(), "building-permit")
	if err != nil {
		t.Fatal(err)
	}
	name, _ := kind.Name.In("ar", nil)
	licence, words := licenceWords(t, w)
	input := good(t)(json.Marshal(map[string]any{"licence": licence, "words": words, "base": w.base, "chromium": chromium, "modules": good(t)(filepath.Abs(filepath.Dir(modules))).(string),
		"shots": os.Getenv("DIWAN_TEST_SHOTS"), "type": kind.VCT, "name": name})).([]byte)
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "trial.mjs"))
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	out, err := cmd.Output()
	for line := range bytes.Lines(out) {
		var o struct{ Name, Error string }
		if json.Unmarshal(line, &o) == nil {
			t.Run(o.Name, func(t *testing.T) {
				if o.Error != "" {
					t.Error(o.Error)
				}
			})
		}
	}
	if err != nil {
		t.Error(err)
	}
}
