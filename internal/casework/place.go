package casework

import (
	"strings"
	"unicode/utf8"
)

// maxPlace bounds the id of an administration or of a unit.
const maxPlace = 100

// isPlace tells what can name an administration or a unit: a word without spaces,
// for lists of them are kept apart by spaces.
func isPlace(s string) bool {
	return s != "" && len(s) <= maxPlace && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '/' || r == 0x7f || r == utf8.RuneError })
}

// splitPlace reads an administration with, after a slash, one of its units.
func splitPlace(s string) (administration, unit string) {
	administration, unit, _ = strings.Cut(s, "/")
	return administration, unit
}
