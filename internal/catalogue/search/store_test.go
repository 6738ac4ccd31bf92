package search

import (
	"os"
	"path/filepath"
	"testing"
)

// folders returns the generations that lie in a folder.
func folders(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, folderPrefix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func reopen(t *testing.T, dir string) *Index {
	t.Helper()
	x, err := Open(dir)
	if err != nil {
		t.Fatalf("opening again: %v", err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func TestReopenWithoutBuilding(t *testing.T) {
	dir := t.TempDir()
	if err := testIndex(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	before := folders(t, dir)
	x := reopen(t, dir)
	if r := find(t, x, Query{Text: "permis de construire", Limit: 1}); r.Total == 0 {
		t.Error("an index opened again answers nothing before its update")
	}
	if err := x.Update(7, testDocs(t)); err != nil {
		t.Fatal(err)
	}
	if after := folders(t, dir); len(before) != 1 || len(after) != 1 || before[0] != after[0] {
		t.Errorf("unchanged documents were indexed again: %v, then %v", before, after)
	}
	if err := x.Update(8, testDocs(t)[:4]); err != nil {
		t.Fatal(err)
	}
	if after := folders(t, dir); len(after) != 1 || after[0] == before[0] {
		t.Errorf("changed documents leave %v", after)
	}
}

// TestDamage breaks each file of an index in turn: shortened, overwritten,
// gone. The index opens all the same and is whole after an update.
func TestDamage(t *testing.T) {
	damages := map[string]func(path string) error{
		"gone":  os.Remove,
		"empty": func(p string) error { return os.Truncate(p, 0) },
		"overwritten": func(p string) error {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			for i := range b {
				if i%7 == 3 {
					b[i] ^= 0x5a
				}
			}
			return os.WriteFile(p, b, 0o600)
		},
	}
	model := t.TempDir()
	testIndex(t, model).Close()
	var files []string
	err := filepath.WalkDir(model, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(model, p)
			files = append(files, rel)
		}
		return err
	})
	if err != nil || len(files) < 4 {
		t.Fatalf("the index has the files %v, %v", files, err)
	}
	for name, damage := range damages {
		for _, file := range files {
			t.Run(name+" "+filepath.Base(file), func(t *testing.T) {
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS(model)); err != nil {
					t.Fatal(err)
				}
				if err := damage(filepath.Join(dir, file)); err != nil {
					t.Fatal(err)
				}
				x := reopen(t, dir)
				if err := x.Update(1, testDocs(t)); err != nil {
					t.Fatal(err)
				}
				if r := find(t, x, Query{Text: "permis de construire", Limit: 1}); len(r.Hits) != 1 || r.Hits[0].ID != "building-permit" {
					t.Errorf("after repair finds %v", r.Hits)
				}
				if left := folders(t, dir); len(left) != 1 {
					t.Errorf("generations left behind: %v", left)
				}
			})
		}
	}
}

func TestEmptyCatalogue(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		x := reopen(t, dir)
		if err := x.Update(1, nil); err != nil {
			t.Fatal(err)
		}
		if r := find(t, x, Query{Text: "permis", Limit: 5}); r.Total != 0 {
			t.Errorf("an empty catalogue has %v", r.Hits)
		}
		if err := x.Update(2, testDocs(t)); err != nil {
			t.Fatal(err)
		}
		if err := x.Update(3, nil); err != nil {
			t.Fatal(err)
		}
	}
}
