package upload

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
)

// Bounds of pictures. What decoding needs follows from the pixels alone, which are
// read from the head before anything is decoded.
const (
	maxSide        = 20_000   // pixels
	maxPixels      = 64 << 20 // of a picture that is decoded line by line
	maxProgressive = 25 << 20 // of one whose every coefficient is kept while decoding
	maxScans       = 64       // each is a walk over the whole picture
	maxPNGBytes    = 160 << 20
	quality        = 90
)

// redrawJPEG decodes a picture and writes it anew, upright: only what can be seen
// is left, not where and with what it was taken.
func redrawJPEG(b []byte) ([]byte, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, refuse("upload.damaged")
	}
	look := lookAtJPEG(b)
	most := maxPixels
	if look.progressive {
		most = maxProgressive
	}
	if c.Width > maxSide || c.Height > maxSide || c.Width*c.Height > most || look.scans > maxScans {
		return nil, refuse(codeBomb)
	}
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, refuse("upload.damaged")
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, upright(plainImage(img), look.orientation), &jpeg.Options{Quality: quality}); err != nil {
		return nil, refuse("upload.damaged")
	}
	return out.Bytes(), nil
}

// redrawPNG is redrawJPEG for pictures that keep every pixel.
func redrawPNG(b []byte) ([]byte, error) {
	c, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, refuse("upload.damaged")
	}
	depth := 4
	if len(b) > 24 && b[24] == 16 {
		depth = 8
	}
	if c.Width > maxSide || c.Height > maxSide || c.Width*c.Height*depth > maxPNGBytes {
		return nil, refuse(codeBomb)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, refuse("upload.damaged")
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, refuse("upload.damaged")
	}
	return out.Bytes(), nil
}

// plainImage returns a picture of a kind that is turned and written fast.
func plainImage(img image.Image) image.Image {
	switch img.(type) {
	case *image.YCbCr, *image.Gray, *image.RGBA:
		return img
	}
	out := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Src)
	return out
}

// upright turns a picture as its orientation says (Exif 2.32, tag 0x0112).
func upright(img image.Image, orientation int) image.Image {
	if orientation < 2 || orientation > 8 {
		return img
	}
	size := img.Bounds().Size()
	if orientation >= 5 {
		size.X, size.Y = size.Y, size.X
	}
	switch m := img.(type) {
	case *image.Gray:
		out := image.NewGray(image.Rectangle{Max: size})
		turn(out.Pix, out.Stride, m.Pix, m.Stride, m.Rect.Dx(), m.Rect.Dy(), 1, orientation)
		return out
	case *image.RGBA:
		out := image.NewRGBA(image.Rectangle{Max: size})
		turn(out.Pix, out.Stride, m.Pix, m.Stride, m.Rect.Dx(), m.Rect.Dy(), 4, orientation)
		return out
	case *image.YCbCr:
		ratio := m.SubsampleRatio
		if orientation >= 5 {
			ratio = crosswise(ratio)
		}
		if ratio < 0 {
			break
		}
		out := image.NewYCbCr(image.Rectangle{Max: size}, ratio)
		turn(out.Y, out.YStride, m.Y, m.YStride, m.Rect.Dx(), m.Rect.Dy(), 1, orientation)
		w, h := chroma(m)
		turn(out.Cb, out.CStride, m.Cb, m.CStride, w, h, 1, orientation)
		turn(out.Cr, out.CStride, m.Cr, m.CStride, w, h, 1, orientation)
		return out
	}
	flat := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(flat, flat.Bounds(), img, img.Bounds().Min, draw.Src)
	return upright(flat, orientation)
}

// chroma returns the size of the colour planes of a picture.
func chroma(m *image.YCbCr) (w, h int) {
	w, h = m.Rect.Dx(), m.Rect.Dy()
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio420:
		return (w + 1) / 2, (h + 1) / 2
	case image.YCbCrSubsampleRatio422:
		return (w + 1) / 2, h
	case image.YCbCrSubsampleRatio440:
		return w, (h + 1) / 2
	}
	return w, h
}

// crosswise is the subsampling of a picture that was turned by a quarter; -1 when
// there is none.
func crosswise(r image.YCbCrSubsampleRatio) image.YCbCrSubsampleRatio {
	switch r {
	case image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio420:
		return r
	case image.YCbCrSubsampleRatio422:
		return image.YCbCrSubsampleRatio440
	case image.YCbCrSubsampleRatio440:
		return image.YCbCrSubsampleRatio422
	}
	return -1
}

// turn moves the pixels of a plane of w by h, each of some bytes.
func turn(to []byte, toStride int, from []byte, fromStride, w, h, each, orientation int) {
	for y := range h {
		row := from[y*fromStride:]
		for x := range w {
			tx, ty := x, y
			switch orientation {
			case 2:
				tx = w - 1 - x
			case 3:
				tx, ty = w-1-x, h-1-y
			case 4:
				ty = h - 1 - y
			case 5:
				tx, ty = y, x
			case 6:
				tx, ty = h-1-y, x
			case 7:
				tx, ty = h-1-y, w-1-x
			case 8:
				tx, ty = y, w-1-x
			}
			at := ty*toStride + tx*each
			if at+each > len(to) || x*each+each > len(row) {
				continue // an odd colour plane may be a pixel short
			}
			copy(to[at:at+each], row[x*each:x*each+each])
		}
	}
}

// jpegLook is what the segments of a JPEG say before it is decoded.
type jpegLook struct {
	progressive bool
	scans       int
	orientation int
}

func lookAtJPEG(b []byte) (l jpegLook) {
	for at := 2; at+4 <= len(b); {
		if b[at] != 0xff {
			at++ // within the data of a scan
			continue
		}
		m := b[at+1]
		if m == 0 || m == 0xff || m >= 0xd0 && m <= 0xd8 {
			at++
			continue
		}
		if m == 0xd9 {
			return l
		}
		n := int(binary.BigEndian.Uint16(b[at+2:]))
		body := b[min(at+4, len(b)):min(at+2+max(n, 2), len(b))]
		switch m {
		case 0xc2:
			l.progressive = true
		case 0xda:
			l.scans++
		case 0xe1:
			if l.orientation == 0 {
				l.orientation = orientationOf(body)
			}
		}
		at += 2 + max(n, 2)
	}
	return l
}

// orientationOf reads the one entry of Exif data that is of use; 0 when there is
// none.
func orientationOf(b []byte) int {
	b, ok := bytes.CutPrefix(b, []byte("Exif\x00\x00"))
	if !ok || len(b) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := int(order.Uint32(b[4:]))
	if at < 8 || at+2 > len(b) {
		return 0
	}
	n := min(int(order.Uint16(b[at:])), 200)
	for i := range n {
		e := at + 2 + 12*i
		if e+12 > len(b) {
			return 0
		}
		if order.Uint16(b[e:]) == 0x0112 {
			return int(order.Uint16(b[e+8:]))
		}
	}
	return 0
}
