package translog

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
)

func TestTilePaths(t *testing.T) {
	for _, c := range []struct {
		path  string
		level int
		n     int64
		width int
	}{
		{"/tile/0/000", 0, 0, 256}, {"/tile/1/x001/x234/067", 1, 1234067, 256}, {"/tile/entries/005.p/17", -1, 5, 17}, {"/tile/63/999.p/255", 63, 999, 255},
	} {
		level, n, width, err := parseTilePath(c.path)
		if err != nil || level != c.level || n != c.n || width != c.width || tilePath(level, n, width) != c.path {
			t.Errorf("%s: %d %d %d, %v", c.path, level, n, width, err)
		}
	}
	for _, bad := range []string{"", "/tile", "/tile/", "/tile/0", "/tile/0/", "/tile/0/0", "/tile/00/000", "/tile/64/000", "/tile/-1/000", "/tile/0/000.p/0",
		"/tile/0/000.p/256", "/tile/0/000.p/", "/tile/0/000.p/01", "/tile/0/001/000", "/tile/0/x000/001", "/tile/0/../1", "/tile/0/+01", "/tile/data/000",
		"/tile/0/x999/x999/x999/x999/x999/x999/x999/999", "/tile/0/000/"} {
		if l, n, w, err := parseTilePath(bad); err == nil {
			t.Errorf("%s is taken for %d %d %d", bad, l, n, w)
		}
	}
}

func TestServe(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		l := openLog(t, d)
		get := func(method, path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			l.ServeHTTP(w, httptest.NewRequest(method, path, nil))
			return w
		}
		if w := get("GET", "/checkpoint"); w.Code != http.StatusNotFound {
			t.Errorf("before the first checkpoint: %d", w.Code)
		}
		add(t, l, 0, 600)
		checkpoint(t, l)
		for _, c := range []struct {
			path         string
			status, size int
		}{
			{"/checkpoint", 200, -1}, {"/tile/0/000", 200, 8192}, {"/tile/0/001", 200, 8192}, {"/tile/0/002.p/88", 200, 88 * 32}, {"/tile/0/002.p/87", 200, 87 * 32},
			{"/tile/0/002", 404, -1}, {"/tile/0/002.p/89", 404, -1}, {"/tile/1/000.p/2", 200, 64}, {"/tile/1/000.p/3", 404, -1}, {"/tile/2/000.p/1", 404, -1},
			{"/tile/entries/000", 200, 256 * 34}, {"/tile/entries/002.p/88", 200, 88 * 34}, {"/tile/entries/002.p/89", 404, -1}, {"/tile/8/0/000", 404, -1}, {"/", 404, -1},
		} {
			w := get("GET", c.path)
			if w.Code != c.status || c.size >= 0 && w.Body.Len() != c.size {
				t.Errorf("%s: status %d, %d bytes", c.path, w.Code, w.Body.Len())
			}
		}
		if w := get("POST", "/checkpoint"); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST: %d", w.Code)
		}
		if w := get("GET", "/checkpoint"); w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("headers %v", w.Header())
		}
	})
}
