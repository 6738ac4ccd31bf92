package translog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// maxBundle is the length of 256 entries with theirs.
const maxBundle = tileWidth * (2 + len(Entry{}))

// tilePath writes where a tile is served; level -1 holds the entries.
func tilePath(level int, n int64, width int) string {
	s := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		s = fmt.Sprintf("x%03d/%s", n%1000, s)
	}
	l := "entries"
	if level >= 0 {
		l = strconv.Itoa(level)
	}
	if width < tileWidth {
		s += ".p/" + strconv.Itoa(width)
	}
	return "/tile/" + l + "/" + s
}

var errPath = errors.New("not the path of a tile")

// parseTilePath reads what tilePath writes, and nothing else: one path for one
// tile, so that caches hold each once.
func parseTilePath(path string) (level int, n int64, width int, err error) {
	rest, ok := strings.CutPrefix(path, "/tile/")
	l, rest, more := strings.Cut(rest, "/")
	if !ok || !more || len(path) > 100 {
		return 0, 0, 0, errPath
	}
	level = -1
	if l != "entries" {
		if level, err = strconv.Atoi(l); err != nil || level < 0 || level > 63 {
			return 0, 0, 0, errPath
		}
	}
	width = tileWidth
	if number, w, partial := strings.Cut(rest, ".p/"); partial {
		if width, err = strconv.Atoi(w); err != nil || width < 1 || width >= tileWidth {
			return 0, 0, 0, errPath
		}
		rest = number
	}
	for part := range strings.SplitSeq(rest, "/") {
		d, err := strconv.Atoi(strings.TrimPrefix(part, "x"))
		if err != nil || d < 0 || d > 999 || n > MaxSize/1000 {
			return 0, 0, 0, errPath
		}
		n = n*1000 + int64(d)
	}
	if tilePath(level, n, width) != path {
		return 0, 0, 0, errPath
	}
	return level, n, width, nil
}

// writeBundle writes entries as the format serves them: each after its length.
func writeBundle(list []Entry) []byte {
	b := make([]byte, 0, len(list)*(2+len(Entry{})))
	for _, e := range list {
		b = binary.BigEndian.AppendUint16(b, uint16(len(e)))
		b = append(b, e[:]...)
	}
	return b
}

// parseBundle reads what writeBundle writes.
func parseBundle(b []byte) ([]Entry, error) {
	const one = 2 + len(Entry{})
	if len(b)%one != 0 || len(b) > maxBundle {
		return nil, errors.New("not a bundle of entries of 32 bytes")
	}
	list := make([]Entry, 0, len(b)/one)
	for ; len(b) > 0; b = b[one:] {
		if int(binary.BigEndian.Uint16(b)) != len(Entry{}) {
			return nil, errors.New("not a bundle of entries of 32 bytes")
		}
		list = append(list, Entry(b[2:one]))
	}
	return list, nil
}

// ServeHTTP serves the log to monitors (C2SP tlog-tiles): /checkpoint,
// /tile/LEVEL/N and /tile/entries/N, below wherever it is mounted with
// http.StripPrefix. Everything it serves may be public.
func (l *Log) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "GET only", http.StatusMethodNotAllowed)
		return
	}
	b, err := l.resource(r)
	switch {
	case errors.Is(err, errPath), errors.Is(err, errHole), errors.Is(err, ErrNotThere):
		http.Error(w, "not found", http.StatusNotFound)
		return
	case err != nil:
		http.Error(w, "the log can't be read now", http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	if r.URL.Path == "/checkpoint" {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
	} else {
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b)
}

func (l *Log) resource(r *http.Request) ([]byte, error) {
	ctx := r.Context()
	if r.URL.Path == "/checkpoint" {
		s, err := l.Latest(ctx)
		if err != nil {
			return nil, err
		}
		return s.Published(), nil
	}
	level, n, width, err := parseTilePath(r.URL.Path)
	if err != nil {
		return nil, err
	}
	if level < 0 {
		list, err := l.entries(ctx, n*tileWidth, width)
		if err != nil {
			return nil, err
		}
		return writeBundle(list), nil
	}
	b, err := newTree(ctx, l.db.Reader(), l.origin).tile(level, n)
	if err != nil {
		return nil, err
	}
	if len(b) < width*tlog.HashSize {
		return nil, errHole
	}
	return b[:width*tlog.HashSize], nil
}
