package extract

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CER is the character error rate of got against what a text should be: the
// least number of characters to add, drop or change, for each character
// wanted. White space counts as one space, signs that are not seen don't count.
func CER(want, got string) float64 {
	w, g := comparableText(want), comparableText(got)
	if len(w) == 0 {
		if len(g) == 0 {
			return 0
		}
		return 1
	}
	return float64(editDistance(w, g)) / float64(len(w))
}

func comparableText(s string) []rune {
	return []rune(strings.Join(strings.Fields(clean(s)), " "))
}

// editDistance is the Levenshtein distance. It looks only at a band around the
// diagonal and widens it until the answer fits, so that texts that are nearly
// alike cost little however long they are.
func editDistance(a, b []rune) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	for band := 32; ; band *= 4 {
		if d, ok := banded(a, b, band); ok {
			return d
		}
	}
}

func banded(a, b []rune, band int) (int, bool) {
	diff := len(a) - len(b)
	if diff > band || -diff > band {
		if band < max(len(a), len(b)) {
			return 0, false
		}
	}
	const far = 1 << 30
	width := len(b) + 1
	prev, cur := make([]int, width), make([]int, width)
	for j := range prev {
		if prev[j] = j; j > band {
			prev[j] = far
		}
	}
	for i, c := range a {
		low, high := max(0, i+1-band), min(len(b), i+1+band)
		if cur[low] = far; low == 0 {
			cur[0] = i + 1
		}
		for j := low + 1; j <= high; j++ {
			cost := prev[j-1]
			if c != b[j-1] {
				cost++
			}
			up := far
			if j < i+1+band || j == len(b) && len(b) < i+1+band {
				up = prev[j] + 1
			}
			cur[j] = min(cost, up, cur[j-1]+1)
		}
		if high < len(b) {
			cur[high+1] = far
		}
		prev, cur = cur, prev
	}
	d := prev[len(b)]
	return d, d <= band || band >= max(len(a), len(b))
}

// Disagreement says how far two readings of one page differ, from 0 to 1, as
// the share of the letters and digits in words that the other does not have.
// The order of words does not count: readings may take columns in another one.
func Disagreement(a, b []Line) float64 {
	left, right := bag(a), bag(b)
	total := 0
	for w, n := range left {
		total += n * utf8.RuneCountInString(w)
	}
	for w, n := range right {
		total += n * utf8.RuneCountInString(w)
	}
	if total == 0 {
		return 0
	}
	var only, other []string
	for w, n := range left {
		for range n - min(n, right[w]) {
			only = append(only, w)
		}
	}
	for w, n := range right {
		for range n - min(n, left[w]) {
			other = append(other, w)
		}
	}
	return min(1, 2*float64(pairUp(only, other))/float64(total))
}

// bag counts the words of a page without what readings may write in two ways.
func bag(lines []Line) map[string]int {
	out := map[string]int{}
	for _, l := range lines {
		words := strings.FieldsFunc(strings.ToLower(l.Text), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r)
		})
		for _, w := range words {
			w = strings.Map(func(r rune) rune {
				if unicode.Is(unicode.Mn, r) || r == 0x640 {
					return -1
				}
				return r
			}, w)
			if w != "" {
				out[w]++
			}
		}
	}
	return out
}

// pairUp sums the differences between the words of two lists when each is
// paired with the nearest one left of much the same length.
func pairUp(a, b []string) int {
	const most = 3000 // words: beyond it the pages have nothing in common
	slices.Sort(a)
	slices.Sort(b)
	sum := 0
	if len(a) > most || len(b) > most {
		for _, w := range slices.Concat(a, b) {
			sum += utf8.RuneCountInString(w)
		}
		return sum / 2
	}
	rest := make([][]rune, len(b))
	for i, w := range b {
		rest[i] = []rune(w)
	}
	for _, w := range a {
		r := []rune(w)
		best, at := len(r), -1
		for i, o := range rest {
			if o == nil || len(o)-len(r) >= best || len(r)-len(o) >= best {
				continue
			}
			if d := editDistance(r, o); d < best {
				best, at = d, i
			}
		}
		sum += best
		if at >= 0 {
			rest[at] = nil
		}
	}
	missing := 0
	for _, o := range rest {
		missing += len(o)
	}
	return max(sum, (sum+missing)/2)
}
