package lexis

import "strings"

// arabicSound gives the consonant class of each Arabic letter; letters that
// are vowels, or that writers of Latin letters leave out, have none.
var arabicSound = map[rune]byte{
	beh: 'b', teh: 't', '\u062b': 't', '\u062c': 'j', '\u062d': 'h', '\u062e': 'x', '\u062f': 'd',
	'\u0630': 'd', '\u0631': 'r', '\u0632': 'z', seen: 's', '\u0634': 'c', '\u0635': 's', '\u0636': 'd',
	'\u0637': 't', '\u0638': 'd', '\u063a': 'G', feh: 'f', '\u0642': 'k', kaf: 'k', lam: 'l', meem: 'm',
	noon: 'n', heh: 'h', '\u067e': 'b', '\u0686': 'c', '\u0698': 'j', '\u06a4': 'f', '\u06a5': 'f',
	'\u06af': 'g', '\u06ad': 'g', '\u0763': 'g', '\u06c1': 'h',
}

// PhoneticKey returns a key of consonant sounds for a word in Arabic or
// Latin letters, so that the spellings of one Arabic or Darija word meet:
// the digits 2 3 5 6 7 8 9, kh, gh, ch and sh, doubled letters, and an
// article joined to the word are understood. Vowels, hamza and ayin count
// for nothing, qaf and kaf are one, as are the plain and the emphatic
// letters. Words with fewer than two sounds, numbers and other scripts have
// the empty key. The key is tolerant: use it to propose, not to decide.
func PhoneticKey(word string) string {
	arabic, latin := false, false
	for _, r := range word {
		switch {
		case isArabicLetter(r):
			arabic = true
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= 0xc0 && r < 0x180:
			latin = true
		}
	}
	switch {
	case arabic && !latin:
		return arabicKey(NormalizeArabic(word))
	case latin && !arabic:
		return soundKey(FoldFrench(word))
	}
	return ""
}

// arabicKey returns the key of a word in normal form.
func arabicKey(w string) string {
	for _, p := range stemPrefixes {
		if s, ok := strings.CutPrefix(w, p); ok && len(s) >= 4 {
			w = s
			break
		}
	}
	rs := make([]rune, 0, 32)
	for _, r := range w {
		rs = append(rs, r)
	}
	var buf [maxKey]byte
	out := buf[:0]
	for i, r := range rs {
		if len(out) == maxKey {
			break
		}
		switch {
		case i == 0 && r == waw:
			out = append(out, 'w')
		case i == 0 && r == yeh:
			out = append(out, 'y')
		case r == heh && i == len(rs)-1 && i > 0: // the old teh marbuta
		default:
			if c := arabicSound[r]; c != 0 {
				out = append(out, c)
			}
		}
	}
	return finishKey(out)
}

// maxKey bounds the length of a phonetic key.
const maxKey = 24

func finishKey(out []byte) string {
	if len(out) < 2 {
		return ""
	}
	return string(out)
}

// soundKey returns the key of a folded Latin word.
func soundKey(w string) string {
	w = cutLatinArticle(w)
	var buf [maxKey]byte
	out := buf[:0]
	last := byte(0) // the sound of the letter just before, 0 after a vowel
	for i := 0; i < len(w) && len(out) < maxKey; i++ {
		c, n := soundAt(w, i)
		if n > 1 {
			i += n - 1
		}
		if w[i] == 'h' && c == 'h' && i == len(w)-1 && len(out) > 0 && last == 0 {
			break // a written final breath, the teh marbuta
		}
		if c != 0 && c != last {
			if c == 'X' {
				out = append(out, 'k')
				c = 's'
			}
			if len(out) < maxKey {
				out = append(out, c)
			}
		}
		last = c
	}
	return finishKey(out)
}

// soundAt returns the sound of the letters at i and how many they are.
func soundAt(w string, i int) (byte, int) {
	c, next := w[i], byte(0)
	if i+1 < len(w) {
		next = w[i+1]
	}
	if next == 'h' {
		switch c {
		case 'k':
			return 'x', 2
		case 'g':
			return 'G', 2
		case 'c', 's':
			return 'c', 2
		case 't':
			return 't', 2
		case 'd':
			return 'd', 2
		case 'p':
			return 'f', 2
		}
	}
	switch c {
	case 'w':
		if i == 0 {
			return 'w', 1
		}
		return 0, 1
	case 'y':
		if i == 0 {
			return 'y', 1
		}
		return 0, 1
	case 'o':
		if i == 0 && next == 'u' && i+2 < len(w) && isVowel(w[i+2]) {
			return 'w', 2
		}
		return 0, 1
	case 'a', 'e', 'i', 'u', '2', '3', '\'', '-', '4':
		return 0, 1
	case '5':
		return 'x', 1
	case '6':
		return 't', 1
	case '7', '8', 'h':
		return 'h', 1
	case '9', 'q':
		if c == 'q' && next == 'u' {
			return 'k', 2
		}
		return 'k', 1
	case 'c':
		if next == 'e' || next == 'i' || next == 'y' {
			return 's', 1
		}
		return 'k', 1
	case 'v':
		return 'f', 1
	case 'p':
		return 'b', 1
	case 'x':
		if i == 0 {
			return 'x', 1
		}
		return 'X', 1
	case 'b', 'd', 'f', 'g', 'j', 'k', 'l', 'm', 'n', 'r', 's', 't', 'z':
		return c, 1
	}
	return 0, 1
}

func isVowel(c byte) bool {
	return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y'
}

// cutLatinArticle takes the Arabic article, written l, el or al, off the
// head of a Latin word. Without a hyphen it is only taken before a
// consonant, when two more consonants stay.
func cutLatinArticle(w string) string {
	for _, p := range [...]string{"l-", "el-", "al-", "l'"} {
		if s, ok := strings.CutPrefix(w, p); ok && len(s) > 1 {
			return s
		}
	}
	for _, p := range [...]string{"el", "al", "l"} {
		s, ok := strings.CutPrefix(w, p)
		if !ok || len(s) < 2 || isVowel(s[0]) && s[0] != 'y' || s[0] == 'l' {
			continue
		}
		n := 0
		for i := 0; i < len(s); i++ {
			if c, _ := soundAt(s, i); c != 0 {
				n++
			}
		}
		if n >= 2 {
			return s
		}
	}
	return w
}
