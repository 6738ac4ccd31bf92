package blob

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestFolder(t *testing.T) {
	f, err := OpenFolder(filepath.Join(t.TempDir(), "files"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := f.Put([]byte("one page"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.Put([]byte("one page")); again != key || err != nil {
		t.Errorf("the second time: %q, %v", again, err)
	}
	if b, err := f.Get(key); string(b) != "one page" || err != nil {
		t.Errorf("Get = %q, %v", b, err)
	}
	n := 0
	if err := f.Keys(func(k string) error { n++; return nil }); n != 1 || err != nil {
		t.Errorf("%d keys, %v", n, err)
	}
	name, _ := f.path(key)
	if err := os.WriteFile(name, []byte("two page"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Get(key); !errors.Is(err, ErrDamaged) {
		t.Errorf("changed bytes: %v", err)
	}
	if _, err := f.Put([]byte("one page")); err != nil {
		t.Fatal(err)
	}
	if b, err := f.Get(key); string(b) != "one page" || err != nil {
		t.Errorf("put again after damage: %q, %v", b, err)
	}
	for _, key := range []string{"", "..", "../../etc/passwd", Key([]byte("absent"))} {
		if _, err := f.Get(key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Get(%q): %v", key, err)
		}
	}
}

// A file that could not be put in place must not be said to be kept.
func TestPutSaysWhatFailed(t *testing.T) {
	f, err := OpenFolder(filepath.Join(t.TempDir(), "files"))
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("one page")
	name, err := f.path(Key(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(name, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Put(data); err == nil {
		t.Error("it was said to be kept")
	}
}
