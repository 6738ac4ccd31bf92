package structure

import (
	"slices"

	"diwan/internal/gazette/grammar"
)

// What a step from one article to the next costs. A head that stands on its own
// after the end of a sentence weighs 1, so a doubtful one must fit the order.
const (
	costGap     = 0.6  // numbers are missing
	costMissing = 0.12 // for each of them, up to ten
	costRestart = 2.5  // the numbers begin again
	costSoft    = 0.2  // the same, where an annex or a closing stands between
	costStart   = 0.4  // the first is not number one
	costAmends  = 0.5  // the place was announced as the text of another act
	costStyle   = 0.4  // more, where its number is written in another way
	costOther   = 0.25 // read from the other end
	maxSame     = 64   // labels kept of one number
)

// step is the best chain that ends with a candidate.
type step struct {
	score float64
	prev  int // -1 at the beginning
	label grammar.Label
}

// chain returns the candidates, of one group, that are most likely the articles
// of one act, in order, with the labels they were read as; and how good they
// are. soft tells whether a new numbering may begin at a line.
//
// It is the heaviest path through the candidates, in O(n log n): a step to the
// number that follows is free, a gap costs, and beginning again costs more.
func (d *document) chain(cands []candidate, group int, soft []int) (picked []int, labels []grammar.Label, score float64) {
	b := newBest(cands)
	inWords := false // the act writes its own numbers in words
	for _, c := range cands {
		inWords = inWords || c.words && c.label.N > 1 && c.alone && c.weight >= 0.9 && c.group == group
	}
	best, bestAt := 0.0, -1
	nextSoft, lastLine := 0, -1
	for i, c := range cands {
		for nextSoft < len(soft) && soft[nextSoft] <= lastLine {
			nextSoft++
		}
		softHere := nextSoft < len(soft) && soft[nextSoft] <= c.line
		if c.group != group || c.lost || c.quoted && c.weight <= 0 {
			continue
		}
		w := c.weight
		if c.amends {
			w -= costAmends
			if inWords && !c.words {
				w -= costStyle
			}
			if c.alone && c.weight >= 0.25 {
				w = max(w, 0.15)
			}
		}
		if w <= 0 {
			continue
		}
		s := b.into(c.label, best, bestAt, softHere)
		if c.other.N > 0 {
			if o := b.into(c.other, best, bestAt, softHere); o.score-costOther > s.score {
				s = o
				s.score -= costOther
			}
		}
		// Between equals in an amending clause the later one is the act's own.
		s.score += w + float64(i)*1e-7
		b.set(i, s)
		lastLine = c.line
		if s.score > best {
			best, bestAt = s.score, i
		}
	}
	for i := bestAt; i >= 0; i = b.steps[i].prev {
		picked = append(picked, i)
		labels = append(labels, b.steps[i].label)
	}
	slices.Reverse(picked)
	slices.Reverse(labels)
	return picked, labels, best
}

// best keeps the best chain for each label it can end with.
type best struct {
	steps []step
	exact map[grammar.Label]int
	same  map[int32][]int // by first number: the best of each label, few
	plain map[int32]int   // by first number: the best of all its labels
	ranks []int32         // the numbers that occur, sorted
	tree  []int           // best up to a rank, as a binary indexed tree; -1 none
}

func newBest(cands []candidate) *best {
	b := &best{steps: make([]step, len(cands)), exact: map[grammar.Label]int{}, same: map[int32][]int{}, plain: map[int32]int{}}
	for _, c := range cands {
		b.ranks = append(b.ranks, c.label.N)
		if c.other.N > 0 {
			b.ranks = append(b.ranks, c.other.N)
		}
	}
	slices.Sort(b.ranks)
	b.ranks = slices.Compact(b.ranks)
	b.tree = make([]int, len(b.ranks)+1)
	for i := range b.tree {
		b.tree[i] = -1
	}
	return b
}

// below returns the best chain that ends with a number smaller than n.
func (b *best) below(n int32) int {
	r, _ := slices.BinarySearch(b.ranks, n)
	found := -1
	for ; r > 0; r &= r - 1 {
		if k := b.tree[r]; k >= 0 && (found < 0 || b.steps[k].score > b.steps[found].score) {
			found = k
		}
	}
	return found
}

func (b *best) set(i int, s step) {
	b.steps[i] = s
	better := func(k int, ok bool) bool { return !ok || b.steps[k].score < s.score }
	if k, ok := b.exact[s.label]; better(k, ok) {
		b.exact[s.label] = i
		list := b.same[s.label.N]
		if at := slices.IndexFunc(list, func(k int) bool { return b.steps[k].label == s.label }); at >= 0 {
			list[at] = i
		} else if len(list) < maxSame {
			b.same[s.label.N] = append(list, i)
		}
	}
	if s.label.Unique {
		return
	}
	if k, ok := b.plain[s.label.N]; better(k, ok) {
		b.plain[s.label.N] = i
	}
	r, _ := slices.BinarySearch(b.ranks, s.label.N)
	for r++; r < len(b.tree); r += r & -r {
		if k := b.tree[r]; k < 0 || b.steps[k].score < s.score {
			b.tree[r] = i
		}
	}
}

// into returns the best step to a label; its score is that of what goes before,
// less the cost.
func (b *best) into(l grammar.Label, top float64, topAt int, soft bool) step {
	s := step{prev: -1, label: l}
	if !l.Unique && !(l.N == 1 && l.Tails[0].N == 0) {
		s.score = -costStart - costMissing*float64(min(l.N-1, 12))
	}
	offer := func(k int, cost float64) {
		if v := b.steps[k].score - cost; v > s.score {
			s.score, s.prev = v, k
		}
	}
	if topAt >= 0 {
		first := l.Unique || l.N == 1 && l.Tails[0].N == 0
		switch {
		case soft && first:
			offer(topAt, costSoft)
		case first:
			offer(topAt, costRestart)
		case soft:
			offer(topAt, costSoft+costStart+costMissing*float64(min(l.N, 12)))
		default:
			offer(topAt, costRestart+1)
		}
	}
	if l.Unique {
		return s
	}
	for _, k := range b.same[l.N] {
		if p := b.steps[k].label; l.Follows(p) {
			offer(k, 0)
		} else if l.Compare(p) > 0 {
			offer(k, costGap/2)
		}
	}
	if k, ok := b.plain[l.N-1]; ok {
		cost := 0.0
		if l.Tails[0].N > 0 {
			cost = costGap + costOther // the number itself is not there
		}
		offer(k, cost)
	}
	for g := int32(2); g <= 10; g++ {
		if k, ok := b.plain[l.N-g]; ok {
			offer(k, costGap+costMissing*float64(g-1))
		}
	}
	if k := b.below(l.N); k >= 0 {
		offer(k, costGap+costMissing*10)
	}
	return s
}
