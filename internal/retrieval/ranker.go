package retrieval

import (
	"cmp"
	"slices"
)

// Ranker scores candidates that a large index found. It is safe for concurrent
// use when its fields are not changed.
type Ranker struct {
	Stats   *Stats   // of the whole index
	Lexicon *Lexicon // nil is the basic one
	// First is what the index's own score counts, beside the features: it knows
	// fields and filters that the text does not show.
	First float64
}

// Candidate is a document to be scored.
type Candidate struct {
	ID, Title, Text string
	Parsed          *Parsed // of the title and the text, where it is at hand; else nil
	First           float64 // the score of the index that found it
}

// Scored is a candidate by its number, with the score; greater is better, and
// only scores of one query can be compared.
type Scored struct {
	Candidate int
	Score     float64
}

// Prepare analyses a query; lang, "ar" or "fr", is what the reader reads, and
// decides only when the letters of the query don't.
func (r *Ranker) Prepare(text, lang string) *Query {
	l := r.Lexicon
	if l == nil {
		l = BasicLexicon()
	}
	return newQuery(text, lang, l, frenchCalls())
}

// maxCandidateText bounds what is read of one candidate, in bytes.
const maxCandidateText = 6 << 10

// Score returns the candidates from the best to the worst. Equal scores keep
// the order of the candidates.
func (r *Ranker) Score(q *Query, candidates []Candidate) []Scored {
	c := &Collection{stats: r.Stats, ids: make(map[*word]uint32, 2048)}
	top := 0.0
	for _, x := range candidates {
		if x.Parsed != nil {
			c.add(x.Parsed, x.Text)
		} else {
			c.Add(cutText(x.Title, maxQuery), cutText(x.Text, maxCandidateText))
		}
		top = max(top, x.First)
	}
	scores := c.score(q)
	if top > 0 {
		for i, x := range candidates {
			scores[i] += r.First * x.First / top
		}
	}
	return sorted(scores)
}

func sorted(scores []float64) []Scored {
	out := make([]Scored, len(scores))
	for i, s := range scores {
		out[i] = Scored{i, s}
	}
	slices.SortStableFunc(out, func(a, b Scored) int { return cmp.Compare(b.Score, a.Score) })
	return out
}

// Search returns the best documents for a query, at most n.
func (c *Collection) Search(q *Query, n int) []Scored {
	out := sorted(c.score(q))
	return out[:min(n, len(out))]
}

// Prepare analyses a query for the collection; see Ranker.Prepare.
func (c *Collection) Prepare(text, lang string, l *Lexicon) *Query {
	r := Ranker{Lexicon: l}
	return r.Prepare(text, lang)
}

// foreign is what the score of a document in the other language counts beside
// one in the query's own: translations are less sure.
const foreign = .8

// score scores every document. Each is matched as its language asks for; what
// is compared is how well each does within its language.
func (c *Collection) score(q *Query) []float64 {
	var which [modes][]uint32
	for d := range c.docs {
		m := modeOf(q.lang, c.docs[d].script)
		which[m] = append(which[m], uint32(d))
	}
	out := make([]float64, len(c.docs))
	w := loadWeights()
	for m, docs := range which {
		if len(docs) == 0 {
			continue
		}
		scores := c.scoreMode(q, mode(m), docs, w)
		for i, d := range docs {
			out[d] = scores[i]
			if mode(m) == crossing {
				out[d] *= foreign
			}
		}
	}
	return out
}

func (c *Collection) scoreMode(q *Query, m mode, docs []uint32, w *weights) []float64 {
	x := newScorer(q, m, c.stats)
	defer x.free()
	r := c.features(x, docs)
	out := make([]float64, len(docs))
	for i := range docs {
		for f, v := range r.of(i) {
			if !c.without[featureNames[f]] {
				out[i] += v * w.feature[m][f]
			}
		}
	}
	if m == french && !c.without["cues"] {
		c.rerank(q, docs, out, w)
	}
	return out
}

// rerank adds what the cues say of the best documents. Those below stay below.
func (c *Collection) rerank(q *Query, docs []uint32, scores []float64, w *weights) {
	question := questionCues(q.text)
	if len(question) == 0 {
		return
	}
	order := sorted(scores)
	best := order[:min(rerankDepth, len(order))]
	lowest := best[len(best)-1].Score
	least := 0.0
	for i, s := range best {
		text := cutText(c.texts[docs[s.Candidate]], maxCandidateText)
		v := s.Score + Dot(w.cue, crossCues(nil, question, textCues(text), 0))
		scores[s.Candidate] = v
		if i == 0 || v < least {
			least = v
		}
	}
	if down := lowest - least; down > 0 {
		for _, s := range order[len(best):] {
			scores[s.Candidate] -= down
		}
	}
}
