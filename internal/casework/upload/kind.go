package upload

import (
	"bytes"
	"context"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"diwan/internal/problem"
)

// The types that are taken.
const (
	typePDF  = "application/pdf"
	typeJPEG = "image/jpeg"
	typePNG  = "image/png"
	typeText = "text/plain; charset=utf-8"
)

// Accept is what a file input of a page offers to choose.
const Accept = ".pdf,.jpg,.jpeg,.png,.txt"

// refuse returns a problem with a file that its sender can mend.
func refuse(code string, args ...string) *problem.Error {
	return problem.New(problem.Invalid, code, args...)
}

// magic are the beginnings of files that are known and not taken, with what to do.
var magic = []struct {
	at   int
	mark string
	code string
}{
	{0, "II*\x00", "upload.type_picture"},
	{0, "MM\x00*", "upload.type_picture"},
	{0, "GIF8", "upload.type_picture"},
	{0, "BM", "upload.type_picture"},
	{8, "WEBP", "upload.type_picture"},
	{4, "ftyphei", "upload.type_picture"},
	{4, "ftypmif1", "upload.type_picture"},
	{4, "ftypavif", "upload.type_picture"},
	{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "upload.type_office"},
	{0, "{\\rtf", "upload.type_office"},
	{0, "Rar!", "upload.type_archive"},
	{0, "7z\xbc\xaf", "upload.type_archive"},
	{0, "\x1f\x8b", "upload.type_archive"},
}

// typeOf tells a type by the content.
func typeOf(b []byte) (string, *problem.Error) {
	switch {
	case len(b) == 0:
		return "", refuse("upload.empty")
	case bytes.HasPrefix(b, []byte("%PDF-")):
		return typePDF, nil
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return typeJPEG, nil
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return typePNG, nil
	case bytes.HasPrefix(b, []byte("PK\x03\x04")), bytes.HasPrefix(b, []byte("PK\x05\x06")):
		head := b[:min(len(b), 4096)]
		if bytes.Contains(head, []byte("[Content_Types].xml")) || bytes.Contains(head, []byte("application/vnd.oasis")) || bytes.Contains(head, []byte("word/")) {
			return "", refuse("upload.type_office")
		}
		return "", refuse("upload.type_archive")
	}
	for _, m := range magic {
		if len(b) >= m.at && bytes.HasPrefix(b[m.at:], []byte(m.mark)) {
			return "", refuse(m.code)
		}
	}
	if isText(b) {
		return typeText, nil
	}
	return "", refuse("upload.type_unknown")
}

// isText reports whether a file is words and nothing that a browser or a machine
// would run.
func isText(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' || c == 0x7f {
			return false
		}
	}
	start := strings.ToLower(string(bytes.TrimLeft(bytes.TrimPrefix(b[:min(len(b), 1024)], []byte("\ufeff")), " \t\r\n\f")))
	for _, mark := range []string{"<", "#!", "%!ps"} {
		if strings.HasPrefix(start, mark) {
			return false
		}
	}
	return true
}

// examine checks a file and returns its type, its name and the content that is
// kept.
func (s *Store) examine(ctx context.Context, name string, b []byte) (mediaType, fitting string, kept []byte, err error) {
	mediaType, refused := typeOf(b)
	if refused != nil {
		return "", "", nil, refused
	}
	fitting, ok := fit(name, mediaType)
	if !ok {
		return "", "", nil, refuse("upload.mislabelled", "name", fitting, "ending", path.Ext(fitting))
	}
	release, err := s.work.take(ctx)
	if err != nil {
		return "", "", nil, err
	}
	defer release()
	switch mediaType {
	case typeJPEG:
		kept, err = redrawJPEG(b)
	case typePNG:
		kept, err = redrawPNG(b)
	case typePDF:
		kept, err = b, s.Inspector(ctx, b)
	default:
		kept = b
	}
	if err == nil && len(kept) > MaxFile {
		err = refuse("upload.too_large", "max", strconv.Itoa(MaxFile>>20))
	}
	return mediaType, fitting, kept, err
}

// aside reports whether a problem puts a file aside, so that somebody can ask who
// sent it: the file could have acted on those who open it.
func aside(err error) bool {
	switch problem.From(err).Code {
	case codeActive, codeBomb, codeInfected:
		return true
	}
	return false
}

// Codes of problems for which a file is put aside.
const (
	codeActive   = "upload.pdf_active"
	codeBomb     = "upload.bomb"
	codeInfected = "upload.infected"
)
