package retrieval

import "slices"

// Translation says that a term of one side may stand for a term of the other.
type Translation struct {
	From, To string
	P        float64 // probability of To given From
}

// Pair is one text said twice, as terms.
type Pair struct{ From, To []string }

// Bounds of learning: what is longer is cut, so that one pair can't take the
// memory of all.
const (
	maxPairTerms = 400
	maxPairs     = 1 << 20
)

// Learn estimates by IBM Model 1 (Brown et al. 1993) how probable each term of
// To is given one of From, in so many rounds of expectation and maximisation,
// and returns the translations above a probability, by From and To. A missing
// word of its own soaks up what nothing on the other side explains.
func Learn(pairs []Pair, rounds int, above float64) []Translation {
	m := newModel1(pairs)
	for range rounds {
		m.round()
	}
	return m.table(above)
}

// model1 keeps its probabilities by source term, each with its own targets.
type model1 struct {
	from, to vocabulary
	pairs    []numbered
	rows     []row
}

type numbered struct{ from, to []int32 }

// row is what one source term may become.
type row struct {
	to    []int32
	p     []float64
	count []float64
}

// vocabulary numbers terms as they come.
type vocabulary struct {
	id    map[string]int32
	terms []string
}

func (v *vocabulary) number(t string) int32 {
	if v.id == nil {
		v.id = map[string]int32{}
	}
	i, ok := v.id[t]
	if !ok {
		i = int32(len(v.terms))
		v.id[t] = i
		v.terms = append(v.terms, t)
	}
	return i
}

func newModel1(pairs []Pair) *model1 {
	m := &model1{}
	m.from.number("") // the missing word
	for _, p := range pairs[:min(len(pairs), maxPairs)] {
		if len(p.From) == 0 || len(p.To) == 0 {
			continue
		}
		n := numbered{from: []int32{0}}
		for _, t := range p.From[:min(len(p.From), maxPairTerms)] {
			n.from = append(n.from, m.from.number(t))
		}
		for _, t := range p.To[:min(len(p.To), maxPairTerms)] {
			n.to = append(n.to, m.to.number(t))
		}
		m.pairs = append(m.pairs, n)
	}
	m.index()
	return m
}

// index finds the targets that each source term meets. A pass over the pairs
// of one source term after another needs no table of all combinations.
func (m *model1) index() {
	m.rows = make([]row, len(m.from.terms))
	where := make([][]int32, len(m.from.terms))
	for i := range m.pairs {
		for _, f := range m.pairs[i].from {
			if n := len(where[f]); n == 0 || where[f][n-1] != int32(i) {
				where[f] = append(where[f], int32(i))
			}
		}
	}
	mark := make([]int32, len(m.to.terms))
	for f := range m.rows {
		r := &m.rows[f]
		for _, i := range where[f] {
			for _, t := range m.pairs[i].to {
				if mark[t] != int32(f)+1 {
					mark[t] = int32(f) + 1
					r.to = append(r.to, t)
				}
			}
		}
		slices.Sort(r.to)
		r.p = make([]float64, len(r.to))
		r.count = make([]float64, len(r.to))
		for i := range r.p {
			r.p[i] = 1 / float64(len(r.to))
		}
	}
}

// round is one step of expectation and maximisation.
func (m *model1) round() {
	for i := range m.rows {
		clear(m.rows[i].count)
	}
	at := make([]int, maxPairTerms+1)
	for i := range m.pairs {
		n := &m.pairs[i]
		for _, t := range n.to {
			sum := 0.0
			for j, f := range n.from {
				at[j] = m.rows[f].find(t)
				sum += m.rows[f].p[at[j]]
			}
			if sum == 0 {
				continue
			}
			for j, f := range n.from {
				m.rows[f].count[at[j]] += m.rows[f].p[at[j]] / sum
			}
		}
	}
	for i := range m.rows {
		r := &m.rows[i]
		sum := 0.0
		for _, c := range r.count {
			sum += c
		}
		if sum == 0 {
			continue
		}
		for j, c := range r.count {
			r.p[j] = c / sum
		}
	}
}

// find returns where a target stands in the row; it is always there.
func (r *row) find(t int32) int {
	lo, hi := 0, len(r.to)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if r.to[mid] < t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (m *model1) table(above float64) []Translation {
	var out []Translation
	for f := 1; f < len(m.rows); f++ {
		r := &m.rows[f]
		for j, p := range r.p {
			if p >= above {
				out = append(out, Translation{m.from.terms[f], m.to.terms[r.to[j]], p})
			}
		}
	}
	return out
}
