package qr

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	zxing "github.com/makiuchi-d/gozxing/qrcode"
)

// TestRead paints what the SVG says and has another program's reader read it.
func TestRead(t *testing.T) {
	for _, text := range []string{"A", "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fexample.org%2Foffers%2F1", "DW1:" + strings.Repeat("6BF+70790T9WJWG.FKY*4GO0.O1CV2ETPD0R", 15)} {
		svg, err := SVG(text, `a "label"`)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(svg), `a "label"`) {
			t.Error("the label is not escaped")
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(paint(t, string(svg)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := zxing.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil || got.GetText() != text {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
	if _, err := SVG(strings.Repeat("x", 5000), ""); err == nil {
		t.Error("a text that is too long is drawn")
	}
}

// paint draws the path: M x y h n v1 H x z, all in modules.
func paint(t *testing.T, svg string) image.Image {
	_, rest, _ := strings.Cut(svg, `viewBox="0 0 `)
	side := number(t, &rest)
	const scale = 4
	img := image.NewGray(image.Rect(0, 0, side*scale, side*scale))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	_, rest, _ = strings.Cut(rest, ` d="`)
	path, _, _ := strings.Cut(rest, `"`)
	for part := range strings.SplitSeq(path, "z") {
		if part == "" {
			continue
		}
		part = strings.TrimPrefix(part, "M")
		x := number(t, &part)
		part = strings.TrimPrefix(part, " ")
		y := number(t, &part)
		part = strings.TrimPrefix(part, "h")
		n := number(t, &part)
		for dy := range scale {
			for dx := range n * scale {
				img.SetGray(x*scale+dx, y*scale+dy, color.Gray{})
			}
		}
	}
	return img
}

func number(t *testing.T, s *string) int {
	n, i := 0, 0
	for i < len(*s) && (*s)[i] >= '0' && (*s)[i] <= '9' {
		n = n*10 + int((*s)[i]-'0')
		i++
	}
	if i == 0 {
		t.Fatalf("no number at %.20q", *s)
	}
	*s = (*s)[i:]
	return n
}
