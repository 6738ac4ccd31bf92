package app

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"
)

// photo paints a code on a page, turned by an angle and blurred over some pixels.
func photo(t *testing.T, text string, dot int, angle float64, blur int) *image.Gray {
	t.Helper()
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	n := code.Bounds().Dx()
	side := n*dot*3/2 + 60
	out := image.NewGray(image.Rect(0, 0, side, side))
	sin, cos := math.Sincos(angle)
	for y := range side {
		for x := range side {
			dx, dy := float64(x-side/2), float64(y-side/2)
			at := image.Pt(int(math.Floor((dx*cos+dy*sin)/float64(dot)+float64(n)/2)), int(math.Floor((dy*cos-dx*sin)/float64(dot)+float64(n)/2)))
			light := uint8(235)
			if at.In(code.Bounds()) {
				if r, _, _, _ := code.At(at.X, at.Y).RGBA(); r < 0x8000 {
					light = 30
				}
			}
			out.SetGray(x, y, color.Gray{Y: light})
		}
	}
	if blur == 0 {
		return out
	}
	soft := image.NewGray(out.Rect)
	for y := range side {
		for x := range side {
			sum, count := 0, 0
			for j := max(0, y-blur); j <= min(side-1, y+blur); j++ {
				for i := max(0, x-blur); i <= min(side-1, x+blur); i++ {
					sum, count = sum+int(out.Pix[j*out.Stride+i]), count+1
				}
			}
			soft.Pix[y*soft.Stride+x] = uint8(sum / count) // #nosec G115 -- a mean of bytes
		}
	}
	return soft
}

// A browser that reads no codes sends a photo; whatever is sent, nothing breaks and
// nothing is kept.
func TestWalletReadsPhotos(t *testing.T) {
	i := serveApp(t, nil)
	post := func(kind string, body []byte) (int, []string) {
		t.Helper()
		res, err := http.Post(i.base+"/wallet/api/codes", kind, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.Header.Get("Cache-Control") != "no-store" {
			t.Error("the answer may be kept")
		}
		var out struct {
			Texts []string `json:"texts"`
		}
		_ = json.NewDecoder(res.Body).Decode(&out)
		return res.StatusCode, out.Texts
	}
	text := "openid-credential-offer://?credential_offer_uri=" + strings.Repeat("https%3A%2F%2Fexample.org%2F", 4)
	for _, p := range []struct {
		name  string
		angle float64
		blur  int
	}{{"straight", 0, 0}, {"a quarter round", math.Pi / 2, 0}, {"tilted", 0.2, 0}, {"more tilted", 0.7, 0}, {"blurred", 0, 2}, {"tilted and blurred", 0.35, 2}} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, photo(t, text, 7, p.angle, p.blur), &jpeg.Options{Quality: 80}); err != nil {
			t.Fatal(err)
		}
		if status, got := post("image/jpeg", b.Bytes()); status != http.StatusOK || len(got) == 0 || got[0] != text {
			t.Errorf("%s (%d bytes): %d %q", p.name, b.Len(), status, got)
		}
	}
	var blank bytes.Buffer
	if err := png.Encode(&blank, image.NewGray(image.Rect(0, 0, 300, 300))); err != nil {
		t.Fatal(err)
	}
	large := blank.Bytes()[:33:33]
	large = append(bytes.Clone(large[:16]), 0, 1, 0, 0, 0, 1, 0, 0) // 65,536 by 65,536 pixels
	for name, x := range map[string]struct {
		kind   string
		body   []byte
		status int
	}{
		"no code": {"image/png", blank.Bytes(), 200}, "not a picture": {"image/png", []byte("<svg onload=alert(1)>"), 200}, "torn": {"image/png", blank.Bytes()[:40], 200}, "a bomb": {"image/png", large, 200},
		"nothing": {"image/png", nil, 200}, "another type": {"text/html", blank.Bytes(), 400}, "too much": {"image/jpeg", make([]byte, 950<<10), 413},
	} {
		if status, got := post(x.kind, x.body); status != x.status || len(got) != 0 {
			t.Errorf("%s: %d %q", name, status, got)
		}
	}
}
