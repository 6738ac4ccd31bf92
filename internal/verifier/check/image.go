package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // photographs
	_ "image/png"  // pictures of screens

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/multi/qrcode"
	single "github.com/makiuchi-d/gozxing/qrcode"
)

// Bounds of pictures.
const (
	maxPixels = 50_000_000
	maxPages  = 10 // of a PDF file
	maxTexts  = 8  // codes of one picture
)

// Errors of reading a picture.
var (
	ErrPicture = errors.New("the picture can't be read")
	ErrNoCode  = errors.New("no code was found in the picture")
)

// Render makes pictures of the first pages of a PDF file, with about 200 dots to the
// inch. It bounds time, memory and pages.
type Render func(ctx context.Context, pdf []byte) ([]image.Image, error)

// IsPicture tells whether bytes begin as a picture or a PDF file.
func IsPicture(b []byte) bool { return isPDF(b) || isImage(b) }

func isPDF(b []byte) bool { return bytes.HasPrefix(b, []byte("%PDF-")) }

func isImage(b []byte) bool {
	return bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")) || bytes.HasPrefix(b, []byte("\xff\xd8\xff"))
}

// Codes finds the texts of QR codes in a PNG or JPEG picture, or in a PDF file if render
// is not nil.
func Codes(ctx context.Context, b []byte, render Render) ([]string, error) {
	switch {
	case len(b) > MaxFile:
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrPicture, len(b), MaxFile)
	case isPDF(b) && render != nil:
		pages, err := render(ctx, b)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPicture, err)
		}
		for _, p := range pages[:min(len(pages), maxPages)] {
			if texts := find(ctx, p); len(texts) > 0 {
				return texts, nil
			}
		}
		return nil, ErrNoCode
	case !isImage(b):
		return nil, fmt.Errorf("%w: it is of another kind", ErrPicture)
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	most := maxPixels
	switch c.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model, color.Gray16Model:
		most /= 4 // they take as much more memory
	}
	if c.Width <= 0 || c.Height <= 0 || c.Height > most/c.Width {
		return nil, fmt.Errorf("%w: %d by %d pixels", ErrPicture, c.Width, c.Height)
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	if texts := find(ctx, img); len(texts) > 0 {
		return texts, nil
	}
	return nil, ErrNoCode
}

// sides are the sizes in which a picture is looked at, in pixels of its longer side: a
// code that fills it needs few, one in a corner of a page needs many, and noise goes
// away when it is made smaller.
var sides = []int{1600, 1000, 2600, 600}

// find looks at a picture in several sizes and with both ways of telling black from
// white.
func find(ctx context.Context, img image.Image) []string {
	full := gray(img)
	longer := max(full.Rect.Dx(), full.Rect.Dy())
	seen := map[int]bool{}
	for _, side := range sides {
		by := max(1, (longer+side-1)/side)
		if seen[by] {
			continue
		}
		seen[by] = true
		small := shrink(full, by)
		for _, turned := range []*image.Gray{small, turn(small)} {
			if ctx.Err() != nil {
				return nil
			}
			if texts := read(turned); len(texts) > 0 {
				return texts
			}
		}
	}
	return nil
}

// read finds the codes of one picture.
func read(img *image.Gray) (texts []string) {
	// A reader of codes meets every kind of picture; what it can't bear is no code.
	defer func() {
		if recover() != nil {
			texts = nil
		}
	}()
	source := gozxing.NewLuminanceSourceFromImage(img)
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	for _, b := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source)} {
		bits, err := gozxing.NewBinaryBitmap(b)
		if err != nil {
			continue
		}
		if found, err := qrcode.NewQRCodeMultiReader().DecodeMultiple(bits, hints); err == nil {
			for _, f := range found[:min(len(found), maxTexts)] {
				texts = append(texts, f.GetText())
			}
		}
		if len(texts) == 0 {
			if f, err := single.NewQRCodeReader().Decode(bits, hints); err == nil {
				texts = append(texts, f.GetText())
			}
		}
		if len(texts) > 0 {
			return texts
		}
	}
	return nil
}

// gray keeps the brightness alone.
func gray(img image.Image) *image.Gray {
	b := img.Bounds()
	out := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	switch in := img.(type) {
	case *image.Gray:
		for y := range b.Dy() {
			copy(out.Pix[y*out.Stride:], in.Pix[y*in.Stride:y*in.Stride+b.Dx()])
		}
		return out
	case *image.YCbCr:
		for y := range b.Dy() {
			copy(out.Pix[y*out.Stride:], in.Y[y*in.YStride:y*in.YStride+b.Dx()])
		}
		return out
	case *image.NRGBA:
		for y := range b.Dy() {
			row := in.Pix[y*in.Stride : y*in.Stride+4*b.Dx()]
			for x := range b.Dx() {
				p := row[4*x : 4*x+4]
				a := int(p[3])
				out.Pix[y*out.Stride+x] = uint8(((299*int(p[0])+587*int(p[1])+114*int(p[2]))/1000*a + 255*(255-a)) / 255) // #nosec G115 -- a mean of bytes
			}
		}
		return out
	}
	for y := range b.Dy() {
		for x := range b.Dx() {
			r, g, bl, a := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			// What can be seen through lies on white paper.
			white := 0xffff - a
			out.Pix[y*out.Stride+x] = uint8((299*(r+white) + 587*(g+white) + 114*(bl+white)) / 1000 >> 8) // #nosec G115 -- at most 0xffff before the shift
		}
	}
	return out
}

// shrink makes each square of by pixels one, of their mean.
func shrink(in *image.Gray, by int) *image.Gray {
	if by == 1 {
		return in
	}
	w, h := max(1, in.Rect.Dx()/by), max(1, in.Rect.Dy()/by)
	out := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			sum, n := 0, 0
			for dy := y * by; dy < min((y+1)*by, in.Rect.Dy()); dy++ {
				for dx := x * by; dx < min((x+1)*by, in.Rect.Dx()); dx++ {
					sum += int(in.Pix[dy*in.Stride+dx])
					n++
				}
			}
			out.Pix[y*out.Stride+x] = uint8(sum / max(n, 1)) // #nosec G115 -- a mean of bytes
		}
	}
	return out
}

// turn turns a picture by a quarter.
func turn(in *image.Gray) *image.Gray {
	w, h := in.Rect.Dx(), in.Rect.Dy()
	out := image.NewGray(image.Rect(0, 0, h, w))
	for y := range h {
		for x := range w {
			out.Pix[x*out.Stride+h-1-y] = in.Pix[y*in.Stride+x]
		}
	}
	return out
}
