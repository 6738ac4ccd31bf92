//go:build pkcs11

package keys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"os"
	"testing"
	"time"

	"diwan/internal/keys/keystest"
)

func TestMain(m *testing.M) { os.Exit(keystest.Run(m)) }

type ticking struct{ now time.Time }

func (c *ticking) Now() time.Time { c.now = c.now.Add(time.Second); return c.now }

func TestToken(t *testing.T) {
	token := keystest.Token(t, &ticking{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)})
	a, err := token.Signer("issuing")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := token.Signer("issuing"); err != nil || again.ID != a.ID {
		t.Error("another key:", again, err)
	}
	sum := sha256.Sum256([]byte("text"))
	sig, err := a.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil || !ecdsa.VerifyASN1(a.Public().(*ecdsa.PublicKey), sum[:], sig) {
		t.Error("the signature is wrong:", err)
	}
	b, err := token.Rotate("issuing")
	if err != nil || b.ID == a.ID || !b.Created.After(a.Created) {
		t.Fatal(b, err)
	}
	if now, err := token.Signer("issuing"); err != nil || now.ID != b.ID {
		t.Error("after a rotation the old key signs:", err)
	}
	if other, err := token.Signer("status"); err != nil || other.ID == b.ID {
		t.Error("two purposes share a key:", err)
	}
	if _, err := token.Signer("Not A Purpose"); err == nil {
		t.Error("a name that is no purpose was taken")
	}
}
