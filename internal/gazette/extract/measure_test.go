package extract

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"diwan/internal/gazette/extract/degrade"
	"diwan/internal/pdf"
)

// passages are texts of our own in each language.
func passages(t testing.TB, lang string) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + lang + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

// pageOf sets passages as a gazette would and gives the file.
func pageOf(t testing.TB, lang string, columns int, lines []string) []byte {
	t.Helper()
	d := pdf.New(pdf.Meta{Title: "page", Lang: lang})
	d.Columns(columns, 22)
	for _, l := range lines {
		d.Paragraph(lang, l, pdf.Style{Size: 11, Align: pdf.Justify, After: 6})
	}
	var b bytes.Buffer
	if _, err := d.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tools(t testing.TB) Tools {
	t.Helper()
	have := FindTools(context.Background())
	if m := have.Packages(); len(m) > 0 {
		t.Skipf("not installed: %s; reading pages is not tested", strings.Join(m, " "))
	}
	return have
}

// pictureOf renders the first page.
func pictureOf(t testing.TB, have Tools, data []byte, dpi int) *image.Gray {
	t.Helper()
	s, err := Open(context.Background(), have, "x.pdf", data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := t.TempDir() + "/x.pdf"
	if err := os.WriteFile(f, data, 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := s.render(context.Background(), f, "1", dpi)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func readBack(t testing.TB, have Tools, img *image.Gray, o Options) Page {
	t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), have, "x.png", b.Bytes(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, kept, err := s.Page(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) == 0 {
		t.Error("no picture to keep")
	}
	return p
}

func textOf(p Page) string {
	var b strings.Builder
	for _, l := range p.Lines {
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}

// TestErrorRates measures recognition by language and by what the scan went
// through, and holds the French skewed page to its bound. DIWAN_OCR_ALL prints
// the whole table.
func TestErrorRates(t *testing.T) {
	have := tools(t)
	if testing.Short() {
		t.Skip("recognition takes a second for each page")
	}
	for _, lang := range []string{"fr", "ar"} {
		lines := passages(t, lang)
		for columns := 1; columns <= 2; columns++ {
			img := pictureOf(t, have, pageOf(t, lang, columns, lines), ocrDPI)
			for _, look := range degrade.Looks {
				always := look.Name == "150 dpi, skewed 1.5" || lang == "ar" && columns == 2 && look.Name == "skewed 1.5"
				if !always && os.Getenv("DIWAN_OCR_ALL") == "" {
					continue // the whole table takes two minutes
				}
				start := time.Now()
				p := readBack(t, have, degrade.Scan(img, ocrDPI, look, 7), Options{})
				cer := 100 * CER(strings.Join(lines, " "), textOf(p))
				t.Logf("%s %d col %-22s CER %5.2f %% skew %5.2f lang %s conf %.3f %.2fs", lang, columns, look.Name, cer, p.Skew, p.Lang, p.Confidence, time.Since(start).Seconds())
				if p.Lang != lang {
					t.Errorf("read as %q", p.Lang)
				}
				if most := map[string]float64{"fr": 2, "ar": 6}[lang]; cer > most && look.Name != "old" {
					t.Errorf("%s, %s: %.2f %% of characters are wrong", lang, look.Name, cer)
				}
			}
		}
	}
}

// BenchmarkOCR is our reading of a page against tesseract's alone.
func BenchmarkOCR(b *testing.B) {
	have := tools(b)
	for _, lang := range []string{"fr", "ar"} {
		img := pictureOf(b, have, pageOf(b, lang, 1, passages(b, lang)), ocrDPI)
		scan := degrade.Scan(img, ocrDPI, degrade.Look{Skew: 0.7, Noise: 6}, 3)
		var buf bytes.Buffer
		if err := png.Encode(&buf, scan); err != nil {
			b.Fatal(err)
		}
		b.Run(lang+"/ours", func(b *testing.B) {
			s, err := Open(context.Background(), have, "x.png", buf.Bytes(), Options{Lang: lang})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, _, err := s.Page(context.Background(), 1); err != nil {
					b.Fatal(err)
				}
			}
		})
		file := b.TempDir() + "/x.png"
		if err := os.WriteFile(file, buf.Bytes(), 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(lang+"/bare", func(b *testing.B) {
			for b.Loop() {
				cmd := exec.Command(have.Tesseract, file, "-", "-l", models[lang], "--psm", "3", "--dpi", strconv.Itoa(ocrDPI), "tsv")
				cmd.Env = append(os.Environ(), "OMP_THREAD_LIMIT=1")
				if err := cmd.Run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
