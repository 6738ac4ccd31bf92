package search

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A generation on disk is a folder with the segments, the table and, written
// last, a manifest with the digests of both. The file "current" names the
// folder in use and is replaced by renaming.
const (
	formatVersion = 1
	segmentsDir   = "segments"
	tableFile     = "table.gob"
	manifestFile  = "manifest.json"
	currentFile   = "current"
	folderPrefix  = "gen-"
	maxManifest   = 1 << 20
	maxTable      = 256 << 20
)

type manifest struct {
	Format   int               `json:"format"`
	Analysis string            `json:"analysis"`
	Revision int64             `json:"revision"`
	Digest   string            `json:"digest"`
	Files    map[string]string `json:"files"` // sha256 by path
}

// errStale says that what is on disk can't be used and should be built again.
var errStale = errors.New("the search index on disk is of another version or damaged")

// load opens the generation in use, or fails with errStale.
func load(dir string) (g *generation, err error) {
	defer func() {
		// A damaged file may break any promise its reader relies on.
		if p := recover(); p != nil {
			g, err = nil, fmt.Errorf("%w: %v", errStale, p)
		}
	}()
	name, err := os.ReadFile(filepath.Join(dir, currentFile))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStale, err)
	}
	folder := strings.TrimSpace(string(name))
	if !strings.HasPrefix(folder, folderPrefix) || !filepath.IsLocal(folder) || strings.ContainsAny(folder, `/\`) {
		return nil, errStale
	}
	return loadFolder(filepath.Join(dir, folder))
}

func loadFolder(folder string) (*generation, error) {
	m, err := readManifest(folder)
	if err != nil {
		return nil, err
	}
	sums, err := digests(folder)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStale, err)
	}
	for path, sum := range m.Files {
		if sums[path] != sum {
			return nil, fmt.Errorf("%w: %s has changed", errStale, path)
		}
	}
	var t table
	if err := readTable(filepath.Join(folder, tableFile), &t); err != nil {
		return nil, fmt.Errorf("%w: %w", errStale, err)
	}
	g, err := onDisk(filepath.Join(folder, segmentsDir), t, m.Digest, m.Revision)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStale, err)
	}
	return g, nil
}

func readManifest(folder string) (*manifest, error) {
	f, err := os.Open(filepath.Join(folder, manifestFile))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStale, err)
	}
	defer f.Close()
	var m manifest
	if err := json.NewDecoder(io.LimitReader(f, maxManifest)).Decode(&m); err != nil {
		return nil, fmt.Errorf("%w: %w", errStale, err)
	}
	if m.Format != formatVersion || m.Analysis != analysisVersion || m.Files[tableFile] == "" {
		return nil, errStale
	}
	return &m, nil
}

func readTable(path string, t *table) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return gob.NewDecoder(io.LimitReader(f, maxTable)).Decode(t)
}

// save builds documents in a new folder and makes it the one in use. The old
// folder stays until sweep.
func save(dir string, docs []Doc, digest string, revision int64) (g *generation, err error) {
	folder, err := os.MkdirTemp(dir, folderPrefix)
	if err != nil {
		return nil, fmt.Errorf("making a folder for the search index: %w", err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(folder)
		}
	}()
	t, err := writeSegments(filepath.Join(folder, segmentsDir), folder, docs)
	if err != nil {
		return nil, fmt.Errorf("building the search index: %w", err)
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(t); err != nil {
		return nil, fmt.Errorf("writing the search index: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, tableFile), b.Bytes(), 0o600); err != nil {
		return nil, fmt.Errorf("writing the search index: %w", err)
	}
	m := manifest{Format: formatVersion, Analysis: analysisVersion, Revision: revision, Digest: digest}
	if m.Files, err = digests(folder); err != nil {
		return nil, fmt.Errorf("writing the search index: %w", err)
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(folder, manifestFile), text, 0o600); err != nil {
		return nil, fmt.Errorf("writing the search index: %w", err)
	}
	if g, err = loadFolder(folder); err != nil {
		return nil, fmt.Errorf("opening the new search index: %w", err)
	}
	if err := setCurrent(dir, filepath.Base(folder)); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

func setCurrent(dir, folder string) error {
	next := filepath.Join(dir, currentFile+".next")
	if err := os.WriteFile(next, []byte(folder+"\n"), 0o600); err != nil {
		return fmt.Errorf("switching the search index: %w", err)
	}
	if err := os.Rename(next, filepath.Join(dir, currentFile)); err != nil {
		return fmt.Errorf("switching the search index: %w", err)
	}
	return nil
}

// sweep removes the folders of generations that are not in use.
func sweep(dir string) {
	name, err := os.ReadFile(filepath.Join(dir, currentFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), folderPrefix) && e.Name() != strings.TrimSpace(string(name)) {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// digests returns the digest of each file of a generation but the manifest.
func digests(folder string) (map[string]string, error) {
	out := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == manifestFile {
			return err
		}
		rel, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return err
		}
		out[filepath.ToSlash(rel)] = hex.EncodeToString(h.Sum(nil))
		return nil
	})
	return out, err
}
