package grammar

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"diwan/internal/gazette/model"
)

// Dates is a day as a gazette prints it, in one calendar or both.
type Dates struct {
	Civil model.Date
	Lunar model.Hijri
	// Doubt is set when the two calendars differ by more than two days: one of
	// them was misprinted or misread.
	Doubt bool
}

// maxDateTokens bounds how far a date may reach.
const maxDateTokens = 24

type dateItem struct {
	kind  byte // d day, c civil month, l lunar month, y year
	value int
	at    int
	used  bool
}

// MatchDate reads a date at the beginning of the tokens and returns how many of
// them it takes. Day and year may be displaced and brackets turned, as they come
// out of damaged text: "6( 1441 mars ,)2020" is 6 March 2020. Years tell the
// calendars apart: 1250 to 1550 is lunar, 1800 to 2199 civil.
func (l *Lang) MatchDate(text string, toks []Token) (d Dates, n int) {
	toks = toks[:min(len(toks), maxDateTokens)]
	if d, n, ok := l.digitsOnly(text, toks); ok {
		return d, n
	}
	var items []dateItem
	glued := 0
	for i := 0; i < len(toks); {
		it, step := l.dateItem(text, toks[i:])
		if step == 0 {
			if len(items) == 0 {
				return Dates{}, 0
			}
			break
		}
		if it.kind == 0 {
			glued++
		}
		if it.kind == 0 && len(items) == 0 && glued > 2 {
			return Dates{}, 0
		}
		if it.kind != 0 {
			if complete(items) && (it.kind == 'd' || it.kind == 'c' || it.kind == 'l') {
				break // another date
			}
			it.at = i
			items, glued = append(items, it), 0
			n = i + step
		} else if glued > 4 {
			break
		}
		i += step
	}
	l.assemble(text, toks, items, &d)
	if d.Civil == "" && d.Lunar.Year == 0 {
		return Dates{}, 0
	}
	// A closing bracket belongs to the date.
	for n < len(toks) && (toks[n].Mark() == ')' || toks[n].Mark() == '(') && opened(toks[:n]) {
		n++
	}
	if d.Lunar != (model.Hijri{}) {
		d.Lunar.Printed = text[toks[0].Start:toks[n-1].End]
	}
	d.Doubt = d.Civil != "" && differ(d.Civil, d.Lunar)
	return d, n
}

// opened tells whether one more bracket stands than pairs explain.
func opened(toks []Token) bool {
	n := 0
	for _, t := range toks {
		if m := t.Mark(); m == '(' || m == ')' {
			n++
		}
	}
	return n%2 == 1
}

// complete tells whether both calendars have day, month and year.
func complete(items []dateItem) bool {
	var c, l, y, d int
	for _, it := range items {
		switch it.kind {
		case 'c':
			c++
		case 'l':
			l++
		case 'y':
			y++
		case 'd':
			d++
		}
	}
	return c > 0 && l > 0 && y > 1 && d > 1
}

func (l *Lang) dateItem(text string, toks []Token) (dateItem, int) {
	t := toks[0]
	if t.Num {
		v, ok := l.g.int(text[t.Start:t.End])
		switch {
		case ok && 1 <= v && v <= 31 && t.End-t.Start <= 4:
			return dateItem{kind: 'd', value: v}, 1
		case ok && (1250 <= v && v <= 1550 || 1800 <= v && v <= 2199):
			return dateItem{kind: 'y', value: v}, 1
		}
		return dateItem{}, 0
	}
	if v, n := l.civil.match(toks); n > 0 {
		return dateItem{kind: 'c', value: v}, n
	}
	if v, n := l.lunar.match(toks); n > 0 {
		return dateItem{kind: 'l', value: v}, n
	}
	if _, n := l.first.match(toks); n > 0 {
		return dateItem{kind: 'd', value: 1}, n
	}
	if _, n := l.glue.match(toks); n > 0 {
		return dateItem{}, n
	}
	if m := t.Mark(); m == '°' || m != '.' && m != ';' && m != ':' && unicode.IsPunct(m) {
		return dateItem{}, 1
	}
	return dateItem{}, 0
}

// assemble gives each month the nearest free day before it and the year of its
// own calendar.
func (l *Lang) assemble(text string, toks []Token, items []dateItem, d *Dates) {
	var civil, lunar [3]int // year, month, day
	for m := range items {
		it := &items[m]
		var into *[3]int
		switch {
		case it.kind == 'c' && civil[1] == 0:
			into = &civil
		case it.kind == 'l' && lunar[1] == 0:
			into = &lunar
		default:
			continue
		}
		into[1] = it.value
		for k := m - 1; k >= 0; k-- {
			if items[k].kind == 'd' && !items[k].used {
				items[k].used, into[2] = true, items[k].value
				break
			}
			if items[k].kind == 'c' || items[k].kind == 'l' {
				break
			}
		}
		for k := range items {
			if y := items[k].value; items[k].kind == 'y' && (y < 1600) == (it.kind == 'l') {
				into[0] = y
				if k > m {
					break
				}
			}
		}
	}
	if civil[0] > 0 && civil[1] > 0 {
		d.Civil = civilDate(civil)
	}
	if lunar[0] > 0 && lunar[1] > 0 && lunar[2] <= 30 {
		d.Lunar = model.Hijri{Day: lunar[2], Month: lunar[1], Year: lunar[0]}
	}
}

func civilDate(v [3]int) model.Date {
	if v[2] == 0 {
		return model.Date(fmt.Sprintf("%04d-%02d", v[0], v[1]))
	}
	t := time.Date(v[0], time.Month(v[1]), v[2], 0, 0, 0, 0, time.UTC)
	if t.Day() != v[2] || int(t.Month()) != v[1] {
		return ""
	}
	return model.Date(t.Format("2006-01-02"))
}

// digitsOnly reads "6-8-2020", "19.03.2020" and "2011-10-28".
func (l *Lang) digitsOnly(text string, toks []Token) (Dates, int, bool) {
	if len(toks) == 0 || !toks[0].Num {
		return Dates{}, 0, false
	}
	p := l.g.parts(text[toks[0].Start:toks[0].End])
	if len(p) != 3 {
		return Dates{}, 0, false
	}
	if len(p[0]) == 4 {
		p[0], p[2] = p[2], p[0]
	}
	if len(p[2]) != 4 || len(p[0]) > 2 || len(p[1]) > 2 {
		return Dates{}, 0, false
	}
	var v [3]int
	for i, s := range p {
		v[2-i], _ = l.g.int(s)
	}
	if v[0] < 1800 || v[0] > 2199 || v[1] < 1 || v[1] > 12 || v[2] < 1 {
		return Dates{}, 0, false
	}
	c := civilDate(v)
	return Dates{Civil: c}, 1, c != ""
}

// differ compares a civil day with a lunar one by the tabular calendar (the
// arithmetic one of 30 years with 11 leap years, which is within two days of any
// calendar kept by sight of the moon). Incomplete dates never differ.
func differ(c model.Date, h model.Hijri) bool {
	t, err := time.Parse("2006-01-02", string(c))
	if err != nil || h.Day == 0 || h.Month == 0 || h.Year == 0 {
		return false
	}
	// Day numbers since the lunar epoch, 16 July 622 of the Julian calendar,
	// whose Julian day number is 1948440.
	lunar := h.Day + (59*(h.Month-1)+1)/2 + 354*(h.Year-1) + (3+11*h.Year)/30 + 1948440 - 1
	civil := int(t.Unix()/86400) + 2440588 // Julian day number of 1970-01-01
	if t.Unix() < 0 && t.Unix()%86400 != 0 {
		civil--
	}
	diff := civil - lunar
	return diff > 2 || diff < -2
}

// FindDate returns the first date among the tokens, where it begins and how
// many tokens it takes; n is 0 when there is none.
func (l *Lang) FindDate(text string, toks []Token) (d Dates, at, n int) {
	for i := range toks {
		if !toks[i].Num && toks[i].ID <= 0 {
			continue
		}
		if d, n := l.MatchDate(text, toks[i:]); n > 0 {
			return d, i, n
		}
	}
	return Dates{}, 0, 0
}

// SuspectDigits tells whether the digits of a text can't be right: at least half
// of the years beside month names, and three of them, lie in no calendar's
// range. Such digits come from a font that names its glyphs at random.
func (l *Lang) SuspectDigits(text string) bool {
	s := l.g.Scanner()
	defer s.Release()
	good, bad := 0, 0
	var toks []Token
	text = text[:min(len(text), 1<<17)]
	for start := 0; start < len(text); {
		end := start + 4096
		if end >= len(text) {
			end = len(text)
		}
		toks = s.Tokens(toks[:0], text[start:end], start, 4096)
		for i := range toks {
			if toks[i].ID <= 0 {
				continue
			}
			if _, n := l.civil.match(toks[i:]); n > 0 {
				l.yearBeside(text, toks, i+n, &good, &bad)
			}
		}
		start = end
	}
	return bad >= 3 && bad >= good || bad == 2 && good == 0
}

func (l *Lang) yearBeside(text string, toks []Token, i int, good, bad *int) {
	for k := i; k < min(i+4, len(toks)); k++ {
		if !toks[k].Num {
			if toks[k].ID >= 0 {
				return
			}
			continue
		}
		// Digits that the font had no name for come out as dots.
		end := toks[k].Start
		for end < len(text) && (text[end] == '.' || '0' <= text[end] && text[end] <= '9') {
			end++
		}
		printed := strings.TrimSuffix(text[toks[k].Start:end], ".")
		v, plain := l.g.int(printed)
		switch {
		case plain && len(printed) != 4 || len(printed) < 3:
		case plain && (v >= 1300 && v <= 1500 || v >= 1850 && v <= 2100):
			*good++
		default:
			*bad++
		}
		return
	}
}
