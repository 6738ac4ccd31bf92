package search

import "slices"

// scratch is what one search adds its scores up in.
type scratch struct {
	text      []float32 // by document
	mask      []uint32  // words of the question in the text, by document
	title     []float32 // by work
	titleMask []uint32
	found     []foundDoc
}

func (x *Index) newScratch(docs, works int) *scratch {
	s, _ := x.scratch.Get().(*scratch)
	if s == nil || cap(s.text) < docs || cap(s.title) < works {
		return &scratch{make([]float32, docs), make([]uint32, docs), make([]float32, works), make([]uint32, works), nil}
	}
	s.text, s.mask, s.title, s.titleMask = s.text[:docs], s.mask[:docs], s.title[:works], s.titleMask[:works]
	clear(s.text)
	clear(s.mask)
	clear(s.title)
	clear(s.titleMask)
	return s
}

// mostPostings bounds how many postings of texts one search reads. The words of
// a question are read from the rarest to the commonest, at least rarest of them;
// the second ranking sees all of them in the texts that were found.
const (
	mostPostings = 400_000
	rarest       = 2
)

// score adds up the words of the query over all documents.
func (s *searching) score() (*scratch, error) {
	sc := s.x.newScratch(len(s.g.docs), len(s.g.works))
	order := make([]int, len(s.terms))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return s.terms[a].df - s.terms[b].df })
	read := 0
	for k, i := range order {
		t := &s.terms[i]
		read += t.df
		texts := k < rarest || read <= mostPostings
		for _, v := range t.variants {
			if err := s.add(sc, v, t, 1<<i, texts); err != nil {
				s.x.scratch.Put(sc)
				return nil, err
			}
		}
	}
	return sc, nil
}

// leastMask is the boost from which a variant stands for the word itself.
const leastMask = .15

// add adds one term to the scores of all documents that have it.
func (s *searching) add(sc *scratch, v variant, t *term, bit uint32, texts bool) error {
	if v.boost < leastMask {
		bit = 0
	}
	if texts && !v.title {
		for _, f := range [...]struct {
			name   string
			weight float64
		}{{fieldBody, 1}, {fieldHeading, s.x.Weights.Heading}} {
			p, err := s.g.postings(s.ctx, f.name, v.term)
			if err != nil {
				return err
			}
			w := float32(f.weight * v.boost * t.idf / impactStep)
			for i, d := range p.docs {
				sc.text[d] += w * float32(p.impact[i])
				sc.mask[d] |= bit
			}
		}
	}
	p, err := s.g.postings(s.ctx, fieldTitle, v.term)
	if err != nil {
		return err
	}
	w := float32(v.boost * t.idf / impactStep)
	for i, n := range p.docs {
		d := &s.g.docs[n]
		if d.letter != 0 {
			continue
		}
		work := s.g.slots[d.slot].work
		sc.title[work] += w * float32(p.impact[i])
		sc.titleMask[work] |= bit
	}
	return nil
}
