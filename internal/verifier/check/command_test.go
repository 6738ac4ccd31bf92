package check

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCommand(t *testing.T) {
	w := newWorld(t)
	if err := w.kit.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := w.kit.Export()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	kit, document := filepath.Join(dir, "kit.json"), filepath.Join(dir, "permit.txt")
	text := w.permit(w.town, nil)
	for name, content := range map[string][]byte{kit: b, document: []byte(text), filepath.Join(dir, "code.png"): asPNG(t, printed(t, w.page(w.town, nil), 5, 0, 0))} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := func() time.Time { return w.now }
	for _, what := range []string{document, text, "-", filepath.Join(dir, "code.png"), w.page(w.town, nil)} {
		var out strings.Builder
		r, err := Command{What: what, KitFile: kit, Now: now, In: strings.NewReader(text), Out: &out, Languages: []string{"fr"}}.Run(t.Context())
		if err != nil || r.State != Accepted || !strings.Contains(out.String(), "document: Permis") || !strings.Contains(out.String(), "relied on the anchor") {
			t.Errorf("%.20s: %s %v, %v", what, r.State, r.Reasons, err)
		}
	}
	var out strings.Builder
	if _, err := (Command{What: text, Kit: w.kit, JSON: true, Out: &out}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(out.String()), &m); err != nil || m["state"] != "accepted" || m["trust_age"] != 0.0 {
		t.Errorf("%s, %v", out.String(), err)
	}
	for name, c := range map[string]Command{"no kit": {What: text}, "no such kit": {What: text, KitFile: filepath.Join(dir, "none")}, "another file": {What: text, KitFile: document}, "a folder": {What: dir, KitFile: kit, Now: now},
		"no code": {What: filepath.Join(dir, "code.pdf"), KitFile: "none"}} {
		if _, err := c.Run(t.Context()); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := (Command{What: text}).Run(t.Context()); !errors.Is(err, ErrNoKit) {
		t.Error(err)
	}
}
