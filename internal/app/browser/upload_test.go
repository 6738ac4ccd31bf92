//go:build !race

package browser

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"diwan/internal/app/apptest"
	"diwan/internal/casework"
)

// TestUpload sends a file in parts over a line that breaks.
func TestUpload(t *testing.T) {
	chromium := needs(t)
	a := apptest.Open(t)
	person, err := a.Accounts.ByLogin(t.Context(), apptest.Person)
	if err != nil {
		t.Fatal(err)
	}
	officer, err := a.Accounts.ByLogin(t.Context(), apptest.Studies)
	if err != nil {
		t.Fatal(err)
	}
	f, err := a.Casework.Form(t.Context(), "building-permit", "")
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.Casework.Begin(t.Context(), casework.Draft{Person: person.ID, Filer: person.ID, Administration: officer.Administration, Procedure: "building-permit",
		Form: f.Doc().Version, Answers: []byte(`{"land": {"registered": false}}`)})
	if err != nil {
		t.Fatal(err)
	}
	const name = "deed.png"
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, noise(t), 0o600); err != nil {
		t.Fatal(err)
	}
	base := apptest.Serve(t, a)
	for _, lang := range apptest.Languages(a)[:1] {
		input, err := json.Marshal(map[string]any{"base": base, "chromium": chromium, "person": apptest.Person, "lang": lang, "page": "/me/drafts/" + d.ID + "/pages/deed", "file": file, "name": name})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "node", "upload.mjs")
		cmd.Stdin = bytes.NewReader(input)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// noise is a picture that no packing makes small: of several parts.
func noise(t *testing.T) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 1100, 1100))
	r := rand.NewChaCha8([32]byte{1})
	if _, err := r.Read(img.Pix); err != nil {
		t.Fatal(err)
	}
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
