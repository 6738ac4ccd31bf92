// Package seed gives tests a data folder as a first start leaves it, so that not
// every test pays for loading the starter and building the search index. Only
// test files and apptest import it.
package seed

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var (
	once sync.Once
	dir  string
	fail error
)

// Into fills an empty data folder. make builds the folder that is copied, once a
// test program: it opens an installation there and closes it. Keys and the
// sealing identity are left out, because each installation has its own; without
// the database only the search index is copied.
func Into(t testing.TB, data string, database bool, make func(dir string) error) {
	t.Helper()
	once.Do(func() {
		if dir, fail = os.MkdirTemp("", "diwan-seed-"); fail == nil {
			fail = make(dir)
		}
	})
	if fail != nil {
		t.Fatal(fail)
	}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		top, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
		if top != "search" && (!database || !strings.HasPrefix(top, "diwan.db")) {
			return nil
		}
		to := filepath.Join(data, rel)
		if e.IsDir() {
			return os.MkdirAll(to, 0o700)
		}
		b, err := os.ReadFile(name)
		return errors.Join(err, os.WriteFile(to, b, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Clean removes the folder that was copied; TestMain calls it at the end.
func Clean() {
	if dir != "" {
		os.RemoveAll(dir)
	}
}
