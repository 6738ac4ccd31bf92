package app

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"diwan/internal/gazette"
)

// manifestName is the list that may stand beside files to import. Its first row
// names the columns; "file" is the path from the list, and the others that are
// known are taken: title, source_url, lang, category, flags.
const gazetteManifest = "manifest.csv"

// maxInput bounds one file to import.
const maxInput = 512 << 20

// GazetteInputs finds the files that paths name: files, and folders with all
// files below them. A folder with a manifest gives the files of the manifest.
func GazetteInputs(paths []string) ([]gazette.Input, error) {
	var out []gazette.Input
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			out = append(out, fileInput(p, filepath.Base(p)))
			continue
		}
		in, err := folderInputs(p)
		if err != nil {
			return nil, err
		}
		out = append(out, in...)
	}
	return out, nil
}

func fileInput(path, name string) gazette.Input {
	return gazette.Input{Name: name, Open: func() ([]byte, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, maxInput+1))
		if err == nil && len(b) > maxInput {
			return nil, fmt.Errorf("the file is larger than %d MiB", maxInput>>20)
		}
		return b, err
	}}
}

func folderInputs(dir string) ([]gazette.Input, error) {
	f, err := os.Open(filepath.Join(dir, gazetteManifest))
	if err == nil {
		defer f.Close()
		return manifestInputs(dir, f)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []gazette.Input
	err = filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			return err
		}
		name, err := filepath.Rel(dir, p)
		out = append(out, fileInput(p, filepath.ToSlash(name)))
		return err
	})
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, err
}

func manifestInputs(dir string, r io.Reader) ([]gazette.Input, error) {
	c := csv.NewReader(r)
	head, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", gazetteManifest, err)
	}
	col := map[string]int{}
	for i, name := range head {
		col[strings.TrimSpace(name)] = i + 1
	}
	if col["file"] == 0 {
		return nil, fmt.Errorf("%s has no column \"file\"", gazetteManifest)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var out []gazette.Input
	for {
		row, err := c.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", gazetteManifest, err)
		}
		get := func(name string) string {
			if i := col[name]; i > 0 && i <= len(row) {
				return row[i-1]
			}
			return ""
		}
		name := get("file")
		if _, err := root.Stat(name); err != nil { // also when it would leave the folder
			return nil, fmt.Errorf("%s: %w", gazetteManifest, err)
		}
		in := fileInput(filepath.Join(dir, filepath.FromSlash(name)), name)
		in.Title, in.Origin, in.Subject, in.Flags = get("title"), get("source_url"), get("category"), strings.Fields(get("flags"))
		out = append(out, in)
	}
}
