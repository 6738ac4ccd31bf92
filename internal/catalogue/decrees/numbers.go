package decrees

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var numberLine = regexp.MustCompile(`^[0-9]{1,4}(-[0-9]{1,4}){0,2}$`)

// number is a row number: main number, then insertions.
type number []int

// String gives the canonical form, main number first.
func (n number) String() string {
	parts := make([]string, len(n))
	for i, v := range n {
		parts[i] = strconv.Itoa(v)
	}
	return strings.Join(parts, "-")
}

// parseNumber reads a number line as printed, left to right.
func parseNumber(s string) (number, bool) {
	s = strings.Map(western, strings.TrimSpace(s))
	if !numberLine.MatchString(s) {
		return nil, false
	}
	var n number
	for _, p := range strings.Split(s, "-") {
		v, err := strconv.Atoi(p)
		if err != nil || v == 0 {
			return nil, false
		}
		n = append(n, v)
	}
	return n, true
}

// orient chooses between the two readings of an inserted number. Text printed
// right to left comes out reversed, but not always: the right reading is the
// one whose main number is nearest to the last main number met. Equal distances
// are not decided: the number stays as printed.
func orient(n number, lastMain int) (number, bool) {
	if len(n) == 1 {
		return n, true
	}
	rev := slices.Clone(n)
	slices.Reverse(rev)
	a, b := distance(rev[0], lastMain), distance(n[0], lastMain)
	switch {
	case a < b:
		return rev, true
	case b < a:
		return n, true
	}
	return n, slices.Equal(rev, n)
}

func distance(a, b int) int {
	if a < b {
		return b - a
	}
	return a - b
}

// compareNumbers orders rows as the decree means them: 12, 12-1, 12-1-1, 13.
func compareNumbers(a, b number) int { return slices.Compare(a, b) }
