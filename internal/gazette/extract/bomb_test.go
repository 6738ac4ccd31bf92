package extract

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"runtime"
	"strings"
	"testing"
)

// packed is a DOCX file whose text is head, then one part so many times, packed.
func packed(t *testing.T, head, part string, times int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("word/document.xml")
	if err == nil {
		_, err = io.WriteString(w, head)
	}
	block := strings.Repeat(part, 1000)
	for range times / 1000 {
		if err == nil {
			_, err = io.WriteString(w, block)
		}
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Small files that would grow without end in memory or take hours are refused,
// and cost little before they are.
func TestBombs(t *testing.T) {
	var listing bytes.Buffer
	z := zip.NewWriter(&listing)
	for range 12_000 {
		if _, err := z.Create("word/document.xml"); err != nil {
			t.Fatal(err)
		}
	}
	z.Close()
	var layers bytes.Buffer
	if err := jpeg.Encode(&layers, image.NewGray(image.Rect(0, 0, 64, 64)), nil); err != nil {
		t.Fatal(err)
	}
	const open = `<w:document xmlns:w="w"><w:body>`
	for name, c := range map[string]struct {
		data []byte
		code Code
	}{
		"attributes of a DOCX file":   {packed(t, open+"<w:p", ` a=""`, 30_000_000), TooLarge},
		"attributes behind a bracket": {packed(t, open+"<w:p", ` a=">"`, 30_000_000), TooLarge},
		"one text of a DOCX file":     {packed(t, open+"<w:p><w:t>", "a", 200_000_000), TooLarge},
		"one comment of a DOCX file":  {packed(t, open+"<!--", "a > ", 50_000_000), TooLarge},
		"elements in each other":      {packed(t, open, "<w:p>", 1_000_000), TooLarge},
		"files in a DOCX file":        {listing.Bytes(), TooLarge},
		"attributes of a page":        {[]byte("<html><p" + strings.Repeat(" a", 12<<20) + ">x</p>"), TooLarge},
		"lines of a text":             {[]byte("Article 1\n" + strings.Repeat("a\n\n", 6<<20)), TooManyPages},
		"layers of a picture":         {append(layers.Bytes(), bytes.Repeat([]byte{0xff, 0xda}, 1000)...), TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s, err := Open(context.Background(), Tools{Tesseract: "/bin/false"}, name, c.data, Options{})
			if err == nil {
				_, _, err = s.Page(context.Background(), 1)
			}
			runtime.ReadMemStats(&after)
			var e *Error
			if !errors.As(err, &e) || e.Code != c.code {
				t.Errorf("%v, want %s", err, c.code)
			}
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 1000 {
				t.Errorf("it took %d MiB", used)
			}
		})
	}
}
