package app

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A setting of the wrong shape is an error, never a strange name that is used.
func TestConfigurationOfWrongShape(t *testing.T) {
	for _, text := range []string{"listen = [\"a\"]", "data = { a = 1 }", "data = true", "data = 1.5", "[data]\na = 1", "data = 2026-01-01",
		"public_url = \"portal.example\"", "public_url = \"javascript:alert(1)\"", "public_url = \"https://a b/\"", "public_url = \"https://user@portal.example\"",
		"public_url = \"https://portal.example/x?y\"", "api_rate = 0", "api_rate = \"many\"", "data = \"a\"\ndata = \"b\"", "\xff"} {
		name := filepath.Join(t.TempDir(), "diwan.toml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := resolve(Defaults(), name, nil, nil); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
	if _, err := resolve(Defaults(), t.TempDir(), nil, nil); err == nil {
		t.Error("a folder passes for a configuration")
	}
}

// A stream that unpacks to more than there is room for stops with a reason.
func TestUnpackingStopsBeforeTheDiskIsFull(t *testing.T) {
	n, err := io.Copy(io.Discard, &bounded{strings.NewReader(strings.Repeat("x", 1000)), 300})
	if n != 300 || err == nil || !strings.Contains(err.Error(), "room") {
		t.Errorf("read %d, %v", n, err)
	}
	n, err = io.Copy(io.Discard, &bounded{strings.NewReader("short"), 300})
	if n != 5 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
}
