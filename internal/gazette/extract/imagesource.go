package extract

import (
	"context"
	"encoding/binary"
	"image"
)

// openPicture opens a picture of one page, or a TIFF file of several.
func (s *Source) openPicture(kind string) error {
	places := []uint32{0}
	var order binary.ByteOrder
	if kind == "tiff" {
		var err error
		if places, order, err = tiffPages(s.raw, s.options.MaxPages); err != nil {
			return err
		}
	}
	data := func(n int) []byte {
		if kind == "tiff" && n > 1 {
			return tiffPage(s.raw, order, places[n-1])
		}
		return s.raw
	}
	// The sizes are checked now, so that a bomb is refused before it is queued.
	for n := 1; n <= min(len(places), 8); n++ {
		if err := checkHeader(kind, data(n), s.options); err != nil {
			return err
		}
	}
	s.pages = len(places)
	s.read = func(ctx context.Context, n int) (Page, []byte, error) {
		img, err := decodePicture(kind, data(n), s.options)
		if err != nil {
			return Page{}, nil, err
		}
		return s.lookAt(ctx, n, img, guessDPI(img))
	}
	return nil
}

// lookAt reads the picture of a page that has no text of its own.
func (s *Source) lookAt(ctx context.Context, n int, img *image.Gray, dpi int) (Page, []byte, error) {
	got, err := s.look(ctx, img, dpi)
	if err != nil {
		return Page{}, nil, err
	}
	kept, err := forReading(got.picture, dpi)
	if err != nil {
		return Page{}, nil, err
	}
	return Page{Number: n, Width: got.width, Height: got.height, DPI: dpi, Method: MethodOCR, Lang: got.lang, Lines: got.lines,
		Confidence: confidenceOf(got.lines), Disagreement: -1, Skew: got.skew}, kept, nil
}
