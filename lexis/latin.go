package lexis

import (
	"strings"
	"unicode"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/french"
	"golang.org/x/text/unicode/norm"
)

// foldTable holds the plain letters of U+00C0..U+017F; 0 where a letter has
// none or more than one.
var foldTable = makeFoldTable()

func makeFoldTable() [0x180 - 0xc0]byte {
	var t [0x180 - 0xc0]byte
	for r := rune(0xc0); r < 0x180; r++ {
		d := []rune(norm.NFD.String(string(r)))
		if c := unicode.ToLower(d[0]); c < 0x80 && c >= 'a' && c <= 'z' {
			t[r-0xc0] = byte(c)
		}
	}
	t['\u00d8'-0xc0], t['\u00f8'-0xc0] = 'o', 'o'
	t['\u0131'-0xc0] = 'i'
	t['\u0110'-0xc0], t['\u0111'-0xc0] = 'd', 'd'
	t['\u0141'-0xc0], t['\u0142'-0xc0] = 'l', 'l'
	return t
}

// FoldFrench returns s in lower case without accents, with the ligatures
// written out and one kind of apostrophe. Other scripts pass through; what
// cannot be seen is removed. It serves English and Latin Tamazight too.
func FoldFrench(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 0x7f || c >= 'A' && c <= 'Z' || c < 0x20 {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		foldRune(&b, r)
	}
	return b.String()
}

func foldRune(b *strings.Builder, r rune) {
	switch {
	case r < 0x80:
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		if !isInvisible(r) {
			b.WriteByte(byte(r))
		}
	case r == '\u0152' || r == '\u0153':
		b.WriteString("oe")
	case r == '\u00c6' || r == '\u00e6':
		b.WriteString("ae")
	case r == '\u00df':
		b.WriteString("ss")
	case r >= 0xc0 && r < 0x180:
		if c := foldTable[r-0xc0]; c != 0 {
			b.WriteByte(c)
			return
		}
		b.WriteRune(unicode.ToLower(r))
	case r == '\u2019' || r == '\u2018' || r == '\u02bc' || r == '\u00b4':
		b.WriteByte('\'')
	case isInvisible(r) || r >= 0x300 && r < 0x370:
	case r >= 0x1e00 && r < 0x1f00:
		for _, d := range norm.NFD.String(string(r)) {
			if d < 0x300 || d >= 0x370 {
				b.WriteRune(unicode.ToLower(d))
			}
		}
	case r == '\u212a':
		b.WriteByte('k')
	default:
		b.WriteRune(unicode.ToLower(r))
	}
}

// elided are the words that lose their vowel before another one.
var elided = [...]string{"jusqu", "lorsqu", "puisqu", "quoiqu", "qu", "l", "d", "j", "m", "t", "s", "n", "c"}

// CutElision returns a folded French word without an elided word before
// it. Words with an apostrophe of their own, such as aujourd'hui, stay
// whole.
func CutElision(folded string) string {
	i := strings.IndexByte(folded, '\'')
	if i < 0 || i+1 >= len(folded) {
		return strings.TrimSuffix(folded, "'")
	}
	head := folded[:i]
	for _, e := range elided {
		if head == e {
			return CutElision(folded[i+1:])
		}
	}
	return folded
}

// StemFrench returns the Snowball stem of one French word. The word is
// folded first, so that it has one stem with and without its accents; the
// feminine of participles is brought to the masculine before, because the
// stemmer knows it by its accent only.
func StemFrench(word string) string { return stemFolded(CutElision(FoldFrench(word))) }

func stemFolded(w string) string {
	if len(w) > 4 {
		if s, ok := strings.CutSuffix(w, "ees"); ok {
			w = s + "e"
		} else if s, ok := strings.CutSuffix(w, "ee"); ok {
			w = s + "e"
		}
	}
	env := snowballstem.NewEnv(w)
	french.Stem(env)
	return env.Current()
}

// StemEnglish folds one English word and takes a plural ending off.
func StemEnglish(word string) string {
	w := strings.TrimSuffix(FoldFrench(word), "'s")
	n := len(w)
	switch {
	case n > 4 && strings.HasSuffix(w, "ies"):
		return w[:n-3] + "y"
	case n > 4 && (strings.HasSuffix(w, "sses") || strings.HasSuffix(w, "shes") || strings.HasSuffix(w, "ches") || strings.HasSuffix(w, "xes")):
		return w[:n-2]
	case n > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us") && !strings.HasSuffix(w, "is"):
		return w[:n-1]
	}
	return w
}
