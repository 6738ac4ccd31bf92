package lexis

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of the analysis. Longer input is cut at a rune boundary, never
// refused, so that one document cannot take the memory of all.
const (
	MaxInput      = 1 << 20 // bytes of text looked at
	MaxTokens     = 1 << 17 // tokens returned
	MaxTokenRunes = 64      // runes kept of one token
)

// Script is the writing system of a token.
type Script uint8

// The scripts that are told apart.
const (
	Other Script = iota
	Arabic
	Latin
	Tifinagh
	Number
)

// Token is one word or number of a text. Text has no invisible controls;
// Start and End are the byte offsets of the word in the input.
type Token struct {
	Text       string
	Start, End int
	Script     Script
}

// cut returns s, or its head of at most n bytes that ends between runes.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Tokenize splits text in words and numbers. An apostrophe inside a Latin
// word stays, a hyphen parts words; points, dashes and slashes between
// digits stay in the number. Invalid bytes part words.
func Tokenize(s string) []Token {
	s = cut(s, MaxInput)
	out := make([]Token, 0, min(len(s)/6+1, 4096))
	for i := 0; i < len(s) && len(out) < MaxTokens; {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !isWordRune(r) || isMarkOnly(r) {
			i += n
			continue
		}
		t, end := scanToken(s, i)
		if t.Text != "" {
			out = append(out, t)
		}
		i = end
	}
	return out
}

func isWordRune(r rune) bool {
	if r < 0x80 {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	}
	if isPlainArabic(r) {
		return true
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || isMarkOnly(r))
}

// isPlainArabic tells the letters of most Arabic text without a table.
func isPlainArabic(r rune) bool { return r >= 0x621 && r <= 0x64a && r != tatweel }

// isMarkOnly reports runes that continue a word and never begin one.
func isMarkOnly(r rune) bool {
	return r >= 0x300 && !isPlainArabic(r) && (r == tatweel || r == labialMark || r == joinMark || unicode.Is(unicode.M, r))
}

// scanToken reads the token that begins at i.
func scanToken(s string, i int) (Token, int) {
	t := Token{Start: i}
	var arabic, latin, tifinagh, digits, runes int
	hidden, tooLong := false, 0
	j := i
	for j < len(s) {
		r, n := utf8.DecodeRuneInString(s[j:])
		switch {
		case r != utf8.RuneError && isWordRune(r):
			switch {
			case isArabicLetter(r):
				arabic++
			case isDigit(r):
				digits++
			case isTifinagh(r):
				tifinagh++
			case unicode.Is(unicode.Latin, r):
				latin++
			}
			runes++
		case isInvisible(r) && r != utf8.RuneError:
			hidden = true
		case isJoiner(s, i, j, n, r, arabic+latin+tifinagh > 0, digits > 0):
			runes++
		default:
			goto done
		}
		j += n
		if runes == MaxTokenRunes && tooLong == 0 {
			tooLong = j
		}
	}
done:
	t.End = j
	t.Text = s[i:j]
	if tooLong > 0 {
		t.Text = s[i:tooLong]
	}
	if hidden {
		t.Text = Clean(t.Text)
	}
	switch {
	case tifinagh > 0:
		t.Script = Tifinagh
	case arabic > 0 && arabic >= latin:
		t.Script = Arabic
	case latin > 0:
		t.Script = Latin
	case digits > 0:
		t.Script = Number
	}
	return t, j
}

// isJoiner reports an apostrophe between letters or a mark between digits.
func isJoiner(s string, start, j, n int, r rune, letters, digits bool) bool {
	if j == start || j+n >= len(s) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(s[j+n:])
	prev, _ := utf8.DecodeLastRuneInString(s[start:j])
	switch r {
	case '\'', '\u2019', '\u02bc':
		return letters && unicode.IsLetter(prev) && unicode.IsLetter(next) && !isArabicLetter(next)
	case '.', '-', '/', '\u2013', '\u066b':
		return digits && !letters && isDigit(prev) && isDigit(next)
	}
	return false
}

// numberText unifies how a number is written: Latin digits, and one mark
// between its parts, as the two languages print different ones.
func numberText(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '.', '/', '\u2013', '\u066b':
			return '-'
		}
		return normalRune(r)
	}, s)
}

// NGrams returns the runs of n runes of a word, in order, without repeats.
// A word of n runes or fewer is its own only run; n < 1 gives none.
func NGrams(word string, n int) []string {
	if n < 1 || word == "" {
		return nil
	}
	var buf [MaxTokenRunes + 1]int
	at := buf[:0]
	for i := range word {
		if len(at) == MaxTokenRunes {
			break
		}
		at = append(at, i)
	}
	end := len(word)
	if len(at) == MaxTokenRunes {
		_, w := utf8.DecodeRuneInString(word[at[len(at)-1]:])
		end = at[len(at)-1] + w
	}
	if len(at) <= n {
		return []string{word[:end]}
	}
	at = append(at, end)
	out := make([]string, 0, len(at)-n)
	for i := 0; i+n < len(at); i++ {
		g := word[at[i]:at[i+n]]
		seen := false
		for _, o := range out {
			if o == g {
				seen = true
				break
			}
		}
		if !seen {
			out = append(out, g)
		}
	}
	return out
}
