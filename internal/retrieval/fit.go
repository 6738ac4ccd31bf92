package retrieval

import "math"

// Example is one query with the features of its candidates, the right ones
// marked.
type Example struct {
	Rows  [][]Feature
	Right []bool
}

// Feature is one number of a candidate; what is not listed is zero.
type Feature struct {
	At    int
	Value float64
}

// Fit finds the weights under which the right candidates are most probable: a
// softmax over the candidates of each query, with a penalty on the square of
// the weights, by gradient steps with a rate of their own for each weight.
// start gives the weights to begin with, and to be drawn to.
func Fit(examples []Example, start []float64, l2 float64, rounds int) []float64 {
	w := append([]float64{}, start...)
	m, v := make([]float64, len(w)), make([]float64, len(w))
	grad := make([]float64, len(w))
	for t := 1; t <= rounds; t++ {
		clear(grad)
		for i := range examples {
			examples[i].gradient(w, grad)
		}
		rate := .05 * (1 - float64(t-1)/float64(rounds))
		for j := range w {
			g := grad[j]/float64(len(examples)) + l2*(w[j]-start[j])
			m[j] = .9*m[j] + .1*g
			v[j] = .999*v[j] + .001*g*g
			w[j] -= rate * m[j] / (1 - math.Pow(.9, float64(t))) / (math.Sqrt(v[j]/(1-math.Pow(.999, float64(t)))) + 1e-8)
		}
	}
	return w
}

// gradient adds the gradient of one query's loss.
func (e *Example) gradient(w, grad []float64) {
	p := make([]float64, len(e.Rows))
	top, all, right := math.Inf(-1), 0.0, 0.0
	for i, r := range e.Rows {
		p[i] = Dot(w, r)
		top = max(top, p[i])
	}
	for i := range p {
		p[i] = math.Exp(p[i] - top)
		all += p[i]
		if e.Right[i] {
			right += p[i]
		}
	}
	if right == 0 {
		return
	}
	for i, r := range e.Rows {
		d := p[i] / all
		if e.Right[i] {
			d -= p[i] / right
		}
		for _, f := range r {
			grad[f.At] += d * f.Value
		}
	}
}

// Dot is the weighted sum of features.
func Dot(w []float64, r []Feature) float64 {
	sum := 0.0
	for _, f := range r {
		sum += w[f.At] * f.Value
	}
	return sum
}
