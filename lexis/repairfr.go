package lexis

import (
	"bufio"
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The rules RepairFrenchReport counts.
const (
	RuleFontCodes  Rule = "font-codes" // codes of a font turned back into letters
	RuleLigature   Rule = "ligature"   // a printed ligature written out, an accent put on its letter
	RuleTwice      Rule = "twice"      // UTF-8 that was read as another encoding
	RuleAccent     Rule = "accent"     // an accent that a word cannot be without
	RuleApostrophe Rule = "apostrophe" // an apostrophe that had become a space
)

// RepairFrench mends French text taken out of print files: letters shown as the
// codes of a font, ligatures, accents beside their letters, text decoded with
// the wrong table, and missing accents of words that exist only with them. It
// changes what is certain and leaves the rest. It never changes, adds or drops a
// digit; sound text comes back as it is; RepairFrench(RepairFrench(s)) ==
// RepairFrench(s). Text that is glyph numbers through and through, digits
// included, is left alone: only looking at the page can read it.
func RepairFrench(s string) string {
	out, _ := RepairFrenchReport(s)
	return out
}

// RepairFrenchReport is RepairFrench with the rules that were applied.
//
// Lines without a letter of the Latin script are passed over: most lines of an
// Arabic text, on which the rules would only spend time.
func RepairFrenchReport(s string) (string, []Repair) {
	if !utf8.ValidString(s) {
		return s, nil
	}
	lines := strings.SplitAfter(s, "\n")
	var at []int
	var part strings.Builder
	for i, l := range lines {
		if hasLatin(l) {
			at = append(at, i)
			part.WriteString(l)
		}
	}
	if len(at) == 0 {
		return s, nil
	}
	mended, list := repairFrench(part.String())
	if len(list) == 0 {
		return s, nil
	}
	back := strings.SplitAfter(mended, "\n")
	if len(at) == len(lines) || len(strings.SplitAfter(part.String(), "\n")) != len(back) {
		return repairFrench(s)
	}
	for k, i := range at {
		lines[i] = back[k]
	}
	return strings.Join(lines, ""), list
}

// hasLatin tells whether a line has a character that writing in the Latin
// script uses, or that a damaged encoding makes of one.
func hasLatin(l string) bool {
	for _, r := range l {
		switch {
		case r < 0x80:
			if r|0x20 >= 'a' && r|0x20 <= 'z' || r == '\\' {
				return true
			}
		case r >= 0x600 && r < 0x700, r == utf8.RuneError:
		case r < 0x600, r >= 0x1e00 && r < 0x2c00, r >= 0xe000 && r < 0xf900, r >= 0xfb00 && r < 0xfb07:
			return true
		}
	}
	return false
}

// repairFrench applies the steps to a text until nothing changes.
func repairFrench(s string) (string, []Repair) {
	steps := [...]struct {
		rule Rule
		mend func(string) (string, int)
	}{{RuleTwice, mendTwice}, {RuleLigature, mendLigatures}, {RuleFontCodes, mendFontCodes}, {RuleApostrophe, mendElisions}, {RuleAccent, mendAccents}}
	var counts [len(steps)]int
	for range repairMaxRuns { // what one step mends is evidence for another
		before := s
		for i, step := range steps {
			out, n := step.mend(s)
			if n > 0 {
				s = out
				counts[i] += n
			}
		}
		if s == before {
			break
		}
	}
	var list []Repair
	for i, n := range counts {
		if n > 0 {
			list = append(list, Repair{steps[i].rule, n})
		}
	}
	return s, list
}

// eachLine mends line by line, so that evidence in one does not touch another.
func eachLine(s string, mend func(string) (string, int)) (string, int) {
	lines := strings.SplitAfter(s, "\n")
	total := 0
	for i, l := range lines {
		out, n := mend(l)
		if n > 0 {
			lines[i] = out
			total += n
		}
	}
	return strings.Join(lines, ""), total
}

//go:embed data/french-repair.tsv
var frenchRepairData string

// frenchTables are the tables of data/french-repair.tsv: kind, from, to.
type frenchTables struct {
	codes   map[rune]rune
	twice   *strings.Replacer
	ligs    *strings.Replacer
	twices  []string
	ligList []string
	accents map[string]string
}

var frenchTable = sync.OnceValue(func() frenchTables {
	t := frenchTables{codes: map[rune]rune{}, accents: map[string]string{}}
	var twice, ligs []string
	for sc := bufio.NewScanner(strings.NewReader(frenchRepairData)); sc.Scan(); {
		f := strings.Split(sc.Text(), "\t")
		if len(f) != 3 {
			continue
		}
		from, _ := utf8.DecodeRuneInString(f[1])
		switch f[0] {
		case "code":
			to, _ := utf8.DecodeRuneInString(f[2])
			t.codes[from] = to
		case "control":
			to, _ := utf8.DecodeRuneInString(f[2])
			t.codes[rune(0x80+hexDigit(f[1]))] = to
		case "twice":
			twice = append(twice, f[1], f[2])
			t.twices = append(t.twices, f[1])
		case "ligature":
			ligs = append(ligs, f[1], f[2])
			t.ligList = append(t.ligList, f[1])
		case "accent":
			t.accents[f[1]] = f[2]
		}
	}
	t.twice, t.ligs = strings.NewReplacer(twice...), strings.NewReplacer(ligs...)
	return t
})

func hexDigit(s string) int { return strings.IndexByte("0123456789abcdef", s[0]) }

func countAll(s string, list []string) int {
	n := 0
	for _, from := range list {
		n += strings.Count(s, from)
	}
	return n
}

func mendTwice(s string) (string, int) {
	t := frenchTable()
	n := countAll(s, t.twices)
	if n == 0 {
		return s, 0
	}
	return t.twice.Replace(s), n
}

// mendLigatures writes ligatures out and joins accents to their letters.
func mendLigatures(s string) (string, int) {
	t := frenchTable()
	n := countAll(s, t.ligList)
	if n > 0 {
		s = t.ligs.Replace(s)
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x300 && r <= 0x36f }) {
		return s, n
	}
	var b strings.Builder
	rs := []rune(s)
	for i := 0; i < len(rs); i++ {
		if i+1 < len(rs) && rs[i+1] >= 0x300 && rs[i+1] <= 0x36f && unicode.Is(unicode.Latin, rs[i]) {
			if c := []rune(norm.NFC.String(string(rs[i : i+2]))); len(c) == 1 {
				b.WriteRune(c[0])
				i++
				n++
				continue
			}
		}
		b.WriteRune(rs[i])
	}
	return b.String(), n
}
