package lexis

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// dates puts brackets back around a date and the years in their places:
// the print files carry "day( hijriYear month )year" and "( day month )year".
// Only what stands around a bracket is looked at.
func (c *counts) dates(s string) string {
	x := loadRepair()
	var b strings.Builder
	done := 0
	for at := strings.IndexByte(s, '('); at >= 0; {
		head := runeStart(s, max(done, at-maxBeforeDate))
		before := []rune(s[head:at])
		rs := append(before, []rune(s[at:runeStart(s, min(len(s), at+maxDate))])...)
		out := append(make([]rune, 0, len(before)+64), before...)
		next := at + 1
		if n, ok := x.date(rs, len(before), &out); ok {
			c.brackets++
			b.WriteString(s[done:head])
			b.WriteString(string(out))
			next = head + len(string(rs[:n]))
			done = next
		}
		i := strings.IndexByte(s[next:], '(')
		if i < 0 {
			break
		}
		at = next + i
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// runeStart returns the first place at or after i where a character begins.
func runeStart(s string, i int) int {
	for i < len(s) && !utf8.RuneStart(s[i]) {
		i++
	}
	return i
}

// How many bytes before and behind a bracket can belong to its date.
const (
	maxBeforeDate = 16
	maxDate       = 160
)

// date tries to read a displaced date or number whose bracket is at i. When
// it succeeds it writes the right form to out and returns where to go on.
func (x *repairLexicon) date(rs []rune, i int, out *[]rune) (int, bool) {
	j := skipSpaces(rs, i+1)
	first, j2 := digitsAt(rs, j)
	if len(first) == 0 || len(first) > 4 || j == i+1 && len(first) > 2 {
		return i, false
	}
	gap := skipSpaces(rs, j2)
	word, k := lettersAt(rs, gap)
	if len(word) == 0 {
		return i, false
	}
	if x.unit[string(word)] && j > i+1 && gap == j2 && len(first) <= 3 {
		return x.unitNumber(rs, i, first, word, k, out)
	}
	if !x.month[string(word)] {
		return i, false
	}
	k = skipSpaces(rs, k)
	var mark []rune
	if k < len(rs) && isPause(rs[k]) {
		mark = rs[k : k+1]
		k = skipSpaces(rs, k+1)
	}
	if k >= len(rs) || rs[k] != ')' && rs[k] != '(' {
		return i, false
	}
	year, k2 := digitsAt(rs, k+1)
	if len(year) != 4 {
		return i, false
	}
	line := []rune{' '}
	if gap > j2 {
		line = rs[j2:gap]
	}
	// A line ends where it ended: places on the page are known by line.
	breaks := countBreaks(rs[i:k2]) - countBreaks(line)
	o := *out
	switch len(first) {
	case 4: // the day stands before the bracket, the Hijri year behind it
		n := len(o)
		for n > 0 && isDigit(o[n-1]) {
			n--
		}
		day := append([]rune(nil), o[n:]...)
		if len(day) == 0 || len(day) > 2 || n > 0 && (o[n-1] == '.' || o[n-1] == '/' || o[n-1] == '-') {
			return i, false
		}
		o = append(append(o[:n], first...), ' ', '(')
		o = append(o, day...)
	case 1, 2:
		o = append(append(o, '('), first...)
	default:
		return i, false
	}
	o = append(append(append(o, line...), word...), ' ')
	o = append(append(append(o, year...), ')'), mark...)
	switch {
	case breaks > 0:
		for range breaks {
			o = append(o, '\n')
		}
		if k2 < len(rs) && rs[k2] == ' ' {
			k2++
		}
	case k2 < len(rs) && isArabicLetter(rs[k2]):
		o = append(o, ' ')
	}
	*out = o
	return k2, true
}

func countBreaks(rs []rune) int {
	n := 0
	for _, r := range rs {
		if r == '\n' {
			n++
		}
	}
	return n
}

// unitNumber writes "number (part of an article" for "( number part".
func (x *repairLexicon) unitNumber(rs []rune, i int, first, word []rune, k int, out *[]rune) (int, bool) {
	o := *out
	if n := len(o); n > 0 && !unicode.IsSpace(o[n-1]) {
		o = append(o, ' ')
	}
	o = append(append(o, first...), ' ', '(')
	*out = append(o, word...)
	return k, true
}

func skipSpaces(rs []rune, i int) int {
	for i < len(rs) && unicode.IsSpace(rs[i]) {
		i++
	}
	return i
}

func digitsAt(rs []rune, i int) ([]rune, int) {
	j := i
	for j < len(rs) && isDigit(rs[j]) {
		j++
	}
	return rs[i:j:j], j
}

func lettersAt(rs []rune, i int) ([]rune, int) {
	j := i
	for j < len(rs) && isArabicLetter(rs[j]) {
		j++
	}
	return rs[i:j:j], j
}

// isPause reports a mark that closes a phrase.
func isPause(r rune) bool {
	return r == '.' || r == arabicComma || r == arabicSemicolon || r == ':'
}

// turned rights a closing bracket that was printed as an opening one, and a
// pair of which both are turned.
func (c *counts) turned(s string) string {
	if !strings.ContainsAny(s, "()") {
		return s
	}
	out := []byte(s)
	open, lone := -1, -1
	for i := 0; i < len(s); i++ {
		r := s[i]
		if r != '(' && r != ')' && r != '\n' {
			continue
		}
		before, after := around(s, i)
		closes := r == '(' && isArabicLetter(before) && (after == 0 || unicode.IsSpace(after) || isPause(after))
		switch {
		case r == '\n' && before == '\n':
			open, lone = -1, -1
		case closes && open >= 0:
			out[i] = ')'
			c.brackets++
			open = -1
		case closes && lone >= 0:
			out[i], out[lone] = ')', '('
			c.brackets++
			lone = -1
		case r == '(':
			open = i
		case r == ')' && open >= 0:
			open = -1
		case r == ')' && isArabicLetter(after) && (before == 0 || unicode.IsSpace(before)):
			lone = i
		}
	}
	return string(out)
}

// around returns the characters before and after the byte at i, 0 at the ends.
func around(s string, i int) (before, after rune) {
	if i > 0 {
		before, _ = utf8.DecodeLastRuneInString(s[:i])
	}
	if i+1 < len(s) {
		after, _ = utf8.DecodeRuneInString(s[i+1:])
	}
	return before, after
}

// spaces parts numbers from Arabic words and moves a comma, stop or dash
// that was printed before its number or word to the other side.
func (c *counts) spaces(s string) string {
	out := make([]byte, 0, len(s)+16)
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && !maySpace(s, j) {
			j++
		}
		out = append(out, s[i:j]...)
		if i = j; i == len(s) {
			break
		}
		if n, ok := c.pause(s, i, &out); ok {
			i = n
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if isDigit(r) && isArabicLetter(lastOf(out)) && !joinedLetter(out) {
			out = append(out, ' ')
			c.glued++
		}
		out = append(out, s[i:i+size]...)
		i += size
		if isDigit(r) && i < len(s) && letterAt(s, i) && !loneHeh(s, i) {
			out = append(out, ' ')
			c.glued++
		}
	}
	return string(out)
}

// maySpace reports whether a digit or a mark that may be displaced begins at i.
func maySpace(s string, i int) bool {
	switch b := s[i]; {
	case b < 0x80:
		return b >= '0' && b <= '9' || b == '.' || b == ':' || b == '-'
	case b == 0xd8 || b == 0xd9 || b == 0xdb:
		r, _ := utf8.DecodeRuneInString(s[i:])
		return isDigit(r) || isPause(r)
	}
	return false
}

func lastOf(out []byte) rune {
	if len(out) == 0 {
		return 0
	}
	r, _ := utf8.DecodeLastRune(out)
	return r
}

// beforeLast returns the character before the last one, a byte long.
func beforeLast(out []byte) rune { return lastOf(out[:max(0, len(out)-1)]) }

// joinedLetter reports a single letter at the end of out: a conjunction or
// preposition, which is written together with a number by rule.
func joinedLetter(out []byte) bool {
	r, size := utf8.DecodeLastRune(out)
	switch r {
	case waw, feh, beh, lam, kaf, tatweel:
		return !isArabicLetter(lastOf(out[:len(out)-size])) || r == tatweel
	}
	return false
}

// loneHeh reports the mark of the Hijri era, which stays with its year.
func loneHeh(s string, i int) bool {
	return strings.HasPrefix(s[i:], string(heh)) && (i+2 == len(s) || !letterAt(s, i+2))
}

// pause moves one displaced mark; the space before it and none behind it
// tell that it was displaced.
func (c *counts) pause(s string, i int, out *[]byte) (int, bool) {
	r, size := utf8.DecodeRuneInString(s[i:])
	if !isPause(r) && r != '-' || i+size >= len(s) {
		return i, false
	}
	o := *out
	atStart := len(o) == 0 || o[len(o)-1] == '\n'
	if !atStart && o[len(o)-1] != ' ' {
		return i, false
	}
	after := i + size
	next, _ := utf8.DecodeRuneInString(s[after:])
	before := rune(0)
	if !atStart {
		before = beforeLast(o)
	}
	switch {
	case next == '\n' && r != '-' && r != ':' && isArabicLetter(before):
		*out = append(o[:len(o)-1], s[i:after]...)
		c.commas++
		return after, true
	case isDigit(next) && r != ':':
		return c.pauseNumber(s, i, after, atStart, out)
	case isArabicLetter(next) && r != '-' && (isArabicLetter(before) || isDigit(before) || before == ')'):
		*out = append(append(o[:len(o)-1], s[i:after]...), ' ')
		c.commas++
		return after, true
	}
	return i, false
}

// pauseNumber moves the mark at i behind the number that begins at after.
func (c *counts) pauseNumber(s string, i, after int, atStart bool, out *[]byte) (int, bool) {
	j := numberEnd(s, after)
	follows := rune('\n')
	if j < len(s) {
		follows, _ = utf8.DecodeRuneInString(s[j:])
	}
	letter := isArabicLetter(follows)
	if !letter && (s[i] == '-' || follows != '\n' && follows != ' ') {
		return i, false
	}
	if s[i] == '.' && !letter && follows == ' ' && atStart {
		return i, false
	}
	o := append(append(*out, s[after:j]...), s[i:after]...)
	if letter {
		o = append(o, ' ')
	}
	*out = o
	c.commas++
	return j, true
}

// numberEnd returns the end of a number with its inner points and dashes.
func numberEnd(s string, i int) int {
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		if isDigit(r) {
			i += size
			continue
		}
		if i+1 < len(s) && strings.IndexByte("./-,", s[i]) >= 0 {
			if next, _ := utf8.DecodeRuneInString(s[i+1:]); isDigit(next) {
				i++
				continue
			}
		}
		break
	}
	return i
}
