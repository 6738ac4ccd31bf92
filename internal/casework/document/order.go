package document

import (
	"regexp"
	"strings"
	"unicode"
)

// parts are what is written with signs between digits: references, days, hours,
// telephone numbers. Among right-to-left letters the bidirectional algorithm (UAX 9,
// W2 and W4) takes the hyphen in "2026-123" for a sign between two numbers and draws
// "123-2026": people mean the order in which they typed it.
var parts = regexp.MustCompile(`\+?[0-9][0-9A-Za-z]*(?:[-/.:,][0-9A-Za-z]+)+`)

// ordered puts the mark of code before each of them in a text that is read from right
// to left, or stands in one that is.
func ordered(s string, rightToLeft bool) string {
	if !rightToLeft && !strings.ContainsFunc(s, isRightToLeft) {
		return s
	}
	var b strings.Builder
	at := 0
	for _, m := range parts.FindAllStringIndex(s, -1) {
		b.WriteString(s[at:m[0]])
		if before := s[:m[0]]; !endsInLatin(before) {
			b.WriteString(leftToRight)
		}
		b.WriteString(s[m[0]:m[1]])
		at = m[1]
	}
	b.WriteString(s[at:])
	return b.String()
}

// endsInLatin says that what comes before holds its order already: a mark, or a word
// in Latin letters that goes on.
func endsInLatin(s string) bool {
	if s == "" || strings.HasSuffix(s, leftToRight) {
		return s != ""
	}
	c := s[len(s)-1]
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' || c == '/' || c == '.' || c == '@' || c == '_'
}

func isRightToLeft(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko)
}
