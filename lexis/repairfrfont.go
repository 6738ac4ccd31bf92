package lexis

import (
	"strings"
	"unicode"
)

// mendFontCodes turns letters of capital lines that are shown as codes of their
// font back. Such files print every plain letter as a capital and each letter
// outside A to W as the code of its glyph, which a line of real French cannot
// hold: small letters and signs in the middle of capitals.
func mendFontCodes(s string) (string, int) {
	sure := 0
	for w := range strings.FieldsSeq(s) {
		if fontWord(w, 2) {
			sure++
		}
	}
	if sure == 0 {
		return s, 0
	}
	// A text with many such words was set in such a font throughout.
	return eachLine(s, func(line string) (string, int) { return mendFontLine(line, sure >= 5) })
}

func mendFontLine(line string, whole bool) (string, int) {
	codes := frenchTable().codes
	words := strings.SplitAfter(line, " ")
	sure := 0
	for _, w := range words {
		if fontWord(w, 2) {
			sure++
		}
	}
	if sure == 0 && !whole || !capitalLine(words) {
		return line, 0
	}
	n := 0
	for i, w := range words {
		bare := strings.TrimRight(w, " \r\n.,;:")
		alone := bare == "g" || bare == "\\"
		if !whole && alone && i > 0 && strings.ContainsAny(words[i-1], "0123456789") && bare == "g" {
			continue // grams
		}
		signs := strings.TrimFunc(w, func(r rune) bool { return r == '\u00aa' || !unicode.IsLetter(r) && !unicode.IsDigit(r) }) == ""
		if !alone && !signs && !fontWord(w, 0) {
			continue
		}
		words[i] = strings.Map(func(r rune) rune {
			to, ok := codes[r]
			if !ok || signs && !alone && r < 0x80 {
				return r
			}
			n++
			return to
		}, w)
	}
	return strings.Join(words, ""), n
}

// fontWord says whether a word is capitals with codes among them: each of its
// small letters and odd signs is a code. With a factor the word must be evidence
// by itself: factor times its capitals are at least three times its codes.
func fontWord(w string, factor int) bool {
	codes := frenchTable().codes
	capitals, coded := 0, 0
	for _, r := range strings.TrimRight(w, " \r\n") {
		_, ok := codes[r]
		switch {
		case unicode.IsUpper(r):
			capitals++
		case ok:
			coded++
		case unicode.IsLower(r), unicode.IsDigit(r) && factor > 0:
			return false
		}
	}
	if factor == 0 {
		return coded > 0 && capitals > 0
	}
	return coded > 0 && capitals >= 3 && factor*capitals >= 3*coded
}

// capitalLine says whether no word of a line is an ordinary one in small
// letters.
func capitalLine(words []string) bool {
	codes := frenchTable().codes
	for _, w := range words {
		small, capitals := 0, 0
		for _, r := range w {
			switch {
			case unicode.IsUpper(r):
				capitals++
			case unicode.IsLower(r):
				if _, ok := codes[r]; !ok {
					return false
				}
				small++
			}
		}
		if small > 2 && small > capitals {
			return false
		}
	}
	return true
}

// cutShort are the words that lose their last letter before a vowel. Alone and in
// capitals they are nothing else.
var cutShort = map[string]bool{"D": true, "L": true, "S": true, "N": true, "QU": true, "LORSQU": true, "JUSQU": true, "PUISQU": true}

// mendElisions puts the apostrophe back that a font lost: "D ACTE". It works on
// capital lines only, where a lone letter is no abbreviation of a name.
func mendElisions(s string) (string, int) {
	return eachLine(s, func(line string) (string, int) {
		words := strings.SplitAfter(line, " ")
		long, n := 0, 0
		for _, w := range words {
			if strings.ContainsFunc(w, unicode.IsLower) {
				return line, 0
			}
			if len(w) > 4 {
				long++
			}
		}
		if long < 3 {
			return line, 0
		}
		for i, w := range words[:len(words)-1] {
			if cutShort[strings.TrimSuffix(w, " ")] && startsWithVowel(words[i+1]) {
				words[i] = strings.TrimSuffix(w, " ") + "\u2019"
				n++
			}
		}
		return strings.Join(words, ""), n
	})
}

// startsWithVowel says whether a word of at least three letters calls for an
// elision before it.
func startsWithVowel(w string) bool {
	f := FoldFrench(strings.TrimRight(w, " \r\n.,;:"))
	return len(f) >= 2 && strings.IndexByte("aeiouyh", f[0]) >= 0
}

// mendAccents gives words the accents without which they don't exist. Words in
// capitals are left: capitals may go without.
func mendAccents(s string) (string, int) {
	table := frenchTable().accents
	n := 0
	var b strings.Builder
	last := 0
	flush := func(from, to int) {
		w := s[from:to]
		low := strings.ToLower(w)
		fixed, ok := table[low]
		if !ok || len(w) > 1 && unicode.IsUpper(rune(w[1])) {
			return
		}
		if w[0] != low[0] {
			r := []rune(fixed)
			r[0] = unicode.ToUpper(r[0])
			fixed = string(r)
		}
		b.WriteString(s[last:from])
		b.WriteString(fixed)
		last = to
		n++
	}
	start := -1
	for i, r := range s {
		letter := unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '@' || r == '/' || unicode.Is(unicode.Mn, r)
		switch {
		case letter && start < 0:
			start = i
		case !letter && start >= 0:
			if r != '.' || !followedByLetter(s[i+1:]) { // part of an address
				flush(start, i)
			}
			start = -1
		}
	}
	if start >= 0 {
		flush(start, len(s))
	}
	if n == 0 {
		return s, 0
	}
	b.WriteString(s[last:])
	return b.String(), n
}

func followedByLetter(s string) bool {
	for _, r := range s {
		return unicode.IsLetter(r)
	}
	return false
}
