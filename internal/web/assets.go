package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
)

//go:embed static
var staticFiles embed.FS

// Assets are the static files under names that hold their content's hash, so
// that a browser may keep them for ever, each compressed once at start.
type Assets struct {
	url    map[string]string // "diwan.css" -> "/static/diwan.1a2b3c4d.css"
	byPath map[string]*asset
}

type asset struct {
	contentType  string
	plain        []byte
	gzip, brotli []byte // nil where compression does not help
}

var cssURL = regexp.MustCompile(`url\("([^"]+)"\)`)

// NewAssets prepares the program's static files. Files ending in .css come
// last, because they name the others.
func NewAssets() (*Assets, error) {
	root, err := fs.Sub(staticFiles, "static")
	if err != nil {
		return nil, err
	}
	var names []string
	err = fs.WalkDir(root, ".", func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, p)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing static files: %w", err)
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return boolInt(strings.HasSuffix(a, ".css")) - boolInt(strings.HasSuffix(b, ".css"))
	})
	a := &Assets{url: map[string]string{}, byPath: map[string]*asset{}}
	for _, n := range names {
		b, err := fs.ReadFile(root, n)
		if err != nil {
			return nil, err
		}
		if err := a.add(n, b); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (a *Assets) add(name string, b []byte) error {
	ext := path.Ext(name)
	if ext == ".css" {
		var missing string
		b = cssURL.ReplaceAllFunc(b, func(m []byte) []byte {
			ref := string(cssURL.FindSubmatch(m)[1])
			u, ok := a.url[path.Join(path.Dir(name), ref)]
			if !ok {
				missing = ref
			}
			return []byte(`url("` + u + `")`)
		})
		if missing != "" {
			return fmt.Errorf("%s names %q, which is not a static file", name, missing)
		}
	}
	sum := sha256.Sum256(b)
	url := "/static/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:4]) + ext
	as := &asset{contentType: contentType(ext), plain: b}
	if ext != ".woff2" {
		as.gzip, as.brotli = Gzip(b, gzip.BestCompression), brotliBest(b)
	}
	a.url[name], a.byPath[url] = url, as
	return nil
}

func contentType(ext string) string {
	switch ext {
	case ".woff2":
		return "font/woff2"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".md":
		return "text/plain; charset=utf-8"
	}
	return mime.TypeByExtension(ext)
}

// URL returns the address of a static file by its name. It panics on a name
// that does not exist: templates are parsed at start, so no reader meets it.
func (a *Assets) URL(name string) string {
	u, ok := a.url[name]
	if !ok {
		panic("web: no static file " + name)
	}
	return u
}

// Size returns the bytes that the file costs on the wire, for budgets in tests.
func (a *Assets) Size(name string) int {
	as := a.byPath[a.URL(name)]
	if as.gzip != nil {
		return len(as.gzip)
	}
	return len(as.plain)
}

// ServeHTTP serves /static/….
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	as, ok := a.byPath[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", as.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	body := as.plain
	if as.gzip != nil {
		h.Set("Vary", "Accept-Encoding")
		switch accepted := r.Header.Get("Accept-Encoding"); {
		case as.brotli != nil && accepts(accepted, "br"):
			h.Set("Content-Encoding", "br")
			body = as.brotli
		case accepts(accepted, "gzip"):
			h.Set("Content-Encoding", "gzip")
			body = as.gzip
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// Gzip compresses b at a level of compress/gzip.
func Gzip(b []byte, level int) []byte {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, level)
	if err != nil {
		panic(err) // a level that does not exist is a fault in this program
	}
	z.Write(b)
	z.Close()
	return buf.Bytes()
}

func brotliBest(b []byte) []byte {
	var buf bytes.Buffer
	z := brotli.NewWriterLevel(&buf, 9)
	z.Write(b)
	z.Close()
	return buf.Bytes()
}
