package extract

import (
	"context"
	"fmt"
	"image"
	"os"
	"slices"
	"strings"
)

// seen is what looking at a page gave.
type seen struct {
	lines         []Line
	width, height int
	skew          float64
	lang          string
	picture       *image.Gray // straightened
	dpi           int
}

// look reads a picture of a page: straightens it, cleans it when it is noisy,
// finds its language unless told, and puts its lines in order.
func (s *Source) look(ctx context.Context, img *image.Gray, dpi int) (seen, error) {
	if s.tools.Tesseract == "" {
		return seen{}, s.tools.need("tesseract")
	}
	skew := findSkew(img)
	if skew > lowSkew || skew < -lowSkew {
		img = rotate(img, skew)
	} else {
		skew = 0
	}
	ink, cut := tidyPicture(img, dpi)
	lang := s.lang()
	var lines []Line
	var err error
	if lang == "" {
		lang, lines, err = s.findLang(ctx, ink)
	} else {
		lines, err = s.tesseract(ctx, ink, lang, wholePage)
		if err == nil && s.options.Lang == "" && doubtful(lines) {
			lang, lines, err = s.secondLook(ctx, ink, lang, lines)
		}
	}
	if err != nil {
		return seen{}, err
	}
	lines = s.searchLost(ctx, ink, cut, lang, lines)
	w, h := img.Rect.Dx(), img.Rect.Dy()
	by := langOf(lines)
	return seen{arrange(lines, w, h, by), w, h, skew, by, img, dpi}, nil
}

// How tesseract is to look for lines (its page segmentation modes).
const (
	wholePage = "3"  // columns and blocks
	sparse    = "11" // as much text as there is, wherever it stands
)

// models are tesseract's names of what to read.
var models = map[string]string{"ar": "ara", "fr": "fra", "mixed": "fra+ara"}

// model returns the model for a language, or the one that is there.
func (s *Source) model(lang string) (string, error) {
	m := models[lang]
	var have []string
	for _, l := range strings.Split(m, "+") {
		if slices.Contains(s.tools.Langs, l) {
			have = append(have, l)
		}
	}
	if len(have) == 0 {
		return "", s.tools.need("tesseract")
	}
	return strings.Join(have, "+"), nil
}

func (s *Source) tesseract(ctx context.Context, img *image.Gray, lang, layout string) ([]Line, error) {
	m, err := s.model(lang)
	if err != nil {
		return nil, err
	}
	part, at := printed(img)
	// The resolution is left for tesseract to find from the height of letters:
	// told, it takes longer and reads no better.
	path, err := writeTemp(pgm(part))
	if err != nil {
		return nil, err
	}
	defer os.Remove(path)
	out, err := command{path: s.tools.Tesseract, most: 32 << 20,
		args: []string{path, "-", "-l", m, "--psm", layout, "tsv"}}.run(ctx, s.options)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for _, words := range parseTSV(out) {
		l := joinWords(words)
		l.Box.X += at.X
		l.Box.Y += at.Y
		lines = append(lines, l)
	}
	return lines, nil
}

// writeTemp puts a picture where tesseract reads it much faster than from a
// pipe.
func writeTemp(data []byte) (string, error) {
	f, err := os.CreateTemp("", "page-*.pgm")
	if err != nil {
		return "", fmt.Errorf("writing the picture of a page: %w", err)
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", fmt.Errorf("writing the picture of a page: %w", err)
	}
	return f.Name(), nil
}

// printed cuts the empty margins off and says where what is left stood.
func printed(img *image.Gray) (*image.Gray, image.Point) {
	const border = 40
	w, h := img.Rect.Dx(), img.Rect.Dy()
	small := shrink(img, 8)
	sw := small.Rect.Dx()
	var ink image.Rectangle
	for y := range small.Rect.Dy() {
		for x, v := range small.Pix[y*small.Stride:][:sw] {
			if v < 225 {
				ink = ink.Union(image.Rect(x*8, y*8, x*8+8, y*8+8))
			}
		}
	}
	ink = ink.Inset(-border).Intersect(image.Rect(0, 0, w, h))
	if ink.Empty() || ink.Dx()*ink.Dy()*10 > w*h*9 {
		return img, image.Point{}
	}
	return &image.Gray{Pix: img.Pix[img.PixOffset(ink.Min.X, ink.Min.Y):], Stride: img.Stride, Rect: image.Rect(0, 0, ink.Dx(), ink.Dy())}, ink.Min
}

// searchLost looks again at print that the reading passed over, as tesseract
// does with whole lines now and then, and adds what is found there.
func (s *Source) searchLost(ctx context.Context, img *image.Gray, cut uint8, lang string, lines []Line) []Line {
	rest, at := uncovered(img, lines, cut)
	if rest == nil {
		return lines
	}
	found, err := s.tesseract(ctx, rest, lang, sparse)
	if err != nil {
		return lines // the first reading stands
	}
	for _, l := range found {
		if a, b := scripts(l.Text); l.Confidence < 0.4 || a+b < 6 {
			continue // dirt
		}
		l.Box.X += at.X
		l.Box.Y += at.Y
		lines = append(lines, l)
	}
	return lines
}

// findLang reads a strip of the page with both languages, then the whole of it
// with the one that was found, and remembers it for the next pages.
func (s *Source) findLang(ctx context.Context, img *image.Gray) (string, []Line, error) {
	strip := busiest(img)
	lines, err := s.tesseract(ctx, strip, "mixed", wholePage)
	if err != nil {
		return "", nil, err
	}
	var a, l int
	for _, line := range lines {
		if line.Confidence < 0.5 {
			continue
		}
		x, y := scripts(line.Text)
		a, l = a+x, l+y
	}
	lang := "mixed"
	switch {
	case a > 8*l && a > 30:
		lang = "ar"
	case l > 8*a && l > 30:
		lang = "fr"
	}
	lines, err = s.tesseract(ctx, img, lang, wholePage)
	if err == nil && lang != "mixed" && doubtful(lines) {
		return s.secondLook(ctx, img, lang, lines)
	}
	if err == nil && lang != "mixed" {
		s.remember(lang)
	}
	return lang, lines, err
}

// secondLook reads the page in both languages and keeps the surer reading.
func (s *Source) secondLook(ctx context.Context, img *image.Gray, lang string, first []Line) (string, []Line, error) {
	again, err := s.tesseract(ctx, img, "mixed", wholePage)
	if err != nil {
		return lang, first, nil //nolint:nilerr // the first reading stands
	}
	if confidenceOf(again) > confidenceOf(first)+0.03 {
		return "mixed", again, nil
	}
	return lang, first, nil
}

// doubtful says whether a reading is so unsure that the language may be wrong.
func doubtful(lines []Line) bool {
	n := 0
	for _, l := range lines {
		n += len(l.Text)
	}
	return n > 60 && confidenceOf(lines) < 0.6
}

// busiest cuts out the strip, a sixth of the page high, with the most ink.
func busiest(img *image.Gray) *image.Gray {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	part := h / 6
	if part < 200 {
		return img
	}
	cut := threshold(img)
	ink := make([]int, h+1)
	for y := range h {
		ink[y+1] = ink[y]
		for x := 0; x < w; x += 3 {
			if img.Pix[y*img.Stride+x] <= cut {
				ink[y+1]++
			}
		}
	}
	best, at := -1, 0
	for y := 0; y+part <= h; y += part / 8 {
		if n := ink[y+part] - ink[y]; n > best {
			best, at = n, y
		}
	}
	return &image.Gray{Pix: img.Pix[at*img.Stride:], Stride: img.Stride, Rect: image.Rect(0, 0, w, part)}
}
