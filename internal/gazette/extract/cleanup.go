package extract

import (
	"image"
	"slices"
)

// tidyPicture makes a scan easier to read: paper of one shade, and no dirt.
// A clean page comes back as it is.
func tidyPicture(img *image.Gray, dpi int) (out *image.Gray, cut uint8) {
	img = evenLight(img)
	grain := max(3, 7*dpi*dpi/(ocrDPI*ocrDPI))
	if grainy(img) {
		img = soften(img)
		grain *= 2 // specks have grown with it
	}
	cut = min(threshold(img), 165) // on noisy paper the two shades run into one another
	img = eraseRules(img, cut)
	if !isNoisy(img, cut, grain) {
		return img, cut
	}
	return despeckle(img, cut, grain), cut
}

// grainy says whether neighbouring points of paper differ as the sensor of a
// scanner makes them differ, and not by a few specks only.
func grainy(img *image.Gray) bool {
	sum, n := 0, 0
	for y := 0; y < img.Rect.Dy(); y += 13 {
		row := img.Pix[y*img.Stride:][:img.Rect.Dx()]
		for x := 1; x < len(row); x += 7 {
			if a, b := int(row[x]), int(row[x-1]); a > 150 && b > 150 {
				sum, n = sum+max(a-b, b-a), n+1
			}
		}
	}
	return n > 0 && sum > 9*n
}

// soften gives each point a share of its neighbours, 1-2-1 both ways.
func soften(img *image.Gray) *image.Gray {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := image.NewGray(image.Rect(0, 0, w, h))
	sums := make([]uint16, w)
	for y := range h {
		up, mid, low := img.Pix[max(y-1, 0)*img.Stride:][:w], img.Pix[y*img.Stride:][:w], img.Pix[min(y+1, h-1)*img.Stride:][:w]
		for x, v := range mid {
			sums[x] = uint16(up[x]) + 2*uint16(v) + uint16(low[x])
		}
		to := out.Pix[y*out.Stride:][:w]
		for x := range to {
			to[x] = uint8((sums[max(x-1, 0)] + 2*sums[x] + sums[min(x+1, w-1)]) / 16)
		}
	}
	return out
}

// isNoisy says whether a good part of what is printed are grains of dirt. It looks
// at some rows only.
func isNoisy(img *image.Gray, cut uint8, grain int) bool {
	var walk walker
	small, all := 0, 0
	for y := 2; y < img.Rect.Dy()-2; y += 9 {
		row := img.Pix[y*img.Stride:][:img.Rect.Dx()]
		for x := 2; x < len(row)-2; x++ {
			if row[x] > cut || row[x-1] <= cut {
				continue // paper, or not the first of its run
			}
			all++
			if n := walk.grain(img, y*img.Stride+x, cut, grain); n > 0 {
				small++
			}
		}
	}
	return small*40 > all && small > 20
}

// despeckle makes paper of every dark spot of at most grain pixels.
func despeckle(img *image.Gray, cut uint8, grain int) *image.Gray {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		copy(out.Pix[y*out.Stride:][:w], img.Pix[y*img.Stride:][:w])
	}
	var walk walker
	for y := 2; y < h-2; y++ {
		for x := 2; x < w-2; x++ {
			at := y*out.Stride + x
			if out.Pix[at] > cut || out.Pix[at-1] <= cut {
				continue
			}
			if n := walk.grain(out, at, cut, grain); n > 0 {
				for _, i := range walk.spot[:n] {
					out.Pix[i] = 255
				}
			}
		}
	}
	return out
}

// walker follows a dark spot from pixel to pixel.
type walker struct{ spot []int }

// grain returns how many pixels the dark spot around at has, 0 when they are
// more than most.
func (w *walker) grain(img *image.Gray, at int, cut uint8, most int) int {
	w.spot = append(w.spot[:0], at)
	for k := 0; k < len(w.spot); k++ {
		i := w.spot[k]
		for _, n := range [...]int{i - img.Stride - 1, i - img.Stride, i - img.Stride + 1, i - 1, i + 1, i + img.Stride - 1, i + img.Stride, i + img.Stride + 1} {
			if n < 0 || n >= len(img.Pix) || img.Pix[n] > cut || slices.Contains(w.spot, n) {
				continue
			}
			if len(w.spot) == most {
				return 0
			}
			w.spot = append(w.spot, n)
		}
	}
	return len(w.spot)
}

// cell is the side of the squares in which the shade of the paper is measured.
const cell = 16

// evenLight divides the shade of the paper out when it differs over the page,
// as it does under a lamp or near a fold.
func evenLight(img *image.Gray) *image.Gray {
	small := shrink(img, cell)
	w, h := small.Rect.Dx(), small.Rect.Dy()
	if w < 8 || h < 8 {
		return img
	}
	paper := paperShade(small, w, h)
	low, high := uint8(255), uint8(0)
	for y := h / 20; y < h-h/20; y++ {
		for x := w / 20; x < w-w/20; x++ {
			low, high = min(low, paper[y*w+x]), max(high, paper[y*w+x])
		}
	}
	if high-low < 24 || low < 40 {
		return img
	}
	W, H := img.Rect.Dx(), img.Rect.Dy()
	out := image.NewGray(image.Rect(0, 0, W, H))
	gain := make([]int, w) // of the row, by cell, in 256ths
	for y := range H {
		fy := max(y*256/cell-128, 0)
		y0 := min(fy>>8, h-1)
		y1, part := min(y0+1, h-1), fy&255
		for x := range gain {
			shade := (int(paper[y0*w+x])*(256-part) + int(paper[y1*w+x])*part) >> 8
			gain[x] = 255 * 256 / max(shade, 40)
		}
		from, to := img.Pix[y*img.Stride:][:W], out.Pix[y*out.Stride:][:W]
		for x, v := range from {
			fx := max(x*256/cell-128, 0)
			x0 := min(fx>>8, w-1)
			x1 := min(x0+1, w-1)
			g := (gain[x0]*(256-fx&255) + gain[x1]*(fx&255)) >> 8
			to[x] = uint8(min(int(v)*g>>8, 255))
		}
	}
	return out
}

// paperShade finds the brightest shade around each cell and smooths it: letters
// are thin, so somewhere near there is paper.
func paperShade(small *image.Gray, w, h int) []uint8 {
	spread := func(in []uint8, step, n, lines, jump int) []uint8 {
		out := make([]uint8, len(in))
		for l := range lines {
			for i := range n {
				var best uint8
				for k := max(0, i-3); k <= min(n-1, i+3); k++ {
					best = max(best, in[l*jump+k*step])
				}
				out[l*jump+i*step] = best
			}
		}
		return out
	}
	smooth := func(in []uint8, step, n, lines, jump int) []uint8 {
		out := make([]uint8, len(in))
		for l := range lines {
			for i := range n {
				sum, c := 0, 0
				for k := max(0, i-3); k <= min(n-1, i+3); k++ {
					sum, c = sum+int(in[l*jump+k*step]), c+1
				}
				out[l*jump+i*step] = uint8(sum / c)
			}
		}
		return out
	}
	p := spread(spread(small.Pix, 1, w, h, w), w, h, w, 1)
	return smooth(smooth(p, 1, w, h, w), w, h, w, 1)
}
