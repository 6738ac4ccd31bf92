package search

import (
	"container/list"
	"context"
	"fmt"
	"math"
	"sync"

	index "github.com/blevesearch/bleve_index_api"
)

// postings are the documents that have a term in a field, with how well it
// describes each: the saturated count of BM25, in 255 steps.
type postings struct {
	docs   []uint32
	impact []uint8
}

// listCacheBytes bounds the postings that are kept decoded.
const listCacheBytes = 96 << 20

type listKey struct{ field, term string }

// listCache keeps the postings that were used last.
type listCache struct {
	mu    sync.Mutex
	lists map[listKey]*list.Element
	order list.List // of *cachedList, the last used in front
	bytes int
	max   int
}

type cachedList struct {
	key listKey
	p   *postings
}

func newListCache(max int) *listCache {
	return &listCache{lists: map[listKey]*list.Element{}, max: max}
}

func (c *listCache) get(k listKey) *postings {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.lists[k]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cachedList).p
}

func (c *listCache) put(k listKey, p *postings) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists[k] != nil {
		return
	}
	c.lists[k] = c.order.PushFront(&cachedList{k, p})
	c.bytes += p.size()
	for c.bytes > c.max {
		last := c.order.Back()
		old := last.Value.(*cachedList)
		c.order.Remove(last)
		delete(c.lists, old.key)
		c.bytes -= old.p.size()
	}
}

func (p *postings) size() int { return 5*len(p.docs) + 200 }

// count is how many documents have a term, without reading them.
func (g *generation) count(ctx context.Context, field, term string) (int, error) {
	if p := g.lists.get(listKey{field, term}); p != nil {
		return len(p.docs), nil
	}
	r, err := g.reader.TermFieldReader(ctx, []byte(term), field, false, false, false)
	if err != nil {
		return 0, fmt.Errorf("reading the search index: %w", err)
	}
	defer r.Close()
	return int(r.Count()), nil
}

// postings returns the documents that have a term in a field.
func (g *generation) postings(ctx context.Context, field, term string) (*postings, error) {
	k := listKey{field, term}
	if p := g.lists.get(k); p != nil {
		return p, nil
	}
	r, err := g.reader.TermFieldReader(ctx, []byte(term), field, true, true, false)
	if err != nil {
		return nil, fmt.Errorf("reading the search index: %w", err)
	}
	defer r.Close()
	n := int(r.Count())
	p := &postings{make([]uint32, 0, n), make([]uint8, 0, n)}
	mean, b := g.meanLength(field)
	var d index.TermFieldDoc
	for i := 0; ; i++ {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		t, err := r.Next(d.Reset())
		if err != nil {
			return nil, fmt.Errorf("reading the search index: %w", err)
		}
		if t == nil {
			break
		}
		length := 1 / (t.Norm * t.Norm)
		tf := float64(t.Freq)
		v := tf * (bodySaturation + 1) / (tf + bodySaturation*(1-b+b*length/mean))
		p.docs = append(p.docs, uint32(t.ID.Value()))
		p.impact = append(p.impact, uint8(min(255, v*impactStep+.5)))
	}
	g.lists.put(k, p)
	return p, nil
}

// impactStep makes the greatest saturated count, 1+bodySaturation, 255.
const impactStep = 255 / (bodySaturation + 1)

// Means of lengths in words. They move scores little, so they need not be those
// of the collection at hand.
func (g *generation) meanLength(field string) (mean, b float64) {
	switch field {
	case fieldBody:
		return 45, bodyLength
	case fieldHeading:
		return 4, titleLength
	}
	return 14, titleLength
}

// idf is the weight of a term that so many of the documents have.
func (g *generation) idf(df int) float64 {
	n := float64(max(g.live, df))
	return math.Log(1 + (n-float64(df)+.5)/(float64(df)+.5))
}
