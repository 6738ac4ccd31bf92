package extract

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// decode turns bytes into text: by their mark, as UTF-8, or as one of the two
// encodings of old Windows files in the country's languages.
func decode(data []byte, o Options) (string, error) {
	var e encoding.Encoding
	switch {
	case isUTF16(data):
		e = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case isUTF8(data):
		return clean(strings.TrimPrefix(string(data), "\ufeff")), nil
	case mostlyHighPairs(data):
		e = charmap.Windows1256
	default:
		e = charmap.Windows1252
	}
	out, err := e.NewDecoder().Bytes(data)
	if err != nil {
		return "", &Error{WrongType, "the encoding of the text is not known", err}
	}
	if len(out) > 2*o.MaxText {
		return "", fail(TooLarge, "%d bytes of text", len(out))
	}
	return clean(string(out)), nil
}

// mostlyHighPairs says whether bytes above ASCII come in runs, as the letters of
// an Arabic word do, and not one by one, as accents in a French word do.
func mostlyHighPairs(data []byte) bool {
	alone, together := 0, 0
	for i, c := range data {
		if c < 0x80 {
			continue
		}
		if i > 0 && data[i-1] >= 0x80 || i+1 < len(data) && data[i+1] >= 0x80 {
			together++
		} else {
			alone++
		}
	}
	return together > alone
}

// readText gives the lines of a plain text. Where empty lines stand between two
// others one is kept: it tells a title from what comes before. Form feeds end
// lines.
func readText(data []byte, o Options) ([]Line, error) {
	if len(data) > o.MaxText {
		return nil, fail(TooLarge, "%d bytes of text", len(data))
	}
	s, err := decode(data, o)
	if err != nil {
		return nil, err
	}
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\f", "\n").Replace(s)
	var out []Line
	blank := false
	for l := range strings.SplitSeq(s, "\n") {
		l = strings.TrimRight(l, " \t")
		if strings.TrimSpace(l) == "" {
			blank = true
			continue
		}
		if len(out) >= o.MaxPages*o.LinesOnPage {
			return nil, fail(TooManyPages, "more than %d lines", len(out))
		}
		if blank && len(out) > 0 {
			out = append(out, Line{Confidence: 1, Role: Body})
		}
		out, blank = append(out, Line{Text: l, Confidence: 1, Role: Body}), false
	}
	return out, nil
}
