package upload

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"diwan/internal/db/dbtest"
)

// rawPDF writes a file of some objects with a true table, one of them a page.
func rawPDF(trailer string, objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	all := append([]string{"<</Type/Catalog/Pages 2 0 R " + trailer + ">>", "<</Type/Pages/Count 1/Kids[3 0 R]>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>"}, objects...)
	var at []int
	for i, o := range all {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(all)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(all)+1, start)
	return b.Bytes()
}

func deflate(b []byte) string {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, _ = w.Write(b)
	_ = w.Close()
	return z.String()
}

func stream(dict string, data string) string {
	return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(data), data)
}

// pngBomb claims to be far larger than it is.
func pngBomb(w, h uint32) []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		_ = binary.Write(&b, binary.BigEndian, uint32(len(data)))
		c := crc32.NewIEEE()
		_, _ = io.MultiWriter(&b, c).Write(append([]byte(kind), data...))
		_ = binary.Write(&b, binary.BigEndian, c.Sum32())
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	chunk("IHDR", append(head, 8, 6, 0, 0, 0))
	chunk("IDAT", []byte(deflate(make([]byte, 1<<20))))
	chunk("IEND", nil)
	return b.Bytes()
}

func zipped(names ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range names {
		w, _ := z.Create(n)
		_, _ = w.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	return b.Bytes()
}

// manyScans repeats the last scan of a picture: each would be a walk over all of
// it.
func manyScans(t *testing.T) []byte {
	b := goodJPEG(t, 64, 64)
	at := bytes.LastIndex(b, []byte("\xff\xda"))
	return append(bytes.Clone(b[:at]), bytes.Repeat(b[at:len(b)-2], 200)...)
}

func TestFilesThatAreRefused(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, sets), nil)
	doc, photo := goodPDF(t), goodJPEG(t, 64, 64)
	nested := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"a.pdf", nil, "upload.empty"},
		{"a.jpg", doc, "upload.mislabelled"},
		{"a.pdf", photo, "upload.mislabelled"},
		{"facture.pdf.exe", doc, "upload.mislabelled"},
		{"a.pdf", []byte("only text"), "upload.mislabelled"},
		{"a.txt", []byte("<html><script>alert(1)</script>"), "upload.type_unknown"},
		{"a.txt", []byte("caf\xe9"), "upload.type_unknown"},
		{"a.exe", []byte("MZ\x90\x00\x03"), "upload.type_unknown"},
		{"a.docx", zipped("[Content_Types].xml", "word/document.xml"), "upload.type_office"},
		{"a.zip", zipped("bomb"), "upload.type_archive"},
		{"a.heic", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), "upload.type_picture"},
		{"a.tif", []byte("II*\x00\x08\x00\x00\x00"), "upload.type_picture"},
		{"a.pdf", doc[:len(doc)/2], "upload.damaged"},
		{"a.pdf", append(bytes.Clone(doc), zipped("x")...), "upload.damaged"},
		{"a.pdf", []byte("%PDF-1.7\nstartxref\n9\n%%EOF\n"), "upload.damaged"},
		{"a.jpg", photo[:len(photo)/2], "upload.damaged"},
		{"a.png", goodPNG(t, 64, 64)[:100], "upload.damaged"},
		{"a.png", pngBomb(60_000, 60_000), codeBomb},
		{"a.png", pngBomb(1<<31-1, 2), codeBomb},
		{"a.jpg", manyScans(t), codeBomb},
		{"js.pdf", rawPDF("/OpenAction<</S/JavaScript/JS(app.alert(1))>>"), codeActive},
		{"hidden.pdf", rawPDF("/OpenAction<</S/J#61vaScript/#4aS(app.alert(1))>>"), codeActive},
		{"launch.pdf", rawPDF("", "<</S/Launch/F(calc.exe)>>"), codeActive},
		{"attached.pdf", rawPDF("/Names<</EmbeddedFiles<</Names[]>>>>"), codeActive},
		{"xfa.pdf", rawPDF("/AcroForm<</XFA 4 0 R>>", stream("", "x")), codeActive},
		{"inside.pdf", rawPDF("", stream("/Type/ObjStm/N 1/First 5/Filter/FlateDecode", deflate([]byte("9 0  <</S/JavaScript/JS(1)>>")))), codeActive},
		{"locked.pdf", bytes.Replace(rawPDF("", "<</Filter/Standard/V 1/R 2>>"), []byte("/Root 1 0 R"), []byte("/Root 1 0 R/Encrypt 4 0 R"), 1), "upload.pdf_encrypted"},
		{"bomb.pdf", rawPDF("", stream("/Filter/FlateDecode", deflate(make([]byte, maxInflated+1<<20)))), codeBomb},
		{"twice.pdf", rawPDF("", stream("/Filter[/FlateDecode/FlateDecode]", deflate([]byte(deflate(make([]byte, 1<<20)))))), codeBomb},
		{"deep.pdf", rawPDF("", nested), codeBomb},
		{"deepinside.pdf", rawPDF("", stream("/Type/ObjStm/N 1/First 5/Filter/FlateDecode", deflate([]byte("9 0  "+nested)))), codeBomb},
		{"wide.pdf", rawPDF("", stream("/Type/XRef/W[1 2 1]/Size 3/DecodeParms<</Columns 999999999>>/Filter/FlateDecode", deflate([]byte("x")))), codeBomb},
	} {
		began := time.Now()
		_, err := w.Receive(context.Background(), salma, c.name, bytes.NewReader(c.b))
		if codeOf(err) != c.want {
			t.Errorf("%s (%d bytes, expecting %s): %v", c.name, len(c.b), c.want, err)
		}
		if d := time.Since(began); d > time.Second {
			t.Logf("%s took %s", c.name, d)
		}
	}
	list, err := w.OfDraft(context.Background(), "d1")
	if err != nil || len(list) == 0 {
		t.Fatalf("nothing is noted: %v", err)
	}
	for _, f := range list {
		if f.State != Quarantined || f.Openable() || f.blob != "" || len(f.sealedKey) > 0 || f.Reason == "" {
			t.Errorf("%+v", f)
		}
		if _, err := w.Open(context.Background(), f); codeOf(err) != "upload.quarantined" {
			t.Errorf("opened: %v", err)
		}
	}
	if w.blobs.count() != 0 {
		t.Errorf("%d contents of refused files were kept", w.blobs.count())
	}
}

// An ordinary file with what could be taken for something worse.
func TestFilesThatAreTaken(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, sets), nil)
	for name, b := range map[string][]byte{
		"links.pdf":  rawPDF("/OpenAction[3 0 R/Fit]", "<</S/URI/URI(https://example.org)>>"),
		"flate.pdf":  rawPDF("", stream("/Filter/FlateDecode", deflate([]byte("BT (/JS in a text) Tj ET")))),
		"broken.pdf": rawPDF("", stream("/Filter/FlateDecode", "not packed at all")),
		"grey.png":   greyPNG(t),
	} {
		w.receive(t, salma, name, b)
	}
}

func greyPNG(t *testing.T) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray16(image.Rect(0, 0, 30, 20))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withExif puts an orientation and a place into a picture.
func withExif(b []byte, orientation byte) []byte {
	exif := "Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00" + string([]byte{orientation, 0, 0, 0}) + "\x00\x00\x00\x00 GPS 34.02N 6.83W"
	segment := append([]byte{0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))...)
	return append(append(append([]byte{}, b[:2]...), append(segment, exif...)...), b[2:]...)
}

// A picture stays upright, and says no more where it was taken.
func TestPicturesKeepWhatIsSeenAlone(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, sets), nil)
	for orientation, corner := range map[byte][2]bool{ // where the red corner is: right?, below?
		1: {false, false}, 2: {true, false}, 3: {true, true}, 4: {false, true}, 5: {false, false}, 6: {true, false}, 7: {true, true}, 8: {false, true},
	} {
		f := w.receive(t, salma, "photo.jpg", withExif(goodJPEG(t, 81, 41), orientation))
		b := w.content(t, f)
		if bytes.Contains(b, []byte("GPS")) || bytes.Contains(b, []byte("Exif")) {
			t.Errorf("orientation %d: the place is still in it", orientation)
		}
		m, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		width, height := 81, 41
		if orientation >= 5 {
			width, height = height, width
		}
		if m.Bounds().Dx() != width || m.Bounds().Dy() != height {
			t.Errorf("orientation %d: %v", orientation, m.Bounds())
			continue
		}
		x, y := width/4, height/4
		if corner[0] {
			x = width - 1 - x
		}
		if corner[1] {
			y = height - 1 - y
		}
		if r, g, _, _ := m.At(x, y).RGBA(); r < 0x8000 || g > 0x6000 {
			t.Errorf("orientation %d: the corner is not at %d,%d", orientation, x, y)
		}
	}
	evil := append(goodPNG(t, 10, 10), []byte("<script>alert(1)</script>PK\x03\x04")...)
	if b := w.content(t, w.receive(t, salma, "a.png", evil)); bytes.Contains(b, []byte("script")) {
		t.Error("what hung on the picture is still there")
	}
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{
		"../../etc/passwd":                   "passwd",
		`C:\Users\x\plan.pdf`:                "plan.pdf",
		"a\u202efdp.exe":                     "afdp.exe",
		"\u2066x\u2069\u200b.pdf":            "x.pdf",
		" . .hidden ":                        "hidden",
		"a\x00b\r\nc.txt":                    "ab c.txt",
		strings.Repeat("é", 300) + ".pdf":    strings.Repeat("é", 96) + ".pdf",
		"con<>:\"|?*.txt":                    "con.txt",
		"e\u0301.pdf":                        "é.pdf",
		"":                                   "",
		"a.thisisnoending":                   "a.thisisnoending",
		strings.Repeat("x", 5000) + "/b.png": "b.png",
	} {
		if got := CleanName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for name, want := range map[string]string{"": "file.pdf", ".pdf": "file.pdf", "a": "a.pdf", "A.PDF": "A.PDF"} {
		if got, ok := fit(name, typePDF); !ok && name != ".pdf" || got != want && name != ".pdf" {
			t.Errorf("%q: %q, %v", name, got, ok)
		}
	}
}

// What is done to a sealed file is found before a byte of it is given.
func TestSealedFilesHoldTogether(t *testing.T) {
	key, other := randomKey(), randomKey()
	plain := make([]byte, 3*chunkSize+100)
	for i := range plain {
		plain[i] = byte(rand.Uint32())
	}
	sealed, err := seal(key, "id", plain)
	if err != nil {
		t.Fatal(err)
	}
	read := func(k []byte, id string, b []byte) ([]byte, error) {
		r, err := open(k, id, b)
		if err != nil {
			t.Fatal(err)
		}
		return io.ReadAll(r)
	}
	if got, err := read(key, "id", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("%v", err)
	}
	const whole = chunkSize + tagSize
	swapped := append(append(append([]byte{}, sealed[whole:2*whole]...), sealed[:whole]...), sealed[2*whole:]...)
	flipped := bytes.Clone(sealed)
	flipped[2*whole+5] ^= 1
	for name, b := range map[string][]byte{
		"cut between chunks": sealed[:2*whole], "cut in a chunk": sealed[:2*whole+50], "exchanged": swapped, "flipped": flipped,
		"nothing": nil, "without its first": sealed[whole:], "longer": append(bytes.Clone(sealed), sealed[:whole]...),
	} {
		got, err := read(key, "id", b)
		if err == nil || !bytes.HasPrefix(plain, got) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if _, err := read(other, "id", sealed); err == nil {
		t.Error("opened with another key")
	}
	if _, err := read(key, "other", sealed); err == nil {
		t.Error("opened as another file")
	}
	for _, n := range []int{0, 1, chunkSize, chunkSize + 1, 2 * chunkSize} {
		b, err := seal(randomKey(), "x", plain[:n])
		if err != nil || len(b) < n+tagSize {
			t.Errorf("%d: %v", n, err)
		}
	}
	empty, _ := seal(key, "e", nil)
	if got, err := read(key, "e", empty); err != nil || len(got) != 0 {
		t.Errorf("empty: %v", err)
	}
}

// Two files whose blobs somebody exchanged in the database open neither.
func TestExchangedBlobs(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, sets), nil)
	a, b := w.receive(t, salma, "a.txt", []byte("of a")), w.receive(t, salma, "b.txt", []byte("of b"))
	a.blob, b.blob = b.blob, a.blob
	if r, err := w.Open(context.Background(), a); err == nil {
		if got, err := io.ReadAll(r); err == nil {
			t.Errorf("read %q", got)
		}
	}
	a.sealedKey = b.sealedKey
	if _, err := w.Open(context.Background(), a); err == nil {
		t.Error("a key of another file was taken")
	}
}

func FuzzCheckPDF(f *testing.F) {
	f.Add(rawPDF("/OpenAction[3 0 R/Fit]", stream("/Filter/FlateDecode", deflate([]byte("x")))))
	f.Add(rawPDF("", stream("/Type/ObjStm/N 1/First 5/Filter/FlateDecode", deflate([]byte("9 0  <</A 1>>")))))
	f.Add([]byte("%PDF-1.4\n1 0 obj<<>>stream\nxendstream startxref 0 %%EOF"))
	f.Fuzz(func(t *testing.T, b []byte) { _ = checkPDF(b) })
}

func FuzzPicture(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00II*\x00\x08\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := lookAtJPEG(b)
		if l.scans > len(b) {
			t.Error("more scans than bytes")
		}
	})
}

func FuzzName(f *testing.F) {
	f.Add("a/b\\c\u202e.pdf")
	f.Fuzz(func(t *testing.T, s string) {
		n := CleanName(s)
		if utf8.RuneCountInString(n) > maxName || strings.ContainsAny(n, "/\\\x00") || !utf8.ValidString(n) {
			t.Errorf("%q", n)
		}
		for _, r := range n {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%q", n)
			}
		}
		if CleanName(n) != n {
			t.Errorf("%q becomes %q when cleaned again", n, CleanName(n))
		}
	})
}
