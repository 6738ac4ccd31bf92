package grammar

import (
	"strconv"
	"strings"
)

// maxTails bounds what may follow the first number of a label.
const maxTails = 3

// Tail is a part of a label after its first number: "-1", or "bis" where Repeat
// is set (1 is bis, 2 ter).
type Tail struct {
	Repeat bool
	N      int32
}

// Label is the number of an article or another unit in one form. It can be
// compared and used as a key; the zero Label is none.
type Label struct {
	N      int32
	Tails  [maxTails]Tail
	Unique bool // the only article of its act
	Prelim bool // before the first
}

// Zero tells whether there is no label.
func (l Label) Zero() bool { return l == Label{} }

// plain tells whether the label is a bare number.
func (l Label) plain() bool { return l.Tails[0] == Tail{} && !l.Unique && !l.Prelim }

// Compare orders labels: 5, 5bis, 5-1, 6.
func (l Label) Compare(o Label) int {
	if l.N != o.N {
		return int(l.N) - int(o.N)
	}
	for i := range l.Tails {
		a, b := l.Tails[i], o.Tails[i]
		switch {
		case a == b:
			continue
		case a.Repeat != b.Repeat && a.N > 0 && b.N > 0:
			if a.Repeat {
				return -1
			}
			return 1
		}
		return int(a.N) - int(b.N)
	}
	return 0
}

// Follows tells whether l is what comes after o when nothing is left out: 6 or
// 5bis after 5, 5ter or 6 after 5bis, 5-2 after 5-1.
func (l Label) Follows(o Label) bool {
	if l.Unique || o.Unique {
		return false
	}
	if l.N == o.N+1 && l.plain() {
		return true
	}
	if l.N != o.N {
		return false
	}
	for i := range l.Tails {
		a, b := l.Tails[i], o.Tails[i]
		if a == b {
			continue
		}
		last := i == maxTails-1 || l.Tails[i+1] == Tail{}
		return last && (b.N == 0 && a.N <= 2 || a.Repeat == b.Repeat && a.N == b.N+1 || a.N == 1)
	}
	return false
}

// Reversed returns the label read from its other end, as damaged right-to-left
// text prints it: "1-54" is 54-1. ok is false when it has only one part.
func (l Label) Reversed() (r Label, ok bool) {
	n := 0
	for n < maxTails && l.Tails[n].N > 0 {
		if l.Tails[n].Repeat {
			return l, false
		}
		n++
	}
	if n == 0 {
		return l, false
	}
	r.N = l.Tails[n-1].N
	for i := 1; i < n; i++ {
		r.Tails[i-1] = l.Tails[n-1-i]
	}
	r.Tails[n-1] = Tail{N: l.N}
	return r, true
}

// Format writes a label: "5", "5bis", "5bis-1", "267-1", "unique".
func (g *Grammar) Format(l Label) string {
	switch {
	case l.Unique:
		return g.Config.Unique
	case l.Prelim:
		return "0"
	case l.N == 0:
		return ""
	}
	var b strings.Builder
	b.WriteString(strconv.Itoa(int(l.N)))
	for _, t := range l.Tails {
		switch {
		case t.N == 0:
		case !t.Repeat:
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(int(t.N)))
		case int(t.N) <= len(g.Config.Repeats):
			b.WriteString(g.Config.Repeats[t.N-1])
		default:
			b.WriteString(g.Config.Repeats[0] + strconv.Itoa(int(t.N)))
		}
	}
	return b.String()
}

func (l *Label) add(t Tail) bool {
	for i := range l.Tails {
		if l.Tails[i].N == 0 {
			l.Tails[i] = t
			return true
		}
	}
	return false
}

// MatchLabel reads a label at the beginning of the tokens: a number, an ordinal
// in words, a Roman number, with "bis" and its like. Words tells that it was
// written in words.
func (l *Lang) MatchLabel(text string, toks []Token) (lab Label, n int, words bool) {
	i := 0
	for i < len(toks) && i < 3 && labelMark(toks[i].Mark()) {
		i++
	}
	if i >= len(toks) {
		return Label{}, 0, false
	}
	if _, m := l.unique.match(toks[i:]); m > 0 {
		return Label{Unique: true}, i + m, true
	}
	if _, m := l.prelim.match(toks[i:]); m > 0 {
		return Label{Prelim: true}, i + m, true
	}
	switch t := toks[i]; {
	case t.Num:
		if !l.g.numberLabel(text[t.Start:t.End], &lab) {
			return Label{}, 0, false
		}
		i++
		if _, m := l.glue.match(toks[i:]); m == 1 && toks[i].ID > 0 && toks[i].Start == t.End {
			i++ // "1er"
		} else if i < len(toks) && (toks[i].Mark() == '°') && toks[i].Start == t.End {
			i++
		}
	default:
		if v, m := l.ordinal(toks[i:]); m > 0 {
			lab.N, words = int32(v), true
			i += m
		} else if v := roman(text[t.Start:t.End]); v > 0 {
			lab.N = int32(v)
			i++
		} else {
			return Label{}, 0, false
		}
	}
	return lab, l.tails(text, toks, i, &lab), words
}

func labelMark(r rune) bool {
	switch r {
	case ':', '-', '.', '(', ')', '–', '°', '_', '—':
		return true
	}
	return false
}

// numberLabel reads "5", "267-1", "82.5.1".
func (g *Grammar) numberLabel(s string, lab *Label) bool {
	p := g.parts(s)
	if len(p) == 0 || len(p) > 1+maxTails {
		return false
	}
	for i, part := range p {
		v, err := strconv.Atoi(part)
		if err != nil || v > 99999 || v == 0 && i == 0 {
			return false
		}
		if i == 0 {
			lab.N = int32(v)
		} else if v > 0 {
			lab.add(Tail{N: int32(v)})
		}
	}
	return true
}

// tails reads what follows the first number from token i on and returns where
// it ends.
func (l *Lang) tails(text string, toks []Token, i int, lab *Label) int {
	for range maxTails {
		rest := toks[i:]
		if v, m := l.latinRe.match(rest); m > 0 {
			if !lab.add(Tail{true, int32(v)}) {
				return i
			}
			i += m
			continue
		}
		if _, m := l.repeat.match(rest); m > 0 {
			i += m
			count, k := 1, i
			for k < len(toks) && k < i+1 && toks[k].Mark() == '(' {
				k++
			}
			if v, m := l.counts.match(toks[k:]); m > 0 {
				count, i = v, k+m
				if i < len(toks) && toks[i].Mark() == ')' && k > 0 && toks[k-1].Mark() == '(' {
					i++
				}
			}
			if !lab.add(Tail{true, int32(count)}) {
				return i
			}
			continue
		}
		k := i
		for k < len(toks) && k < i+1 && (toks[k].Mark() == '-' || toks[k].Mark() == '–') {
			k++
		}
		// A further number belongs to the label only where it ends the line, or
		// nothing but marks follows: "54 - 1", "5bis 1".
		if k < len(toks) && toks[k].Num && (k > i || lab.Tails[0].Repeat) && onlyMarks(toks[k+1:]) {
			if v, ok := l.g.int(text[toks[k].Start:toks[k].End]); ok && v > 0 && v < 1000 && lab.add(Tail{N: int32(v)}) {
				i = k + 1
				continue
			}
		}
		return i
	}
	return i
}

func onlyMarks(toks []Token) bool {
	for _, t := range toks {
		if t.Mark() == 0 {
			return false
		}
	}
	return true
}

// ordinal reads an ordinal in words as the sum of its parts: the units, ten for
// a teen, the tens and the hundreds, each at most once.
func (l *Lang) ordinal(toks []Token) (v, n int) {
	var seen [4]bool
	for i := 0; i < len(toks); {
		if w, m := l.ordinals.match(toks[i:]); m > 0 {
			size := 0
			switch {
			case w >= 100:
				size = 2
			case w >= 20:
				size = 1
			}
			if seen[size] {
				return v, n
			}
			seen[size] = true
			v, i = v+w, i+m
			n = i
			continue
		}
		if _, m := l.teens.match(toks[i:]); m > 0 && seen[0] && !seen[1] && v%10 == v%100 {
			seen[1] = true
			v, i = v+10, i+m
			n = i
			continue
		}
		if _, m := l.ordinalGlue.match(toks[i:]); m > 0 && v > 0 && !seen[3] {
			seen[3] = true
			i += m
			continue
		}
		break
	}
	return v, n
}

// roman returns the value of a Roman number in capitals, 0 when it is not one.
func roman(s string) int {
	if len(s) > 8 {
		return 0
	}
	v, last := 0, 0
	for i := len(s) - 1; i >= 0; i-- {
		d := strings.IndexByte("IVXLC", s[i])
		if d < 0 {
			return 0
		}
		w := []int{1, 5, 10, 50, 100}[d]
		if w < last {
			v -= w
		} else {
			v, last = v+w, w
		}
	}
	return v
}
