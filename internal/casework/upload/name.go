package upload

import (
	"path"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxName is the length of a name, in characters.
const maxName = 100

// CleanName returns a file's name as it may be shown and kept: no folders, nothing
// that turns text around or hides in it, of bounded length with its ending kept.
func CleanName(s string) string {
	if len(s) > 4096 {
		s = s[len(s)-4096:]
	}
	s = strings.ToValidUTF8(s, "")
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs), strings.ContainsRune(`:*?"<>|`, r):
			return -1
		}
		return r
	}, s)
	s = strings.Trim(strings.Join(strings.Fields(norm.NFC.String(s)), " "), ". ")
	base, ending := []rune(strings.TrimSuffix(s, path.Ext(s))), []rune(path.Ext(s))
	if len(ending) > 10 {
		base, ending = append(base, ending...), nil
	}
	if room := maxName - len(ending); len(base) > room {
		base = base[:room]
	}
	return strings.TrimSpace(string(base)) + string(ending)
}

// endings are those that files of a type may have; the first is given to a file
// without one.
var endings = map[string][]string{
	typePDF:  {".pdf"},
	typeJPEG: {".jpg", ".jpeg", ".jpe", ".jfif"},
	typePNG:  {".png"},
	typeText: {".txt", ".text"},
}

// fit returns the name of a file of a type, and whether its ending says so too.
func fit(name, mediaType string) (string, bool) {
	name = CleanName(name)
	ending := strings.ToLower(path.Ext(name))
	if ending == "" || ending == "." || strings.ContainsRune(ending, ' ') {
		if name == "" {
			name = "file"
		}
		return name + endings[mediaType][0], true
	}
	for _, e := range endings[mediaType] {
		if ending == e {
			if name == ending {
				name = "file" + ending
			}
			return name, true
		}
	}
	return name, false
}
