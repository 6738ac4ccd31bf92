package extract

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/image/tiff"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func linesOf(t testing.TB, data []byte, format string) []Line {
	t.Helper()
	s := open(t, Tools{}, data, Options{})
	if s.Format() != format {
		t.Errorf("taken for %s, want %s", s.Format(), format)
	}
	d, err := s.ReadAll(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var out []Line
	for _, p := range d.Pages {
		out = append(out, p.Lines...)
	}
	return out
}

func show(lines []Line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(string(l.Role) + "|" + l.Text + "\n")
	}
	return b.String()
}

func TestEncodings(t *testing.T) {
	for _, lang := range []string{"ar", "fr"} {
		want := strings.Join(passages(t, lang), "\n")
		old := charmap.Windows1252
		if lang == "ar" {
			old = charmap.Windows1256
		}
		legacy, err := old.NewEncoder().Bytes([]byte(want))
		if err != nil {
			t.Fatal(err)
		}
		wide, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(want))
		for name, data := range map[string][]byte{"utf-8": []byte(want), "mark": []byte("\ufeff" + want), "windows": legacy, "utf-16": wide, "damaged": append([]byte(want), 0xd8)} {
			var got []string
			for _, l := range linesOf(t, data, FormatText) {
				got = append(got, l.Text)
			}
			if s := strings.Join(got, "\n"); s != want && name != "damaged" || CER(want, s) > 0.01 {
				t.Errorf("%s %s: %.80s", lang, name, s)
			}
		}
	}
}

func TestHTML(t *testing.T) {
	got := show(linesOf(t, []byte(`<!DOCTYPE html><html><head><title>no</title><script>var x = "<p>no</p>"</script></head><body>
<h1>Un  titre</h1><p>Premier &amp; <b>gras</b><br>suite</p><nav>menu</nav>
<table><tr><th>a</th><th>b</th></tr><tr><td><p>1</p></td><td>2 <i>x</i></td></tr></table>fin`), FormatHTML))
	want := "heading|Un titre\nbody|Premier & gras\nbody|suite\nrow|a\tb\nrow|1\t2 x\nbody|fin\n"
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

// docxOf makes a DOCX file of the two parts we read.
func docxOf(t testing.TB, document, notes string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, body := range map[string]string{"word/document.xml": document, "word/footnotes.xml": notes} {
		if body == "" {
			continue
		}
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const wordStart = `<?xml version="1.0"?><w:document xmlns:w="x" xmlns:mc="y"><w:body>`

func TestDOCX(t *testing.T) {
	doc := wordStart + `<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Titre</w:t></w:r></w:p>
<w:p><w:r><w:t>Un </w:t></w:r><w:del><w:r><w:t>ancien </w:t></w:r></w:del><w:ins><w:r><w:t>nouveau</w:t></w:r></w:ins><w:r><w:tab/><w:t>texte</w:t><w:footnoteReference w:id="2"/><w:br/><w:t>suite</w:t></w:r></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>c</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
<mc:AlternateContent><mc:Choice><w:p><w:r><w:t>once</w:t></w:r></w:p></mc:Choice><mc:Fallback><w:p><w:r><w:t>twice</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent></w:body></w:document>`
	notes := `<w:footnotes xmlns:w="x"><w:footnote w:type="separator" w:id="0"><w:p><w:r><w:t>no</w:t></w:r></w:p></w:footnote><w:footnote w:id="2"><w:p><w:r><w:t>Note.</w:t></w:r></w:p></w:footnote></w:footnotes>`
	got := show(linesOf(t, docxOf(t, doc, notes), FormatDOCX))
	want := "heading|Titre\nbody|Un nouveau texte (2)\nbody|suite\nrow|a b\tc\nbody|once\nfootnote|2 Note.\n"
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

// zipBomb makes a small archive that inflates to much.
func zipBomb(t testing.TB, size int) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestSpeed)
	_, _ = io.WriteString(w, wordStart+"<w:p><w:r><w:t>")
	chunk := bytes.Repeat([]byte("<w:x/>"), 1<<16)
	total := 0
	for ; total < size; total += len(chunk) {
		_, _ = w.Write(chunk)
	}
	_ = w.Close()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.CreateRaw(&zip.FileHeader{Name: "word/document.xml", Method: zip.Deflate, CompressedSize64: uint64(packed.Len()), UncompressedSize64: uint64(total + 100), CRC32: crc32.ChecksumIEEE(nil)})
	if err == nil {
		_, err = f.Write(packed.Bytes())
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBadFiles(t *testing.T) {
	nested := docxOf(t, wordStart+strings.Repeat("<w:p>", 100000), "")
	entities := docxOf(t, `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><w:document xmlns:w="x"><w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:document>`, "")
	plainZip := func() []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, _ := z.Create("inner.zip")
		_, _ = w.Write([]byte("PK\x03\x04"))
		_ = z.Close()
		return b.Bytes()
	}()
	wide := pngOf(t, image.NewGray(image.Rect(0, 0, 4, 4)))
	binary.BigEndian.PutUint32(wide[16:], 30000)
	binary.BigEndian.PutUint32(wide[20:], 30000)
	binary.BigEndian.PutUint32(wide[29:], crc32.ChecksumIEEE(wide[12:29]))
	var tif bytes.Buffer
	if err := tiff.Encode(&tif, image.NewGray(image.Rect(0, 0, 30, 30)), nil); err != nil {
		t.Fatal(err)
	}
	loop := slices.Clone(tif.Bytes())
	at := binary.LittleEndian.Uint32(loop[4:])
	next := int(at) + 2 + 12*int(binary.LittleEndian.Uint16(loop[at:]))
	binary.LittleEndian.PutUint32(loop[next:], at)
	cut := pngOf(t, image.NewGray(image.Rect(0, 0, 400, 400)))
	small := Options{MaxText: 1 << 16}
	for name, c := range map[string]struct {
		data []byte
		o    Options
		want Code
	}{
		"nothing":               {nil, Options{}, Empty},
		"white space":           {[]byte(" \n\t "), Options{}, Empty},
		"program":               {[]byte("\x7fELF\x02\x01\x01\x00\x00\x00"), Options{}, WrongType},
		"other archive":         {plainZip, Options{}, WrongType},
		"cut archive":           {plainZip[:20], Options{}, Truncated},
		"old Word":              {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 x"), Options{}, WrongType},
		"Word with a password":  {append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), utf16LE("EncryptedPackage")...), Options{}, Encrypted},
		"DOCX bomb":             {zipBomb(t, 8<<20), small, TooLarge},
		"DOCX nested":           {nested, Options{}, TooLarge},
		"DOCX entities":         {entities, Options{}, Truncated},
		"DOCX without text":     {docxOf(t, wordStart, ""), Options{}, Empty},
		"text too long":         {bytes.Repeat([]byte("mot\n"), 1<<15), small, TooLarge},
		"HTML too long":         {append([]byte("<html>"), bytes.Repeat([]byte("<p>x"), 1<<15)...), small, TooLarge},
		"picture of 30,000":     {wide, Options{}, TooLarge},
		"other XML":             {[]byte("<?xml version='1.0'?><x/>"), Options{}, WrongType},
		"picture header only":   {cut[:30], Options{}, Truncated},
		"TIFF that never ends":  {tif.Bytes()[:6], Options{}, Truncated},
		"text with many pages":  {bytes.Repeat([]byte("mot\n"), 5000), Options{MaxPages: 2}, TooManyPages},
		"HTML with nothing":     {[]byte("<html><script>x</script>"), Options{}, Empty},
		"PDF without its tools": {[]byte("%PDF-1.7"), Options{}, ToolMissing},
	} {
		s, err := Open(context.Background(), Tools{}, name, c.data, c.o)
		if err == nil {
			_ = s.Close()
		}
		if CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if s := open(t, Tools{}, loop, Options{}); s.Pages() != 1 {
		t.Errorf("a TIFF file that points to itself has %d pages", s.Pages())
	}
	s := open(t, Tools{Tesseract: "/bin/true", Langs: []string{"fra"}}, cut[:len(cut)-30], Options{})
	if _, _, err := s.Page(context.Background(), 1); CodeOf(err) != Truncated {
		t.Errorf("a picture cut short: %v", err)
	}
}

func TestLongText(t *testing.T) {
	s := open(t, Tools{}, bytes.Repeat([]byte("une ligne\n"), 200000), Options{})
	p, _, err := s.Page(context.Background(), s.Pages())
	if err != nil || s.Pages() != 500 || len(p.Lines) != 400 {
		t.Errorf("%d pages, %d lines on the last, %v", s.Pages(), len(p.Lines), err)
	}
	if _, _, err := s.Page(context.Background(), 501); CodeOf(err) != Empty {
		t.Errorf("page 501: %v", err)
	}
}

func TestAKNIsGivenBack(t *testing.T) {
	data := []byte(`<?xml version="1.0"?><akomaNtoso xmlns="x"><act/></akomaNtoso>`)
	s := open(t, Tools{}, data, Options{})
	if s.Format() != FormatAKN || !bytes.Equal(s.Raw(), data) || s.Pages() != 0 {
		t.Error("Akoma Ntoso was not told apart")
	}
}

func TestCER(t *testing.T) {
	for _, c := range []struct {
		want, got string
		cer       float64
	}{{"abc", "abc", 0}, {"a  b", "a b", 0}, {"abcd", "abd", 0.25}, {"abcd", "", 1}, {"", "", 0}, {"", "x", 1}, {"kitten", "sitting", 0.5}} {
		if got := CER(c.want, c.got); got != c.cer {
			t.Errorf("CER(%q, %q) = %v, want %v", c.want, c.got, got, c.cer)
		}
	}
}

// The banded distance is the plain one, computed in less.
func FuzzCER(f *testing.F) {
	f.Add("abcdef", "azced")
	f.Add(strings.Repeat("ab", 60), strings.Repeat("ba", 20))
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := []rune(a), []rune(b)
		if len(x) > 300 || len(y) > 300 {
			return
		}
		row := make([]int, len(y)+1)
		for j := range row {
			row[j] = j
		}
		for i, c := range x {
			diagonal := row[0]
			row[0] = i + 1
			for j := range y {
				cost := diagonal
				if c != y[j] {
					cost++
				}
				diagonal = row[j+1]
				row[j+1] = min(cost, row[j]+1, row[j+1]+1)
			}
		}
		if got := editDistance(x, y); got != row[len(y)] {
			t.Errorf("distance of %q and %q: %d, want %d", a, b, got, row[len(y)])
		}
	})
}

// checkLines holds for whatever comes from outside: valid text, no empty line.
func checkLines(t *testing.T, lines []Line, err error) {
	t.Helper()
	if err != nil && CodeOf(err) == "" {
		t.Errorf("an error without a code: %v", err)
	}
	for _, l := range lines {
		if !utf8.ValidString(l.Text) || strings.TrimSpace(l.Text) == "" || strings.Contains(l.Text, "\n") || l.Confidence < 0 || l.Confidence > 1 {
			t.Errorf("bad line %q", l.Text)
		}
	}
}

var fuzzOptions = Options{MaxText: 1 << 16}.filled()

func FuzzDOCX(f *testing.F) {
	f.Add(wordStart + "<w:p><w:r><w:t>a</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl></w:body></w:document>")
	f.Fuzz(func(t *testing.T, doc string) {
		lines, err := readDOCX(docxOf(t, doc, doc), fuzzOptions)
		checkLines(t, lines, err)
	})
}

func FuzzHTML(f *testing.F) {
	f.Add([]byte("<table><tr><td>a<td>b</table><script><p>&lt;"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines, err := readHTML(data, fuzzOptions)
		checkLines(t, lines, err)
	})
}

func FuzzText(f *testing.F) {
	f.Add([]byte("\xff\xfea\x00b"))
	f.Add([]byte("\xc8\xc7\xe1 \xe9t\xe9"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines, err := readText(data, fuzzOptions)
		checkLines(t, lines, err)
		if _, err := sniff(data); err != nil && CodeOf(err) == "" {
			t.Error(err)
		}
	})
}

func FuzzTSV(f *testing.F) {
	f.Add([]byte("level\tx\n5\t1\t1\t1\t1\t1\t10\t20\t30\t40\t91.5\tmot\n5\t1\t1\t1\t1\t2\t50\t20\t30\t40\t-1\tx\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var lines []Line
		for _, w := range parseTSV(data) {
			lines = append(lines, joinWords(w))
		}
		checkLines(t, lines, nil)
		if n := len(arrange(lines, 1000, 1400, langOf(lines))); n != len(lines) {
			t.Errorf("%d of %d lines are left", n, len(lines))
		}
	})
}

func FuzzBBox(f *testing.F) {
	f.Add([]byte("<page width=\"595\" height=\"842\">\n<line xMin=\"1\">\n<word xMin=\"1\" yMin=\"2\" xMax=\"30\" yMax=\"12\">(12</word>\n<word xMin=\"40\" yMin=\"2\" xMax=\"60\" yMax=\"12\">\u0627\u0628</word>\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var lines []Line
		for _, w := range parseBBox(data, 300).lines {
			lines = append(lines, joinLayer(logical(w)))
		}
		checkLines(t, lines, nil)
		if n := len(arrange(lines, 2480, 3508, "ar")); n != len(lines) {
			t.Errorf("%d of %d lines are left", n, len(lines))
		}
	})
}
