package form

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Code points that arrange text and are harmless: the joiners of Arabic and
// Persian writing and the marks that only give a direction to what is beside
// them.
const (
	zwnj, zwj      = '\u200c', '\u200d'
	lrm, rlm, alm  = '\u200e', '\u200f', '\u061c'
	lri, rli, fsi  = '\u2066', '\u2067', '\u2068'
	popIsolate     = '\u2069'
	maxMarks       = 6 // combining marks on one letter; Arabic and Tifinagh need fewer
	arabicDecimal  = '\u066b'
	arabicThousand = '\u066c'
)

// Clean returns a text as it is kept: in normal form C, without control
// characters, without what turns the text around it (overrides, embeddings, and
// isolates that are not closed), without invisible characters and without towers
// of marks. Runs of blanks become one space; lines stay only where lines is set.
// What Clean returned, Clean leaves as it is.
func Clean(s string, lines bool) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(s)
	if ascii := plainASCII(s); ascii && !strings.ContainsAny(s, "\n\t") && !strings.Contains(s, "  ") {
		return strings.TrimSpace(s)
	}
	s = norm.NFC.String(harmless(s, balanced(s)))
	s = norm.NFC.String(fewMarks(s))
	if !lines {
		return strings.Join(strings.Fields(s), " ")
	}
	ls := strings.Split(s, "\n")
	for i, l := range ls {
		ls[i] = strings.Join(strings.Fields(l), " ")
	}
	s = strings.Join(ls, "\n")
	for strings.Contains(s, "\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n", "\n\n")
	}
	return strings.TrimSpace(s)
}

func plainASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != '\n' && s[i] != '\t' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// harmless drops what must not stand in an answer; isolates go too, unless every
// one of them is closed.
func harmless(s string, isolates bool) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\n', zwnj, zwj, lrm, rlm, alm:
			return r
		case '\t':
			return ' '
		case lri, rli, fsi, popIsolate:
			if isolates {
				return r
			}
			return -1
		}
		if unicode.IsSpace(r) {
			return ' '
		}
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
}

// balanced reports whether every isolate is closed in its own line and none is
// closed that was not opened.
func balanced(s string) bool {
	open := 0
	for _, r := range s {
		switch r {
		case lri, rli, fsi:
			open++
		case popIsolate:
			open--
		case '\n':
			if open != 0 {
				return false
			}
		}
		if open < 0 || open > 8 {
			return false
		}
	}
	return open == 0
}

// fewMarks drops combining marks beyond what a script needs: towers of them
// would cover the lines above.
func fewMarks(s string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		if !unicode.Is(unicode.M, r) {
			n = 0
			return r
		}
		if n++; n > maxMarks {
			return -1
		}
		return r
	}, s)
}

// latinDigits writes Arabic-Indic digits, both series, as Latin ones, and drops
// the marks of direction that a keyboard puts around numbers.
func latinDigits(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '\u0660' && r <= '\u0669':
			return '0' + r - '\u0660'
		case r >= '\u06f0' && r <= '\u06f9':
			return '0' + r - '\u06f0'
		case r == lrm || r == rlm || r == alm || r == lri || r == rli || r == fsi || r == popIsolate:
			return -1
		case r == '\u2212':
			return '-'
		}
		return r
	}, s)
}
