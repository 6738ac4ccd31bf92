package check

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/qr"
)

// printed draws a page with a code in its corner, each module of dot pixels, turned by
// an angle, with noise.
func printed(t testing.TB, text string, dot int, angle float64, noise int) *image.Gray {
	t.Helper()
	c, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	side := c.Bounds().Dx() * dot
	page := image.NewGray(image.Rect(0, 0, side*2, side*5/2))
	sin, cos := math.Sincos(angle)
	cx, cy := float64(side)*1.1, float64(side)*1.5 // the middle of the code
	rnd := rand.New(rand.NewPCG(1, 2))
	for y := range page.Rect.Dy() {
		for x := range page.Rect.Dx() {
			dx, dy := float64(x)-cx, float64(y)-cy
			mx := int(math.Floor((dx*cos + dy*sin + float64(side)/2) / float64(dot)))
			my := int(math.Floor((dy*cos - dx*sin + float64(side)/2) / float64(dot)))
			v := 235
			if mx >= 0 && my >= 0 && mx < c.Bounds().Dx() && my < c.Bounds().Dy() {
				if r, _, _, _ := c.At(mx, my).RGBA(); r == 0 {
					v = 40
				}
			}
			// Light falls from one side.
			v -= 40 * x / page.Rect.Dx()
			if noise > 0 {
				v += rnd.IntN(2*noise) - noise
			}
			page.Pix[y*page.Stride+x] = uint8(min(max(v, 0), 255))
		}
	}
	return page
}

func asPNG(t testing.TB, img image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPictures(t *testing.T) {
	w := newWorld(t)
	text := w.page(w.town, nil)
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, printed(t, text, 6, 0.06, 30), &jpeg.Options{Quality: 60}); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"screen":        asPNG(t, printed(t, text, 4, 0, 0)),
		"small":         asPNG(t, printed(t, text, 3, 0, 10)),
		"scan of page":  asPNG(t, printed(t, text, 14, 0.01, 20)),
		"skewed":        asPNG(t, printed(t, text, 5, 0.09, 20)),
		"quarter turn":  asPNG(t, printed(t, text, 5, math.Pi/2, 15)),
		"upside down":   asPNG(t, printed(t, text, 5, math.Pi+0.03, 15)),
		"photo":         photo.Bytes(),
		"link on paper": asPNG(t, printed(t, Link("https://state.example/v", text), 5, 0.02, 15)),
	} {
		r, err := w.kit.File(t.Context(), b, nil)
		if err != nil || r.State != Accepted || r.Number != "P-17" {
			t.Errorf("%s: %s %v, %v", name, r.State, r.Reasons, err)
		}
	}
	render := func(_ context.Context, b []byte) ([]image.Image, error) {
		if !bytes.Contains(b, []byte("good")) {
			return nil, errors.New("no PDF file")
		}
		return []image.Image{image.NewGray(image.Rect(0, 0, 50, 50)), printed(t, text, 5, 0, 0)}, nil
	}
	if r, err := w.kit.File(t.Context(), []byte("%PDF-1.7 good"), render); err != nil || r.State != Accepted {
		t.Errorf("PDF: %+v, %v", r, err)
	}
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"broken PDF":          {[]byte("%PDF-1.7"), ErrPicture},
		"blank":               {asPNG(t, image.NewGray(image.Rect(0, 0, 300, 300))), ErrNoCode},
		"one pixel":           {asPNG(t, image.NewGray(image.Rect(0, 0, 1, 1))), ErrNoCode},
		"noise":               {asPNG(t, noise(400, 400)), ErrNoCode},
		"cut":                 {photo.Bytes()[:photo.Len()/2], ErrPicture},
		"30,000 pixels":       {huge(30000, 30000), ErrPicture},
		"30,000 pixels broad": {huge(30000, 1700), ErrPicture},
		"too long":            {append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, MaxFile)...), ErrPicture},
	} {
		if r, err := w.kit.File(t.Context(), c.b, render); !errors.Is(err, c.want) || r.State != Refused || !r.Has(Unreadable) {
			t.Errorf("%s: %s %v, %v", name, r.State, r.Reasons, err)
		}
	}
	if _, err := w.kit.File(t.Context(), []byte("%PDF-1.7 good"), nil); !errors.Is(err, ErrPicture) {
		t.Errorf("PDF without anything to render it: %v", err)
	}
	for _, s := range []string{"hello", "https://shop.example/item#1", strings.Repeat("\x00\xff", 40)} {
		if r, err := w.kit.File(t.Context(), asPNG(t, printed(t, s, 5, 0, 0)), nil); err != nil || r.State != Refused || !r.Has(Unreadable) {
			t.Errorf("%q in a code: %s %v, %v", s, r.State, r.Reasons, err)
		}
	}
}

func noise(w, h int) image.Image {
	img, rnd := image.NewGray(image.Rect(0, 0, w, h)), rand.New(rand.NewPCG(3, 4))
	for i := range img.Pix {
		img.Pix[i] = uint8(rnd.IntN(2) * 255)
	}
	return img
}

// huge is a PNG of a few bytes that says it is huge.
func huge(w, h uint32) []byte {
	head := make([]byte, 13)
	binary.BigEndian.PutUint32(head, w)
	binary.BigEndian.PutUint32(head[4:], h)
	head[8], head[9] = 8, 6
	chunk := append([]byte("IHDR"), head...)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), chunk...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
}

// TestFetcher refuses what a stranger's address could bring.
func TestFetcher(t *testing.T) {
	var hits int
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		switch r.URL.Path {
		case "/good":
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("{}"))
		case "/away":
			http.Redirect(w, r, "/good", http.StatusFound)
		case "/long":
			_, _ = w.Write(make([]byte, maxFetched+1))
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	get := Fetcher(http.DefaultTransport)
	if b, kind, err := get(t.Context(), srv.URL+"/good"); err != nil || string(b) != "{}" || kind != "application/json" {
		t.Errorf("%q %q %v", b, kind, err)
	}
	for _, a := range []string{srv.URL + "/away", srv.URL + "/long", srv.URL + "/none"} {
		if _, _, err := get(t.Context(), a); err == nil {
			t.Errorf("%s was fetched", a)
		}
	}
	hits = 0
	for _, a := range []string{"http://state.example/x", "file:///etc/passwd", "ftp://x.example/", "https://user@x.example/", "gopher://127.0.0.1/", "//x", "", "https://", strings.Repeat("https://x.example/", 1000)} {
		if _, _, err := get(t.Context(), a); err == nil {
			t.Errorf("%s was fetched", a)
		}
	}
	if hits > 0 {
		t.Error("something was reached")
	}
}

func FuzzCodes(f *testing.F) {
	f.Add(asPNG(f, printed(f, "DW1:ABC", 3, 0, 0)))
	f.Add(huge(30000, 30000))
	f.Add([]byte("\xff\xd8\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64<<10 {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _ = Codes(ctx, b, nil)
	})
}

func FuzzImport(f *testing.F) {
	w := newWorld(f)
	if err := w.kit.Load(f.Context()); err != nil {
		f.Fatal(err)
	}
	b, err := w.kit.Export()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"format":"diwan-verification-kit-1","operator":"x","anchors":["MA=="],"trust":"a.b.c","certificates":[],"types":[{}],"status":{"lists":[]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = Import(b, Options{Now: func() time.Time { return w.now }})
	})
}
