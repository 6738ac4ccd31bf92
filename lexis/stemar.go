package lexis

import "strings"

// Affixes of the light stemmer, in the order they are tried. They are in
// normal form, so teh marbuta is written heh.
var (
	stemPrefixes = [...]string{"\u0648\u0627\u0644", "\u0628\u0627\u0644", "\u0643\u0627\u0644", "\u0641\u0627\u0644", "\u0644\u0644", "\u0627\u0644"}
	stemSuffixes = [...]string{"\u0647\u0627", "\u0627\u0646", "\u0627\u062a", "\u0648\u0646", "\u064a\u0646", "\u064a\u0647", "\u0647", "\u064a"}
)

// StemArabic returns the light stem of one word: normalised, without a
// leading conjunction, one article and one ending. At least two letters
// stay. It does not look for roots.
func StemArabic(word string) string { return stemNormal(NormalizeArabic(word)) }

// stemNormal stems a word that is in normal form. Its letters take two
// bytes each, so lengths are in bytes.
func stemNormal(w string) string {
	conj := false
	for _, p := range stemPrefixes {
		if strings.HasPrefix(w, p) && len(w) >= len(p)+4 {
			w, conj = w[len(p):], true
			break
		}
	}
	if !conj && len(w) > 6 && strings.HasPrefix(w, "\u0648") {
		w = w[2:]
		for _, p := range stemPrefixes[1:] {
			if strings.HasPrefix(w, p) && len(w) >= len(p)+4 {
				w = w[len(p):]
				break
			}
		}
	}
	for _, x := range stemSuffixes {
		if strings.HasSuffix(w, x) && len(w) >= len(x)+4 {
			return w[:len(w)-len(x)]
		}
	}
	return w
}

// Skeleton returns the consonants of the stem: what is left without the
// letters alef, waw and yeh, which come and go between the forms of one
// word. A stem with fewer than two other letters is returned whole.
func Skeleton(word string) string { return skeletonOf(StemArabic(word)) }

func skeletonOf(stem string) string {
	n := 0
	for _, r := range stem {
		if !isWeak(r) {
			n++
		}
	}
	if n < 2 {
		return stem
	}
	return strings.Map(func(r rune) rune {
		if isWeak(r) {
			return -1
		}
		return r
	}, stem)
}

func isWeak(r rune) bool { return r == alef || r == waw || r == yeh }
