// Package qr draws QR codes as SVG, for pages: sharp at every size, and one request
// less than a picture.
package qr

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quiet is the white edge that readers need, in modules.
const quiet = 4

// SVG draws a text. Label is read out instead of the picture. The colours are the
// code's own in light and dark: many readers fail on an inverted one.
func SVG(text, label string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("drawing a QR code of %d characters: %w", len(text), err)
	}
	n := code.Bounds().Dx()
	var path strings.Builder
	for y := range n {
		for x := 0; x < n; x++ {
			if !dark(code.At(x, y)) {
				continue
			}
			from := x
			for x+1 < n && dark(code.At(x+1, y)) {
				x++
			}
			path.WriteString("M" + strconv.Itoa(from+quiet) + " " + strconv.Itoa(y+quiet) + "h" + strconv.Itoa(x-from+1) + "v1H" + strconv.Itoa(from+quiet) + "z")
		}
	}
	side := strconv.Itoa(n + 2*quiet)
	return template.HTML(`<svg class="qr" viewBox="0 0 ` + side + ` ` + side + `" role="img" aria-label="` + template.HTMLEscapeString(label) + `" shape-rendering="crispEdges"><rect width="` + side + `" height="` + side + `" fill="#fff"/><path fill="#000" d="` + path.String() + `"/></svg>`), nil //nolint:gosec // made here of numbers and an escaped label
}

func dark(c interface{ RGBA() (r, g, b, a uint32) }) bool {
	r, _, _, _ := c.RGBA()
	return r < 0x8000
}
