package pdf

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
)

// picture is an image as the file holds it.
type picture struct {
	data          []byte
	filter        string // DCTDecode or FlateDecode
	width, height int
	gray          bool
	object        int
	tag           string
}

func (d *Doc) picture(img image.Image) *picture {
	b := img.Bounds()
	p := &picture{filter: "FlateDecode", width: b.Dx(), height: b.Dy(), tag: "I" + itoa(len(d.images)+1)}
	if g, ok := img.(*image.Gray); ok {
		p.gray = true
		for y := b.Min.Y; y < b.Max.Y; y++ {
			p.data = append(p.data, g.Pix[g.PixOffset(b.Min.X, y):][:p.width]...)
		}
	} else {
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for x := b.Min.X; x < b.Max.X; x++ {
				p.data = append(p.data, onWhite(img.At(x, y))...)
			}
		}
	}
	d.images = append(d.images, p)
	return p
}

// onWhite lays a colour on paper: archives allow no transparency here.
func onWhite(c color.Color) []byte {
	r, g, b, a := c.RGBA()
	white := 0xffff - a
	return []byte{byte((r + white) >> 8), byte((g + white) >> 8), byte((b + white) >> 8)}
}

// Image sets a picture width points wide at the place where the text stands.
// Transparent parts become white.
func (d *Doc) Image(img image.Image, width float64, align Align, before, after float64) {
	b := img.Bounds()
	if b.Empty() {
		return
	}
	column := d.columnWidth()
	width = min(width, column)
	height := width * float64(b.Dy()) / float64(b.Dx())
	if most := d.bottom() - d.size.Top; height > most {
		width, height = width*most/height, most
	}
	p := d.picture(img)
	right := rtl(d.meta.Lang)
	d.pending = append(d.pending, atom{before: before, after: after, height: height, draw: func(s *sheet, x, y float64) {
		switch {
		case align == Center:
			x += (column - width) / 2
		case (align == End) != right:
			x += column - width
		}
		s.picture(p, x, y, width, height)
	}})
}

// Scan adds a page that is nothing but a picture of dpi dots per inch, the way
// a scanner makes it: no head, no foot, no text to copy. Gray pictures are
// stored as JPEG of the given quality (1 to 100), or exactly when it is 0.
func (d *Doc) Scan(img *image.Gray, dpi float64, quality int) error {
	b := img.Bounds()
	if b.Empty() || dpi <= 0 {
		return fmt.Errorf("a scanned page needs a picture and its resolution")
	}
	d.flush()
	p := d.picture(img)
	if quality > 0 {
		var buf bytes.Buffer
		if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: min(quality, 100)}); err != nil {
			return fmt.Errorf("packing the picture of a page: %w", err)
		}
		p.data, p.filter = buf.Bytes(), "DCTDecode"
	}
	s := &sheet{width: float64(b.Dx()) * 72 / dpi, height: float64(b.Dy()) * 72 / dpi, whole: true}
	d.sheets = append(d.sheets, s)
	s.picture(p, 0, 0, s.width, s.height)
	d.y = d.size.Height // what follows begins on another page
	return nil
}

func (s *sheet) picture(p *picture, x, y, width, height float64) {
	s.images = append(s.images, p)
	fmt.Fprintf(&s.body, "q %s 0 0 %s %s %s cm /%s Do Q\n", num(width), num(height), num(x), num(s.height-y-height), p.tag)
}
