package lexis

import (
	"strings"
	"unicode/utf8"
)

// Rule names one kind of repair.
type Rule string

// The rules RepairReport counts.
const (
	RuleLamAlef   Rule = "lam-alef"  // an alef and a lam put back in order
	RuleLamMeem   Rule = "lam-meem"  // a lam and a meem put back in order
	RuleStrayHeh  Rule = "stray-heh" // a heh printed for a space removed
	RuleGlued     Rule = "glued"     // a space put between number and word
	RuleBrackets  Rule = "brackets"  // a pair of brackets turned and put around its text
	RuleCommas    Rule = "commas"    // a space before a comma moved behind it
	repairMaxRuns      = 6           // rounds until nothing changes
)

// Repair is how often one rule changed the text.
type Repair struct {
	Rule  Rule
	Count int
}

// RepairArabic mends Arabic text taken out of print files: lam and alef in
// the wrong order, numbers glued to words, displaced brackets and commas,
// and hehs that stand for spaces. It never changes, adds or drops a digit.
// Digits inside one number keep their order. Sound text comes back as it
// is, and RepairArabic(RepairArabic(s)) == RepairArabic(s). Lines end where
// they ended, so that what stands on line n still does. The result is
// for reading and search; keep the bytes you were given beside it.
func RepairArabic(s string) string {
	out, _ := RepairReport(s)
	return out
}

// RepairReport is RepairArabic with the rules that were applied.
func RepairReport(s string) (string, []Repair) {
	if !hasArabic(s) || !utf8.ValidString(s) {
		return s, nil
	}
	var c counts
	for range repairMaxRuns {
		n := c.once(s)
		if n == s {
			break
		}
		s = n
	}
	return s, c.list()
}

// counts gathers applied rules in a fixed order.
type counts struct{ lamAlef, lamMeem, strayHeh, glued, brackets, commas int }

func (c *counts) list() []Repair {
	var out []Repair
	for _, r := range [...]Repair{{RuleLamAlef, c.lamAlef}, {RuleLamMeem, c.lamMeem}, {RuleStrayHeh, c.strayHeh}, {RuleGlued, c.glued}, {RuleBrackets, c.brackets}, {RuleCommas, c.commas}} {
		if r.Count > 0 {
			out = append(out, r)
		}
	}
	return out
}

func (c *counts) once(s string) string {
	s = c.meem(s)
	s = c.heh(s)
	s = c.words(s)
	s = c.dates(s)
	s = c.turned(s)
	return c.spaces(s)
}

func hasArabic(s string) bool {
	start, end := nextWord(s, 0)
	return start < end
}

// weigh looks at the whole text: impossible sequences prove damage, right
// pairs without any prove that somebody wrote or mended it. A right pair
// before a lam proves nothing, for damage makes it too.
func weigh(s string) evidence {
	var b, c rune // the two runes before r
	bad, good := 0, 0
	for _, r := range s {
		switch {
		case r == lam && isAlef(c) && b == alef:
			bad++
		case isAlef(c) && b == lam && r != lam:
			good++
		}
		b, c = c, r
	}
	if isAlef(c) && b == lam {
		good++
	}
	switch {
	case bad > 0 && bad*2 >= good:
		return damaged
	case good > 0 && bad*20 < good:
		return clean
	}
	return unknown
}

// words repairs every run of Arabic letters, with its neighbours in view.
func (c *counts) words(s string) string {
	x := loadRepair()
	ev := weigh(s)
	var b strings.Builder
	b.Grow(len(s))
	prev := ""
	for i := 0; i < len(s); {
		start, end := nextWord(s, i)
		b.WriteString(s[i:start])
		if start == end {
			break
		}
		w := s[start:end]
		if strings.Contains(s[i:start], "\n\n") {
			prev = "" // an empty line ends a sentence
		}
		fixed := w
		if strings.Contains(w, "\u0644") {
			fixed = x.fixed.get(w, uint8(ev), func() string { return x.fixAlone(w, ev) })
			if fixed == "" {
				ns, ne := nextWord(s, end)
				fixed = x.fixWord(w, prev, s[ns:ne], ev)
			}
		}
		if fixed != w {
			c.lamAlef++
		}
		b.WriteString(fixed)
		prev = fixed
		i = end
	}
	return b.String()
}

// nextWord returns the bounds of the next run of Arabic letters at or after
// i; both are len(s) when there is none. The letters of the block are two bytes
// each, so the bytes tell them without decoding.
func nextWord(s string, i int) (start, end int) {
	for i < len(s) && !letterAt(s, i) {
		i++
	}
	start = i
	for i < len(s) && letterAt(s, i) {
		i += 2
	}
	return start, i
}

// letterAt reports an Arabic letter whose first byte is at i.
func letterAt(s string, i int) bool {
	b := s[i]
	return b >= 0xd8 && b <= 0xdb && i+1 < len(s) && isArabicLetter(rune(b&0x1f)<<6|rune(s[i+1]&0x3f))
}
