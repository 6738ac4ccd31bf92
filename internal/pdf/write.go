package pdf

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// file gathers the objects of a PDF file.
type file struct {
	buf     bytes.Buffer
	offsets []int // by object number less one; 0 is not written yet
}

func (f *file) reserve() int {
	f.offsets = append(f.offsets, 0)
	return len(f.offsets)
}

func (f *file) object(n int, body string) {
	f.offsets[n-1] = f.buf.Len()
	fmt.Fprintf(&f.buf, "%d 0 obj\n%s\nendobj\n", n, body)
}

func (f *file) add(body string) int {
	n := f.reserve()
	f.object(n, body)
	return n
}

// stream adds a stream; dict is what its dictionary holds beside the length.
// Data that is packed already comes with its filter in dict.
func (f *file) stream(dict string, data []byte, pack bool) int {
	if pack {
		var z bytes.Buffer
		w := zlib.NewWriter(&z)
		_, _ = w.Write(data) // into memory
		_ = w.Close()
		data = z.Bytes()
		dict += " /Filter /FlateDecode"
	}
	n := f.reserve()
	f.offsets[n-1] = f.buf.Len()
	fmt.Fprintf(&f.buf, "%d 0 obj\n<<%s /Length %d>>\nstream\n", n, dict, len(data))
	f.buf.Write(data)
	f.buf.WriteString("\nendstream\nendobj\n")
	return n
}

// WriteTo lays out what waits and writes the whole document. Call it once, at
// the end.
func (d *Doc) WriteTo(w io.Writer) (int64, error) {
	d.flush()
	if len(d.sheets) == 0 {
		d.newSheet()
	}
	for i, s := range d.sheets {
		if s.whole {
			continue
		}
		info := PageInfo{Number: i + 1, Total: len(d.sheets)}
		if d.head != nil {
			d.running(s, d.head(info), true)
		}
		if d.foot != nil {
			d.running(s, d.foot(info), false)
		}
	}
	f := &file{}
	f.buf.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	catalog, info, err := d.body(f)
	if err != nil {
		return 0, err
	}
	f.finish(catalog, info)
	return f.buf.WriteTo(w)
}

func (d *Doc) body(f *file) (catalog, info int, err error) {
	fonts, err := d.writeFonts(f)
	if err != nil {
		return 0, 0, err
	}
	d.writePictures(f)
	tree := f.reserve()
	pages := make([]int, len(d.sheets))
	for i, s := range d.sheets {
		content := f.stream("", s.body.Bytes(), true)
		var x strings.Builder
		for _, p := range s.picturesOf() {
			fmt.Fprintf(&x, "/%s %d 0 R ", p.tag, p.object)
		}
		pages[i] = f.add(fmt.Sprintf("<</Type /Page /Parent %d 0 R /MediaBox [0 0 %s %s] /Contents %d 0 R /Resources <</Font <<%s>> /XObject <<%s>>>>>>",
			tree, num(s.width), num(s.height), content, fonts, x.String()))
	}
	var kids strings.Builder
	for _, p := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", p)
	}
	f.object(tree, fmt.Sprintf("<</Type /Pages /Count %d /Kids [%s]>>", len(pages), kids.String()))
	icc := f.stream("/N 3", srgb(), true)
	intent := f.add(fmt.Sprintf("<</Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) /Info (sRGB IEC61966-2.1) /DestOutputProfile %d 0 R>>", icc))
	xmp := f.stream("/Type /Metadata /Subtype /XML", d.xmp(), false)
	outlines := d.writeOutline(f, pages)
	direction := "L2R"
	if rtl(d.meta.Lang) {
		direction = "R2L"
	}
	catalog = f.add(fmt.Sprintf("<</Type /Catalog /Pages %d 0 R /Metadata %d 0 R /OutputIntents [%d 0 R] /Lang %s /ViewerPreferences <</DisplayDocTitle true /Direction /%s>>%s>>",
		tree, xmp, intent, textString(d.meta.Lang), direction, outlines))
	return catalog, f.add(d.info()), nil
}

func (f *file) finish(catalog, info int) {
	start := f.buf.Len()
	sum := sha256.Sum256(f.buf.Bytes())
	id := strings.ToUpper(hex.EncodeToString(sum[:16]))
	fmt.Fprintf(&f.buf, "xref\n0 %d\n0000000000 65535 f \n", len(f.offsets)+1)
	for _, at := range f.offsets {
		fmt.Fprintf(&f.buf, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&f.buf, "trailer\n<</Size %d /Root %d 0 R /Info %d 0 R /ID [<%s> <%s>]>>\nstartxref\n%d\n%%%%EOF\n", len(f.offsets)+1, catalog, info, id, id, start)
}

func (d *Doc) writePictures(f *file) {
	for _, p := range d.images {
		space := "/DeviceRGB"
		if p.gray {
			space = "/DeviceGray"
		}
		dict := fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace %s", p.width, p.height, space)
		if p.filter == "DCTDecode" {
			p.object = f.stream(dict+" /Filter /DCTDecode", p.data, false)
		} else {
			p.object = f.stream(dict, p.data, true)
		}
	}
}

// writeOutline writes the bookmarks and returns their entry of the catalog.
func (d *Doc) writeOutline(f *file, pages []int) string {
	if len(d.outline) == 0 {
		return ""
	}
	type node struct {
		bookmark
		object, parent          int
		first, last, prev, next int
		children                int
	}
	root := node{object: f.reserve()}
	nodes := []*node{&root}
	stack := []int{0} // from the root down to the last entry
	for _, b := range d.outline {
		for len(stack) > 1 && nodes[stack[len(stack)-1]].level >= b.level {
			stack = stack[:len(stack)-1]
		}
		up := nodes[stack[len(stack)-1]]
		n := &node{bookmark: b, object: f.reserve(), parent: up.object, prev: up.last}
		if up.first == 0 {
			up.first = n.object
		}
		for _, other := range nodes {
			if other.object == up.last {
				other.next = n.object
			}
		}
		up.last = n.object
		up.children++
		nodes = append(nodes, n)
		stack = append(stack, len(nodes)-1)
	}
	for i, n := range nodes {
		if i == 0 {
			f.object(n.object, fmt.Sprintf("<</Type /Outlines /First %d 0 R /Last %d 0 R /Count %d>>", n.first, n.last, n.children))
			continue
		}
		var links strings.Builder
		for _, l := range []struct {
			key    string
			object int
		}{{"Prev", n.prev}, {"Next", n.next}, {"First", n.first}, {"Last", n.last}} {
			if l.object != 0 {
				fmt.Fprintf(&links, " /%s %d 0 R", l.key, l.object)
			}
		}
		if n.children > 0 {
			fmt.Fprintf(&links, " /Count -%d", n.children)
		}
		f.object(n.object, fmt.Sprintf("<</Title %s /Parent %d 0 R /Dest [%d 0 R /XYZ null %s null]%s>>", textString(n.title), n.parent, pages[n.sheet], num(d.size.Height-n.y+4), links.String()))
	}
	return fmt.Sprintf(" /Outlines %d 0 R /PageMode /UseOutlines", root.object)
}
