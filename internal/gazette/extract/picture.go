package extract

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// Resolutions, in dots per inch.
const (
	ocrDPI  = 300
	readDPI = 150
)

// decoder reads one kind of picture.
type decoder struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var decoders = map[string]decoder{
	"png": {png.DecodeConfig, png.Decode}, "jpeg": {jpeg.DecodeConfig, jpeg.Decode},
	"tiff": {tiff.DecodeConfig, tiff.Decode}, "webp": {webp.DecodeConfig, webp.Decode},
}

// maxScans bounds how often a progressive JPEG may go over the picture. Each time
// costs as much as the whole picture and a few bytes of the file; what programs
// write has about ten.
const maxScans = 64

// decodePicture reads a picture as shades of gray. Its size is read first and
// checked before any memory is taken for it.
func decodePicture(kind string, data []byte, o Options) (*image.Gray, error) {
	if err := checkHeader(kind, data, o); err != nil {
		return nil, err
	}
	if kind == "jpeg" && bytes.Count(data, []byte{0xff, 0xda}) > maxScans {
		return nil, fail(TooLarge, "a jpeg picture of more than %d layers", maxScans)
	}
	img, err := decoders[kind].decode(bytes.NewReader(data))
	if err != nil {
		return nil, pictureError(kind, err)
	}
	return toGray(img), nil
}

func checkHeader(kind string, data []byte, o Options) error {
	c, err := decoders[kind].config(bytes.NewReader(data))
	if err != nil {
		return pictureError(kind, err)
	}
	return checkSize(c.Width, c.Height, o)
}

func pictureError(kind string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || strings.Contains(err.Error(), "invalid") || strings.Contains(err.Error(), "checksum") || strings.Contains(err.Error(), "short") {
		return &Error{Truncated, "the " + kind + " picture is damaged or cut short", err}
	}
	return &Error{WrongType, "the " + kind + " picture is of a kind that is not read", err}
}

func checkSize(w, h int, o Options) error {
	if w <= 0 || h <= 0 {
		return fail(Empty, "a picture of %d by %d pixels", w, h)
	}
	if w > o.MaxSide || h > o.MaxSide || w*h > o.MaxPixels {
		return fail(TooLarge, "a picture of %d by %d pixels", w, h)
	}
	return nil
}

func toGray(img image.Image) *image.Gray {
	b := img.Bounds()
	out := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	switch m := img.(type) {
	case *image.Gray:
		if b.Min == (image.Point{}) {
			return m
		}
		for y := range b.Dy() {
			copy(out.Pix[y*out.Stride:][:b.Dx()], m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		}
	case *image.YCbCr:
		for y := range b.Dy() {
			copy(out.Pix[y*out.Stride:][:b.Dx()], m.Y[m.YOffset(b.Min.X, b.Min.Y+y):])
		}
	case *image.Paletted:
		var shade [256]uint8
		for i, c := range m.Palette {
			shade[i] = grayOnWhite(c)
		}
		for y := range b.Dy() {
			row := m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):][:b.Dx()]
			for x, v := range row {
				out.Pix[y*out.Stride+x] = shade[v]
			}
		}
	default:
		for y := range b.Dy() {
			for x := range b.Dx() {
				out.Pix[y*out.Stride+x] = grayOnWhite(img.At(b.Min.X+x, b.Min.Y+y))
			}
		}
	}
	return out
}

func grayOnWhite(c color.Color) uint8 {
	r, g, b, a := c.RGBA()
	white := 0xffff - a
	return uint8((299*(r+white) + 587*(g+white) + 114*(b+white)) / 1000 >> 8)
}

// readPGM reads what pdftoppm writes: P5, 8 bits.
func readPGM(data []byte, o Options) (*image.Gray, error) {
	r := bytes.NewReader(data)
	var w, h, top int
	if _, err := fmt.Fscanf(r, "P5\n%d %d\n%d\n", &w, &h, &top); err != nil || top != 255 {
		return nil, &Error{ToolFailed, "the rendered page is not a picture", err}
	}
	if err := checkSize(w, h, o); err != nil {
		return nil, err
	}
	if r.Len() < w*h {
		return nil, fail(ToolFailed, "the rendered page is cut short")
	}
	return &image.Gray{Pix: data[len(data)-r.Len():][:w*h], Stride: w, Rect: image.Rect(0, 0, w, h)}, nil
}

// pgm writes the picture the way that costs neither side any packing.
func pgm(img *image.Gray) []byte {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := make([]byte, 0, w*h+32)
	out = fmt.Appendf(out, "P5\n%d %d\n255\n", w, h)
	for y := range h {
		out = append(out, img.Pix[y*img.Stride:][:w]...)
	}
	return out
}

// guessDPI takes a picture for a page of A4, as gazettes are.
func guessDPI(img *image.Gray) int {
	long := max(img.Rect.Dx(), img.Rect.Dy())
	return min(max(int(float64(long)/11.69+0.5), 72), 600)
}

// forReading makes the picture that is kept: gray JPEG near 150 dpi.
func forReading(img *image.Gray, dpi int) ([]byte, error) {
	if n := dpi / readDPI; n > 1 {
		img = shrink(img, n)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 70}); err != nil {
		return nil, fmt.Errorf("packing the picture of a page: %w", err)
	}
	return b.Bytes(), nil
}

// tiffPages returns where the directories of a TIFF file stand, one for each
// page. The chain is followed only so far, and never twice through one place.
func tiffPages(data []byte, most int) ([]uint32, binary.ByteOrder, error) {
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(data, []byte("MM")) {
		order = binary.BigEndian
	}
	if len(data) < 8 {
		return nil, nil, fail(Truncated, "the tiff picture is cut short")
	}
	var out []uint32
	seen := map[uint32]bool{}
	for at := order.Uint32(data[4:]); at != 0 && !seen[at]; {
		if uint64(at)+2 > uint64(len(data)) {
			return nil, nil, fail(Truncated, "the tiff picture is cut short")
		}
		if len(out) == most {
			return nil, nil, fail(TooManyPages, "more than %d pages", most)
		}
		seen[at] = true
		out = append(out, at)
		next := uint64(at) + 2 + 12*uint64(order.Uint16(data[at:]))
		if next+4 > uint64(len(data)) {
			break
		}
		at = order.Uint32(data[next:])
	}
	return out, order, nil
}

// tiffPage returns the file as if it had only the page whose directory is at.
func tiffPage(data []byte, order binary.ByteOrder, at uint32) []byte {
	out := bytes.Clone(data)
	order.PutUint32(out[4:], at)
	return out
}
