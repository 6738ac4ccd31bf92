package poppler

import (
	"bytes"
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	"github.com/boombuler/barcode/qr"

	"diwan/internal/pdf"
	"diwan/internal/verifier/check"
	"diwan/protocol/cosecode"
)

// TestPrintedPage reads the code of a page as it is printed, of the length that a
// document's has, from the PDF file itself.
func TestPrintedPage(t *testing.T) {
	render := Find()
	if render == nil {
		t.Skip("there is no pdftoppm here")
	}
	random, raw := rand.New(rand.NewPCG(5, 6)), make([]byte, 400)
	for i := range raw {
		raw[i] = byte(random.IntN(256))
	}
	code := cosecode.Prefix + cosecode.EncodeBase45(raw)
	for name, text := range map[string]string{"code": code, "address": check.Link("https://portal.example/v", code)} {
		c, err := qr.Encode(text, qr.M, qr.Auto)
		if err != nil {
			t.Fatal(err)
		}
		const dot, quiet = 6, 4
		side := (c.Bounds().Dx() + 2*quiet) * dot
		img := image.NewGray(image.Rect(0, 0, side, side))
		for y := range side {
			for x := range side {
				v := color.Gray{Y: 255}
				if mx, my := x/dot-quiet, y/dot-quiet; mx >= 0 && my >= 0 && mx < c.Bounds().Dx() && my < c.Bounds().Dy() {
					v = color.GrayModel.Convert(c.At(mx, my)).(color.Gray)
				}
				img.SetGray(x, y, v)
			}
		}
		for _, points := range []float64{120, 160} {
			doc := pdf.New(pdf.Meta{Title: "Permit", Lang: "fr"})
			doc.Heading(1, "fr", "Permis de construire")
			doc.Paragraph("fr", "Ce document se vérifie par son code.", pdf.Style{})
			doc.Image(img, points, pdf.Center, 10, 10)
			var b bytes.Buffer
			if _, err := doc.WriteTo(&b); err != nil {
				t.Fatal(err)
			}
			texts, err := check.Codes(t.Context(), b.Bytes(), render)
			if err != nil || len(texts) != 1 || texts[0] != text {
				t.Errorf("%s of %v points: %d texts, %v", name, points, len(texts), err)
			}
		}
	}
}
