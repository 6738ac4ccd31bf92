package pdf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"unicode/utf16"
)

// writeFonts embeds what was used and returns the entries for the resources of
// pages.
func (d *Doc) writeFonts(f *file) (string, error) {
	var entries strings.Builder
	for _, t := range d.faceList {
		if len(t.list) == 1 {
			continue
		}
		n, err := t.write(f)
		if err != nil {
			return "", fmt.Errorf("embedding %s: %w", t.name, err)
		}
		fmt.Fprintf(&entries, "/%s %d 0 R ", t.tag, n)
	}
	return entries.String(), nil
}

func (t *typeface) write(f *file) (int, error) {
	want := make([]int, 0, len(t.list))
	for _, k := range t.list[1:] {
		if k.gid != noInk {
			want = append(want, int(k.gid))
		}
	}
	slices.Sort(want)
	data, place, empty, err := subset(t.raw, slices.Compact(want))
	if err != nil {
		return 0, err
	}
	name := subsetTag(data) + "+" + t.name
	tables, err := sfntTables(t.raw)
	if err != nil {
		return 0, err
	}
	scale := 1000 / float64(t.units)
	box := make([]string, 4)
	for i := range box {
		box[i] = num(float64(int16(be16(tables["head"], 36+2*i))) * scale)
	}
	program := f.stream(fmt.Sprintf("/Length1 %d", len(data)), data, true)
	descriptor := f.add(fmt.Sprintf("<</Type /FontDescriptor /FontName /%s /Flags 4 /FontBBox [%s] /ItalicAngle %d /Ascent %s /Descent %s /CapHeight %s /StemV 80 /FontFile2 %d 0 R>>",
		name, strings.Join(box, " "), t.slant(), num(float64(t.ascent)*scale), num(float64(t.descent)*scale), num(714), program))
	places := make([]byte, 2*len(t.list))
	var widths strings.Builder
	for cid, k := range t.list {
		at := empty
		if k.gid != noInk {
			at = place[int(k.gid)]
		}
		binary.BigEndian.PutUint16(places[2*cid:], uint16(at))
		fmt.Fprintf(&widths, "%s ", num(math.Round(t.advance(k.gid))))
	}
	toGlyph := f.stream("", places, true)
	child := f.add(fmt.Sprintf("<</Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDSystemInfo <</Registry (Adobe) /Ordering (Identity) /Supplement 0>> /FontDescriptor %d 0 R /DW 1000 /W [0 [%s]] /CIDToGIDMap %d 0 R>>",
		name, descriptor, widths.String(), toGlyph))
	toText := f.stream("", t.toUnicode(), true)
	return f.add(fmt.Sprintf("<</Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [%d 0 R] /ToUnicode %d 0 R>>", name, child, toText)), nil
}

func (t *typeface) slant() int {
	if strings.HasSuffix(t.name, "Italic") {
		return -12
	}
	return 0
}

// subsetTag makes the six letters that tell one subset of a font from another.
func subsetTag(data []byte) string {
	h := fnv.New64a()
	_, _ = h.Write(data) // never fails
	v := h.Sum64()
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + byte(v%26)
		v /= 26
	}
	return string(tag)
}

// toUnicode maps every CID to the text it stands for.
func (t *typeface) toUnicode() []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	var lines []string
	for cid, k := range t.list {
		if k.text == "" {
			continue
		}
		var hex strings.Builder
		for _, u := range utf16.Encode([]rune(k.text)) {
			fmt.Fprintf(&hex, "%04X", u)
		}
		lines = append(lines, fmt.Sprintf("<%04X> <%s>\n", cid, hex.String()))
	}
	for part := range slices.Chunk(lines, 100) { // no more in one block (Adobe TN 5014)
		fmt.Fprintf(&b, "%d beginbfchar\n%sendbfchar\n", len(part), strings.Join(part, ""))
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}
