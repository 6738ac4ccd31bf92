package poppler

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// page is a PDF file of one page with a black square.
func page() []byte {
	var b bytes.Buffer
	var at []int
	object := func(s string) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), s)
	}
	b.WriteString("%PDF-1.4\n")
	object("<</Type/Catalog/Pages 2 0 R>>")
	object("<</Type/Pages/Kids[3 0 R]/Count 1>>")
	object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R>>")
	const draw = "0 g 50 50 100 100 re f"
	object(fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(draw), draw))
	from := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, from)
	return b.Bytes()
}

func TestRender(t *testing.T) {
	render := Find()
	if render == nil {
		t.Skip("there is no pdftoppm here")
	}
	list, err := render(t.Context(), page())
	if err != nil || len(list) != 1 {
		t.Fatal(len(list), err)
	}
	b := list[0].Bounds()
	dark, _, _, _ := list[0].At(b.Dx()/2, b.Dy()/2).RGBA()
	light, _, _, _ := list[0].At(2, 2).RGBA()
	if dark != 0 || light != 0xffff {
		t.Errorf("%v: %d, %d", b, dark, light)
	}
	for _, s := range []string{"", "%PDF-1.4", strings.Repeat("x", 1000)} {
		if _, err := render(t.Context(), []byte(s)); !errors.Is(err, ErrPDF) {
			t.Errorf("%.10q gives %v", s, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("P5\n2 2\n255\n\x00\x01\x02\x03P5\n1 1\n255\n\x00"))
	f.Add([]byte("P5 99999 99999 255 "))
	f.Fuzz(func(t *testing.T, b []byte) {
		if list, _ := read(bytes.NewReader(b)); len(list) > pages {
			t.Error("too many")
		}
	})
}
