package lexis

// Bounds of SplitGlued.
const (
	minGluedLetters = 5
	maxGluedParts   = 4
	maxGluedBytes   = 48
)

// Cost of a word that stands whole though no list has it: a fixed part, and a
// part for each letter. A cut must cost less.
const (
	wholeCost  = 6
	letterCost = 2.2
)

// SplitGlued cuts a folded Latin word that was run together with its
// neighbours, as texts that lost their markup have them, into at most four
// words of a list. cost gives the negative natural logarithm of a word's
// frequency, and whether the list has it. A word of fewer than five letters, or
// one for which no cut is likelier than an unknown word, gives nil. The caller
// keeps words that it knows out.
func SplitGlued(word string, cost func(string) (float64, bool)) []string {
	n := len(word)
	if n < minGluedLetters || n > maxGluedBytes {
		return nil
	}
	for i := range n {
		if word[i] < 'a' || word[i] > 'z' {
			return nil
		}
	}
	// best[k][i] is the least cost of the first i letters in k words.
	type step struct {
		cost float64
		from int
	}
	var best [maxGluedParts + 1][maxGluedBytes + 1]step
	for k := range best {
		for i := range best[k] {
			best[k][i].cost = -1
		}
	}
	best[0][0].cost = 0
	for end := 1; end <= n; end++ {
		for start := max(0, end-25); start < end; start++ {
			c, known := cost(word[start:end])
			if !known {
				continue
			}
			for k := 1; k <= maxGluedParts; k++ {
				before := best[k-1][start].cost
				if now := &best[k][end]; before >= 0 && (now.cost < 0 || before+c < now.cost) {
					*now = step{before + c, start}
				}
			}
		}
	}
	parts, least := 0, wholeCost+letterCost*float64(n)
	for k := 2; k <= maxGluedParts; k++ {
		if c := best[k][n].cost; c >= 0 && c < least {
			parts, least = k, c
		}
	}
	if parts == 0 {
		return nil
	}
	out := make([]string, parts)
	for k, end := parts, n; k > 0; k-- {
		start := best[k][end].from
		out[k-1], end = word[start:end], start
	}
	return out
}
