package retrieval

import (
	"strings"
	"unicode/utf8"

	"diwan/lexis"
)

// Sounds of a name: capital letters for consonants, small ones for vowels,
// which Arabic writes or leaves out. Letters that the two scripts exchange for
// one another are near, not equal.

// maxSounds bounds what is compared of a name.
const maxSounds = 20

// latinSounds writes down a folded Latin word.
func latinSounds(w string) string {
	var out []byte
	add := func(c byte) {
		if n := len(out); c != 0 && (n == 0 || out[n-1] != c) && n < maxSounds {
			out = append(out, c)
		}
	}
	for i := 0; i < len(w); i++ {
		c, next := w[i], byte(0)
		if i+1 < len(w) {
			next = w[i+1]
		}
		if next == 'h' {
			if s := map[byte]byte{'c': 'C', 's': 'C', 'k': 'X', 'g': 'G', 't': 'T', 'd': 'D', 'p': 'F', 'z': 'J'}[c]; s != 0 {
				add(s)
				i++
				continue
			}
		}
		switch c {
		case 'a':
			if next == 'u' {
				add('u')
				i++
			} else {
				add('a')
			}
		case 'e':
			if next == 'a' && strings.HasPrefix(w[i:], "eau") {
				add('u')
				i += 2
			} else {
				add('e')
			}
		case 'i', 'y':
			add('i')
		case 'o', 'u', 'w':
			add('u')
		case 'b', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'z':
			if c == 'g' && (next == 'e' || next == 'i' || next == 'y') {
				add('J')
			} else {
				add(c - 'a' + 'A')
			}
		case 'c':
			if next == 'e' || next == 'i' || next == 'y' {
				add('S')
			} else {
				add('K')
			}
		case 'q':
			add('K')
		case 'x':
			add('K')
			add('S')
		}
	}
	return string(out)
}

// arabicSounds gives the sound of each Arabic letter in normal form.
var arabicSounds = map[rune]byte{
	0x627: 'a', 0x639: 'a', 0x648: 'u', 0x64a: 'i', 0x628: 'B', 0x67e: 'P', 0x62a: 'T', 0x637: 'T', 0x62b: 'T',
	0x62c: 'J', 0x686: 'C', 0x62d: 'H', 0x647: 'H', 0x62e: 'X', 0x62f: 'D', 0x636: 'D', 0x630: 'D', 0x638: 'Z',
	0x631: 'R', 0x632: 'Z', 0x698: 'J', 0x633: 'S', 0x635: 'S', 0x634: 'C', 0x63a: 'G', 0x6af: 'G', 0x641: 'F',
	0x6a4: 'V', 0x642: 'K', 0x643: 'K', 0x644: 'L', 0x645: 'M', 0x646: 'N', 0x6ad: 'G',
}

func writeArabicSounds(w string) string {
	var out []byte
	for _, r := range w {
		if c := arabicSounds[r]; c != 0 && len(out) < maxSounds {
			out = append(out, c)
		}
	}
	return string(out)
}

// nearSounds are the consonants that one script writes for the other.
var nearSounds = func() (t [256][256]float32) {
	for i := range t {
		for j := range t[i] {
			if i != j {
				t[i][j] = 1
			}
		}
	}
	for _, p := range []struct {
		pair string
		cost float32
	}{
		{"BP", .1}, {"BV", .4}, {"FV", .1}, {"FP", .5}, {"GJ", .25}, {"GK", .35}, {"XK", .35}, {"XH", .3}, {"GX", .4}, {"CJ", .4},
		{"SZ", .25}, {"SC", .4}, {"TD", .4}, {"DZ", .5}, {"TS", .5}, {"KC", .4}, {"SK", .6}, {"JZ", .4}, {"HJ", .5},
		{"ae", .1}, {"ai", .25}, {"au", .25}, {"ei", .1}, {"eu", .25}, {"iu", .25}, {"Vu", .4}, {"Ji", .4}, {"Hu", .5},
	} {
		a, b := p.pair[0], p.pair[1]
		t[a][b], t[b][a] = p.cost, p.cost
	}
	return t
}()

// dropCost is what a sound costs that only one side has.
func dropCost(c byte) float32 {
	switch {
	case c >= 'a':
		return .22
	case c == 'H':
		return .45
	}
	return 1
}

// spokenForm is one way to say a word.
type spokenForm struct {
	sounds string
	size   int     // consonants
	weight float32 // what all its sounds are worth
}

func formOf(sounds string) spokenForm {
	f := spokenForm{sounds: sounds}
	for i := range len(sounds) {
		if sounds[i] < 'a' {
			f.size++
		}
		f.weight += min(1, dropCost(sounds[i])*1.5)
	}
	return f
}

// leastAlike is when two names may be one; below it chance decides.
const leastAlike = .72

// alike tells how much alike two names sound, from 0 to 1; 0 when they are less
// alike than leastAlike.
func alike(x, y *spokenForm) float64 {
	weight := max(x.weight, y.weight)
	allowed := weight * (1 - leastAlike)
	if d := x.size - y.size; weight == 0 || d > 2 || d < -2 {
		return 0
	}
	a, b := x.sounds, y.sounds
	var rows [2][maxSounds + 1]float32
	last, now := &rows[0], &rows[1]
	for j := range len(b) {
		last[j+1] = last[j] + dropCost(b[j])
	}
	for i := range len(a) {
		drop := dropCost(a[i])
		now[0] = last[0] + drop
		least := now[0]
		for j := range len(b) {
			now[j+1] = min(last[j]+nearSounds[a[i]][b[j]], last[j+1]+drop, now[j]+dropCost(b[j]))
			least = min(least, now[j+1])
		}
		if least > allowed {
			return 0
		}
		last, now = now, last
	}
	if last[len(b)] > allowed {
		return 0
	}
	return float64(1 - last[len(b)]/weight)
}

// nameForms are the ways to say an Arabic word, with and without what may be
// joined to its head.
func nameForms(w string) []spokenForm {
	if utf8.RuneCountInString(w) < 3 {
		return nil
	}
	out := []spokenForm{formOf(writeArabicSounds(w))}
	add := func(s string) {
		if utf8.RuneCountInString(s) >= 3 {
			out = append(out, formOf(writeArabicSounds(s)))
		}
	}
	rest := w
	switch r, n := utf8.DecodeRuneInString(w); r {
	case 0x648, 0x628, 0x644, 0x643, 0x641:
		rest = w[n:]
		add(rest)
	}
	if s, ok := strings.CutPrefix(rest, "\u0627\u0644"); ok {
		add(s)
	}
	return out
}

// spoken are the ways to say a word that may be a name: a Latin word with a
// capital letter, and any Arabic word. They are worked out once.
func (w *word) spoken() []spokenForm {
	if p := w.forms.Load(); p != nil {
		return *p
	}
	var out []spokenForm
	switch {
	case w.stop:
	case w.script == lexis.Arabic:
		out = nameForms(w.text)
	case w.script == lexis.Latin && w.name && len(w.text) >= 3:
		out = []spokenForm{formOf(latinSounds(w.text))}
	}
	w.forms.Store(&out)
	return out
}
