//go:build pkcs11

// Package keystest gives tests a software token.
package keystest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"diwan/internal/gov"
	"diwan/internal/keys"
)

// modules are where Debian puts SoftHSM.
var modules = []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"}

const (
	label = "diwan"
	pin   = "5678"
)

// module is the one that was found, and missing why there is none.
var (
	module  string
	missing error
)

// Run makes one token for all tests of a package, runs them and takes it away. SoftHSM
// reads where its tokens are once in a process.
func Run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "token")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	missing = makeToken(dir)
	return m.Run()
}

func makeToken(dir string) error {
	for _, f := range modules {
		if _, err := os.Stat(f); err == nil {
			module = f
		}
	}
	if module == "" {
		return errors.New("SoftHSM is missing (package softhsm2)")
	}
	conf, tokens := filepath.Join(dir, "softhsm2.conf"), filepath.Join(dir, "tokens")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+tokens+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		return err
	}
	if err := os.Setenv("SOFTHSM2_CONF", conf); err != nil {
		return err
	}
	if out, err := exec.Command("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "1234", "--pin", pin).CombinedOutput(); err != nil {
		return fmt.Errorf("making a token: %w\n%s", err, out)
	}
	return nil
}

// Token opens the token. Without SoftHSM the test is skipped on a developer's machine
// and fails where everything must run.
func Token(t testing.TB, clock gov.Clock) *keys.Token {
	t.Helper()
	if missing != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	token, err := keys.OpenToken(module, label, pin, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = token.Close() })
	return token
}
