package lexis

import (
	"strings"
	"unicode"
)

// dates puts brackets back around a date and the years in their places:
// the print files carry "day( hijriYear month )year" and "( day month )year".
func (c *counts) dates(s string) string {
	if !strings.ContainsRune(s, '(') {
		return s
	}
	x := loadRepair()
	rs := []rune(s)
	out := make([]rune, 0, len(rs)+8)
	for i := 0; i < len(rs); {
		if rs[i] == '(' {
			if n, ok := x.date(rs, i, &out); ok {
				c.brackets++
				i = n
				continue
			}
		}
		out = append(out, rs[i])
		i++
	}
	return string(out)
}

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
	if k2 < len(rs) && isArabicLetter(rs[k2]) {
		o = append(o, ' ')
	}
	*out = o
	return k2, true
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
	rs := []rune(s)
	open := -1
	lone := -1
	for i, r := range rs {
		before, after := around(rs, i)
		switch {
		case r == '\n' && i > 0 && rs[i-1] == '\n':
			open, lone = -1, -1
		case r == '(' && open >= 0 && isArabicLetter(before) && (after == 0 || unicode.IsSpace(after) || isPause(after)):
			rs[i] = ')'
			c.brackets++
			open = -1
		case r == '(' && lone >= 0 && open < 0 && isArabicLetter(before) && (after == 0 || unicode.IsSpace(after) || isPause(after)):
			rs[i], rs[lone] = ')', '('
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
	return string(rs)
}

func around(rs []rune, i int) (before, after rune) {
	if i > 0 {
		before = rs[i-1]
	}
	if i+1 < len(rs) {
		after = rs[i+1]
	}
	return before, after
}

// spaces parts numbers from Arabic words and moves a comma, stop or dash
// that was printed before its number or word to the other side.
func (c *counts) spaces(s string) string {
	rs := []rune(s)
	out := make([]rune, 0, len(rs)+16)
	for i := 0; i < len(rs); {
		r := rs[i]
		var last rune
		if len(out) > 0 {
			last = out[len(out)-1]
		}
		if n, ok := c.pause(rs, i, &out); ok {
			i = n
			continue
		}
		if isDigit(r) && isArabicLetter(last) && !joinedLetter(out) || isArabicLetter(r) && isDigit(last) {
			if !(r == heh && loneHeh(rs, i)) {
				out = append(out, ' ')
				c.glued++
			}
		}
		out = append(out, r)
		i++
	}
	return string(out)
}

// joinedLetter reports a single letter at the end of out: a conjunction or
// preposition, which is written together with a number by rule.
func joinedLetter(out []rune) bool {
	n := len(out)
	switch out[n-1] {
	case waw, feh, beh, lam, kaf, tatweel:
		return n == 1 || !isArabicLetter(out[n-2])
	}
	return out[n-1] == tatweel
}

// loneHeh reports the mark of the Hijri era, which stays with its year.
func loneHeh(rs []rune, i int) bool {
	return i+1 == len(rs) || !isArabicLetter(rs[i+1])
}

// pause moves one displaced mark; the space before it and none behind it
// tell that it was displaced.
func (c *counts) pause(rs []rune, i int, out *[]rune) (int, bool) {
	r := rs[i]
	if !isPause(r) && r != '-' || i+1 >= len(rs) {
		return i, false
	}
	o := *out
	atStart := len(o) == 0 || o[len(o)-1] == '\n'
	if !atStart && o[len(o)-1] != ' ' {
		return i, false
	}
	next := rs[i+1]
	switch {
	case next == '\n' && r != '-' && r != ':' && !atStart && len(o) > 1 && isArabicLetter(o[len(o)-2]):
		o[len(o)-1] = r
		c.commas++
		return i + 1, true
	case isDigit(next) && r != ':':
		j := numberEnd(rs, i+1)
		follows := rune('\n')
		if j < len(rs) {
			follows = rs[j]
		}
		letter := isArabicLetter(follows)
		if !letter && (r == '-' || follows != '\n' && follows != ' ') {
			return i, false
		}
		if r == '.' && !letter && follows == ' ' && atStart {
			return i, false
		}
		o = append(append(o, rs[i+1:j]...), r)
		if letter {
			o = append(o, ' ')
		}
		*out = o
		c.commas++
		return j, true
	case isArabicLetter(next) && r != '-' && !atStart && len(o) > 1 && (isArabicLetter(o[len(o)-2]) || isDigit(o[len(o)-2]) || o[len(o)-2] == ')'):
		o[len(o)-1] = r
		*out = append(o, ' ')
		c.commas++
		return i + 1, true
	}
	return i, false
}

// numberEnd returns the end of a number with its inner points and dashes.
func numberEnd(rs []rune, i int) int {
	for i < len(rs) {
		if isDigit(rs[i]) {
			i++
			continue
		}
		if strings.ContainsRune("./-,", rs[i]) && i+1 < len(rs) && isDigit(rs[i+1]) {
			i++
			continue
		}
		break
	}
	return i
}
