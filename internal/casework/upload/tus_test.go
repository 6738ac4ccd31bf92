package upload

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/problem"
)

// sender is somebody who sends a file in parts.
type sender struct {
	t    *testing.T
	url  string
	who  string // filer and draft, with a space
	back *http.Response
}

func serveParts(t *testing.T, w *world) *sender {
	t.Helper()
	h, err := w.Resumable("/files/", func(r *http.Request) (Owner, error) {
		filer, draft, ok := strings.Cut(r.Header.Get("Who"), " ")
		if !ok {
			return Owner{}, problem.New(problem.Unauthenticated, "sign_in")
		}
		return Owner{Person: "p1", Filer: filer, Draft: draft}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return &sender{t: t, url: srv.URL, who: "p1 d1"}
}

func (s *sender) do(method, path string, body io.Reader, headers ...string) int {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Tus-Resumable", "1.0.0")
	r.Header.Set("Who", s.who)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if s.back, err = http.DefaultClient.Do(r); err != nil {
		s.t.Fatal(err)
	}
	b, _ := io.ReadAll(s.back.Body)
	_ = s.back.Body.Close()
	if strings.Contains(string(b), "/") {
		s.t.Errorf("an answer shows insides: %q", b)
	}
	return s.back.StatusCode
}

func (s *sender) begin(name string, size int) string {
	s.t.Helper()
	if code := s.do("POST", "/files/", nil, "Upload-Length", strconv.Itoa(size), "Upload-Metadata", "filename "+base64.StdEncoding.EncodeToString([]byte(name))); code != 201 {
		s.t.Fatalf("beginning: %d %s", code, s.back.Header.Get("Diwan-Problem"))
	}
	at := s.back.Header.Get("Location")
	return at[strings.Index(at, "/files/"):]
}

func (s *sender) part(path string, at int, b []byte) int {
	return s.do("PATCH", path, bytes.NewReader(b), "Upload-Offset", strconv.Itoa(at), "Content-Type", "application/offset+octet-stream")
}

func TestFilesInParts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s, doc := serveParts(t, w), goodPDF(t)
		path := s.begin("titre.pdf", len(doc))
		if code := s.part(path, 0, doc[:1001]); code != 204 || s.back.Header.Get("Upload-Offset") != "1001" {
			t.Fatalf("%d", code)
		}
		id := filepath.Base(path)
		lying, err := os.ReadFile(filepath.Join(w.Dir, id+".part"))
		if err != nil || bytes.Contains(lying, []byte("PDF")) || len(lying) != 1001 {
			t.Errorf("the parts lie open: %v", err)
		}
		if _, err := w.Claim(context.Background(), salma, id); codeOf(err) != "upload.unfinished" {
			t.Errorf("half a file: %v", err)
		}
		for _, at := range []int{0, 1000, 1002, len(doc), -1} {
			if code := s.part(path, at, doc[:10]); code < 400 || code >= 500 {
				t.Errorf("a part at %d: %d", at, code)
			}
		}
		if code := s.do("HEAD", path, nil); code != 200 || s.back.Header.Get("Upload-Offset") != "1001" {
			t.Errorf("%d, at %s", code, s.back.Header.Get("Upload-Offset"))
		}
		if code := s.part(path, 1001, append(bytes.Clone(doc[1001:]), 'x')); code != 413 {
			t.Errorf("more than was said: %d", code)
		}
		if code := s.part(path, 1001, doc[1001:]); code != 204 || s.back.Header.Get("Diwan-File") != id || s.back.Header.Get("Diwan-File-State") != string(Unscanned) {
			t.Fatalf("%d %v", code, s.back.Header)
		}
		// The answer was lost; its sender asks.
		if code := s.do("HEAD", path, nil); code != 200 || s.back.Header.Get("Upload-Offset") != s.back.Header.Get("Upload-Length") {
			t.Errorf("%d %v", code, s.back.Header)
		}
		f, err := w.Claim(context.Background(), salma, id)
		if err != nil || f.Name != "titre.pdf" || !bytes.Equal(w.content(t, f), doc) {
			t.Errorf("%+v %v", f, err)
		}
		if left, _ := filepath.Glob(filepath.Join(w.Dir, "*")); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
		if code := s.do("DELETE", path, nil); code != 204 {
			t.Errorf("%d", code)
		}
		if _, err := w.Get(context.Background(), salma, id); codeOf(err) != "upload.not_found" {
			t.Errorf("%v", err)
		}
	})
}

func TestPartsOfOthers(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, sets), nil)
	s := serveParts(t, w)
	path := s.begin("a.txt", 10)
	for _, who := range []string{"p2 d2", "p2 d1", "p1 d2"} {
		s.who = who
		for _, method := range []string{"HEAD", "PATCH", "DELETE", "GET"} {
			if code := s.do(method, path, nil, "Upload-Offset", "0", "Content-Type", "application/offset+octet-stream"); code != 404 && code != 405 {
				t.Errorf("%s by %s: %d", method, who, code)
			}
		}
	}
	s.who = ""
	if code := s.do("POST", "/files/", nil, "Upload-Length", "3"); code != 401 {
		t.Errorf("nobody: %d", code)
	}
	s.who = "p1 d1"
	for _, p := range []string{"/files/..%2f..%2fetc", "/files/x", "/files/" + strings.Repeat("a", 300)} {
		if code := s.do("HEAD", p, nil); code != 404 {
			t.Errorf("%s: %d", p, code)
		}
	}
}

func TestPartsHaveBounds(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, sets), nil)
	s := serveParts(t, w)
	for size, want := range map[string]int{"0": 422, strconv.Itoa(MaxFile + 1): 413, "-1": 400, "99999999999999999999": 400} {
		if code := s.do("POST", "/files/", nil, "Upload-Length", size); code != want {
			t.Errorf("%s bytes: %d", size, code)
		}
	}
	if code := s.do("POST", "/files/", nil, "Upload-Defer-Length", "1"); code < 400 {
		t.Errorf("a length that comes later: %d", code)
	}
	for range MaxTotal / MaxFile {
		s.begin("a.txt", MaxFile)
	}
	if code := s.do("POST", "/files/", nil, "Upload-Length", "1"); code != 422 || s.back.Header.Get("Diwan-Problem") != "upload.too_much" {
		t.Errorf("what is on its way does not count: %d", code)
	}
	s.who = "p1 d2"
	for range maxIncoming - MaxTotal/MaxFile {
		s.begin("a.txt", 1)
	}
	if code := s.do("POST", "/files/", nil, "Upload-Length", "1"); code != 422 || s.back.Header.Get("Diwan-Problem") != "upload.too_many" {
		t.Errorf("too many at once: %d", code)
	}
	w.clock.move(incomingLife + time.Hour)
	if err := w.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(w.Dir, "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	s.begin("a.txt", 1)
}

// What is refused at the end is gone, and the answer says why.
func TestPartsOfBadFiles(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, sets), nil)
	s := serveParts(t, w)
	bad := rawPDF("/OpenAction<</S/JavaScript/JS(1)>>")
	path := s.begin("a.pdf", len(bad))
	if code := s.part(path, 0, bad); code != 422 || s.back.Header.Get("Diwan-Problem") != codeActive {
		t.Errorf("%d %v", code, s.back.Header)
	}
	if left, _ := filepath.Glob(filepath.Join(w.Dir, "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The program stopped between the last part and the checks: the page that comes
// with the form has the file checked then. The draft has meanwhile become a case.
func TestClaimAfterACrash(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, sets), nil)
	ctx := context.Background()
	doc := goodPDF(t)
	i, err := w.begin(ctx, salma, "a.pdf", int64(len(doc)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.write(ctx, 0, bytes.NewReader(doc)); err != nil {
		t.Fatal(err)
	}
	if err := w.DB.RunTx(ctx, func(tx *db.Tx) error { return w.Take(ctx, tx, "d1", "c1") }); err != nil {
		t.Fatal(err)
	}
	f, err := w.Claim(ctx, Owner{Person: "p1", Filer: "p1", Case: "c1"}, i.id)
	if err != nil || f.Case != "c1" || !bytes.Equal(w.content(t, f), doc) {
		t.Errorf("%+v %v", f, err)
	}
	again, err := w.Claim(ctx, Owner{Person: "p1", Filer: "p1", Case: "c1"}, i.id)
	if err != nil || again.ID != f.ID {
		t.Errorf("claimed twice: %v", err)
	}
}
