package link

import (
	"crypto/ed25519"
	"testing"
)

// A key that is seen often gets a table and says the same as before; tables stay bounded.
func TestKeysThatAreSeenOften(t *testing.T) {
	msg := []byte("an envelope")
	for range maxOften + 3 {
		public, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		k, err := NewPublicKey(public, "member")
		if err != nil {
			t.Fatal(err)
		}
		sig := ed25519.Sign(private, msg)
		for i := range oftenAfter + 2 {
			if !k.verify(msg, sig) {
				t.Fatalf("check %d refuses a good signature", i)
			}
		}
		if k.table.Load() == nil {
			t.Fatal("the key has no table")
		}
		sig[40] ^= 1
		if k.verify(msg, sig) || k.verify(msg, sig[:63]) {
			t.Fatal("the table accepts a changed signature")
		}
	}
	often.Lock()
	defer often.Unlock()
	if len(often.keys) != maxOften {
		t.Errorf("%d tables, at most %d", len(often.keys), maxOften)
	}
	for _, k := range often.keys {
		if k.table.Load() == nil {
			t.Error("a key counts as having a table, and has none")
		}
	}
}
