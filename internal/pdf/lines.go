package pdf

import "math"

// line is a set of pieces in reading order with the room its spaces take.
type line struct {
	pieces []piece
	width  float64 // natural, without the spaces at its end
	spaces int     // that can stretch
	last   bool    // of its paragraph, or before a forced break
}

// How far a space may grow or shrink, as parts of the letter size, before a
// line counts as bad.
const (
	spaceGrows   = 0.16
	spaceShrinks = 0.05
)

// breakLines divides segments into lines so that the worst spacing of the
// whole paragraph is least, by the sum over lines of a steep penalty. first is
// how much narrower the first line is.
func breakLines(segs []segment, width, first, size float64, justify bool) []line {
	n := len(segs)
	best, from := make([]float64, n+1), make([]int, n+1)
	for j := 1; j <= n; j++ {
		best[j] = math.Inf(1)
	}
	for i := range n {
		if math.IsInf(best[i], 1) {
			continue
		}
		room := width
		if i == 0 {
			room -= first
		}
		natural, spaces := 0.0, 0
		for j := i; j < n; j++ {
			natural += segs[j].width
			spaces += segs[j].inner
			end := segs[j].last || j == n-1
			cost := penalty(room-natural, spaces, size, justify, end)
			if j == i && math.IsInf(cost, 1) {
				cost = 1e12 // one segment must always fit somewhere
			}
			if c := best[i] + cost; c < best[j+1] {
				best[j+1], from[j+1] = c, i
			}
			if natural-float64(spaces+1)*spaceShrinks*size > room || segs[j].last {
				break
			}
			if segs[j].spaces > 0 {
				natural += segs[j].spaces
				spaces++
			}
		}
	}
	return gather(segs, from, n)
}

// penalty of a line that leaves rest points.
func penalty(rest float64, spaces int, size float64, justify, last bool) float64 {
	shrink := float64(spaces) * spaceShrinks * size
	switch {
	case rest < 0 && (!justify || -rest > shrink):
		if rest > -0.01 {
			return 0
		}
		return math.Inf(1)
	case rest < 0:
		r := -rest / shrink
		return 1 + 100*r*r*r
	case last:
		return 1
	}
	r := rest / (float64(max(spaces, 1)) * spaceGrows * size)
	if !justify {
		r /= 3
	}
	return (1 + 10*r*r*r) * (1 + 10*r*r*r)
}

func gather(segs []segment, from []int, n int) []line {
	var out []line
	for j := n; j > 0; j = from[j] {
		l := line{last: segs[j-1].last || j == n}
		for k := from[j]; k < j; k++ {
			l.pieces = append(l.pieces, segs[k].pieces...)
		}
		tail := len(l.pieces)
		for tail > 0 && l.pieces[tail-1].space {
			tail--
		}
		l.pieces = l.pieces[:tail]
		for _, p := range l.pieces {
			l.width += p.width
			if p.space {
				l.spaces++
			}
		}
		out = append(out, l)
	}
	for a, b := 0, len(out)-1; a < b; a, b = a+1, b-1 {
		out[a], out[b] = out[b], out[a]
	}
	return out
}

// visual returns the order of pieces from left to right (UAX 9, rule L2).
func visual(pieces []piece) []int {
	order := make([]int, len(pieces))
	top := 0
	for i, p := range pieces {
		order[i] = i
		top = max(top, p.level)
	}
	for level := top; level > 0; level-- {
		for i := 0; i < len(order); {
			if pieces[order[i]].level < level {
				i++
				continue
			}
			k := i
			for k < len(order) && pieces[order[k]].level >= level {
				k++
			}
			for a, b := i, k-1; a < b; a, b = a+1, b-1 {
				order[a], order[b] = order[b], order[a]
			}
			i = k
		}
	}
	return order
}
