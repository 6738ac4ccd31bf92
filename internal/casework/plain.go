package casework

import (
	"strings"
	"unicode/utf8"

	"diwan/internal/casework/form"
	"diwan/internal/gov"
)

// Bounds of the short texts of a case, in bytes.
const (
	maxField = 200
	maxName  = 300
)

// plain tells whether fields that name something are short and hold nothing that a
// database or a page would stumble over.
func plain(fields ...string) bool {
	for _, f := range fields {
		if len(f) > maxField || !utf8.ValidString(f) || strings.ContainsFunc(f, func(r rune) bool { return r < ' ' }) {
			return false
		}
	}
	return true
}

// cleanNames returns names without what would turn the page around them, and
// whether they are of a length that names have.
func cleanNames(t gov.Text) (gov.Text, bool) {
	if t == nil || len(t) > 20 {
		return t, t == nil
	}
	out := make(gov.Text, len(t))
	for l, name := range t {
		if len(name) > maxName || len(l) > 10 {
			return nil, false
		}
		out[l] = form.Clean(name, false)
	}
	return out, true
}
