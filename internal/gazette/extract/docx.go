package extract

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"diwan/protocol/akn"
)

// Bounds of a DOCX file beside those of Options.
const (
	maxParts = 4096 // files in the archive
	maxDepth = 256  // elements inside one another
	maxTag   = 1 << 20
	maxRun   = 8 << 20 // bytes of text between two tags
)

// readDOCX gives the lines of a DOCX file: paragraphs, headings by their style,
// table rows, then the footnotes. Deleted text of tracked changes is left out.
// Numbers that the word processor makes by itself are not in the file's text.
func readDOCX(data []byte, o Options) ([]Line, error) {
	if tooManyParts(data) {
		return nil, fail(TooLarge, "more than %d files in the DOCX file", maxParts)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, &Error{Truncated, "the DOCX file is damaged or cut short", err}
	}
	if len(z.File) > maxParts {
		return nil, fail(TooLarge, "%d files in the DOCX file", len(z.File))
	}
	w := &writer{most: 2 * o.MaxText}
	for _, part := range []string{"word/document.xml", "word/footnotes.xml"} {
		for _, f := range z.File {
			if f.Name != part {
				continue
			}
			if err := readPart(f, w, o, part == "word/footnotes.xml"); err != nil {
				return nil, err
			}
			break
		}
	}
	return w.lines, nil
}

// tooManyParts counts the entries of an archive's directory before it is read:
// one of a few megabytes can list a million files.
func tooManyParts(data []byte) bool {
	return bytes.Count(data, []byte("PK\x01\x02")) > 2*maxParts // packed bytes may look like one
}

// counted reads no more than it may: what an archive says of its sizes is not
// believed.
type counted struct {
	r    io.Reader
	left int64
}

var errInflated = errors.New("inflates over the bound")

func (c *counted) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errInflated
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	return n, err
}

func readPart(f *zip.File, w *writer, o Options, notes bool) error {
	if f.Flags&1 != 0 {
		return fail(Encrypted, "the DOCX file has a password")
	}
	r, err := f.Open()
	if err != nil {
		return &Error{Truncated, "the DOCX file is damaged", err}
	}
	defer r.Close()
	// Markup is ten times the text and more: so much may be inflated.
	d := xml.NewDecoder(akn.BoundTags(&counted{r, 16 * int64(o.MaxText)}, maxTag, maxRun))
	x := docx{w: w, notes: notes}
	for {
		t, err := d.RawToken()
		switch {
		case err == io.EOF:
			w.end()
			return nil
		case errors.Is(err, errInflated) || errors.Is(err, akn.ErrTooLarge) || w.full():
			return fail(TooLarge, "the DOCX file inflates over the bound")
		case err != nil:
			return &Error{Truncated, "the DOCX file is damaged", err}
		}
		if err := x.token(t); err != nil {
			return err
		}
	}
}

// docx is where the reading of one part stands.
type docx struct {
	w                  *writer
	notes              bool
	depth, skip, table int // skip is the depth of an element that is not read
	inText             bool
}

func (x *docx) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		x.depth++
		if x.depth > maxDepth {
			return fail(TooLarge, "the DOCX file nests over %d deep", maxDepth)
		}
		if x.skip == 0 {
			x.start(t)
		}
	case xml.EndElement:
		if x.skip == 0 {
			x.end(t.Name.Local)
		}
		if x.skip == x.depth {
			x.skip = 0
		}
		x.depth--
	case xml.CharData:
		if x.inText && x.skip == 0 {
			x.w.text(strings.ReplaceAll(clean(string(t)), "\t", " "))
		}
	}
	return nil
}

func attr(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (x *docx) start(t xml.StartElement) {
	switch t.Name.Local {
	case "t":
		x.inText = true
	case "del", "moveFrom", "Fallback", "instrText", "delText":
		x.skip = x.depth
	case "tab":
		x.w.text(" ")
	case "br", "cr":
		if x.table > 0 {
			x.w.text(" ")
		} else {
			x.w.end()
		}
	case "noBreakHyphen":
		x.w.text("-")
	case "pStyle":
		if s := strings.ToLower(attr(t, "val")); x.table == 0 && (strings.HasPrefix(s, "heading") || strings.HasPrefix(s, "titre") || s == "title") {
			x.w.role = Heading
		}
	case "tbl":
		x.w.end()
		x.table++
	case "tr":
		if x.table == 1 {
			x.w.end()
			x.w.role = Row
		}
	case "footnoteReference":
		x.w.text(" (" + attr(t, "id") + ") ")
	case "footnote":
		if kind := attr(t, "type"); kind != "" && kind != "normal" {
			x.skip = x.depth // the line that parts notes from text
			return
		}
		x.w.end()
		x.w.text(attr(t, "id") + " ")
	case "p":
		if x.notes {
			x.w.role = Footnote
		}
	}
}

func (x *docx) end(name string) {
	switch name {
	case "t":
		x.inText = false
	case "p":
		switch {
		case x.table > 0:
			x.w.text(" ")
		default:
			x.w.end()
			x.w.role = ""
		}
	case "tc":
		if x.table == 1 {
			x.w.text("\t")
		}
	case "tr":
		if x.table == 1 {
			x.w.end()
		}
	case "tbl":
		x.table = max(x.table-1, 0)
		if x.table == 0 {
			x.w.end()
			x.w.role = ""
		}
	}
}
