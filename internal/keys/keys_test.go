package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type stepClock struct{ t time.Time }

func (c *stepClock) Now() time.Time { c.t = c.t.Add(time.Second); return c.t }

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(filepath.Join(dir, "keys"), filepath.Join(dir, "identity"), &stepClock{time.Unix(1e9, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignRotateRetire(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	old, err := s.Signer("portal")
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("x"))
	sig, err := old.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil || !ecdsa.VerifyASN1(old.Public().(*ecdsa.PublicKey), digest[:], sig) {
		t.Fatalf("signature does not verify: %v", err)
	}
	if err := s.Retire(old.ID); err == nil {
		t.Error("retired the key in use")
	}
	fresh, err := s.Rotate("portal")
	if err != nil || fresh.ID == old.ID {
		t.Fatal(err)
	}
	s = open(t, dir) // as after a restart
	if k, _ := s.Signer("portal"); k.ID != fresh.ID {
		t.Error("after a restart another key signs")
	}
	if n := published(t, s); n != 2 {
		t.Errorf("%d keys published, want the old one too", n)
	}
	if err := s.Retire(old.ID); err != nil {
		t.Fatal(err)
	}
	if n := published(t, open(t, dir)); n != 1 {
		t.Errorf("%d keys published after retiring", n)
	}
}

func published(t *testing.T, s *Store) int {
	t.Helper()
	b, err := s.JWKS("portal")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), `"d":`) {
		t.Fatal("the published set holds a private key")
	}
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(b, &set); err != nil {
		t.Fatal(err)
	}
	return len(set.Keys)
}

func TestFilesAreSealed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.Signer("portal"); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "keys", "*"))
	if len(files) != 1 {
		t.Fatal(files)
	}
	b, _ := os.ReadFile(files[0])
	if !strings.HasPrefix(string(b), "age-encryption.org/") {
		t.Error("a key lies open")
	}
	if st, _ := os.Stat(filepath.Join(dir, "identity")); st.Mode().Perm() != 0o600 {
		t.Errorf("identity has mode %v", st.Mode())
	}
	// Without its identity the store must not start afresh.
	os.Remove(filepath.Join(dir, "identity"))
	if _, err := Open(filepath.Join(dir, "keys"), filepath.Join(dir, "identity"), &stepClock{}); err == nil {
		t.Error("opened without the identity")
	}
}

func TestDamagedKeyIsAnError(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	s.Signer("portal")
	files, _ := filepath.Glob(filepath.Join(dir, "keys", "*"))
	b, _ := os.ReadFile(files[0])
	b[len(b)-1] ^= 1
	os.WriteFile(files[0], b, 0o600)
	if _, err := Open(filepath.Join(dir, "keys"), filepath.Join(dir, "identity"), &stepClock{}); err == nil {
		t.Error("opened with a damaged key")
	}
}

func TestPurposeNames(t *testing.T) {
	s := open(t, t.TempDir())
	for _, p := range []string{"", "../x", "A", strings.Repeat("a", 40)} {
		if _, err := s.Signer(p); err == nil {
			t.Errorf("made a key for %q", p)
		}
	}
}
