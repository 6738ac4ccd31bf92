package extract

import "image"

// eraseRules makes paper of the upright lines that printers put between
// columns: recognition takes them for letters of both.
func eraseRules(img *image.Gray, cut uint8) *image.Gray {
	const n = 4
	w, h := img.Rect.Dx()/n, img.Rect.Dy()/n
	dark := make([]bool, w*h)
	for y := range h * n {
		row := img.Pix[y*img.Stride:][:w*n]
		for x, v := range row {
			if v <= cut {
				dark[y/n*w+x/n] = true
			}
		}
	}
	out := img
	for x := 1; x < w-1; x++ {
		for y := 0; y < h; {
			from, end := y, y
			for gap := 0; y < h && gap <= 2; y++ {
				if dark[y*w+x] {
					end, gap = y+1, 0
				} else {
					gap++
				}
			}
			if end-from < h/10 {
				continue
			}
			if out == img {
				out = &image.Gray{Pix: append([]uint8(nil), img.Pix...), Stride: img.Stride, Rect: img.Rect}
			}
			for k := from * n; k < end*n; k++ {
				row := out.Pix[k*out.Stride:]
				for i := max(x*n-1, 0); i < min((x+1)*n+1, img.Rect.Dx()); i++ {
					row[i] = 255
				}
			}
		}
	}
	return out
}

// uncovered finds print that no word of a reading stands on, and returns the
// picture with everything else made paper, cut to what is left. It returns nil
// when there is none worth a second look.
func uncovered(img *image.Gray, lines []Line, cut uint8) (*image.Gray, image.Point) {
	const n = 8
	w, h := img.Rect.Dx()/n, img.Rect.Dy()/n
	typical := max(medianHeight(lines), 16)
	ink := make([]uint16, w*h)
	for y := range h * n {
		for x, v := range img.Pix[y*img.Stride:][:w*n] {
			if v <= cut {
				ink[y/n*w+x/n]++
			}
		}
	}
	pad := typical / 5
	for _, l := range lines {
		b := l.Box
		for y := max((b.Y-pad)/n, 0); y <= min((b.bottom()+pad)/n, h-1); y++ {
			for x := max((b.X-pad)/n, 0); x <= min((b.right()+pad)/n, w-1); x++ {
				ink[y*w+x] = 0
			}
		}
	}
	keep := lostRows(ink, w, h, max(typical/2/n, 1))
	if keep.Empty() {
		return nil, image.Point{}
	}
	area := image.Rect(keep.Min.X*n-2*n, keep.Min.Y*n-2*n, keep.Max.X*n+2*n, keep.Max.Y*n+2*n).Intersect(img.Rect)
	out := image.NewGray(image.Rect(0, 0, area.Dx(), area.Dy()))
	for i := range out.Pix {
		out.Pix[i] = 255
	}
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			cx, cy := x/n, y/n
			if cx < w && cy < h && nearInk(ink, w, h, cx, cy) {
				out.Pix[(y-area.Min.Y)*out.Stride+x-area.Min.X] = img.Pix[y*img.Stride+x]
			}
		}
	}
	return out, area.Min
}

func nearInk(ink []uint16, w, h, x, y int) bool {
	for j := max(y-1, 0); j <= min(y+1, h-1); j++ {
		for i := max(x-1, 0); i <= min(x+1, w-1); i++ {
			if ink[j*w+i] > 0 {
				return true
			}
		}
	}
	return false
}

// lostRows returns the bounds of what looks like rows of print: at least tall
// cells high, and with ink over at least a tenth of the width. What does not is
// taken out of ink.
func lostRows(ink []uint16, w, h, tall int) image.Rectangle {
	var all image.Rectangle
	for y := 0; y < h; {
		from := y
		var row image.Rectangle
		cells := 0
		for y < h {
			n := 0
			for x := range w {
				if ink[y*w+x] > 2 {
					n++
					row = row.Union(image.Rect(x, y, x+1, y+1))
				}
			}
			if n < 2 {
				break
			}
			cells += n
			y++
		}
		if y-from >= tall && row.Dx() >= w/10 && cells >= w/12*max(tall, 2) {
			all = all.Union(row)
		} else {
			clear(ink[from*w : min(y+1, h)*w])
		}
		y++
	}
	return all
}
