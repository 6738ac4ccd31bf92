package retrieval

import (
	_ "embed"
	"math"
	"strconv"
	"strings"
	"sync"

	"diwan/lexis"
)

//go:embed data/words-fr.txt.br
var packedWords []byte

// frenchList is the list of French words that glued words are cut into.
type frenchList struct {
	cost  map[string]float64 // negative logarithm of the frequency
	stems map[string]bool
}

var loadFrench = sync.OnceValue(func() *frenchList {
	f := &frenchList{cost: map[string]float64{}, stems: map[string]bool{}}
	data, err := inflate(packedWords)
	if err != nil {
		panic("retrieval: the list of French words: " + err.Error())
	}
	total := 0.0
	for line := range strings.Lines(string(data)) {
		w, n, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		v, err := strconv.Atoi(n)
		if !ok || err != nil {
			panic("retrieval: the list of French words has the line " + line)
		}
		logCount := float64(v) / 8
		total += math.Exp(logCount)
		f.stems[lexis.StemFrench(w)] = true
		if len(w) == 1 && w != "a" && w != "y" {
			continue // letters that number the points of a list
		}
		f.cost[w] = -logCount
	}
	for w := range f.cost {
		f.cost[w] += math.Log(total)
	}
	return f
})

// splitGlued returns the parts of a folded French word that was run together
// with others. A word whose stem is known stays whole.
func splitGlued(w string) []string {
	f := loadFrench()
	if f.stems[lexis.StemFrench(w)] {
		return nil
	}
	var parts []string
	cut := false
	for piece := range strings.SplitSeq(w, "'") {
		if piece == "" {
			continue
		}
		if p := lexis.SplitGlued(piece, f.known); p != nil && !f.stems[lexis.StemFrench(piece)] {
			parts, cut = append(parts, p...), true
		} else {
			parts = append(parts, piece)
		}
	}
	if !cut {
		return nil
	}
	return parts
}

func (f *frenchList) known(w string) (float64, bool) {
	c, ok := f.cost[w]
	return c, ok
}
