//go:build pkcs11

package credential

import (
	"os"
	"testing"

	"diwan/internal/gov"
	"diwan/internal/keys/keystest"
)

func TestMain(m *testing.M) { os.Exit(keystest.Run(m)) }

// signers are keys in a software token: with this tag every test of this package runs
// on it.
func signers(t testing.TB, clock gov.Clock) Signers { return keystest.Token(t, clock) }
