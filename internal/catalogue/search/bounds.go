package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"diwan/lexis"
)

// Bounds on what comes from outside.
const (
	maxQueryBytes = 1600
	maxQueryRunes = 200
	maxTokens     = 24  // words of a query that are looked at
	maxTerms      = 120 // posting lists that one query reads
	maxGrams      = 32  // of them runs of letters
	maxAlts       = 12  // ways to read one word or expression
	maxLimit      = 100 // results of one page
	maxOffset     = 10000
	maxNameBytes  = 4 << 10
	maxBodyBytes  = 64 << 10
	maxKeywords   = 200
)

// clean keeps what can be searched for: no control or direction characters, and
// no more than the bound. The cost doesn't depend on what lies beyond it.
func clean(s string) string {
	s = cut(s, maxQueryBytes)
	n := 0
	s = strings.Map(func(r rune) rune {
		if n++; n > maxQueryRunes || r == utf8.RuneError {
			return -1
		}
		if unicode.IsSpace(r) {
			return ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// cut shortens a text to at most n bytes at the border of a letter.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func tokenize(s string) []lexis.Token {
	tokens := lexis.Tokenize(s)
	return tokens[:min(len(tokens), maxTokens)]
}
