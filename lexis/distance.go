package lexis

// maxDistanceRunes bounds the words Distance compares; longer ones are cut.
const maxDistanceRunes = 64

// Distance returns the number of edits between two words, counting the
// exchange of two neighbouring letters as one (optimal string alignment),
// or max+1 as soon as it must be greater than max.
func Distance(a, b string, max int) int {
	if max < 0 {
		return 0
	}
	var bufA, bufB [maxDistanceRunes]rune
	x, y := cutRunes(a, bufA[:0]), cutRunes(b, bufB[:0])
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y)-len(x) > max {
		return max + 1
	}
	var rows [3][maxDistanceRunes + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(x) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(y); i++ {
		row[0] = i
		best := i
		for j := 1; j <= len(x); j++ {
			cost := 1
			if x[j-1] == y[i-1] {
				cost = 0
			}
			d := min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[j-1] == y[i-2] && x[j-2] == y[i-1] {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
			best = min(best, d)
		}
		if best > max {
			return max + 1
		}
		before, last, row = last, row, before
	}
	return min(last[len(x)], max+1)
}

func cutRunes(s string, buf []rune) []rune {
	for _, r := range s {
		if len(buf) == maxDistanceRunes {
			break
		}
		buf = append(buf, r)
	}
	return buf
}
