package pdf

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestSameCallsSameBytes(t *testing.T) {
	a, b := render(t, gazette(t, "ar", "12", 2, 3)), render(t, gazette(t, "ar", "12", 2, 3))
	if !bytes.Equal(a, b) {
		t.Error("two documents made alike differ")
	}
}

// An archive file says what it is, carries its colours and fonts, and holds
// nothing that acts or points elsewhere (ISO 19005-2).
func TestArchiveRules(t *testing.T) {
	b := render(t, gazette(t, "fr", "Article", 2, 3))
	for _, want := range []string{"%PDF-1.7\n", "<pdfaid:part>2</pdfaid:part>", "<pdfaid:conformance>B</pdfaid:conformance>", "/GTS_PDFA1", "/FontFile2", "/ToUnicode", "/ID [<", "/Lang <FEFF00660072>", "A &lt;test&gt; &amp; more", "/Outlines"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, bad := range []string{"/Encrypt", "/JavaScript", "/URI", "/SMask", "/LZWDecode", "/AA ", "/OpenAction"} {
		if bytes.Contains(b, []byte(bad)) {
			t.Errorf("%q has no place in an archive file", bad)
		}
	}
	crossReferences(t, b)
	xmp := b[bytes.Index(b, []byte("<?xpacket")):]
	xmp = xmp[:bytes.Index(xmp, []byte("endstream"))]
	for d := xml.NewDecoder(bytes.NewReader(xmp)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("metadata: %v", err)
		}
	}
}

// crossReferences checks that every entry of the table finds its object.
func crossReferences(t *testing.T, b []byte) {
	t.Helper()
	m := regexp.MustCompile(`startxref\n(\d+)\n%%EOF\n$`).FindSubmatch(b)
	if m == nil {
		t.Fatal("no end")
	}
	at, _ := strconv.Atoi(string(m[1]))
	var n int
	if _, err := fmt.Sscanf(string(b[at:]), "xref\n0 %d\n", &n); err != nil {
		t.Fatal(err)
	}
	rows := strings.SplitN(string(b[at:]), "\n", 3)[2]
	for i := 1; i < n; i++ {
		off, _ := strconv.Atoi(rows[20*i : 20*i+10])
		if !bytes.HasPrefix(b[off:], []byte(strconv.Itoa(i)+" 0 obj\n")) {
			t.Errorf("object %d is not at %d", i, off)
		}
	}
}

func TestReadersAgree(t *testing.T) {
	d := gazette(t, "ar", "12", 2, 6)
	p := save(t, "columns.pdf", render(t, d))
	info := tool(t, "pdfinfo", p)
	if !strings.Contains(info, texts(t, "ar")[0]) || !strings.Contains(info, "Pages:           2") {
		t.Errorf("pdfinfo says\n%s", info)
	}
	fonts := tool(t, "pdffonts", p)
	for _, l := range strings.Split(strings.TrimSpace(fonts), "\n")[2:] {
		if !strings.Contains(l, "yes yes yes") {
			t.Errorf("a font is not embedded, cut or readable: %s", l)
		}
	}
}

func TestOtherScripts(t *testing.T) {
	d := New(Meta{Title: "x", Lang: "zgh"})
	for _, l := range texts(t, "zgh") {
		d.Paragraph("zgh", l, Style{Size: 14, Weight: Bold})
	}
	d.Paragraph("fr", "a\u0301 e\u0301 \u0142 \u1e6d \u025b", Style{})
	got := tool(t, "pdftotext", save(t, "zgh.pdf", render(t, d)), "-")
	for _, l := range texts(t, "zgh") {
		if !strings.Contains(got, l) {
			t.Errorf("not read back: %s", l)
		}
	}
}

func TestScanAndImage(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 300, 400))
	rgb := image.NewNRGBA(image.Rect(0, 0, 60, 60))
	for i := range 60 {
		rgb.Set(i, i, color.NRGBA{200, 0, 0, 128})
		gray.SetGray(i, i, color.Gray{200})
	}
	d := New(Meta{Title: "x", Lang: "fr"})
	d.Paragraph("fr", "before", Style{})
	d.Image(rgb, 40, Center, 4, 4)
	if err := d.Scan(gray, 72, 80); err != nil {
		t.Fatal(err)
	}
	d.Paragraph("fr", "after", Style{})
	if err := d.Scan(image.NewGray(image.Rectangle{}), 72, 80); err == nil {
		t.Error("an empty picture was taken")
	}
	info := tool(t, "pdfinfo", "-f", "1", "-l", "9", save(t, "scan.pdf", render(t, d)))
	if !strings.Contains(info, "Pages:           3") || !strings.Contains(info, "300 x 400") {
		t.Errorf("pdfinfo says\n%s", info)
	}
}

// No line and no column may be wider or longer than its room, whatever comes.
func TestNothingLeavesThePage(t *testing.T) {
	d := New(Meta{Title: "x", Lang: "fr"})
	d.Columns(3, 12)
	d.Paragraph("fr", strings.Repeat("x", 5000), Style{Align: Justify})
	d.Paragraph("ar", strings.Repeat("\u0628", 3000), Style{})
	for i, s := range d.shape("fr", []Span{{Text: strings.Repeat("y", 999) + " z"}}, Style{}, 100) {
		if s.width > 100 {
			t.Errorf("segment %d is %.1f wide", i, s.width)
		}
	}
	d.Rows(Table{Lang: "fr", Widths: []float64{1, 1}, Grid: true}, [][]string{{strings.Repeat("word ", 2000), "a", "too many"}, nil})
	d.Columns(1, 0)
	d.Image(image.NewGray(image.Rect(0, 0, 10, 4000)), 500, Start, 0, 0)
	if len(render(t, d)) == 0 {
		t.Error("nothing written")
	}
	for i, s := range d.sheets {
		for _, m := range regexp.MustCompile(`(?m)^BT\n(?:.* rg\n)?.* Tf\n(\S+) (\S+) Td`).FindAllStringSubmatch(s.body.String(), -1) {
			x, _ := strconv.ParseFloat(m[1], 64)
			y, _ := strconv.ParseFloat(m[2], 64)
			if x < d.size.Side-1 || x > d.size.Width-d.size.Side || y < d.size.Bottom || y > d.size.Height {
				t.Errorf("page %d has text at %s %s", i+1, m[1], m[2])
			}
		}
	}
}

func TestEmptyDocument(t *testing.T) {
	b := render(t, New(Meta{}))
	crossReferences(t, b)
	if !strings.Contains(tool(t, "pdfinfo", save(t, "empty.pdf", b)), "Pages:           1") {
		t.Error("an empty document has one page")
	}
}

func FuzzParagraph(f *testing.F) {
	f.Add("ar", "abc \u0627\u0644\u0644\u0647 (12) \u202e x", uint8(1))
	f.Add("fr", "e\u0301\u0301\n\n\u00ad\xff", uint8(7))
	f.Fuzz(func(t *testing.T, lang, text string, look uint8) {
		if len(text) > 4000 {
			return
		}
		d := New(Meta{Title: text, Lang: lang})
		d.Columns(int(look)%4, 10)
		d.Heading(int(look)%6, lang, text)
		d.Paragraph(lang, text, Style{Align: Align(look % 4), Weight: Weight(look % 3), First: float64(look)})
		crossReferences(t, render(t, d))
	})
}

// The glyphs that carry text only must leave no ink: the font's own joiners do.
func TestUnseenLeavesNoInk(t *testing.T) {
	d := New(Meta{Lang: "ar"})
	f := d.face(arabic, Regular)
	f.cid(noInk, turn)
	data, _, empty, err := subset(f.raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := sfntTables(data)
	if err != nil {
		t.Fatal(err)
	}
	g := glyphs{tables["loca"], tables["glyf"], tables["hmtx"], true, be16(tables["hhea"], 34)}
	if a, _ := g.metric(empty); len(g.outline(empty)) != 0 || a != 0 {
		t.Errorf("the glyph without ink has %d bytes of outline and is %d wide", len(g.outline(empty)), a)
	}
}
