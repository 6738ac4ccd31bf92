// Package degrade makes a clean picture of a page look as if it had been
// printed, aged and scanned. It serves the demonstration's scanned issue and
// the measuring of recognition: the same picture, look and seed give the same
// scan.
package degrade

import (
	"image"
	"math"
	"math/rand/v2"
)

// Look is what a scan suffers. The zero value changes nothing.
type Look struct {
	Name    string
	DPI     int     // of the scan; 0 keeps that of the page
	Skew    float64 // degrees, clockwise
	Blur    float64 // radius in pixels of the scan
	Noise   float64 // standard deviation of each pixel, of 255
	Speckle float64 // share of pixels that are specks of dirt
	Light   float64 // from 0 to 1, how much darker one corner is
	Fade    float64 // from 0 to 1, how much of the ink is gone
}

// Looks are those that recognition is measured with.
var Looks = []Look{
	{Name: "clean"},
	{Name: "skewed 1.5", Skew: 1.5},
	{Name: "200 dpi, noisy", DPI: 200, Noise: 14, Blur: 0.5, Speckle: 0.0005},
	{Name: "150 dpi, skewed 1.5", DPI: 150, Skew: 1.5, Noise: 10, Blur: 0.4},
	{Name: "old", DPI: 200, Skew: -0.8, Noise: 18, Blur: 0.8, Speckle: 0.0015, Light: 0.35, Fade: 0.2},
}

// Scan returns the page as the look has it. dpi is the resolution of img.
func Scan(img *image.Gray, dpi int, l Look, seed uint64) *image.Gray {
	scale := 1.0
	if l.DPI > 0 && l.DPI != dpi {
		scale = float64(dpi) / float64(l.DPI)
	}
	out := resample(img, scale, l.Skew)
	if l.Blur > 0 {
		out = blur(out, l.Blur)
	}
	r := rand.New(rand.NewPCG(seed, 0x5ca7))
	w, h := out.Rect.Dx(), out.Rect.Dy()
	for y := range h {
		for x := range w {
			at := y*out.Stride + x
			v := float64(out.Pix[at])
			v += (255 - v) * l.Fade
			v *= 1 - l.Light*(float64(x)/float64(w)+float64(y)/float64(h))/2
			if l.Noise > 0 {
				v += r.NormFloat64() * l.Noise
			}
			out.Pix[at] = uint8(math.Round(min(max(v, 0), 255)))
		}
	}
	for range int(l.Speckle * float64(w*h)) {
		speck(out, r)
	}
	return out
}

// speck puts a dark or a light grain of one to three pixels somewhere.
func speck(img *image.Gray, r *rand.Rand) {
	x, y, shade := r.IntN(img.Rect.Dx()), r.IntN(img.Rect.Dy()), uint8(20+r.IntN(60))
	if r.IntN(4) == 0 {
		shade = 235
	}
	for range 1 + r.IntN(3) {
		if (image.Point{X: x, Y: y}).In(img.Rect) {
			img.Pix[y*img.Stride+x] = shade
		}
		x, y = x+r.IntN(3)-1, y+r.IntN(3)-1
	}
}

// resample turns the page by degrees and makes it scale times smaller, each
// pixel the mean of what it covers.
func resample(img *image.Gray, scale, degrees float64) *image.Gray {
	w, h := int(float64(img.Rect.Dx())/scale), int(float64(img.Rect.Dy())/scale)
	out := image.NewGray(image.Rect(0, 0, w, h))
	if scale == 1 && degrees == 0 {
		for y := range h {
			copy(out.Pix[y*out.Stride:][:w], img.Pix[y*img.Stride:][:w])
		}
		return out
	}
	sin, cos := math.Sincos(-degrees * math.Pi / 180)
	cx, cy := float64(img.Rect.Dx())/2, float64(img.Rect.Dy())/2
	n := max(1, int(math.Ceil(scale*1.5)))
	for y := range h {
		for x := range w {
			sum := 0.0
			for j := range n {
				for i := range n {
					px := (float64(x)+(float64(i)+0.5)/float64(n))*scale - cx
					py := (float64(y)+(float64(j)+0.5)/float64(n))*scale - cy
					sum += at(img, cx+px*cos-py*sin-0.5, cy+px*sin+py*cos-0.5)
				}
			}
			out.Pix[y*out.Stride+x] = uint8(math.Round(sum / float64(n*n)))
		}
	}
	return out
}

// at reads between pixels; outside lies paper.
func at(img *image.Gray, x, y float64) float64 {
	ix, iy := int(math.Floor(x)), int(math.Floor(y))
	if ix < 0 || iy < 0 || ix+1 >= img.Rect.Dx() || iy+1 >= img.Rect.Dy() {
		return 255
	}
	fx, fy := x-float64(ix), y-float64(iy)
	p := img.Pix[iy*img.Stride+ix:]
	q := p[img.Stride:]
	return (float64(p[0])*(1-fx)+float64(p[1])*fx)*(1-fy) + (float64(q[0])*(1-fx)+float64(q[1])*fx)*fy
}

// blur spreads ink as paper and lenses do: three box means are near a bell.
func blur(img *image.Gray, radius float64) *image.Gray {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	a := make([]float64, w*h)
	for y := range h {
		for x := range w {
			a[y*w+x] = float64(img.Pix[y*img.Stride+x])
		}
	}
	side := radius / (1 + 2*radius) // what each neighbour gives
	b := make([]float64, w*h)
	for range 2 {
		pass(a, b, w, h, 1, side)
		pass(b, a, w, h, w, side)
	}
	out := image.NewGray(image.Rect(0, 0, w, h))
	for i, v := range a {
		out.Pix[i] = uint8(math.Round(v))
	}
	return out
}

func pass(from, to []float64, w, h, step int, side float64) {
	for i := range from {
		l, r := i-step, i+step
		if l < 0 || step == 1 && i%w == 0 {
			l = i
		}
		if r >= w*h || step == 1 && i%w == w-1 {
			r = i
		}
		to[i] = from[i]*(1-side) + (from[l]+from[r])*side/2
	}
}
