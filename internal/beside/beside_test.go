package beside

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFind(t *testing.T) {
	top := t.TempDir()
	deep := filepath.Join(top, "checkout", "a", "b")
	for _, dir := range []string{deep, filepath.Join(top, "shared", "data", "x")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(deep)
	if got, err := Find("data/x"); err == nil {
		t.Error("found outside a checkout:", got)
	}
	if err := os.WriteFile(filepath.Join(top, "checkout", "go.mod"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Find("data/x")
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := filepath.EvalSymlinks(filepath.Join(top, "shared", "data", "x")); want != "" {
		if have, _ := filepath.EvalSymlinks(got); have != want {
			t.Errorf("%s, want %s", have, want)
		}
	}
	if _, err := Find("data/y"); err == nil {
		t.Error("what is absent was found")
	}
}
