package decrees

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"diwan/lexis"
)

// span is one word of a line: its comparison key and where it stands.
type span struct {
	key        string
	start, end int
}

// isAlef reports the letter alef in its forms. Extraction swaps lam and alef,
// so keys leave every alef out: a key is the same before and after repair.
func isAlef(r rune) bool {
	switch r {
	case 0x0622, 0x0623, 0x0625, 0x0627, 0x0671:
		return true
	}
	return false
}

// keyRune folds one rune for comparison; 0 means the rune is left out.
func keyRune(r rune) rune {
	switch {
	case isAlef(r), r == 0x0640, unicode.Is(unicode.Mn, r):
		return 0
	case r == 0x0629: // final ta marbuta is often printed as ha
		return 0x0647
	case r == 0x0649: // alef maqsura and ya are confused at word ends
		return 0x064A
	case unicode.IsLetter(r):
		return unicode.ToLower(r)
	case unicode.IsDigit(r):
		return western(r)
	}
	return 0
}

// western gives the ASCII digit of a decimal digit of any script we accept.
func western(r rune) rune {
	switch {
	case r >= 0x0660 && r <= 0x0669:
		return '0' + r - 0x0660
	case r >= 0x06F0 && r <= 0x06F9:
		return '0' + r - 0x06F0
	}
	return r
}

// key folds a text for comparison: letters and digits only.
func key(s string) string {
	var b strings.Builder
	for _, r := range s {
		if k := keyRune(r); k != 0 {
			b.WriteRune(k)
		}
	}
	return b.String()
}

// spans cuts a line into words: runs of letters, and runs of digits apart from
// the letters that extraction glues to them.
func spans(s string) []span {
	var out []span
	start, class := -1, 0
	flush := func(end int) {
		if start >= 0 {
			if k := key(s[start:end]); k != "" {
				out = append(out, span{k, start, end})
			}
		}
		start = -1
	}
	for i, r := range s {
		c := 0
		switch {
		case unicode.IsDigit(r):
			c = 2
		case unicode.IsLetter(r) || unicode.Is(unicode.Mn, r) || r == 0x0640:
			c = 1
		}
		if c != class || c == 0 {
			flush(i)
			if c != 0 {
				start = i
			}
			class = c
		}
	}
	flush(len(s))
	return out
}

// keysOf gives the keys of the words of a text.
func keysOf(s string) []string {
	var out []string
	for _, w := range spans(s) {
		out = append(out, w.key)
	}
	return out
}

// hasPrefix reports whether words begins with all of prefix.
func hasPrefix(words, prefix []string) bool {
	if len(prefix) == 0 || len(words) < len(prefix) {
		return false
	}
	for i, p := range prefix {
		if words[i] != p {
			return false
		}
	}
	return true
}

// tidyRules put punctuation where a reader expects it. Extraction of a
// right-to-left line moves brackets, stops and quotes to the wrong side of the
// word they close.
var tidyRules = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`[\x{2010}-\x{2015}]`), "-"},
	{regexp.MustCompile(`\x{02CF}`), ""},
	{regexp.MustCompile(`\)\s*\(\s*([\p{L}\p{N}][^()]*)`), "($1)"},
	{regexp.MustCompile(`\(\s*\)\s*([\p{Latin}\p{N}][\p{Latin}\p{N} .-]*[\p{Latin}\p{N}])`), "($1)"},
	{regexp.MustCompile(`\)\s*%\s*(\p{Nd}+)`), "$1 %)"},
	{regexp.MustCompile(`\(\s*\.{3,}\s*`), " ... ("},
	{regexp.MustCompile(`\.{3,}`), "..."},
	{regexp.MustCompile(`"\s*-\s*`), ` - "`},
	{regexp.MustCompile(`(\x{0629})(\p{Arabic})`), "$1 $2"},
	{regexp.MustCompile(`(\p{Arabic})([\p{Latin}\p{Nd}])`), "$1 $2"},
	{regexp.MustCompile(`([\p{Latin}\p{Nd}])(\p{Arabic})`), "$1 $2"},
	{regexp.MustCompile(`(\p{Arabic})(\()`), "$1 $2"},
	{regexp.MustCompile(`(\))(\p{Arabic})`), "$1 $2"},
	{regexp.MustCompile(`\s+-|-\s+`), " - "},
	{regexp.MustCompile(`\s*/\s*`), "/"},
	{regexp.MustCompile(`\(\s+`), "("},
	{regexp.MustCompile(`\s+\)`), ")"},
	{regexp.MustCompile(`\s+([\x{060C}\x{061B}:.])`), "$1"},
	{regexp.MustCompile(`([\x{060C}\x{061B}:])([^\s\p{Nd}])`), "$1 $2"},
	{regexp.MustCompile(`:\s*-\s+`), ": "},
	{regexp.MustCompile(`\s+`), " "},
}

// repairer turns raw cell text into text to show.
type repairer struct {
	corrections map[string]string
}

// text repairs a cell: letters by lexis, then misprints of this edition, then
// punctuation. A stop at either end of a cell carries no meaning and goes.
func (r repairer) text(raw string) string {
	s := strings.TrimSpace(raw)
	for _, rule := range tidyRules {
		s = rule.re.ReplaceAllString(s, rule.to)
	}
	s = lexis.RepairArabic(s)
	for _, rule := range tidyRules {
		s = rule.re.ReplaceAllString(s, rule.to)
	}
	s = r.correct(s)
	return strings.Trim(s, " .-\u061B\u060C")
}

// correct replaces whole words and phrases that the edition misprints.
func (r repairer) correct(s string) string {
	for _, wrong := range slices.Sorted(maps.Keys(r.corrections)) {
		right := r.corrections[wrong]
		for at := 0; ; {
			n := strings.Index(s[at:], wrong)
			if n < 0 {
				break
			}
			from, to := at+n, at+n+len(wrong)
			before, _ := utf8.DecodeLastRuneInString(s[:from])
			after, _ := utf8.DecodeRuneInString(s[to:])
			if unicode.IsLetter(before) || unicode.IsLetter(after) {
				at = to
				continue
			}
			s = s[:from] + right + s[to:]
			at = from + len(right)
		}
	}
	return s
}
