//go:build !pkcs11

package credential

import (
	"path/filepath"
	"testing"

	"diwan/internal/gov"
	"diwan/internal/keys"
)

// signers are keys in sealed files.
func signers(t testing.TB, clock gov.Clock) Signers {
	t.Helper()
	dir := t.TempDir()
	s, err := keys.Open(dir, filepath.Join(dir, "identity"), clock)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
