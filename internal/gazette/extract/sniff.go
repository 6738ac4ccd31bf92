package extract

import (
	"archive/zip"
	"bytes"
	"unicode/utf8"
)

// signatures are first bytes that settle what a file is.
var signatures = []struct{ start, kind string }{
	{"\x89PNG\r\n\x1a\n", "png"}, {"\xff\xd8\xff", "jpeg"}, {"II*\x00", "tiff"}, {"MM\x00*", "tiff"},
}

// sniff tells what a file is by its bytes.
func sniff(data []byte) (string, error) {
	if len(bytes.TrimSpace(data[:min(len(data), 64<<10)])) == 0 {
		return "", fail(Empty, "the file is empty")
	}
	head := data[:min(len(data), 1024)]
	for _, s := range signatures {
		if bytes.HasPrefix(data, []byte(s.start)) {
			return s.kind, nil
		}
	}
	switch {
	case bytes.Contains(head, []byte("%PDF-")):
		return "pdf", nil
	case bytes.HasPrefix(data, []byte("RIFF")) && len(data) > 12 && string(data[8:12]) == "WEBP":
		return "webp", nil
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("PK\x05\x06")):
		return sniffZip(data)
	case bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		if bytes.Contains(data, utf16LE("EncryptedPackage")) {
			return "", fail(Encrypted, "an Office file with a password")
		}
		return "", fail(WrongType, "an old Office file; save it as DOCX or PDF")
	}
	return sniffText(data)
}

func sniffZip(data []byte) (string, error) {
	if tooManyParts(data) {
		return "", fail(TooLarge, "more than %d files in the archive", maxParts)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", &Error{Truncated, "the archive is damaged or cut short", err}
	}
	for _, f := range z.File {
		if f.Name == "word/document.xml" {
			return "docx", nil
		}
	}
	return "", fail(WrongType, "an archive that is not a DOCX file")
}

// sniffText tells apart what is made of characters.
func sniffText(data []byte) (string, error) {
	head := bytes.TrimLeft(bytes.TrimPrefix(data[:min(len(data), 4096)], []byte("\xef\xbb\xbf")), " \t\r\n")
	if !isUTF16(data) {
		controls := 0
		for _, c := range head {
			if c == 0 {
				return "", fail(WrongType, "neither text nor a known format")
			}
			if c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' {
				controls++
			}
		}
		if controls*20 > len(head) {
			return "", fail(WrongType, "neither text nor a known format")
		}
	}
	low := bytes.ToLower(head)
	switch {
	case bytes.HasPrefix(low, []byte("<")) && bytes.Contains(low, []byte("<akomantoso")):
		return "akn", nil
	case bytes.HasPrefix(low, []byte("<!doctype html")), bytes.HasPrefix(low, []byte("<html")), bytes.HasPrefix(low, []byte("<")) && (bytes.Contains(low, []byte("<html")) || bytes.Contains(low, []byte("<body")) || bytes.Contains(low, []byte("<p>")) || bytes.Contains(low, []byte("<div"))):
		return "html", nil
	case bytes.HasPrefix(low, []byte("<?xml")):
		return "", fail(WrongType, "XML that is not Akoma Ntoso")
	case bytes.HasPrefix(low, []byte("{\\rtf")):
		return "", fail(WrongType, "an RTF file; save it as DOCX or PDF")
	}
	return "text", nil
}

func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))
}

func utf16LE(s string) []byte {
	var out []byte
	for _, r := range s {
		out = append(out, byte(r), 0)
	}
	return out
}

// isUTF8 lets a file pass whose few bad bytes come from damage.
func isUTF8(data []byte) bool {
	if utf8.Valid(data) {
		return true
	}
	good, bad := 0, 0
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good++
		}
		data = data[n:]
	}
	return good > 20*bad
}
