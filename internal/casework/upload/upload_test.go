package upload

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"diwan/internal/blob"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/pdf"
	"diwan/internal/problem"
)

type testClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(time.Millisecond)
	return c.t
}

func (c *testClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// testKeys keeps the keys of persons, and forgets them.
type testKeys struct {
	mu   sync.Mutex
	keys map[string][]byte
	gone map[string]bool
}

func (k *testKeys) PersonKey(_ context.Context, person string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gone[person] {
		return nil, problem.New(problem.NotFound, "person.forgotten")
	}
	if k.keys[person] == nil {
		k.keys[person] = make([]byte, 32)
		rand.Read(k.keys[person])
	}
	return k.keys[person], nil
}

// testBlobs can also let go of a blob.
type testBlobs struct {
	mu  sync.Mutex
	all map[string][]byte
}

func (b *testBlobs) Put(data []byte) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all[blob.Key(data)] = bytes.Clone(data)
	return blob.Key(data), nil
}

func (b *testBlobs) Get(key string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all[key], nil
}

func (b *testBlobs) Keys(func(string) error) error { return nil }

func (b *testBlobs) Remove(key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.all, key)
	return nil
}

func (b *testBlobs) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.all)
}

type world struct {
	*Store
	clock *testClock
	keys  *testKeys
	blobs *testBlobs
}

func newWorld(t testing.TB, d *db.DB, scanner Scanner) *world {
	t.Helper()
	w := &world{clock: &testClock{t: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}, keys: &testKeys{keys: map[string][]byte{}, gone: map[string]bool{}}, blobs: &testBlobs{all: map[string][]byte{}}}
	s, err := New(Options{DB: d, Blobs: w.blobs, Keys: w.keys, Clock: w.clock, Dir: t.TempDir(), Scanner: scanner})
	if err != nil {
		t.Fatal(err)
	}
	w.Store = s
	return w
}

var sets = []db.Migrations{Migrations()}

var salma = Owner{Person: "p1", Filer: "p1", Draft: "d1"}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) { test(t, newWorld(t, d, nil)) })
}

func (w *world) receive(t *testing.T, o Owner, name string, b []byte) File {
	t.Helper()
	f, err := w.Receive(context.Background(), o, name, bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f
}

func (w *world) content(t *testing.T, f File) []byte {
	t.Helper()
	r, err := w.Open(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return problem.From(err).Code
}

func goodPDF(t testing.TB) []byte {
	t.Helper()
	d := pdf.New(pdf.Meta{Title: "Certificat", Lang: "fr"})
	d.Paragraph("fr", "Certificat de propriété", pdf.Style{Size: 20})
	var b bytes.Buffer
	if _, err := d.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func picture(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{255, 255, 255, 255}
			if x < w/2 && y < h/2 { // a red corner tells which way is up
				c = color.RGBA{220, 0, 0, 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func goodJPEG(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(w, h), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func goodPNG(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture(w, h)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFilesComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		doc := goodPDF(t)
		f := w.receive(t, salma, "C:\\fakepath\\titre.pdf", doc)
		if f.Name != "titre.pdf" || f.Type != typePDF || f.State != Unscanned || f.Size != int64(len(doc)) || len(f.SHA256) != 64 {
			t.Errorf("%+v", f)
		}
		if !bytes.Equal(w.content(t, f), doc) {
			t.Error("the PDF changed")
		}
		text := w.receive(t, salma, "note", []byte("bonjour"))
		if text.Name != "note.txt" {
			t.Errorf("name %q", text.Name)
		}
		list, err := w.OfDraft(ctx, "d1")
		if err != nil || len(list) != 2 || list[0].Name != "titre.pdf" {
			t.Fatalf("%v %v", list, err)
		}
		if err := w.Drop(ctx, salma, text.ID); err != nil || w.blobs.count() != 1 {
			t.Errorf("dropping: %v, %d blobs", err, w.blobs.count())
		}
		if err := w.DB.RunTx(ctx, func(tx *db.Tx) error { return w.Take(ctx, tx, "d1", "c1") }); err != nil {
			t.Fatal(err)
		}
		got, err := w.Get(ctx, Owner{Case: "c1"}, f.ID)
		if err != nil || got.Name != "titre.pdf" || got.SHA256 != f.SHA256 {
			t.Errorf("%+v %v", got, err)
		}
		if err := w.Drop(ctx, Owner{Case: "c1"}, f.ID); codeOf(err) != "upload.filed" {
			t.Errorf("dropping what a case has: %v", err)
		}
		if list, err := w.OfCase(ctx, "c1"); err != nil || len(list) != 1 {
			t.Errorf("%v %v", list, err)
		}
	})
}

func TestFilesOfOthersDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		f := w.receive(t, salma, "a.pdf", goodPDF(t))
		for _, o := range []Owner{{Person: "p2", Filer: "p2", Draft: "d2"}, {Person: "p2", Filer: "p2", Draft: "d1"}, {Case: "c9"}, {}, {Draft: "d1", Case: "c1", Filer: "p1"}} {
			if _, err := w.Get(ctx, o, f.ID); !errors.Is(err, ErrNoFile) {
				t.Errorf("%+v: %v", o, err)
			}
			if err := w.Drop(ctx, o, f.ID); !errors.Is(err, ErrNoFile) {
				t.Errorf("%+v drops: %v", o, err)
			}
			if _, err := w.Claim(ctx, o, f.ID); !errors.Is(err, ErrNoFile) {
				t.Errorf("%+v claims: %v", o, err)
			}
		}
		for _, id := range []string{"", "x", "a\x00b", "../" + f.ID, strings.Repeat("x", 200), "\xff\xfe"} {
			if _, err := w.Get(ctx, salma, id); !errors.Is(err, ErrNoFile) {
				t.Errorf("id %q: %v", id, err)
			}
		}
		if _, err := w.Receive(ctx, Owner{Person: "p1", Filer: "p1"}, "a.txt", strings.NewReader("x")); !errors.Is(err, ErrNoFile) {
			t.Errorf("a file of nothing: %v", err)
		}
	})
}

// When the key of a person is gone, so are names and contents; lists go on.
func TestForgottenPersons(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.receive(t, salma, "secret.txt", []byte("a secret"))
		for k, b := range w.blobs.all {
			if bytes.Contains(b, []byte("secret")) {
				t.Errorf("blob %s lies open", k)
			}
		}
		w.keys.gone["p1"] = true
		list, err := w.OfDraft(context.Background(), "d1")
		if err != nil || len(list) != 1 || list[0].Name != "" {
			t.Errorf("%v %v", list, err)
		}
		if _, err := w.Open(context.Background(), f); !problem.Is(err, problem.NotFound) {
			t.Errorf("opened: %v", err)
		}
	})
}

func TestLimits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		if _, err := w.Receive(ctx, salma, "a.txt", io.LimitReader(endless{}, MaxFile+1)); codeOf(err) != "upload.too_large" {
			t.Errorf("too large: %v", err)
		}
		for range MaxTotal / MaxFile {
			if err := w.put(ctx, &File{ID: newID(), Owner: salma, Size: MaxFile, State: Clean, sealedKey: []byte{}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Receive(ctx, salma, "a.txt", strings.NewReader("x")); codeOf(err) != "upload.too_much" {
			t.Errorf("too much: %v", err)
		}
		other := Owner{Person: "p1", Filer: "p1", Draft: "d2"}
		var wg sync.WaitGroup
		for range MaxFiles + 5 {
			wg.Go(func() { _, _ = w.Receive(ctx, other, "a.txt", strings.NewReader("x")) })
		}
		wg.Wait()
		if list, err := w.OfDraft(ctx, "d2"); err != nil || len(list) > MaxFiles {
			t.Errorf("%d files, %v", len(list), err)
		}
		for {
			if _, err := w.Receive(ctx, other, "a.txt", strings.NewReader("x")); err != nil {
				if codeOf(err) != "upload.too_many" {
					t.Error(err)
				}
				break
			}
		}
	})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestDraftsThatAreNoMore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.receive(t, salma, "a.txt", []byte("a"))
		w.receive(t, Owner{Person: "p1", Filer: "p1", Draft: "d2"}, "b.txt", []byte("b"))
		alive := func(_ context.Context, drafts []string) ([]string, error) { return []string{"d2"}, nil }
		if err := w.SweepDrafts(ctx, alive); err != nil {
			t.Fatal(err)
		}
		if list, _ := w.OfDraft(ctx, "d1"); len(list) != 1 {
			t.Error("a file that has just come is gone")
		}
		w.clock.move(2 * draftGrace)
		if err := w.SweepDrafts(ctx, alive); err != nil {
			t.Fatal(err)
		}
		gone, _ := w.OfDraft(ctx, "d1")
		there, _ := w.OfDraft(ctx, "d2")
		if len(gone) != 0 || len(there) != 1 || w.blobs.count() != 1 {
			t.Errorf("%d, %d, %d blobs", len(gone), len(there), w.blobs.count())
		}
	})
}

func TestPreviews(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, sets), nil)
	ctx := context.Background()
	for name, b := range map[string][]byte{"a.png": goodPNG(t, 2000, 1000), "a.jpg": goodJPEG(t, 1800, 900), "a.pdf": goodPDF(t)} {
		p, err := w.Preview(ctx, w.receive(t, salma, name, b))
		if errors.Is(err, ErrNoPreview) && name == "a.pdf" {
			t.Log("pdftoppm (poppler-utils) is not installed")
			continue
		}
		c, err2 := png.DecodeConfig(bytes.NewReader(p))
		if err != nil || err2 != nil || max(c.Width, c.Height) != previewSide {
			t.Errorf("%s: %v %v, %d by %d", name, err, err2, c.Width, c.Height)
		}
	}
	if _, err := w.Preview(ctx, w.receive(t, salma, "a.txt", []byte("a"))); !errors.Is(err, ErrNoPreview) {
		t.Error(err)
	}
}
