package lexis

import "strings"

// Bounds of the Tifinagh block.
const (
	tifinaghFirst = '\u2d30'
	tifinaghLast  = '\u2d7f'
	labialMark    = '\u2d6f' // labialisation
	joinMark      = '\u2d7f' // consonant joiner
)

// tifinaghPlain maps the regional letters to those of the official
// alphabet; 0 keeps the letter.
var tifinaghPlain = map[rune]rune{
	'\u2d32': '\u2d31', '\u2d34': '\u2d33', '\u2d35': '\u2d4a', '\u2d36': '\u2d33', '\u2d38': '\u2d37',
	'\u2d3a': '\u2d39', '\u2d3e': '\u2d3d', '\u2d3f': '\u2d3d', '\u2d41': '\u2d40', '\u2d42': '\u2d40',
	'\u2d46': '\u2d45', '\u2d48': '\u2d47', '\u2d4b': '\u2d4a', '\u2d4c': '\u2d4a', '\u2d50': '\u2d4f',
	'\u2d51': '\u2d4f', '\u2d57': '\u2d56', '\u2d58': '\u2d56', '\u2d5d': '\u2d5c', '\u2d64': '\u2d63',
	'\u2d66': '\u2d3b', '\u2d67': '\u2d53',
}

// tifinaghLatin is the folded Latin spelling of each letter. The neutral
// vowel and the ayin, which writers leave out, have none; w and y are
// written as the vowels that stand for them in French spelling.
var tifinaghLatin = [tifinaghLast - tifinaghFirst + 1]string{
	0x00: "a", 0x01: "b", 0x03: "g", 0x07: "d", 0x09: "d", 0x0c: "f", 0x0d: "k", 0x10: "h",
	0x13: "h", 0x15: "kh", 0x17: "q", 0x19: "i", 0x1a: "j", 0x1d: "l", 0x1e: "m", 0x1f: "n",
	0x22: "p", 0x23: "u", 0x24: "r", 0x25: "r", 0x26: "gh", 0x29: "s", 0x2a: "s", 0x2b: "ch",
	0x2c: "t", 0x2e: "ch", 0x2f: "t", 0x30: "v", 0x31: "u", 0x32: "i", 0x33: "z", 0x35: "z",
}

// isTifinagh reports a rune of the Tifinagh block.
func isTifinagh(r rune) bool { return r >= tifinaghFirst && r <= tifinaghLast }

// NormalizeTifinagh brings regional letters to the official alphabet and
// drops the labialisation mark, the consonant joiner and what cannot be
// seen. Other scripts pass through.
func NormalizeTifinagh(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == labialMark || r == joinMark || isInvisible(r):
			return -1
		case isTifinagh(r):
			if p := tifinaghPlain[r]; p != 0 {
				return p
			}
		}
		return r
	}, s)
}

// TamazightKey returns the key under which a Tamazight word is found in
// Tifinagh and in the Latin spellings in use: accents and dots off, the
// neutral vowel and ayin left out, doubled letters written once, ou and w
// as u, y as i, x as kh, c and sh as ch. A word of another script has the
// empty key.
func TamazightKey(word string) string {
	var b strings.Builder
	for _, r := range word {
		if isTifinagh(r) {
			if p := tifinaghPlain[r]; p != 0 {
				r = p
			}
			b.WriteString(tifinaghLatin[r-tifinaghFirst])
		} else if r == '\u025b' || r == '\u03b5' || r == '\u0190' || r == '\u0395' {
			continue
		} else if r == '\u0263' || r == '\u03b3' || r == '\u0194' || r == '\u0393' {
			b.WriteString("gh")
		} else {
			foldRune(&b, r)
		}
	}
	return latinKey(b.String())
}

// latinKey folds the Latin spellings of one word.
func latinKey(s string) string {
	out := make([]byte, 0, len(s)+4)
	put := func(t string) {
		if strings.HasSuffix(string(out), t) {
			return // a doubled letter
		}
		out = append(out, t...)
	}
	for i := 0; i < len(s); i++ {
		c, next := s[i], byte(0)
		if i+1 < len(s) {
			next = s[i+1]
		}
		switch {
		case (c == 'k' || c == 'g' || c == 'c' || c == 's') && next == 'h':
			if c == 's' {
				c = 'c'
			}
			put(string([]byte{c, 'h'}))
			i++
		case c == 'o' && next == 'u':
			put("u")
			i++
		case c == 'x' || c == '5':
			put("kh")
		case c == 'c':
			put("ch")
		case c == 'w' || c == 'o':
			put("u")
		case c == 'y':
			put("i")
		case c == '7':
			put("h")
		case c == '9':
			put("q")
		case c == 'e' || c == '3' || c == '2' || c == '\'' || c == '-':
		case c >= 'a' && c <= 'z':
			put(string(rune(c)))
		case c >= 0x80:
			return ""
		}
	}
	return string(out)
}
