package search

import "hash/fnv"

// pair is two words that follow one another in a question, and how far.
type pair struct {
	a, b uint32
	gap  int
}

func hashStem(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(s))
	return max(1, h.Sum32())
}

// maxPlaces bounds the words of a text that are kept in order.
const maxPlaces = 1200

// placesOf lists the hashes of the stems of a text by their position.
func placesOf(text string) []uint32 {
	stems := analyzer.Analyze([]byte(text))
	if len(stems) == 0 {
		return nil
	}
	n := min(maxPlaces, stems[len(stems)-1].Position+1)
	out := make([]uint32, n)
	for _, t := range stems {
		if t.Position < n {
			out[t.Position] = hashStem(string(t.Term))
		}
	}
	return out
}

func pairsOf(question string) []pair {
	var out []pair
	stems, places := stemsOf(question)
	for i := 1; i < len(stems) && len(out) < maxWords; i++ {
		out = append(out, pair{hashStem(stems[i-1]), hashStem(stems[i]), places[i] - places[i-1]})
	}
	return out
}

// closeness is the share of the pairs that a text has as they stand in the
// question; those that are near in any order count half.
func (p *prepared) closeness(pairs []pair) float64 {
	if len(pairs) == 0 {
		return 0
	}
	sum := 0.0
	for _, q := range pairs {
		sum += p.has(q)
	}
	return sum / float64(len(pairs))
}

func (p *prepared) has(q pair) float64 {
	best := 0.0
	for i, h := range p.places {
		if h != q.a {
			continue
		}
		if j := i + q.gap; j < len(p.places) && p.places[j] == q.b {
			return 1
		}
		for j := max(0, i-closeSpan); j <= min(len(p.places)-1, i+closeSpan); j++ {
			if p.places[j] == q.b && j != i {
				best = .5
			}
		}
	}
	return best
}
