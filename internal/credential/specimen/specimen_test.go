package specimen

import (
	"bytes"
	"image/jpeg"
	"testing"
)

func TestPortrait(t *testing.T) {
	a, err := Portrait()
	if err != nil {
		t.Fatal(err)
	}
	b, err := Portrait()
	if err != nil || !bytes.Equal(a, b) {
		t.Error("it is drawn in two ways", err)
	}
	if len(a) > 8<<10 {
		t.Errorf("%d bytes: every copy of a document carries them", len(a))
	}
	m, err := jpeg.Decode(bytes.NewReader(a))
	if err != nil || m.Bounds().Dx() != width || m.Bounds().Dy() != height {
		t.Fatal(m.Bounds(), err)
	}
	dark := 0
	for x := range width { // a line through the word
		if r, _, _, _ := m.At(x, 216).RGBA(); r < 0x6000 {
			dark++
		}
	}
	if dark < 30 {
		t.Error("the word can't be read: dark points", dark)
	}
	for _, r := range word {
		if letters[r] == [7]byte{} {
			t.Errorf("%c has no form", r)
		}
	}
}
