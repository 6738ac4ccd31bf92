package lexis

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// NormalizeArabic brings the spellings of one Arabic word together: vowel
// signs, tatweel and invisible controls go, the forms of alef become one,
// alef maksura becomes yeh, teh marbuta heh, a hamza on waw or yeh its
// seat, presentation forms and Persian letters their plain letters, and
// digits become Latin. Other scripts pass through. It is idempotent.
func NormalizeArabic(s string) string {
	if !needsNormal(s) {
		return s
	}
	for _, r := range s {
		if r >= '\ufb50' && r <= '\ufdff' || r >= '\ufe70' && r <= '\ufeff' {
			s = norm.NFKC.String(s)
			break
		}
	}
	b := make([]byte, 0, len(s)+utf8.UTFMax)
	for _, r := range s {
		if r = normalRune(r); r >= 0 {
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b)
}

// needsNormal reports whether NormalizeArabic would change s; most of a
// text needs nothing, and then no memory is taken.
func needsNormal(s string) bool {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return true
			}
		}
		if r >= 0x80 && (normalRune(r) != r || r >= '\ufb50' && r <= '\ufdff' || r >= '\ufe70' && r <= '\ufeff') {
			return true
		}
		if r < 0x20 && normalRune(r) != r {
			return true
		}
	}
	return false
}

// plainForms holds plainForm of the characters that most texts are written in:
// it is asked for each of them.
var plainForms = func() (t [0x700]rune) {
	for r := range t {
		t[r] = plainForm(rune(r))
	}
	return t
}()

// normalRune returns the plain form of one rune, or -1 for none.
func normalRune(r rune) rune {
	if uint32(r) < uint32(len(plainForms)) {
		return plainForms[r]
	}
	return plainForm(r)
}

func plainForm(r rune) rune {
	switch r {
	case alefHamza, alefBelow, alefMadda, alefWasla, '\u0672', '\u0673', '\u0675':
		return alef
	case alefMaksura, yehHamza, '\u06cc', '\u06d2':
		return yeh
	case tehMarbuta, '\u06c0', '\u06c1', '\u06c2', '\u06c3', '\u06be', '\u06d5':
		return heh
	case wawHamza:
		return waw
	case '\u06a9', '\u06aa':
		return kaf
	case '\u066b':
		return '.'
	case tatweel:
		return -1
	}
	switch {
	case r >= '\u0660' && r <= '\u0669':
		return r - '\u0660' + '0'
	case r >= '\u06f0' && r <= '\u06f9':
		return r - '\u06f0' + '0'
	case isArabicMark(r), isInvisible(r):
		return -1
	}
	return r
}

// isInvisible reports controls that a reader cannot see and that must not
// make two equal words differ: bidi marks and overrides, joiners, byte
// order marks, soft hyphens and the C0 and C1 controls but for white space.
func isInvisible(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r' || r == '\v' || r == '\f' || r == '\u0085':
		return false
	case r < 0x20, r >= 0x7f && r < 0xa0, r == '\u00ad', r == '\u061c', r == '\ufeff':
		return true
	case r >= '\u200b' && r <= '\u200f', r >= '\u202a' && r <= '\u202e', r >= '\u2060' && r <= '\u206f':
		return true
	}
	return unicode.Is(unicode.Variation_Selector, r)
}

// Clean removes what a reader cannot see from text of any script: bidi
// overrides, joiners and controls other than white space.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return -1
		}
		return r
	}, s)
}
