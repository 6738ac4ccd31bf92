package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"diwan/internal/beside"
)

// root returns the repository's folder.
func root(t *testing.T) string {
	t.Helper()
	dir, err := beside.Root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// walk calls fn for each file with one of the endings, by its path from the
// root, with slashes.
func walk(t *testing.T, endings []string, fn func(path, text string)) {
	t.Helper()
	top := root(t)
	err := filepath.WalkDir(top, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			switch e.Name() {
			case ".git", "node_modules":
				return filepath.SkipDir
			}
			return nil
		}
		for _, end := range endings {
			if strings.HasSuffix(p, end) {
				b, err := os.ReadFile(p)
				if err != nil {
					return err
				}
				rel, err := filepath.Rel(top, p)
				fn(filepath.ToSlash(rel), string(b))
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
