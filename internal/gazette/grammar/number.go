package grammar

import (
	"slices"
	"strconv"
	"strings"

	"diwan/internal/gazette/model"
)

// maxParts bounds the parts of a number and maxDigits the digits of one part.
const (
	maxParts  = 4
	maxDigits = 6
)

// parts cuts a printed number at its separators; nil when it is not one.
func (g *Grammar) parts(s string) []string {
	var out []string
	var b []byte
	for _, r := range s {
		if d := g.digit(r); d >= 0 {
			if len(b) == maxDigits {
				return nil
			}
			b = append(b, byte('0'+d))
			continue
		}
		if !g.separator(r) || len(b) == 0 || len(out) == maxParts {
			return nil
		}
		out, b = append(out, string(b)), b[:0]
	}
	if len(b) == 0 || len(out) == maxParts {
		return nil
	}
	return append(out, string(b))
}

// Number brings the printed number of an act to one form: "1.20.06" and
// "1-20-06" are one. It takes Latin and Arabic-Indic digits and any of the
// separators. A number whose parts came out in reverse order, as the series of
// its kind tells, is turned round. ok is false for what is not such a number: a
// plain number is one only where bare is set.
func (g *Grammar) Number(kind, printed string, bare bool) (n model.Number, ok bool) {
	p := g.parts(strings.TrimSpace(printed))
	if len(p) > 3 || len(p) == 0 || len(p) == 1 && !bare {
		return "", false
	}
	if k, _ := g.Kind(kind); k.Series != "" && len(p) == 3 && p[0] != k.Series && p[2] == k.Series {
		slices.Reverse(p)
	}
	return model.Number(strings.Join(p, "-")), true
}

// int returns the value of a plain number.
func (g *Grammar) int(s string) (int, bool) {
	p := g.parts(s)
	if len(p) != 1 {
		return 0, false
	}
	v, err := strconv.Atoi(p[0])
	return v, err == nil
}

// MatchNumber reads the number of an act at the beginning of the tokens, with or
// without the word for "number" before it.
func (l *Lang) MatchNumber(text, kind string, toks []Token) (num model.Number, n int) {
	_, w := l.number.match(toks)
	i := w
	for i < len(toks) && i < w+2 && toks[i].ID < 0 {
		i++ // a colon or a bracket
	}
	if i >= len(toks) || !toks[i].Num {
		return "", 0
	}
	if _, j := l.joins.match(toks[i+1:]); j > 0 && i+1+j < len(toks) && toks[i+1+j].Num {
		a, okA := l.g.Number(kind, text[toks[i].Start:toks[i].End], true)
		b, okB := l.g.Number(kind, text[toks[i+1+j].Start:toks[i+1+j].End], true)
		if okA && okB {
			return a + "-" + b, i + 2 + j
		}
	}
	num, ok := l.g.Number(kind, text[toks[i].Start:toks[i].End], w > 0)
	if !ok {
		return "", 0
	}
	return num, i + 1
}

// MatchNumberWord returns how many tokens the word for "number" takes.
func (l *Lang) MatchNumberWord(toks []Token) int {
	_, n := l.number.match(toks)
	return n
}
