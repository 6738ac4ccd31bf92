package form

import (
	"math"
	"strconv"
	"strings"

	"diwan/internal/gov"
)

// plainNumber drops what people put into numbers to read them: spaces, narrow
// spaces, the Arabic sign of thousands; Arabic digits become Latin.
func plainNumber(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\u00a0', '\u202f', '\'', '\u2019', arabicThousand:
			return -1
		case arabicDecimal:
			return ','
		}
		return r
	}, latinDigits(s))
}

// readNumber reads a number as people write it: "1.234.567,5", "1 234 567.5".
// The sign that stands last and once is the decimal one. Where exactly three
// digits follow the only sign, the writing of the reader's language decides, and
// a number that could still be read in two ways is refused rather than guessed:
// it may be a surface or a sum of money.
func readNumber(kind, s, field string, sym gov.NumberSymbols) (any, []Problem) {
	refuse := func(code string) (any, []Problem) { return nil, []Problem{problemAt(field, code)} }
	s = plainNumber(s)
	sign := ""
	if t, ok := strings.CutPrefix(s, "-"); ok {
		sign, s = "-", t
	}
	whole, decimals, code := split(s, kind, sym)
	if code != "" {
		return refuse(code)
	}
	if len(whole) == 0 || len(whole) > 16 || strings.Trim(whole+decimals, "0123456789") != "" {
		return refuse(kind)
	}
	switch kind {
	case "integer":
		n, err := strconv.ParseInt(sign+whole, 10, 64)
		if err != nil || decimals != "" || !inRange(n) {
			return refuse(kind)
		}
		return n, nil
	case "money":
		if len(decimals) > 2 {
			return refuse(kind)
		}
		n, err := strconv.ParseInt(sign+whole+(decimals + "00")[:2], 10, 64)
		if err != nil || !inRange(n) {
			return refuse(kind)
		}
		return n, nil
	}
	x, err := strconv.ParseFloat(sign+whole+"."+decimals+"0", 64)
	if err != nil || !finite(x) || len(decimals) > 12 {
		return refuse(kind)
	}
	return x, nil
}

// split parts a number without sign into its whole and decimal digits.
func split(s, kind string, sym gov.NumberSymbols) (whole, decimals, code string) {
	commas, points := strings.Count(s, ","), strings.Count(s, ".")
	at := strings.LastIndexAny(s, ",.")
	switch {
	case at < 0:
		return s, "", ""
	case commas > 0 && points > 0:
		mark, groups := s[at:at+1], "."
		if mark == "." {
			groups = ","
		}
		if strings.Count(s, mark) > 1 || !grouped(s[:at], groups) {
			return "", "", kind
		}
		return strings.ReplaceAll(s[:at], groups, ""), s[at+1:], ""
	case commas+points > 1:
		if !grouped(s, s[at:at+1]) {
			return "", "", kind
		}
		return strings.ReplaceAll(s, s[at:at+1], ""), "", ""
	}
	mark := s[at : at+1]
	if len(s)-at == 4 && grouped(s, mark) { // three digits follow: a group, or decimals?
		switch {
		case kind == "number" && mark == sym.Decimal:
		case kind != "number" && mark == sym.Group:
			return s[:at] + s[at+1:], "", ""
		default:
			return "", "", "number.two_ways"
		}
	}
	return s[:at], s[at+1:], ""
}

// grouped reports whether digits stand in groups of three: "1.234.567".
func grouped(s, mark string) bool {
	parts := strings.Split(s, mark)
	for i, p := range parts {
		if i > 0 && len(p) != 3 || i == 0 && (len(p) == 0 || len(p) > 3) {
			return false
		}
	}
	return true
}

func roundTo(x, unit float64) float64 { return math.Round(x*unit) / unit }
