// Package specimen draws the pictures of invented persons: the outline of a head and a
// word across it, so that nobody's face is used and nobody takes it for one.
package specimen

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
)

// Size of the portrait in pixels, in the shape of a photo for a document (35 by 45 mm).
const (
	width, height = 210, 270
	quality       = 60
)

var (
	paper = color.Gray{Y: 232}
	cloth = color.Gray{Y: 120}
	skin  = color.Gray{Y: 176}
	ink   = color.Gray{Y: 24}
	band  = color.Gray{Y: 250}
)

// letters are those of the word, seven rows of five points each, the leftmost in the
// highest bit.
var letters = map[rune][7]byte{
	'S': {0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110},
	'P': {0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000},
	'E': {0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111},
	'C': {0b01111, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b01111},
	'I': {0b01110, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110},
	'M': {0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001},
	'N': {0b10001, 0b11001, 0b10101, 0b10011, 0b10001, 0b10001, 0b10001},
}

// word stands across the picture: it is understood in every language of documents.
const word = "SPECIMEN"

// Portrait returns a JPEG of a few kilobytes, the same at every call.
func Portrait() ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, drawn(), &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("drawing a specimen: %w", err)
	}
	return b.Bytes(), nil
}

func drawn() *image.Gray {
	m := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetGray(x, y, shade(x, y))
		}
	}
	write(m, image.Pt(13, 214))
	return m
}

// shade is the figure without its word.
func shade(x, y int) color.Gray {
	switch {
	case y >= 202 && y < 254:
		return band
	case inside(x, y, width/2, 105, 46, 60):
		return skin
	case inside(x, y, width/2, 270, 92, 100):
		return cloth
	}
	return paper
}

// inside tells whether a point lies in an ellipse.
func inside(x, y, cx, cy, rx, ry int) bool {
	dx, dy := float64(x-cx)/float64(rx), float64(y-cy)/float64(ry)
	return dx*dx+dy*dy <= 1
}

// write puts the word into the band.
func write(m *image.Gray, at image.Point) {
	const dot = 4
	for _, r := range word {
		for row, bits := range letters[r] {
			for col := range 5 {
				if bits>>(4-col)&1 == 0 {
					continue
				}
				for i := range dot * dot {
					m.SetGray(at.X+col*dot+i%dot, at.Y+row*dot+i/dot, ink)
				}
			}
		}
		at.X += 6 * dot
	}
}
