package extract

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"math"
	"os"
	"strconv"
	"strings"
	"unicode"
)

// openPDF hands the file to poppler and asks what is in it.
func (s *Source) openPDF(ctx context.Context) error {
	if !s.tools.canPDF() {
		return s.tools.need("pdf")
	}
	f, err := os.CreateTemp("", "page-*.pdf")
	if err != nil {
		return fmt.Errorf("writing the file for poppler: %w", err)
	}
	path := f.Name()
	s.close = func() error { return os.Remove(path) }
	_, err = f.Write(s.raw)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("writing the file for poppler: %w", err)
	}
	out, err := command{path: s.tools.PDFInfo, args: []string{"-enc", "UTF-8", path}, most: 1 << 20}.run(ctx, s.options)
	if err != nil {
		return pdfError(err, s.raw)
	}
	s.pages, err = strconv.Atoi(infoField(out, "Pages"))
	switch {
	case err != nil:
		return fail(Truncated, "the PDF file does not say how many pages it has")
	case s.pages < 1:
		return fail(Empty, "the PDF file has no pages")
	case s.pages > s.options.MaxPages:
		return fail(TooManyPages, "%d pages", s.pages)
	}
	s.read = func(ctx context.Context, n int) (Page, []byte, error) { return s.pdfPage(ctx, path, n) }
	return nil
}

func infoField(out []byte, name string) string {
	for l := range bytes.Lines(out) {
		if v, ok := bytes.CutPrefix(l, []byte(name+":")); ok {
			return strings.TrimSpace(string(v))
		}
	}
	return ""
}

// pdfError tells apart why poppler refused a file.
func pdfError(err error, raw []byte) error {
	e, ok := err.(*Error)
	if !ok || e.Code != ToolFailed {
		return err
	}
	switch {
	case strings.Contains(e.Detail, "Incorrect password"):
		return &Error{Encrypted, "the PDF file has a password", err}
	case !bytes.Contains(raw[max(0, len(raw)-2048):], []byte("%%EOF")):
		return &Error{Truncated, "the PDF file is cut short", err}
	}
	return &Error{Truncated, "the PDF file is damaged", err}
}

// pdfPage reads one page in the ways that Options ask for.
func (s *Source) pdfPage(ctx context.Context, path string, n int) (Page, []byte, error) {
	at := strconv.Itoa(n)
	dpi, err := s.pageDPI(ctx, path, at)
	if err != nil {
		return Page{}, nil, err
	}
	out, err := command{path: s.tools.PDFToText, args: []string{"-f", at, "-l", at, "-bbox-layout", "-enc", "UTF-8", path, "-"}, most: 64 << 20}.run(ctx, s.options)
	if err != nil {
		return Page{}, nil, pdfError(err, s.raw)
	}
	l := parseBBox(out, dpi)
	var text []Line
	for _, words := range l.lines {
		text = append(text, joinLayer(logical(words)))
	}
	good := usable(text)
	ocr := s.wantsOCR(text, good)
	resolution := dpi
	if !ocr && dpi > readDPI {
		resolution = readDPI
	}
	img, err := s.render(ctx, path, at, resolution)
	if err != nil {
		return Page{}, nil, err
	}
	if !ocr {
		if !good && !blank(img) && s.options.OCR != OCRNever {
			return Page{}, nil, s.tools.need("tesseract")
		}
		return s.textPage(n, img, resolution, dpi, text)
	}
	if len(text) == 0 && blank(img) {
		return s.textPage(n, img, resolution, dpi, nil)
	}
	p, kept, err := s.lookAt(ctx, n, img, dpi)
	if err != nil {
		return Page{}, nil, err
	}
	if good {
		p = choose(p, arrange(text, p.Width, p.Height, langOf(text)))
	}
	return p, kept, nil
}

// wantsOCR says whether a page is to be looked at.
func (s *Source) wantsOCR(text []Line, good bool) bool {
	switch {
	case s.options.OCR == OCRNever || !s.tools.CanOCR():
		return false
	case s.options.OCR == OCRAlways || !good:
		return true
	}
	return langOf(text) == "ar" // never trusted unseen
}

// textPage makes a page of its text layer alone.
func (s *Source) textPage(n int, img *image.Gray, resolution, dpi int, text []Line) (Page, []byte, error) {
	kept, err := forReading(img, resolution)
	if err != nil {
		return Page{}, nil, err
	}
	w, h := img.Rect.Dx()*dpi/resolution, img.Rect.Dy()*dpi/resolution
	lines := arrange(text, w, h, langOf(text))
	return Page{Number: n, Width: w, Height: h, DPI: dpi, Method: MethodText, Lang: langOf(text), Lines: lines, Confidence: confidenceOf(lines), Disagreement: -1}, kept, nil
}

// trusted is the disagreement up to which the text layer is taken: its digits
// are surer than those of a look at the page. Above it the two do not show the
// same text, and the page is the authority.
const trusted = 0.15

// choose keeps both readings, the surer one first.
func choose(p Page, text []Line) Page {
	p.Disagreement = Disagreement(text, p.Lines)
	if p.Disagreement > trusted {
		p.Other = text
		return p
	}
	p.Method, p.Lines, p.Other = MethodText, text, p.Lines
	for i := range p.Lines {
		p.Lines[i].Confidence = 1 - p.Disagreement
	}
	p.Confidence = confidenceOf(p.Lines)
	return p
}

// pageDPI asks for the size of a page, which may be anything, and gives the
// resolution at which its picture stays within bounds.
func (s *Source) pageDPI(ctx context.Context, path, at string) (int, error) {
	out, err := command{path: s.tools.PDFInfo, args: []string{"-f", at, "-l", at, path}, most: 1 << 20}.run(ctx, s.options)
	if err != nil {
		return 0, pdfError(err, s.raw)
	}
	var w, h float64
	for l := range bytes.Lines(out) {
		if i := bytes.Index(l, []byte("size:")); i >= 0 && bytes.HasPrefix(l, []byte("Page ")) {
			if _, err := fmt.Sscanf(strings.TrimSpace(string(l[i+5:])), "%g x %g pts", &w, &h); err == nil {
				break
			}
		}
	}
	if !(w > 0 && h > 0 && w < 1e7 && h < 1e7) {
		return 0, fail(Truncated, "page %s has no size", at)
	}
	dpi := float64(ocrDPI)
	dpi = min(dpi, float64(s.options.MaxSide)*72/max(w, h), math.Sqrt(float64(s.options.MaxPixels)/w/h)*72)
	if dpi < 36 {
		return 0, fail(TooLarge, "page %s is %.0f by %.0f points", at, w, h)
	}
	return int(dpi), nil
}

func (s *Source) render(ctx context.Context, path, at string, dpi int) (*image.Gray, error) {
	out, err := command{path: s.tools.PDFToPPM, args: []string{"-f", at, "-l", at, "-r", strconv.Itoa(dpi), "-gray", "-singlefile", path}, most: s.options.MaxPixels + 1024}.run(ctx, s.options)
	if err != nil {
		return nil, pdfError(err, s.raw)
	}
	return readPGM(out, s.options)
}

// usable says whether a text layer is text: enough of it, and made of letters
// rather than of the codes of a font.
func usable(lines []Line) bool {
	letters, odd := 0, 0
	for _, l := range lines {
		for _, r := range l.Text {
			switch {
			case unicode.IsLetter(r) && r < 0xe000, unicode.IsDigit(r):
				letters++
			case r == unicode.ReplacementChar, r >= 0xe000 && r <= 0xf8ff:
				odd++
			}
		}
	}
	return letters >= 20 && odd*10 < letters
}

// blank says whether there is nothing to read on a page.
func blank(img *image.Gray) bool {
	small := shrink(img, max(1, img.Rect.Dx()/600))
	dark := 0
	for _, v := range small.Pix {
		if v < 160 {
			dark++
		}
	}
	return dark < len(small.Pix)/20000+3
}
