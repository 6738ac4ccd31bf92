package upload

import (
	"bytes"
	"compress/zlib"
	"io"
	"regexp"
)

// Bounds of PDFs, checked before any reader of PDFs sees the bytes.
const (
	maxInflated = 128 << 20 // bytes that all streams but pictures unpack to
	maxNesting  = 100
	maxParam    = 2_000_000 // of sizes that a reader would reserve memory for
	maxDict     = 64 << 10  // bytes of the dictionary of a stream
	maxStreams  = 200_000
)

// checkPDF looks at the bytes of a PDF without believing its tables: what is
// hidden from one reader is found by another that repairs the file.
func checkPDF(b []byte) error {
	tail := b[max(0, len(b)-2048):]
	last := bytes.LastIndex(tail, []byte("%%EOF"))
	if last < 0 || !bytes.Contains(tail, []byte("startxref")) || len(bytes.Trim(tail[last+5:], " \r\n\t\x00")) > 0 {
		return refuse("upload.damaged")
	}
	plain, inside, err := unpack(b)
	if err != nil {
		return err
	}
	for _, text := range append(inside, plain) {
		text = unescape(text)
		if err := lookAtNames(text); err != nil {
			return err
		}
		if err := shallow(text); err != nil {
			return err
		}
	}
	return nil
}

// acting are the names by which a PDF does something, or carries what could.
var acting = map[string]bool{"JavaScript": true, "JS": true, "Launch": true, "EmbeddedFile": true, "EmbeddedFiles": true, "RichMedia": true,
	"XFA": true, "SubmitForm": true, "ImportData": true, "GoToE": true, "Rendition": true}

// sized are the names whose numbers a reader would reserve memory by.
var sized = map[string]bool{"Size": true, "Columns": true, "Colors": true, "BitsPerComponent": true, "N": true, "First": true, "Count": true}

// lookAtNames finds names that a file must not have, or must not have with such a
// value. The names of text that is shown are in streams, which are not looked at.
func lookAtNames(b []byte) error {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '/')
		if i < 0 {
			return nil
		}
		name, end := nameAt(b, at+i+1)
		at = end
		switch {
		case acting[string(name)]:
			return refuse(codeActive)
		case string(name) == "Encrypt":
			if v := after(b, end); len(v) > 0 && (v[0] == '<' || v[0] >= '0' && v[0] <= '9') {
				return refuse("upload.pdf_encrypted")
			}
		case sized[string(name)] && huge(after(b, end)):
			return refuse(codeBomb)
		}
	}
}

// nameAt returns the name that begins at a place, and where it ends.
func nameAt(b []byte, at int) (name []byte, end int) {
	end = at
	for end < len(b) && b[end] > ' ' && bytes.IndexByte([]byte("()<>[]{}/%"), b[end]) < 0 {
		end++
	}
	return b[at:end], end
}

// after returns the beginning of what follows a place, white left out.
func after(b []byte, at int) []byte { return bytes.TrimLeft(b[at:min(at+64, len(b))], " \r\n\t\f\x00") }

// huge reports whether a number would make a reader reserve memory that the file
// can't need.
func huge(b []byte) bool {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		if n = 10*n + int(c-'0'); n > maxParam {
			return true
		}
	}
	return false
}

// Marks in the dictionary of a stream. A reader takes for objects what its tables
// call so, whatever type the stream claims: all marks of such streams count.
var (
	flate    = regexp.MustCompile(`/(?:FlateDecode|Fl)\b`)
	packers  = regexp.MustCompile(`/(?:FlateDecode|Fl|LZWDecode|LZW|RunLengthDecode|RL)\b`)
	filters  = regexp.MustCompile(`/(?:Filter|F)[\s\x00]*[\[/\d]`)
	tables   = regexp.MustCompile(`/ObjStm|/XRef|/First[\s\x00]*\d|/W[\s\x00]*\[`)
	objects  = regexp.MustCompile(`/ObjStm|/First[\s\x00]*\d`)
	pictures = regexp.MustCompile(`/Subtype[\s\x00]*/Image`)
)

// unescape writes out the characters that a name may hide in "#4a".
func unescape(b []byte) []byte {
	if bytes.IndexByte(b, '#') < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '#' && i+2 < len(b) {
			if high, low := hexValue(b[i+1]), hexValue(b[i+2]); high >= 0 && low >= 0 {
				c = byte(high<<4 | low)
				i += 2
			}
		}
		out = append(out, c)
	}
	return out
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// unpack returns what stands outside streams, and what stands in streams of
// objects. All streams but pictures are unpacked once, within a bound for all of
// them together.
func unpack(b []byte) (plain []byte, inside [][]byte, err error) {
	u, from := &unpacker{budget: maxInflated}, 0
	for n := 0; ; n++ {
		if n == maxStreams {
			return nil, nil, refuse(codeBomb)
		}
		at, start := nextStream(b, from)
		if at < 0 {
			return append(plain, b[from:]...), inside, nil
		}
		plain = append(plain, b[from:at]...)
		text, end, err := u.inflate(unescape(dictBefore(b, from, at)), b[start:])
		if err != nil {
			return nil, nil, err
		}
		if text != nil {
			inside = append(inside, text)
		}
		from = start + end
		if e := bytes.Index(b[from:], []byte("endstream")); e >= 0 {
			from += e + len("endstream")
		} else {
			from = len(b)
		}
		plain = append(plain, "\nendobj\n"...) // what follows is another object
	}
}

// nextStream returns where the next keyword "stream" stands, and where the stream
// begins.
func nextStream(b []byte, from int) (at, start int) {
	for {
		i := bytes.Index(b[from:], []byte("stream"))
		if i < 0 {
			return -1, 0
		}
		at = from + i
		start = at + len("stream")
		if before := bytes.TrimRight(b[max(0, at-64):at], " \r\n\t\x00"); bytes.HasSuffix(before, []byte(">>")) {
			if start < len(b) && b[start] == '\r' {
				start++
			}
			if start < len(b) && b[start] == '\n' {
				start++
			}
			return at, start
		}
		from = start
	}
}

// dictBefore returns the text of the object whose stream begins at a place.
func dictBefore(b []byte, from, at int) []byte {
	d := b[max(from, at-maxDict):at]
	if i := bytes.LastIndex(d, []byte("endobj")); i >= 0 {
		d = d[i:]
	}
	if i := bytes.Index(d, []byte("obj")); i >= 0 {
		d = d[i:]
	}
	return d
}

// unpacker unpacks streams within one bound for all.
type unpacker struct {
	budget int64
	z      io.ReadCloser
}

func (u *unpacker) open(src io.Reader) (err error) {
	if u.z == nil {
		u.z, err = zlib.NewReader(src)
		return err
	}
	return u.z.(zlib.Resetter).Reset(src, nil)
}

// inflate unpacks a stream that a reader would unpack to understand the file, and
// returns what it holds when it holds objects.
func (u *unpacker) inflate(dict, data []byte) (text []byte, used int, err error) {
	table := tables.Match(dict)
	packed := len(packers.FindAll(dict, -1))
	switch {
	case packed > 1, table && packed == 1 && !flate.Match(dict):
		return nil, 0, refuse(codeBomb) // packed twice, or in a way that no writer uses here
	case packed == 0 && table && filters.Match(dict):
		return nil, 0, refuse(codeBomb) // objects inside a picture's packing
	case packed == 0 && objects.Match(dict):
		end := bytes.Index(data, []byte("endstream"))
		if end < 0 {
			end = len(data)
		}
		return data[:end], end, nil
	case !flate.Match(dict), pictures.Match(dict) && !table:
		return nil, 0, nil
	}
	src := bytes.NewReader(data)
	if err := u.open(src); err != nil {
		return nil, 0, nil // a stream that can't be unpacked shows nothing to anybody
	}
	var out bytes.Buffer
	var w io.Writer = io.Discard
	if objects.Match(dict) {
		w = &out
	}
	n, err := io.Copy(w, io.LimitReader(u.z, u.budget+1))
	if u.budget -= n; u.budget < 0 {
		return nil, 0, refuse(codeBomb)
	}
	used = len(data) - src.Len()
	if err != nil {
		used = 0 // look for the end of the stream from its beginning
	}
	if objects.Match(dict) {
		text = out.Bytes()
	}
	return text, used, nil
}

// shallow reports a file whose arrays and dictionaries lie deeper in one another
// than a reader that calls itself can follow.
func shallow(b []byte) error {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '(':
			if i = endOfString(b, i); i < 0 {
				return refuse("upload.damaged")
			}
		case '[', '<':
			depth++
		case ']', '>':
			depth = max(depth-1, 0)
		case '%':
			for i < len(b) && b[i] != '\n' && b[i] != '\r' {
				i++
			}
		case 'e':
			if bytes.HasPrefix(b[i:], []byte("endobj")) {
				depth = 0
			}
		}
		if depth > 2*maxNesting { // "<<" counts twice
			return refuse(codeBomb)
		}
	}
	return nil
}

// endOfString returns where a string in brackets ends, -1 when it does not.
func endOfString(b []byte, at int) int {
	open := 0
	for i := at; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return i
			}
		}
	}
	return -1
}
