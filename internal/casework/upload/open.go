package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os/exec"
	"strings"

	"diwan/internal/problem"

	_ "image/jpeg" // a kind of picture that is kept

	"golang.org/x/image/draw"
)

// Open returns the content of a file that may be opened. The reader gives no byte
// that was not checked; it fails when the store was tampered with.
func (s *Store) Open(ctx context.Context, f File) (io.ReadCloser, error) {
	switch {
	case f.State == Held:
		return nil, problem.New(problem.Conflict, "upload.held")
	case !f.Openable():
		return nil, problem.New(problem.Conflict, "upload.quarantined")
	}
	return s.content(ctx, &f)
}

func (s *Store) content(ctx context.Context, f *File) (io.ReadCloser, error) {
	if len(f.sealedKey) == 0 || f.blob == "" {
		return nil, ErrNoFile
	}
	key, err := s.unwrap(ctx, f.Person, keyPlace(f.ID), f.sealedKey)
	if err != nil {
		return nil, err
	}
	sealed, err := s.Blobs.Get(f.blob)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.Wrap(err, problem.Internal, "internal")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the content of a file: %w", err)
	}
	return open(key, f.ID, sealed)
}

func (s *Store) whole(ctx context.Context, f File) ([]byte, error) {
	r, err := s.Open(ctx, f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, MaxFile+1))
}

// Serve gives a file to a browser, to be saved; whatever it is, the browser runs
// nothing of it.
func (s *Store) Serve(w http.ResponseWriter, r *http.Request, f File) error {
	content, err := s.whole(r.Context(), f)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
	http.ServeContent(w, r, "", f.Created, bytes.NewReader(content))
	return nil
}

// Bounds of previews.
const (
	previewSide   = 900       // pixels
	maxPreview    = 8 << 20   // bytes
	previewMemory = 768 << 10 // KiB, of the program that draws a page
)

// ErrNoPreview says that this file can't be shown here: it is text, or the program
// that draws pages is not installed.
var ErrNoPreview = errors.New("no preview of this file")

// Preview returns a picture (PNG) of a file's first page.
func (s *Store) Preview(ctx context.Context, f File) ([]byte, error) {
	if f.Type == typeText {
		return nil, ErrNoPreview
	}
	release, err := s.work.take(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	b, err := s.whole(ctx, f)
	if err != nil {
		return nil, err
	}
	if f.Type == typePDF {
		return firstPage(ctx, b)
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("a preview: %w", err)
	}
	return smaller(img)
}

// Previews tells whether a picture of a file can be drawn here.
func Previews(f File) bool {
	if f.Type != typePDF {
		return f.Type != typeText
	}
	_, err := exec.LookPath("pdftoppm")
	return err == nil
}

// ServePreview gives that picture to a browser. It was drawn here, of a file that was
// found clean, and can be nothing else than a picture.
func (s *Store) ServePreview(w http.ResponseWriter, r *http.Request, f File) error {
	b, err := s.Preview(r.Context(), f)
	if errors.Is(err, ErrNoPreview) {
		return problem.Wrap(err, problem.NotFound, "upload.no_preview")
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-store")
	http.ServeContent(w, r, "", f.Created, bytes.NewReader(b))
	return nil
}

// smaller draws a picture no larger than a preview.
func smaller(img image.Image) ([]byte, error) {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if long := max(w, h); long > previewSide {
		w, h = max(1, w*previewSide/long), max(1, h*previewSide/long)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.ApproxBiLinear.Scale(out, out.Bounds(), img, img.Bounds(), draw.Over, nil)
	var b bytes.Buffer
	if err := png.Encode(&b, out); err != nil {
		return nil, fmt.Errorf("a preview: %w", err)
	}
	return b.Bytes(), nil
}

// firstPage has poppler's pdftoppm draw a page, in a process with bounds.
func firstPage(ctx context.Context, pdf []byte) ([]byte, error) {
	tool, err := exec.LookPath("pdftoppm")
	if err != nil {
		return nil, ErrNoPreview
	}
	ctx, cancel := context.WithTimeout(ctx, inspectTime)
	defer cancel()
	c := bounded(ctx, previewMemory, tool, "-f", "1", "-l", "1", "-scale-to", fmt.Sprint(previewSide), "-png", "-singlefile", "-")
	c.Stdin = bytes.NewReader(pdf)
	out := &limited{most: maxPreview}
	c.Stdout = out
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoPreview, err)
	}
	if !strings.HasPrefix(out.String(), "\x89PNG") {
		return nil, ErrNoPreview
	}
	return out.Bytes(), nil
}

// limited is a buffer that takes no more than it may.
type limited struct {
	bytes.Buffer
	most int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > l.most {
		return 0, errors.New("too much")
	}
	return l.Buffer.Write(p)
}
