package verifier

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quiet is the white border that readers of codes need, in modules.
const quiet = 4

// picture draws a QR code as SVG, black on white whatever the colours of the page: half
// of the cameras read no code of light on dark.
func picture(text, label string) (template.HTML, error) {
	c, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("drawing a QR code: %w", err)
	}
	n := c.Bounds().Dx()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" width="320" height="320" role="img" aria-label="%s" shape-rendering="crispEdges"><rect width="100%%" height="100%%" fill="#fff"></rect><path fill="#000" d="`,
		n+2*quiet, n+2*quiet, template.HTMLEscapeString(label))
	for y := range n {
		for x := 0; x < n; x++ {
			from := x
			for x < n {
				if r, _, _, _ := c.At(x, y).RGBA(); r != 0 {
					break
				}
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	b.WriteString(`"></path></svg>`)
	return template.HTML(b.String()), nil // #nosec G203 -- numbers, and a label that is escaped
}
