package lexis

import (
	"strings"
	"unicode/utf8"
)

// Unsure is the language of a guess that nothing supports.
const Unsure = "und"

// detectBytes bounds the text a guess looks at.
const detectBytes = 8 << 10

// Guess is what DetectLang makes of a text.
type Guess struct {
	Lang       string  // "ar", "fr", "en", "zgh" or Unsure
	Darija     bool    // Moroccan everyday Arabic, in either script
	Arabizi    bool    // Arabic in Latin letters
	Confidence float64 // 0 to 1; a rank, not a probability
}

// DetectLang guesses the language of a text: by script first, then by
// words that belong to one language. Short Latin text without such words is
// Unsure; ask the reader, or answer in every official language.
func DetectLang(s string) Guess {
	tokens := Tokenize(cut(s, detectBytes))
	var letters [5]int
	for _, t := range tokens {
		letters[t.Script] += utf8.RuneCountInString(t.Text)
	}
	total := letters[Arabic] + letters[Latin] + letters[Tifinagh]
	if total == 0 {
		return Guess{Lang: Unsure}
	}
	switch {
	case letters[Tifinagh] >= letters[Arabic] && letters[Tifinagh] >= letters[Latin]:
		return Guess{Lang: "zgh", Confidence: share(letters[Tifinagh], total)}
	case letters[Arabic] >= letters[Latin]:
		g := Guess{Lang: "ar", Confidence: share(letters[Arabic], total)}
		g.Darija = arabicDarija(tokens)
		return g
	}
	g := guessLatin(tokens)
	g.Confidence *= share(letters[Latin], total)
	return g
}

func share(part, total int) float64 { return float64(part) / float64(total) }

// arabicDarija looks for words that standard Arabic does not have.
func arabicDarija(tokens []Token) bool {
	x := loadDarija()
	score, words := 0.0, 0
	for _, t := range tokens {
		if t.Script != Arabic {
			continue
		}
		words++
		w := NormalizeArabic(t.Text)
		m, ok := x.marker[w]
		if !ok { // function words never have the article
			m = x.marker[cutArabicArticle(w)]
			if m > 0.5 {
				m = 0
			}
		}
		score += m
	}
	return score >= 0.5 && score*12 >= float64(words)
}

// guessLatin weighs French, English, Tamazight and Arabizi words.
func guessLatin(tokens []Token) Guess {
	x, stop := loadDarija(), stopWords()
	var fr, en, az, tz, words float64
	for _, t := range tokens {
		if t.Script != Latin {
			continue
		}
		words++
		w := FoldFrench(t.Text)
		cutw := CutElision(w)
		switch {
		case stop["fr"][w] && stop["en"][w]:
			fr, en = fr+0.4, en+0.4
		case stop["fr"][w], cutw != w:
			fr++
		case stop["en"][w]:
			en++
		case stop["zgh-latin"][w]:
			tz++
		case IsArabizi(t.Text):
			az += 1.2
		default:
			key := FoldArabizi(w)
			m, ok := x.marker[key]
			if !ok {
				m = x.marker[cutLatinArticle(key)]
			}
			az += m
			f, e := shape(t.Text, w)
			fr, en = fr+f, en+e
		}
	}
	best := max(fr, en, az, tz)
	if best < 0.4 {
		return Guess{Lang: Unsure}
	}
	conf := best / (fr + en + az + tz + 0.25) * min(1, 0.5+best/words)
	switch best {
	case az:
		return Guess{Lang: "ar", Darija: true, Arabizi: true, Confidence: conf}
	case tz:
		return Guess{Lang: "zgh", Confidence: conf}
	case fr:
		if fr-en < 0.2 {
			return Guess{Lang: Unsure, Confidence: conf / 2}
		}
		return Guess{Lang: "fr", Confidence: conf}
	}
	return Guess{Lang: "en", Confidence: conf}
}

// shape weighs what the letters of one word tell: accents are French here,
// and some endings belong to one language.
func shape(raw, folded string) (fr, en float64) {
	for _, r := range raw {
		if r >= 0xe0 && r <= 0xff || r == '\u0153' {
			return 0.7, 0
		}
	}
	for _, e := range [...]string{"eur", "eaux", "aire", "oire", "elle", "isme", "ique", "eux", "euse", "iere", "ette", "isse"} {
		if len(folded) > len(e)+2 && strings.HasSuffix(folded, e) {
			return 0.4, 0
		}
	}
	for _, e := range [...]string{"ing", "ship", "ness", "ght", "ful", "ly", "th", "ck"} {
		if len(folded) > len(e)+2 && strings.HasSuffix(folded, e) {
			return 0, 0.4
		}
	}
	return 0, 0
}

// IsArabizi reports whether a text has a Latin word in which a digit stands
// for an Arabic letter, as in the words for contract, right and paper.
// Ordinals, hours and product names are not taken for one.
func IsArabizi(s string) bool {
	start := -1
	s = cut(s, detectBytes)
	for i := 0; i <= len(s); i++ {
		if i < len(s) && (isASCIIAlnum(s[i]) || s[i] == '\'' && start >= 0) {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 && arabiziWord(s[start:i]) {
			return true
		}
		start = -1
	}
	return false
}

func isASCIIAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// arabiziWord looks at one word of ASCII letters and digits.
func arabiziWord(w string) bool {
	letters, digits, upper := 0, 0, 0
	for i := 0; i < len(w); i++ {
		c := w[i]
		switch {
		case c >= '0' && c <= '9':
			if !strings.ContainsRune("2356789", rune(c)) || i > 0 && w[i-1] >= '0' && w[i-1] <= '9' {
				return false
			}
			digits++
		case c >= 'A' && c <= 'Z':
			upper++
			letters++
		case c != '\'':
			letters++
		}
	}
	if digits == 0 || letters < 2 || digits > letters || upper > 1 {
		return false
	}
	tail := strings.ToLower(strings.TrimLeft(w, "0123456789"))
	if w[0] >= '0' && w[0] <= '9' {
		switch tail {
		case "eme", "emes", "er", "re", "nd", "nde", "rd", "th", "st", "km", "kg", "cm", "mm", "ans", "go", "mo", "ko", "gb", "mb", "min", "dh", "mad", "am", "pm", "ha", "ml", "kw", "kva", "bis", "ter":
			return false
		}
	}
	if c := w[len(w)-1]; c >= '0' && c <= '9' && c != '7' && c != '9' && c != '3' && c != '2' && c != '5' {
		return false
	}
	return true
}
