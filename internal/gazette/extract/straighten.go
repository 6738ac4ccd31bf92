package extract

import (
	"image"
	"math"
)

// shrink makes the picture n times smaller, each pixel the mean of n by n.
func shrink(img *image.Gray, n int) *image.Gray {
	w, h := img.Rect.Dx()/n, img.Rect.Dy()/n
	out := image.NewGray(image.Rect(0, 0, w, h))
	sums := make([]uint32, w)
	for y := range h {
		clear(sums)
		for k := range n {
			row := img.Pix[(y*n+k)*img.Stride:][:w*n]
			for x := range sums {
				var s uint32
				for _, v := range row[x*n : x*n+n] {
					s += uint32(v)
				}
				sums[x] += s
			}
		}
		for x, s := range sums {
			out.Pix[y*out.Stride+x] = uint8(s / uint32(n*n))
		}
	}
	return out
}

// threshold finds the shade that best parts ink from paper (Otsu 1979).
func threshold(img *image.Gray) uint8 {
	var hist [256]int
	total, sum := 0, 0
	for y := 0; y < img.Rect.Dy(); y += 3 { // a third of the rows tell enough
		row := img.Pix[y*img.Stride:][:img.Rect.Dx()]
		for _, v := range row {
			hist[v]++
		}
		total += len(row)
	}
	for v, n := range hist {
		sum += v * n
	}
	var best float64
	cut, n0, s0 := 127, 0, 0
	for v, n := range hist {
		n0 += n
		s0 += v * n
		if n0 == 0 || n0 == total {
			continue
		}
		m0, m1 := float64(s0)/float64(n0), float64(sum-s0)/float64(total-n0)
		if between := float64(n0) * float64(total-n0) * (m0 - m1) * (m0 - m1); between > best {
			best, cut = between, v
		}
	}
	return uint8(cut)
}

const (
	maxSkew  = 5.0  // degrees that are looked for, both ways
	fineSkew = 0.05 // to which the angle is found
	lowSkew  = 0.15 // under which turning would cost more than it gives
)

// findSkew returns by how many degrees the lines of print slope down to the
// right. Lines that run along the rows make a profile of high peaks and deep
// valleys: the angle with the sharpest profile is the slope.
func findSkew(img *image.Gray) float64 {
	n := max(1, max(img.Rect.Dx(), img.Rect.Dy())/900)
	small := shrink(img, n)
	w, h := small.Rect.Dx(), small.Rect.Dy()
	if w < 50 || h < 50 {
		return 0
	}
	cut := threshold(small)
	var xs, ys []float64
	// The lower edges of letters lie on the base line; margins, where scans have
	// shadows, don't count.
	for y := h / 40; y < h-h/40-1; y++ {
		for x := w / 40; x < w-w/40; x++ {
			if small.Pix[y*w+x] <= cut && small.Pix[(y+1)*w+x] > cut {
				xs, ys = append(xs, float64(x-w/2)), append(ys, float64(y))
			}
		}
	}
	const most = 40000
	if n := len(xs)/most + 1; n > 1 {
		k := 0
		for i := 0; i < len(xs); i += n {
			xs[k], ys[k] = xs[i], ys[i]
			k++
		}
		xs, ys = xs[:k], ys[:k]
	}
	if len(xs) < 200 {
		return 0
	}
	bins := make([]int32, h+2*w)
	best, at := sharpness(xs, ys, 0, bins, w), 0.0
	flat := best
	try := func(a float64) {
		if s := sharpness(xs, ys, a, bins, w); s > best {
			best, at = s, a
		}
	}
	for a := -maxSkew; a <= maxSkew; a += 0.25 {
		try(a)
	}
	for a, end := at-0.25, at+0.25; a <= end; a += fineSkew {
		try(a)
	}
	if best < flat*1.02 {
		return 0 // no angle is clearly better: no lines of print
	}
	return at
}

func sharpness(xs, ys []float64, degrees float64, bins []int32, w int) float64 {
	clear(bins)
	t := math.Tan(degrees * math.Pi / 180)
	for i, x := range xs {
		if at := int(ys[i] - x*t + float64(w)); at >= 0 && at < len(bins) {
			bins[at]++
		}
	}
	sum := 0.0
	for _, n := range bins {
		sum += float64(n) * float64(n)
	}
	return sum
}

// rotate turns the picture counter-clockwise around its middle; what comes in
// from outside is paper.
func rotate(img *image.Gray, degrees float64) *image.Gray {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := image.NewGray(image.Rect(0, 0, w, h))
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	const one = 1 << 16
	dx, dy := int(math.Round(cos*one)), int(math.Round(sin*one))
	cx, cy := float64(w-1)/2, float64(h-1)/2
	for y := range h {
		row := out.Pix[y*out.Stride:][:w]
		sx := int(math.Round((cx - cos*cx - sin*(float64(y)-cy)) * one))
		sy := int(math.Round((cy - sin*cx + cos*(float64(y)-cy)) * one))
		inside := func(x int) bool {
			return uint((sx+x*dx)>>16) < uint(w-1) && uint((sy+x*dy)>>16) < uint(h-1)
		}
		from, to := 0, w
		for from < w && !inside(from) {
			row[from] = 255
			from++
		}
		for to > from && !inside(to-1) {
			to--
			row[to] = 255
		}
		sx, sy = sx+from*dx, sy+from*dy
		for x := from; x < to; x++ {
			at := sy>>16*img.Stride + sx>>16
			p, q := img.Pix[at:at+2:at+2], img.Pix[at+img.Stride:at+img.Stride+2:at+img.Stride+2]
			if p[0]&p[1]&q[0]&q[1] == 255 {
				row[x] = 255 // most of a page is paper
			} else {
				fx, fy := sx>>8&0xff, sy>>8&0xff
				top := int(p[0])*(256-fx) + int(p[1])*fx
				low := int(q[0])*(256-fx) + int(q[1])*fx
				row[x] = uint8((top*(256-fy) + low*fy) >> 16)
			}
			sx += dx
			sy += dy
		}
	}
	return out
}
