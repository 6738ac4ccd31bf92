package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"strings"
	"sync"
	"testing"
	"time"

	"diwan/internal/pdf"
)

func open(t testing.TB, have Tools, data []byte, o Options) *Source {
	t.Helper()
	s, err := Open(context.Background(), have, "x", data, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// The text layer of our own files comes back in reading order, columns and
// right-to-left lines included.
func TestTextLayer(t *testing.T) {
	have := tools(t)
	for _, lang := range []string{"fr", "ar"} {
		for columns := 1; columns <= 2; columns++ {
			lines := passages(t, lang)
			s := open(t, have, pageOf(t, lang, columns, lines), Options{OCR: OCRNever})
			d, err := s.ReadAll(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			p := d.Pages[0]
			if cer := CER(strings.Join(lines, " "), textOf(p)); cer > 0.001 || p.Method != MethodText || p.Lang != lang || p.Disagreement != -1 {
				t.Errorf("%s in %d columns: CER %.4f, %s, %s\n%s", lang, columns, cer, p.Method, p.Lang, textOf(p))
			}
			for _, l := range p.Lines {
				if l.Box.X < 0 || l.Box.right() > p.Width || l.Box.bottom() > p.Height || l.Box.W == 0 {
					t.Errorf("a line stands at %+v on a page of %d by %d", l.Box, p.Width, p.Height)
				}
				if columns == 2 && l.Column == 0 {
					t.Errorf("no column for %q", l.Text)
				}
			}
		}
	}
}

// An Arabic text layer is looked at; what agrees is kept, with both readings.
func TestLayerIsCompared(t *testing.T) {
	have := tools(t)
	s := open(t, have, pageOf(t, "ar", 1, passages(t, "ar")), Options{})
	p, kept, err := s.Page(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if p.Method != MethodText || p.Disagreement < 0 || p.Disagreement > 0.1 || len(p.Other) == 0 || len(kept) == 0 {
		t.Errorf("%s, disagreement %.3f, %d other lines", p.Method, p.Disagreement, len(p.Other))
	}
}

// A layer that says something else than the page shows loses.
func TestLayerThatLies(t *testing.T) {
	text := make([]Line, 0)
	for _, l := range passages(t, "fr") {
		text = append(text, Line{Text: strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' {
				return 'a' + (r-'a'+7)%26
			}
			return r
		}, l)})
	}
	var seen []Line
	for _, l := range passages(t, "fr") {
		seen = append(seen, Line{Text: l, Confidence: 0.9})
	}
	p := choose(Page{Method: MethodOCR, Lines: seen}, text)
	if p.Method != MethodOCR || p.Disagreement < 0.4 || len(p.Other) == 0 {
		t.Errorf("%s was chosen at a disagreement of %.2f", p.Method, p.Disagreement)
	}
}

// Headings over both columns part the page; heads and feet are told apart.
func TestGazettePage(t *testing.T) {
	have := tools(t)
	lines := passages(t, "fr")
	d := pdf.New(pdf.Meta{Title: "x", Lang: "fr"})
	d.PageHeader(func(p pdf.PageInfo) pdf.Running {
		return pdf.Running{Lang: "fr", Start: "BULLETIN", End: fmt.Sprint(p.Number), Rule: true}
	})
	d.PageFooter(func(p pdf.PageInfo) pdf.Running {
		return pdf.Running{Lang: "fr", Center: fmt.Sprintf("- %d -", p.Number)}
	})
	for range 4 {
		d.Heading(1, "fr", "Grand titre sur toute la largeur de la page imprimée")
		d.Columns(2, 20)
		for _, l := range lines {
			d.Paragraph("fr", l, pdf.Style{Size: 9.5, Align: pdf.Justify, After: 4})
		}
		d.Columns(1, 0)
	}
	var b bytes.Buffer
	if _, err := d.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	s := open(t, have, b.Bytes(), Options{})
	doc, err := s.ReadAll(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, p := range doc.Pages {
		var head, foot int
		for _, l := range p.Lines {
			switch l.Role {
			case Header:
				head++
			case Footer:
				foot++
			default:
				all.WriteString(l.Text + " ")
			}
		}
		if head == 0 || foot == 0 {
			t.Errorf("page %d has %d head and %d foot lines", p.Number, head, foot)
		}
	}
	got := strings.Join(strings.Fields(all.String()), " ")
	for _, l := range lines {
		if n := strings.Count(got, strings.Join(strings.Fields(l), " ")); n < 3 {
			t.Errorf("read whole only %d times of 4: %s", n, l)
		}
	}
}

func TestPagesSideBySide(t *testing.T) {
	have := tools(t)
	img := pictureOf(t, have, pageOf(t, "fr", 1, passages(t, "fr")[:2]), 150)
	d := pdf.New(pdf.Meta{Title: "scan", Lang: "fr"})
	for range 3 {
		if err := d.Scan(img, 150, 80); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := d.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	s := open(t, have, b.Bytes(), Options{})
	var wg sync.WaitGroup
	for n := 1; n <= s.Pages(); n++ {
		wg.Go(func() {
			p, _, err := s.Page(context.Background(), n)
			if err != nil || p.Number != n || p.Method != MethodOCR {
				t.Errorf("page %d: %+v %v", n, p.Number, err)
				return
			}
			if cer := CER(strings.Join(passages(t, "fr")[:2], " "), textOf(p)); cer > 0.02 {
				t.Errorf("page %d: CER %.3f", n, cer)
			}
		})
	}
	wg.Wait()
}

func TestBadPDF(t *testing.T) {
	have := tools(t)
	good := pageOf(t, "fr", 1, passages(t, "fr"))
	huge := bytes.Replace(good, []byte("[0 0 595.28 841.89]"), []byte("[0 0 999999 999999]"), 1)
	// A password that nobody knows: the check values are those of no key.
	key := "<" + strings.Repeat("5A", 32) + ">"
	locked := bytes.Replace(good, []byte("trailer\n<<"), []byte("trailer\n<</Encrypt <</Filter /Standard /V 1 /R 2 /P -4 /O "+key+" /U "+key+">> "), 1)
	for name, c := range map[string]struct {
		data []byte
		o    Options
		want Code
	}{
		"cut short":      {good[:200], Options{}, Truncated},
		"only a header":  {[]byte("%PDF-1.7\n"), Options{}, Truncated},
		"too many bytes": {good, Options{MaxBytes: 100}, TooLarge},
		"huge page":      {huge, Options{}, TooLarge},
		"password":       {locked, Options{}, Encrypted},
		"no time":        {good, Options{PageTimeout: time.Nanosecond}, Timeout},
	} {
		s, err := Open(context.Background(), have, name, c.data, c.o)
		if err == nil {
			_, _, err = s.Page(context.Background(), 1)
			_ = s.Close()
		}
		if CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	two := pageOf(t, "fr", 1, append(passages(t, "fr"), strings.Repeat("mot ", 4000)))
	if _, err := Open(context.Background(), have, "x", two, Options{MaxPages: 1}); CodeOf(err) != TooManyPages {
		t.Errorf("too many pages: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, have, "x", good, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Programs that want more than they may have are stopped, and their children
// with them.
func TestProgramsAreBounded(t *testing.T) {
	o := Options{PageTimeout: 300 * time.Millisecond}.filled()
	if _, err := (command{path: "/bin/sh", args: []string{"-c", "sleep 60 & sleep 60"}, most: 10}).run(context.Background(), o); CodeOf(err) != Timeout {
		t.Errorf("a program that sleeps: %v", err)
	}
	o = Options{}.filled()
	if _, err := (command{path: "/bin/sh", args: []string{"-c", "while :; do echo 0123456789; done"}, most: 1000}).run(context.Background(), o); CodeOf(err) != TooLarge {
		t.Errorf("a program that writes on and on: %v", err)
	}
	if _, err := (command{path: "/bin/sh", args: []string{"-c", "echo no >&2; exit 3"}, most: 10}).run(context.Background(), o); CodeOf(err) != ToolFailed || !strings.Contains(err.Error(), "no") {
		t.Errorf("a program that fails: %v", err)
	}
}

func TestMissingTools(t *testing.T) {
	if got := strings.Join(Tools{}.Packages(), " "); got != "poppler-utils tesseract-ocr tesseract-ocr-ara tesseract-ocr-fra" {
		t.Errorf("packages: %s", got)
	}
	_, err := Open(context.Background(), Tools{}, "x", []byte("%PDF-1.4 x"), Options{})
	if CodeOf(err) != ToolMissing || !strings.Contains(err.Error(), "poppler-utils") {
		t.Errorf("a PDF file without poppler: %v", err)
	}
	s, err := Open(context.Background(), Tools{}, "x", pngOf(t, image.NewGray(image.Rect(0, 0, 20, 20))), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Page(context.Background(), 1); CodeOf(err) != ToolMissing || !strings.Contains(err.Error(), "tesseract-ocr") {
		t.Errorf("a picture without tesseract: %v", err)
	}
	if s, err = Open(context.Background(), Tools{}, "x", []byte("some text"), Options{}); err != nil || s.Pages() != 1 {
		t.Errorf("text without tools: %v", err)
	}
}
