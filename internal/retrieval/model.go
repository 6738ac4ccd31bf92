package retrieval

import "math"

// model says how the units of a channel become a score.
type model uint8

const (
	bm25     model = iota
	language       // log-likelihood of the query, see likelihood
	average        // mean over the words of the document
)

// BM25 as published, with the usual constants; the development sets showed no
// gain from others.
const (
	k1 = 1.2
	b  = .75
)

// score turns how much a document counts for each unit into the score of the
// channel.
func (c *channel) score(counts []float32, length, mean float64) float64 {
	switch c.model {
	case language:
		return c.likelihood(counts, length)
	case average:
		return float64(counts[0]) / (length + 2)
	}
	sum := 0.0
	norm := k1 * (1 - b + b*length/mean)
	for i, n := range counts {
		if n > 0 {
			tf := float64(n)
			sum += c.units[i].weight * c.units[i].rarity * tf * (k1 + 1) / (tf + norm)
		}
	}
	return sum
}

// mu is the weight of the collection against the document in a language model,
// in words.
const mu = 30

// likelihood is the mean logarithm of the probability that the document's
// words, each replaced by what it may stand for, make a word of the query. The
// mean, because the likelihood of a long query says nothing beside that of a
// short one.
func (c *channel) likelihood(counts []float32, length float64) float64 {
	sum, n := 0.0, 0.0
	lambda := mu / (mu + length)
	for i, u := range c.units {
		p := 0.0
		if length > 0 {
			p = float64(counts[i]) / length
		}
		sum += u.weight * math.Log((1-lambda)*p+lambda*u.rarity)
		n += u.weight
	}
	if n == 0 {
		return 0
	}
	return sum / n
}

// cover is the share of the query that a document has at all, by rarity.
func (c *channel) cover(counts []float32) float64 {
	have, all := 0.0, 0.0
	for i, u := range c.units {
		all += u.weight * u.rarity
		if counts[i] > 0 {
			have += u.weight * u.rarity * min(1, float64(counts[i]))
		}
	}
	if all == 0 {
		return 0
	}
	return have / all
}
